// SPDX-License-Identifier: GPL-2.0-only
#include "process_tree.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"

namespace replication::trace {
namespace {

using warmvm::Error;
using namespace std::chrono_literals;

// The kernel lists children by the thread that made them.
void add_descendants(pid_t pid, std::vector<pid_t>& processes) {
    processes.push_back(pid);
    std::error_code gone;
    const std::string folder = "/proc/" + std::to_string(pid) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(folder, gone)) {
        std::ifstream children(task.path() / "children");
        for (pid_t child = 0; children >> child;) add_descendants(child, processes);
    }
}

std::vector<pid_t> tree_of(pid_t root) {
    std::vector<pid_t> processes;
    add_descendants(root, processes);
    std::erase_if(processes, has_ended);
    std::sort(processes.begin(), processes.end());
    return processes;
}

}  // namespace

char state_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    return name_end == std::string::npos || name_end + 2 >= line.size() ? '\0' : line[name_end + 2];
}

bool has_ended(pid_t pid) {
    const char state = state_of(pid);
    return state == '\0' || state == 'Z';
}

bool has_memory(pid_t pid) {
    try {
        const auto maps = warmvm::open_file("/proc/" + std::to_string(pid) + "/maps", O_RDONLY);
        char byte = 0;
        return ::read(maps.get(), &byte, 1) == 1;
    } catch (const Error& error) {
        // A later Linux does not open it for a thread of the kernel.
        if (error.code() == std::errc::no_such_process) return false;
        throw;
    }
}

std::vector<Mapping> mappings_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/maps");
    std::vector<Mapping> mappings;
    for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        Mapping mapping;
        std::string modes;
        char separator = 0;
        fields >> std::hex >> mapping.start >> separator >> mapping.end >> modes >>
            mapping.offset >> mapping.device_major >> separator >> mapping.device_minor >>
            std::dec >> mapping.inode;
        if (!fields || modes.size() < 4) continue;
        mapping.readable = modes[0] == 'r';
        mapping.writable = modes[1] == 'w';
        mapping.shared = modes[3] == 's';
        std::getline(fields >> std::ws, mapping.path);
        mappings.push_back(std::move(mapping));
    }
    return mappings;
}

// A process may fork until the stop reaches it, so the tree is listed again until no process is new
// and all have stopped.
StoppedTree::StoppedTree(pid_t root) {
    constexpr int attempts = 50;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        if (come_to_rest(root)) return;
        // A process that waits for its vfork's child to exec stops only after the exec, for which
        // the child must go on.
        stops_.let_go();
        std::this_thread::sleep_for(5ms);
    }
    throw Error::of(std::errc::timed_out, "the processes do not stop");
}

bool StoppedTree::come_to_rest(pid_t root) {
    for (int round = 0; round < 200; ++round) {
        processes_ = tree_of(root);
        if (!std::binary_search(processes_.begin(), processes_.end(), root))
            throw Error::of(std::errc::no_such_process,
                            "process " + std::to_string(root) + " has ended");
        bool all = true;
        // It would stop too, and nobody would let it go on.
        if (std::binary_search(processes_.begin(), processes_.end(), ::getpid()))
            throw Error::of(std::errc::invalid_argument,
                            "process " + std::to_string(root) +
                                " cannot be recorded: this program is it, or a descendant of it");
        for (const pid_t pid : processes_) {
            if (state_of(pid) == 'T') continue;
            stops_.stop(pid);
            all = false;
        }
        if (all) return true;
        std::this_thread::sleep_for(50us);
    }
    return false;
}

void StoppedTree::Stops::stop(pid_t pid) {
    stopped_.insert(pid);
    if (::kill(pid, SIGSTOP) != 0 && errno == EPERM)
        throw Error::from_errno("stop process " + std::to_string(pid));
}

void StoppedTree::Stops::let_go() {
    for (const pid_t pid : stopped_) ::kill(pid, SIGCONT);
    stopped_.clear();
}

}  // namespace replication::trace
