// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>
#include <thread>

#include "options.hpp"
#include "recorder.hpp"

namespace replication::trace {
namespace {

// A command in a process group of its own that runs as long as this object lives; then the group is
// asked to end, and made to when the command has not ended after five seconds.
class Child {
  public:
    explicit Child(const std::vector<std::string>& command) {
        std::vector<char*> argv;
        for (const std::string& argument : command)
            argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        posix_spawnattr_t attributes;
        ::posix_spawnattr_init(&attributes);
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
        const int error =
            ::posix_spawnp(&pid_, argv[0], nullptr, &attributes, argv.data(), environ);
        ::posix_spawnattr_destroy(&attributes);
        if (error != 0) throw std::system_error(error, std::generic_category(), command[0]);
    }
    ~Child() {
        ::kill(-pid_, SIGTERM);
        for (int i = 0; i < 500; ++i) {
            if (::waitpid(pid_, nullptr, WNOHANG) == pid_) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ::kill(-pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    pid_t pid() const { return pid_; }

  private:
    pid_t pid_ = 0;
};

}  // namespace

int record_command(const Arguments& arguments) {
    namespace po = boost::program_options;
    std::string out;
    unsigned interval = 0;
    unsigned epochs = 0;
    unsigned warm_up = 0;
    std::vector<std::string> command;
    po::options_description description(
        "replication-trace record --out FILE (--pid PID | -- COMMAND ...)");
    description.add_options()("out", po::value(&out)->required(), "trace to write")(
        "pid", po::value<pid_t>(), "process to record, with its descendants")(
        "interval", po::value(&interval)->default_value(100), "length of an epoch, ms")(
        "epochs", po::value(&epochs)->default_value(100), "epochs to record")(
        "warm-up", po::value(&warm_up)->default_value(0), "time before the first image, ms")(
        "command", po::value(&command), "program to start and record");
    const auto values = parse(arguments, description, "command");
    if (values.contains("pid") == !command.empty())
        throw UsageError{"either --pid or a command is wanted"};

    std::optional<Child> child;
    if (!command.empty()) child.emplace(command);
    const pid_t pid = child ? child->pid() : values["pid"].as<pid_t>();
    std::this_thread::sleep_for(std::chrono::milliseconds(warm_up));
    Recorder recorder(pid, out);
    recorder.first_image();
    const std::uint64_t image = recorder.pages_written();
    for (unsigned epoch = 0; epoch < epochs; ++epoch)
        recorder.epoch(std::chrono::milliseconds(interval));
    recorder.close();
    std::printf("%s: %u epochs of %u ms, %llu pages at the start, %llu written\n", out.c_str(),
                epochs, interval, static_cast<unsigned long long>(image),
                static_cast<unsigned long long>(recorder.pages_written() - image));
    return 0;
}

}  // namespace replication::trace
