// SPDX-License-Identifier: GPL-2.0-only
#include "policy/command_line.hpp"

#include <iostream>
#include <optional>

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

// An option that does nothing would mislead.
void check(const Arguments& arguments, const po::variables_map& given) {
    for (const auto& [option, value] : given) {
        if (arguments.reset && !value.defaulted() && option != "reset") {
            throw warmvm::UsageError("--reset only forgets failed tries: it goes without --" +
                                     option);
        }
    }
    if (arguments.explain && arguments.json) {
        throw warmvm::UsageError("--explain and --json are two forms of one answer");
    }
}

// What is wrong with it; nullopt, and config is set, if nothing is.
std::optional<std::string> load_config(const std::string& file, Config& config) {
    try {
        config = parse_config(warmvm::read_text_file(file), file);
        return std::nullopt;
    } catch (const ConfigError& error) {
        return error.what();
    } catch (const warmvm::Error& error) {
        return std::string(error.what()) +
               ": without a configuration nothing is done; `make install` puts one at " +
               default_config + ", --config names another";
    }
}

int follow(const Arguments& arguments) {
    Config config;
    if (!arguments.reset) {
        if (const auto wrong = load_config(arguments.config, config)) {
            std::cerr << "roothammer policy: " << *wrong << "\n";
            return exit_usage;
        }
    }
    const RealPorts real;
    if (arguments.reset) {
        reset(real.ports);
        return exit_ok;
    }
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

int run_policy(int argc, const char* const* argv) {
    return run_command("roothammer policy", [&] {
        Arguments arguments;
        po::options_description options(
            "roothammer policy [options]: reboot this host warmly when it has aged");
        options.add_options()("config", po::value(&arguments.config)->default_value(default_config),
                              "what to do when")(
            "dry-run", po::bool_switch(&arguments.dry_run),
            "say what would be done; write nothing, do nothing")(
            "explain", po::bool_switch(&arguments.explain),
            "answer with the reasons, in one paragraph; a reboot that is due is begun all the "
            "same, but with --dry-run")(
            "json", po::bool_switch(&arguments.json),
            "answer with everything, as JSON; this too is the form only")(
            "reset", po::bool_switch(&arguments.reset), "forget failed tries");
        const auto line = warmvm::parse_command_line({argv + 1, argv + argc}, options);
        warmvm::expect_words(line.words, {});
        check(arguments, line.options);
        return follow(arguments);
    });
}

}  // namespace roothammer::policy
