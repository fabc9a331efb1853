// SPDX-License-Identifier: GPL-2.0-only
// roothammer-hotplug SCRIPT ARGUMENT...: in the place of a hotplug script of Xen's, started by it
// (stock-scripts.bash). What it cannot do, or not with certainty, the script does after all.
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/file.hpp"
#include "hotplug/plug.hpp"
#include "hotplug/scripts.hpp"

namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

// Why the script has to do it.
std::optional<std::string> attempt(const roothammer::hotplug::Call& call) {
    try {
        const auto list =
            std::filesystem::read_symlink("/proc/self/exe").parent_path() / "stock-scripts";
        if (auto changed =
                roothammer::hotplug::changed_script(call.script, warmvm::read_text_file(list))) {
            return changed;
        }
        const auto store = warmvm::open_store();
        const auto devices = roothammer::hotplug::open_devices();
        return roothammer::hotplug::plug(call, *store, *devices);
    } catch (const std::exception& error) {
        return error.what();
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: roothammer-hotplug SCRIPT ARGUMENT...\n", stderr);
        return 2;
    }
    const roothammer::hotplug::Call call{argv[1],
                                         {argv + 2, argv + argc},
                                         variable("XENBUS_PATH"),
                                         variable("XENBUS_BASE_PATH"),
                                         variable("vif")};
    const auto trouble = attempt(call);
    ::openlog("roothammer-hotplug", 0, LOG_DAEMON);
    if (!trouble) {
        ::syslog(LOG_INFO, "%s: connected", call.xenbus_path.c_str());
        return 0;
    }
    ::syslog(LOG_INFO, "%s: left to %s: %s", call.xenbus_path.c_str(), argv[1], trouble->c_str());
    ::unsetenv("BASH_ENV");
    ::execv(argv[1], argv + 1);
    std::fprintf(stderr, "roothammer-hotplug: %s: %s\n", argv[1], std::strerror(errno));
    return 1;
}
