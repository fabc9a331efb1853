// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cstdio>
#include <set>

#include "commands.hpp"
#include "image_replay.hpp"
#include "our_coder.hpp"
#include "peers.hpp"
#include "replay.hpp"
#include "targets.hpp"
#include "trace/json_file.hpp"

namespace replication::bench {
namespace {

constexpr const char* without_similarity = "balanced, no similarity";

struct Options {
    std::vector<std::string> traces;
    std::size_t epochs = SIZE_MAX;
    unsigned rounds = 0;
    std::string json;
    std::set<std::string> only;
    bool images = true;
};

codec::EncoderOptions options_of(const trace::TraceFile& trace, codec::Level level,
                                 unsigned threads) {
    codec::EncoderOptions options;
    options.guest_pages = options.store_slots = trace.guest_pages();
    options.level = level;
    options.threads = threads;
    return options;
}

Coders coders_of(const trace::TraceFile& trace, const std::set<std::string>& only) {
    Coders coders;
    const auto wanted = [&](const std::string& name) {
        return only.empty() || only.contains(name);
    };
    for (auto& peer : make_peers())
        if (wanted(peer->name())) coders.push_back(std::move(peer));
    const auto add = [&](const std::string& name, const codec::EncoderOptions& options) {
        if (wanted(name)) coders.push_back(make_our_coder(name, options, trace));
    };
    for (const codec::Level level : codec::all_levels)
        add(std::string(name(level)), options_of(trace, level, 1));
    codec::EncoderOptions alone = options_of(trace, codec::Level::balanced, 1);
    alone.similarity = false;
    add(without_similarity, alone);
    return coders;
}

void check_coders(const std::set<std::string>& only) {
    std::set<std::string> known{without_similarity};
    for (const auto& peer : make_peers()) known.insert(peer->name());
    for (const codec::Level level : codec::all_levels) known.emplace(name(level));
    std::string list;
    for (const auto& coder : known) list += (list.empty() ? "'" : ", '") + coder + "'";
    for (const auto& wanted : only) {
        if (!known.contains(wanted))
            throw warmvm::UsageError("--only '" + wanted + "': one of " + list + " is wanted");
    }
}

// Elapsed time of one and of two threads, in turn on each epoch.
std::vector<ReplayResult> replay_threads(const trace::TraceFile& trace, ReplayOptions options) {
    Coders coders;
    for (const codec::Level level : codec::all_levels)
        for (const unsigned threads : {1u, 2u})
            coders.push_back(make_our_coder(
                std::string(name(level)) + ", " + std::to_string(threads) + " threads",
                options_of(trace, level, threads), trace));
    options.wall_clock = true;
    return replay(trace, coders, options);
}

template <typename Result>
void print(const std::string& title, const std::vector<Result>& results) {
    std::printf("\n%-26s %8s %12s %12s\n", title.c_str(), "ratio", "encode MB/s", "decode MB/s");
    for (const auto& result : results)
        std::printf("%-26s %8.2f %12.0f %12.0f\n", result.coder.c_str(), result.ratio(),
                    result.encode_rate() / 1e6, result.decode_rate() / 1e6);
    std::fflush(stdout);
}

template <typename Result>
nlohmann::json json_of(const std::vector<Result>& results) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& result : results)
        list.push_back({{"coder", result.coder},
                        {"ratio", result.ratio()},
                        {"encode_bytes_per_second", result.encode_rate()},
                        {"decode_bytes_per_second", result.decode_rate()}});
    return list;
}

std::string name_of(const std::string& path) {
    std::string name = path.substr(path.rfind('/') + 1);
    return name.substr(0, name.find('.'));
}

}  // namespace

int replay_command(const warmvm::Words& arguments) {
    namespace po = boost::program_options;
    constexpr unsigned most_rounds = 1000;
    Options options;
    std::vector<std::string> only;
    po::options_description description("bench-codec replay TRACE ...");
    description.add_options()("epochs", epochs_into(options.epochs),
                              "epochs of each (default: all)")(
        "rounds",
        warmvm::whole_number_into(options.rounds, "rounds", 1, most_rounds)->default_value("3"),
        "times each step is done; the median counts")(
        "only", po::value(&only)->composing(),
        "coder to replay through, may be repeated; no images, no threads")(
        "json", po::value(&options.json), "file for the figures");
    options.traces = warmvm::parse_command_line(arguments, description).words;
    options.only = {only.begin(), only.end()};
    check_coders(options.only);
    check_traces(options.traces);
    trace::JsonFile json(options.json, options.traces);
    ReplayOptions replay_options;
    replay_options.repeats = options.rounds;
    replay_options.max_epochs = options.epochs;

    nlohmann::json document;
    document["instruction_set"] = name(codec::best_isa());
    document["our_framing"] = "included";
    std::printf("ratio: bytes of pages to bytes sent, ours with the records of its stream\n");
    Figures figures;
    for (const std::string& path : options.traces) {
        const trace::TraceFile trace(path);
        const std::string name = name_of(path);
        TraceFigures& of_trace = figures.emplace_back();
        of_trace.trace = name;
        of_trace.epochs = replay(trace, coders_of(trace, options.only), replay_options);
        print(name, of_trace.epochs);
        nlohmann::json entry{{"trace", name}, {"epochs", json_of(of_trace.epochs)}};
        if (options.only.empty()) {
            of_trace.threads = replay_threads(trace, replay_options);
            print(name + ", elapsed", of_trace.threads);
            of_trace.image = replay_image(trace, {.rounds = options.rounds});
            print(name + ", whole image", of_trace.image);
            for (const unsigned threads : {1u, 2u}) {
                ImageReplayOptions elapsed{.rounds = options.rounds,
                                           .threads = threads,
                                           .peers = false,
                                           .wall_clock = true};
                of_trace.image_threads.push_back(replay_image(trace, elapsed).front());
            }
            print(name + ", whole image, elapsed", of_trace.image_threads);
            entry["threads"] = json_of(of_trace.threads);
            entry["image"] = json_of(of_trace.image);
            entry["image_threads"] = json_of(of_trace.image_threads);
        }
        document["traces"].push_back(std::move(entry));
    }
    if (options.only.empty()) {
        document["targets"] = nlohmann::json::array();
        std::printf("\n%-72s %8s %8s\n", "target", "wanted", "reached");
        for (const Target& target : targets_of(figures)) {
            std::printf("%-72s %8.2f %8.2f%s\n", target.name.c_str(), target.wanted, target.reached,
                        target.reached >= target.wanted ? "" : "  MISSED");
            document["targets"].push_back(
                {{"name", target.name}, {"wanted", target.wanted}, {"reached", target.reached}});
        }
    }
    json.write(document);
    return 0;
}

}  // namespace replication::bench
