// SPDX-License-Identifier: GPL-2.0-only
// The memory witness: runs in a guest, owns pages nobody else knows the content of, and tells
// a client outside what became of them and how long the guest did not run.
//
// Every page is filled from a seed that only this process has, so right content after a warm
// reboot can come from nowhere but the frames the guest had before. A second thread looks at
// the clocks at short intervals; a gap between two looks is time in which the guest stood
// still. rdtsc is the measure (a guest with tsc_mode="native" reads the machine's own
// counter, which nobody adjusts); the kernel's clocks are reported beside it because they
// must not go backwards either.
//
// Protocol, on a TCP port: one command a line, one JSON object a line as the answer; the
// connection stays open. Commands: "get", "reset" (forget gaps, then answer), "check" (answer
// after every page has been verified from now on).

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <iostream>
#include <list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

namespace {

constexpr std::size_t page_size = 4096;
constexpr std::size_t words_per_page = page_size / sizeof(std::uint64_t);

std::uint64_t mix(std::uint64_t x) {
    // splitmix64's finaliser
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// The pages. Filled once, then only read: a page that differs was changed by somebody else.
class Pages {
  public:
    explicit Pages(std::size_t count) : count_(count) {
        if (getrandom(&seed_, sizeof seed_, 0) != sizeof seed_) fail("getrandom");
        void* p = mmap(nullptr, count * page_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) fail("mmap");
        words_ = static_cast<std::uint64_t*>(p);
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t base = mix(seed_ ^ i);
            for (std::size_t w = 0; w < words_per_page; ++w)
                words_[i * words_per_page + w] = word(base, w);
        }
    }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    ~Pages() { munmap(words_, count_ * page_size); }

    bool right(std::size_t page) const {
        const std::uint64_t base = mix(seed_ ^ page);
        // volatile: the point is to read memory, not what the compiler remembers of it
        const volatile std::uint64_t* p = words_ + page * words_per_page;
        std::uint64_t wrong = 0;
        for (std::size_t w = 0; w < words_per_page; ++w) wrong |= p[w] ^ word(base, w);
        return wrong == 0;
    }
    std::size_t count() const { return count_; }
    // Names the content without giving it away: whoever searches RAM for the pages of this
    // process must not find the answer that was sent over the network.
    std::uint64_t seed_hash() const { return mix(mix(seed_)); }

  private:
    static std::uint64_t word(std::uint64_t base, std::size_t w) {
        return base + w * 0xd1342543de82ef95U;
    }
    std::size_t count_;
    std::uint64_t seed_{};
    std::uint64_t* words_{};
};

// Keeps verifying, slowly enough to leave the processor to the guest's other programs.
class Verifier {
  public:
    explicit Verifier(const Pages& pages) : pages_(pages) {}

    [[noreturn]] void run() {
        // Few wakings: each costs an emulated guest more than the pages it then looks at.
        constexpr std::size_t batch = 256;
        constexpr std::chrono::milliseconds pause{250};
        for (;;) {
            std::size_t bad = 0;
            for (std::size_t i = 0; i < pages_.count(); ++i) {
                if (!pages_.right(i)) {
                    ++bad;
                    first_bad.store(static_cast<std::int64_t>(i));
                }
                if (i % batch == batch - 1 && hurry_.load() == 0)
                    std::this_thread::sleep_for(pause);
            }
            // Added per round, so that a page that was wrong once is never forgotten.
            bad_total.fetch_add(bad);
            bad_now.store(bad);
            rounds.fetch_add(1);
            if (hurry_.load() == 0) std::this_thread::sleep_for(pause);
        }
    }
    // A full round that begins after this call ends when rounds reaches the value returned.
    std::uint64_t ask_round() {
        hurry_.fetch_add(1);
        return rounds.load() + 2;
    }
    void round_done() { hurry_.fetch_sub(1); }

    std::atomic<std::uint64_t> rounds{0};
    std::atomic<std::uint64_t> bad_total{0};
    std::atomic<std::uint64_t> bad_now{0};
    std::atomic<std::int64_t> first_bad{-1};

