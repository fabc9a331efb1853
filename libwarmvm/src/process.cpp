// SPDX-License-Identifier: GPL-2.0-only
#include "warmvm/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "warmvm/file.hpp"

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

// False at the deadline.
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

// A file and not a pipe: a program's daemon may hold on to it for ever.
std::string read_output(int fd) {
    const auto size = ::lseek(fd, 0, SEEK_END);
    const auto from = std::max<off_t>(size - max_output, 0);
    std::string output(static_cast<std::size_t>(size - from), '\0');
    const auto got = ::pread(fd, output.data(), output.size(), from);
    output.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return output;
}

}  // namespace

ProcessResult run_process(const ProcessRequest& request) {
    auto words = request.argv;
    auto argv = pointers(words);
    auto env_words = environment(request);
    auto envp = pointers(env_words);
    const Fd output(::memfd_create("output", MFD_CLOEXEC));
    if (!output.is_open()) throw Error::from_errno("memfd_create");
    const auto null = open_file("/dev/null", O_RDONLY);
    const auto parent = ::getpid();

    const pid_t child = ::fork();
    if (child < 0) throw Error::from_errno("fork");
    if (child == 0) {
        if (request.dies_with_us) {
            ::prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (::getppid() != parent) ::_exit(exec_failed);
        }
        ::dup2(null.get(), STDIN_FILENO);
        ::dup2(output.get(), STDOUT_FILENO);
        ::dup2(output.get(), STDERR_FILENO);
        ::execvpe(argv[0], argv.data(), envp.data());
        ::_exit(exec_failed);
    }

    const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    ProcessResult result;
    if (!pidfd.is_open()) {
        const auto error = Error::from_errno("pidfd_open");
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        throw error;
    }
    if (!wait_for_exit(pidfd.get(), request.timeout)) {
        result.timed_out = true;
        ::kill(child, SIGTERM);
        if (!wait_for_exit(pidfd.get(), grace)) ::kill(child, SIGKILL);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) throw Error::from_errno("waitpid");
    }
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.output = read_output(output.get());
    if (result.status == exec_failed && result.output.empty()) {
        throw Error::of(std::errc::no_such_file_or_directory, "cannot run " + request.argv.at(0));
    }
    return result;
}

std::string last_line(const std::string& output) {
    auto end = output.find_last_not_of(" \t\r\n");
    if (end == std::string::npos) return {};
    const auto start = output.rfind('\n', end);
    const auto first = start == std::string::npos ? 0 : start + 1;
    return output.substr(first, end + 1 - first);
}

}  // namespace warmvm
