// SPDX-License-Identifier: GPL-2.0-only
#include "policy/command_line.hpp"

#include <boost/program_options.hpp>
#include <iostream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/paths.hpp"
#include "policy/explain.hpp"
#include "roothammer/command_line.hpp"

namespace roothammer::policy {
namespace {

namespace po = boost::program_options;

constexpr const char* default_config = "/etc/xen/roothammer-policy.conf";

struct Arguments {
    std::string config;
    bool dry_run = false;
    bool explain = false;
    bool json = false;
    bool reset = false;
};

struct RealPorts {
    Paths paths;
    std::unique_ptr<AgingSource> source = open_aging_source("/", paths.timeline());
    std::unique_ptr<Clock> clock = open_clock();
    std::unique_ptr<Storage> storage = open_storage(paths.state / "policy");
    // The one installed, or built, beside this program; PATH is cron's or whoever's.
    std::unique_ptr<WarmRebooter> rebooter = open_rebooter(
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / "xl-warm-reboot");
    Ports ports{*source, *clock, *storage, *rebooter, paths.run / "policy.lock"};
};

int follow(const Arguments& arguments) {
    const RealPorts real;
    if (arguments.reset) {
        reset(real.ports);
        return exit_ok;
    }
    const auto config = parse_config(warmvm::read_text_file(arguments.config), arguments.config);
    const auto outcome = run(real.ports, config, {arguments.dry_run});
    if (arguments.json) {
        std::cout << to_json(outcome, config);
    } else if (arguments.explain) {
        std::cout << explain(outcome, config);
    } else {
        for (const auto& note : outcome.notes) std::cerr << "roothammer policy: " << note << "\n";
        std::cout << name(outcome.decision) << ": " << outcome.line << "\n";
    }
    std::cout << std::flush;
    return static_cast<int>(outcome.decision);
}

}  // namespace

int run_policy(int argc, char** argv) {
    return run_command("roothammer policy", [&] {
        Arguments arguments;
        po::options_description options(
            "roothammer policy [options]: reboot this host warmly when it has aged");
        options.add_options()("config", po::value(&arguments.config)->default_value(default_config),
                              "what to do when")(
            "dry-run", po::bool_switch(&arguments.dry_run),
            "say what would be done; write nothing, do nothing")(
            "explain", po::bool_switch(&arguments.explain), "the reasons, in one paragraph")(
            "json", po::bool_switch(&arguments.json), "everything, as JSON")(
            "reset", po::bool_switch(&arguments.reset), "forget failed tries")("help", "this text");
        po::variables_map values;
        po::store(po::command_line_parser(argc, argv).options(options).positional({}).run(),
                  values);
        if (values.count("help")) {
            std::cout << options;
            return exit_ok;
        }
        po::notify(values);
        try {
            return follow(arguments);
        } catch (const warmvm::Error& error) {
            if (error.code() != std::errc::invalid_argument) throw;
            std::cerr << "roothammer policy: " << error.what() << "\n";
            return exit_usage;
        }
    });
}

}  // namespace roothammer::policy