  private:
    const Pages& pages_;
    std::atomic<int> hurry_{0};
};

std::int64_t clock_ns(clockid_t id) {
    timespec t{};
    if (clock_gettime(id, &t) != 0) fail("clock_gettime");
    return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

struct Look {
    std::uint64_t tsc;
    std::int64_t monotonic, boottime, realtime;

    // All clocks of one moment. A guest that is suspended between two of them would have its
    // blackout seen by one clock in this gap and by the other in the next: look again then.
    static Look now() {
        // Some tens of ms on any machine: more than reading clocks takes, less than any gap.
        constexpr std::uint64_t ticks = 100'000'000;
        constexpr int tries = 100;
        for (int i = 1;; ++i) {
            const Look look{__rdtsc(), clock_ns(CLOCK_MONOTONIC), clock_ns(CLOCK_BOOTTIME),
                            clock_ns(CLOCK_REALTIME)};
            if (__rdtsc() - look.tsc < ticks || i == tries) return look;
        }
    }
};

// One interval in which the guest did not run (or ran without this process), in the units of
// each clock: ticks of the TSC, nanoseconds of the others.
struct Gap {
    std::uint64_t tsc;
    std::int64_t monotonic, boottime, realtime;
    std::int64_t at_boottime;
};

class Clocks {
  public:
    explicit Clocks(std::chrono::milliseconds threshold) : threshold_(threshold) {
        const Look a = Look::now();
        std::this_thread::sleep_for(std::chrono::milliseconds(250));
        const Look b = Look::now();
        khz_ = (b.tsc - a.tsc) * 1'000'000 /
               static_cast<std::uint64_t>(std::max<std::int64_t>(b.monotonic - a.monotonic, 1));
    }

    [[noreturn]] void run() {
        // How exactly a gap is measured; looking more often is what an idle guest would pay for.
        constexpr std::chrono::milliseconds interval{20};
        const std::uint64_t ticks = khz_ * static_cast<std::uint64_t>(threshold_.count());
        Look last = Look::now();
        for (;;) {
            std::this_thread::sleep_for(interval);
            const Look now = Look::now();
            // A TSC that went back would be an enormous unsigned gap; count it apart.
            const bool back = now.tsc < last.tsc;
            const Gap gap{back ? 0 : now.tsc - last.tsc, now.monotonic - last.monotonic,
                          now.boottime - last.boottime, now.realtime - last.realtime, now.boottime};
            const std::lock_guard lock(mutex_);
            ++looks_;
            tsc_back_ += back;
            monotonic_back_ += gap.monotonic < 0;
            boottime_back_ += gap.boottime < 0;
            realtime_back_ += gap.realtime < 0;
            if (gap.tsc > max_.tsc) max_ = gap;
            max_monotonic_ = std::max(max_monotonic_, gap.monotonic);
            if (gap.tsc > ticks) {
                ++over_;
                gaps_.push_back(gap);
                if (gaps_.size() > keep) gaps_.pop_front();
            }
            last = now;
        }
    }

    void reset() {
        const std::lock_guard lock(mutex_);
        max_ = {};
        max_monotonic_ = 0;
        looks_ = over_ = tsc_back_ = monotonic_back_ = boottime_back_ = realtime_back_ = 0;
        gaps_.clear();
    }

    std::string json() const {
        const std::lock_guard lock(mutex_);
        std::string s = "\"tsc_khz\":" + std::to_string(khz_) +
                        ",\"looks\":" + std::to_string(looks_) +
                        ",\"tsc_gap_max\":" + std::to_string(max_.tsc) +
                        ",\"monotonic_gap_max_ns\":" + std::to_string(max_monotonic_) +
                        ",\"gap_threshold_ms\":" + std::to_string(threshold_.count()) +
                        ",\"gaps_over\":" + std::to_string(over_) +
                        ",\"tsc_back\":" + std::to_string(tsc_back_) +
                        ",\"monotonic_back\":" + std::to_string(monotonic_back_) +
                        ",\"boottime_back\":" + std::to_string(boottime_back_) +
                        ",\"realtime_back\":" + std::to_string(realtime_back_) + ",\"gaps\":[";
        bool first = true;
        for (const Gap& g : gaps_) {
            s += first ? "{" : ",{";
            first = false;
            s += "\"tsc\":" + std::to_string(g.tsc) +
                 ",\"monotonic_ns\":" + std::to_string(g.monotonic) +
                 ",\"boottime_ns\":" + std::to_string(g.boottime) +
                 ",\"realtime_ns\":" + std::to_string(g.realtime) +
                 ",\"at_boottime_ns\":" + std::to_string(g.at_boottime) + "}";
        }
        return s + "]";
    }

  private:
    static constexpr std::size_t keep = 64;
    std::chrono::milliseconds threshold_;
    std::uint64_t khz_{};
    mutable std::mutex mutex_;
    Gap max_{};
    std::int64_t max_monotonic_{};
    std::uint64_t looks_{}, over_{}, tsc_back_{}, monotonic_back_{}, boottime_back_{},
        realtime_back_{};
    std::deque<Gap> gaps_;
};

std::string boot_id() {
    std::ifstream f("/proc/sys/kernel/random/boot_id");
    std::string s;
    std::getline(f, s);
    return s;
}

class Server {
  public:
    Server(std::uint16_t port, const Pages& pages, Verifier& verifier, Clocks& clocks)
        : pages_(pages), verifier_(verifier), clocks_(clocks) {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        sockaddr_in a{};
        a.sin_family = AF_INET;
        a.sin_port = htons(port);
        a.sin_addr.s_addr = htonl(INADDR_ANY);
        if (listener_ < 0 || setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
            fail("socket");
        if (bind(listener_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) fail("bind");
        if (listen(listener_, 64) != 0) fail("listen");
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[noreturn]] void run() {
        for (;;) {
            std::deque<pollfd> fds{{listener_, POLLIN, 0}};
            bool waiting = false;
            for (const Client& c : clients_) {
                fds.push_back({c.fd, POLLIN, 0});
                waiting = waiting || c.until_round != 0;
            }
            std::array<pollfd, max_clients + 1> polled{};
            std::copy(fds.begin(), fds.end(), polled.begin());
            if (poll(polled.data(), fds.size(), waiting ? 20 : -1) < 0 && errno != EINTR)
                fail("poll");
            std::size_t i = 1;
            for (auto c = clients_.begin(); c != clients_.end(); ++i) {
                bool keep = true;
                if (polled[i].revents != 0) keep = receive(*c);
                if (keep && c->until_round != 0 && verifier_.rounds.load() >= c->until_round) {
                    end_check(*c);
                    keep = answer(*c);
                }
                if (keep) {
                    ++c;
                    continue;
                }
                end_check(*c);
                close(c->fd);
                c = clients_.erase(c);
            }
            if (polled[0].revents != 0) accept_one();
        }
    }

  private:
    struct Client {
        int fd;
        std::string in;
        std::uint64_t until_round;  // 0: nothing asked
    };

    void accept_one() {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        if (clients_.size() == max_clients) {
            close(fd);
            return;
        }
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        clients_.push_back({fd, {}, 0});
    }

    bool receive(Client& c) {
        std::array<char, 512> buf;
        const ssize_t n = read(c.fd, buf.data(), buf.size());
        if (n <= 0) return false;
        c.in.append(buf.data(), static_cast<std::size_t>(n));
        if (c.in.size() > 4096) return false;
        for (;;) {
            const std::size_t end = c.in.find('\n');
            if (end == std::string::npos) return true;
            std::string command = c.in.substr(0, end);
            c.in.erase(0, end + 1);
            if (!command.empty() && command.back() == '\r') command.pop_back();
            if (!execute(c, command)) return false;
        }
    }

    bool execute(Client& c, std::string_view command) {
        if (command == "check") {
            if (c.until_round == 0) c.until_round = verifier_.ask_round();
            return true;
        }
        if (command == "reset")
            clocks_.reset();
        else if (command != "get")
            return say(c, "{\"error\":\"unknown command\"}\n");
        return answer(c);
    }

    void end_check(Client& c) {
        if (c.until_round != 0) verifier_.round_done();
        c.until_round = 0;
    }

    bool answer(const Client& c) {
        char head[512];
        std::snprintf(head, sizeof head,
                      "{\"boot_id\":\"%s\",\"uptime\":%.3f,\"pid\":%d,\"seed\":\"%016" PRIx64
                      "\",\"pages\":%zu,\"rounds\":%" PRIu64 ",\"bad\":%" PRIu64
                      ",\"bad_now\":%" PRIu64 ",\"first_bad\":%" PRId64 ",",
                      boot_id().c_str(), static_cast<double>(clock_ns(CLOCK_BOOTTIME)) / 1e9,
                      static_cast<int>(getpid()), pages_.seed_hash(), pages_.count(),
                      verifier_.rounds.load(), verifier_.bad_total.load(), verifier_.bad_now.load(),
                      verifier_.first_bad.load());
        return say(c, head + clocks_.json() + "}\n");
    }

    static bool say(const Client& c, std::string_view text) {
        while (!text.empty()) {
            const ssize_t n = send(c.fd, text.data(), text.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

    static constexpr std::size_t max_clients = 64;
    const Pages& pages_;
    Verifier& verifier_;
    Clocks& clocks_;
    int listener_;
    std::list<Client> clients_;
};

std::uint64_t number(std::string_view name, const char* text, std::uint64_t max) {
    char* end = nullptr;
    errno = 0;
    const std::uint64_t n = std::strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n == 0 || n > max)
        throw std::invalid_argument(std::string(name) + ": not a number from 1 to " +
                                    std::to_string(max) + ": " + text);
    return n;
}

}  // namespace

int main(int argc, char** argv) try {
    std::uint64_t megabytes = 64, port = 7007, threshold = 300;
    for (int i = 1; i < argc; i += 2) {
        const std::string_view name = argv[i];
        if (i + 1 == argc) throw std::invalid_argument(std::string(name) + ": value missing");
        if (name == "--megabytes")
            megabytes = number(name, argv[i + 1], 1 << 20);
        else if (name == "--port")
            port = number(name, argv[i + 1], 65535);
        else if (name == "--gap-ms")
            threshold = number(name, argv[i + 1], 60'000);
        else
            throw std::invalid_argument(std::string(name) + ": unknown option");
    }
    Pages pages(megabytes * ((1 << 20) / page_size));
    Verifier verifier(pages);
    Clocks clocks{std::chrono::milliseconds(threshold)};
    std::thread([&] { verifier.run(); }).detach();
    std::thread([&] { clocks.run(); }).detach();
    Server(static_cast<std::uint16_t>(port), pages, verifier, clocks).run();
} catch (const std::exception& e) {
    std::cerr << "witness: " << e.what() << '\n';
    return 1;
}
