// SPDX-License-Identifier: GPL-2.0-only
#include <cstdio>

#include "commands.hpp"
#include "similarity_study.hpp"
#include "trace/json_file.hpp"

namespace replication::bench {

int similarity_command(const warmvm::Words& arguments) {
    namespace po = boost::program_options;
    std::size_t epochs = SIZE_MAX;
    std::string json;
    po::options_description description("bench-codec similarity TRACE ...");
    description.add_options()("epochs", epochs_into(epochs), "epochs of each (default: all)")(
        "json", po::value(&json), "file for the figures");
    const auto paths = warmvm::parse_command_line(arguments, description).words;
    check_traces(paths);
    trace::JsonFile file(json, paths);
    nlohmann::json document = nlohmann::json::array();
    std::printf("%-24s %6s %10s %8s %9s %11s %8s\n", "similar bytes of changed", "block", "blocks",
                "self", "+density", "+projection", "copies");
    for (const std::string& path : paths) {
        const trace::TraceFile trace(path);
        const std::string name = path.substr(path.rfind('/') + 1);
        for (const std::size_t size : {64u, 512u, 2048u, 4096u}) {
            const SimilarityShare share = study_similarity(trace, size, epochs);
            const auto percent = [](std::uint64_t part, std::uint64_t whole) {
                return whole == 0 ? 0.0
                                  : 100 * static_cast<double>(part) / static_cast<double>(whole);
            };
            std::printf("%-24s %6zu %10llu %7.1f%% %8.1f%% %10.1f%% %7.1f%%\n", name.c_str(), size,
                        static_cast<unsigned long long>(share.blocks),
                        percent(share.self, share.bytes), percent(share.density, share.bytes),
                        percent(share.projection, share.bytes), percent(share.exact, share.blocks));
            std::fflush(stdout);
            document.push_back({{"trace", name},
                                {"block_size", size},
                                {"blocks", share.blocks},
                                {"self", percent(share.self, share.bytes)},
                                {"density", percent(share.density, share.bytes)},
                                {"projection", percent(share.projection, share.bytes)},
                                {"copies", percent(share.exact, share.blocks)}});
        }
    }
    file.write(document);
    return 0;
}

}  // namespace replication::bench
