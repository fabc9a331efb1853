// SPDX-License-Identifier: GPL-2.0-only
#include "base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/file.hpp"

namespace warmvm {
namespace {

constexpr int exec_failed = 127;
constexpr std::chrono::milliseconds grace{5000};
constexpr off_t max_output = 64 << 10;

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (auto& word : words) list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> environment(const ProcessRequest& request) {
    std::vector<std::string> words;
    for (char** entry = ::environ; *entry; ++entry) {
        const std::string_view word(*entry);
        const auto name = word.substr(0, word.find('='));
        const auto same = [&](const auto& added) { return added.first == name; };
        if (std::ranges::none_of(request.environment, same)) words.emplace_back(word);
    }
    for (const auto& [name, value] : request.environment) words.push_back(name + "=" + value);
    return words;
}

// False when the time is over. No limit: nullopt.
bool wait_for_exit(int pidfd, std::optional<std::chrono::milliseconds> limit) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    for (;;) {
        int wait = -1;
        if (limit) {
            const auto left = *limit - std::chrono::duration_cast<std::chrono::milliseconds>(
                                           Clock::now() - start);
            wait = static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
        }
        pollfd fd{pidfd, POLLIN, 0};
        const int ready = ::poll(&fd, 1, wait);
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) throw Error::from_errno("poll");
    }
}

// The output goes to a file, not a pipe: a program's daemon may hold on to it for ever.
std::string read_output(int fd) {
    const auto size = ::lseek(fd, 0, SEEK_END);
    const auto from = std::max<off_t>(size - max_output, 0);
    std::string output(static_cast<std::size_t>(size - from), '\0');
    const auto got = ::pread(fd, output.data(), output.size(), from);
    output.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return output;
}

}  // namespace

Process::Process(ProcessRequest request)
    : request_(std::move(request)), start_(std::chrono::steady_clock::now()) {
    auto words = request_.argv;
    auto argv = pointers(words);
    auto env_words = environment(request_);
    auto envp = pointers(env_words);
    output_ = Fd(::memfd_create("output", MFD_CLOEXEC));
    if (!output_.is_open()) throw Error::from_errno("memfd_create");
    const auto null = open_file("/dev/null", O_RDONLY);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) throw Error::from_errno("pipe");
    const Fd failure(ends[0]);
    Fd low_end(ends[1]);
    // Not one of the three that are about to be others, if this process has closed those.
    Fd failure_end(::fcntl(low_end.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!failure_end.is_open()) throw Error::from_errno("F_DUPFD_CLOEXEC");
    low_end.reset();
    const auto parent = ::getpid();

    child_ = ::fork();
    if (child_ < 0) throw Error::from_errno("fork");
    if (child_ == 0) {
        if (request_.dies_with_us) {
            ::prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (::getppid() != parent) ::_exit(exec_failed);
        }
        if (request_.leads_group) ::setpgid(0, 0);
        if (!request_.keeps_streams) {
            ::dup2(null.get(), STDIN_FILENO);
            ::dup2(output_.get(), STDOUT_FILENO);
            ::dup2(output_.get(), STDERR_FILENO);
        }
        for (const int fd : request_.inherited) ::fcntl(fd, F_SETFD, 0);
        ::execvpe(argv[0], argv.data(), envp.data());
        const int error = errno;
        [[maybe_unused]] const auto put = ::write(failure_end.get(), &error, sizeof error);
        ::_exit(exec_failed);
    }
    failure_end.reset();
    await_exec(failure.get());
    pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));
    if (!pidfd_.is_open()) {
        const auto error = Error::from_errno("pidfd_open");
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        throw error;
    }
}

// The pipe's other end closes by itself when the program takes the child's place.
void Process::await_exec(int failure) {
    int error = 0;
    ssize_t got = 0;
    do {
        got = ::read(failure, &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    if (got != sizeof error) return;
    reap();
    throw Error(std::error_code(error, std::generic_category()),
                "cannot run " + request_.argv.at(0));
}

Process::~Process() {
    if (child_ < 0) return;
    try {
        end();
        reap();
    } catch (const std::exception&) {
        // The child is a zombie at worst, until we end.
    }
}

void Process::signal(int number) const {
    ::kill(request_.leads_group ? -child_ : child_, number);
}

void Process::end() {
    signal(SIGTERM);
    if (!wait_for_exit(pidfd_.get(), grace)) signal(SIGKILL);
}

int Process::reap() {
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0) {
        if (errno != EINTR) throw Error::from_errno("waitpid");
    }
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<std::chrono::milliseconds> Process::time_left() const {
    if (!request_.timeout) return std::nullopt;
    const auto left = *request_.timeout - (std::chrono::steady_clock::now() - start_);
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left),
                    std::chrono::milliseconds(0));
}

ProcessResult Process::wait() {
    ProcessResult result;
    if (!wait_for_exit(pidfd_.get(), time_left())) {
        result.timed_out = true;
        end();
    }
    result.status = reap();
    result.output = read_output(output_.get());
    return result;
}

ProcessResult run_process(const ProcessRequest& request) {
    return Process(request).wait();
}

std::string last_line(const std::string& output) {
    auto end = output.find_last_not_of(" \t\r\n");
    if (end == std::string::npos) return {};
    const auto start = output.rfind('\n', end);
    const auto first = start == std::string::npos ? 0 : start + 1;
    return output.substr(first, end + 1 - first);
}

}  // namespace warmvm
