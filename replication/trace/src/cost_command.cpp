// SPDX-License-Identifier: GPL-2.0-only
#include "commands.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>

#include "codec/epoch_encoder.hpp"
#include "codec/huge_memory.hpp"
#include "trace/json_file.hpp"
#include "trace/stopwatch.hpp"
#include "trace/trace_file.hpp"

namespace replication::trace {
namespace {

// What an epoch of some length costs, on the mean.
struct Epoch {
    double pages = 0;
    double bytes = 0;
    double copy_seconds = 0;  // in which the guest is paused
    double encode_seconds = 0;
};

// Several epochs of the trace as one. A page that more than one of them wrote has its last content.
std::map<std::uint32_t, const std::byte*> merged(std::span<const TraceFile::Epoch> epochs) {
    std::map<std::uint32_t, const std::byte*> pages;
    for (const TraceFile::Epoch& epoch : epochs)
        for (std::size_t i = 0; i < epoch.pfns.size(); ++i)
            pages[epoch.pfns[i]] = epoch.data + i * page_size;
    return pages;
}

Epoch measure(const TraceFile& trace, codec::Level level, std::size_t together) {
    codec::EncoderOptions options;
    options.guest_pages = options.store_slots = trace.guest_pages();
    options.level = level;
    codec::EpochEncoder encoder(options);
    std::vector<codec::PageIn> pages;
    for (const TraceFile::Run& run : trace.first_image_runs())
        for (std::uint32_t pfn = run.first; pfn < run.first + run.pages; ++pfn)
            pages.push_back({Pfn(pfn), trace.first_image(pfn)});
    encoder.encode(pages);
    encoder.commit();

    const Stopwatch stopwatch(false);
    const std::size_t count = trace.epochs().size() / together;
    std::size_t most = 1;
    for (std::size_t e = 0; e < count; ++e)
        most = std::max(most,
                        merged(std::span(trace.epochs()).subspan(e * together, together)).size());
    const auto arena = codec::make_huge<std::byte>(most * page_size);
    // The memory is there before anything is timed, as a sender's copy-out area is.
    std::memset(arena.get(), 0, most * page_size);
    Epoch sum;
    for (std::size_t e = 0; e < count; ++e) {
        const auto dirty = merged(std::span(trace.epochs()).subspan(e * together, together));
        pages.clear();
        sum.copy_seconds += stopwatch.seconds([&] {
            std::byte* to = arena.get();
            for (const auto& [pfn, data] : dirty) {
                std::memcpy(to, data, page_size);
                pages.push_back({Pfn(pfn), to});
                to += page_size;
            }
        });
        sum.encode_seconds += stopwatch.seconds([&] {
            for (const auto& chunk : encoder.encode(pages))
                sum.bytes += static_cast<double>(chunk.size());
            encoder.commit();
        });
        sum.pages += static_cast<double>(pages.size());
    }
    const auto epochs = static_cast<double>(count);
    return {sum.pages / epochs, sum.bytes / epochs, sum.copy_seconds / epochs,
            sum.encode_seconds / epochs};
}

// The numbers of a list, "100,200"; `number` makes one of text.
template <class Number>
std::vector<Number> numbers(const std::string& option, const std::string& list,
                            const std::function<Number(const std::string&)>& number) {
    std::vector<Number> values;
    std::istringstream text(list);
    for (std::string part; std::getline(text, part, ',');) values.push_back(number(part));
    if (values.empty()) throw warmvm::UsageError("--" + option + " is an empty list");
    return values;
}

struct Options {
    std::string path;
    std::uint64_t recorded_interval = 0;   // ms
    std::vector<std::uint64_t> intervals;  // ms; none: some multiples of the recorded one
    std::vector<double> links;             // Mbit/s
    double round_trip = 0;                 // ms
    std::string json;
};

std::vector<std::uint64_t> intervals_of(const std::string& list, std::uint64_t recorded) {
    constexpr std::uint64_t longest = 24 * 3600 * 1000;
    return numbers<std::uint64_t>("interval", list, [&](const std::string& text) {
        const std::uint64_t value = warmvm::whole_number("interval", text, 1, longest);
        if (value % recorded == 0) return value;
        throw warmvm::UsageError("--interval '" + text + "': a multiple of the trace's " +
                                 std::to_string(recorded) + " ms (--recorded-interval) is wanted");
    });
}

Options options_of(const warmvm::Words& arguments) {
    namespace po = boost::program_options;
    constexpr double slowest_link = 0.001;
    constexpr double fastest_link = 10'000'000;
    constexpr double longest_round_trip = 60'000;
    Options options;
    std::string intervals;
    std::string links;
    std::string round_trip;
    po::options_description description("replication-trace cost TRACE");
    description.add_options()("recorded-interval",
                              warmvm::whole_number_into(options.recorded_interval,
                                                        "recorded-interval", 1, longest_interval)
                                  ->default_value("100"),
                              "epoch length of the trace, which does not say it, ms")(
        "interval", po::value(&intervals),
        "epoch lengths to answer for, ms: 100,200,...; multiples of the trace's")(
        "link", po::value(&links)->default_value("100,1000,10000"), "links to answer for, Mbit/s")(
        "round-trip", po::value(&round_trip)->default_value("0.2"), "of the link, ms")(
        "json", po::value(&options.json), "file for the figures");
    const auto line = warmvm::parse_command_line(arguments, description);
    warmvm::expect_words(line.words, {"TRACE"});
    options.path = line.words.front();
    if (line.options.contains("interval")) {
        options.intervals = intervals_of(intervals, options.recorded_interval);
    }
    options.links = numbers<double>("link", links, [&](const std::string& text) {
        return warmvm::real_number("link", text, slowest_link, fastest_link);
    });
    options.round_trip = warmvm::real_number("round-trip", round_trip, 0, longest_round_trip);
    return options;
}

// How many epochs of the trace each of the wanted ones is.
std::vector<std::size_t> epochs_together(const Options& options, const TraceFile& trace) {
    const std::size_t recorded = trace.epochs().size();
    if (recorded == 0) throw std::runtime_error(options.path + " has no epochs");
    std::vector<std::size_t> together;
    for (const auto interval : options.intervals) {
        together.push_back(interval / options.recorded_interval);
        if (together.back() <= recorded) continue;
        throw warmvm::UsageError("--interval '" + std::to_string(interval) + "': " + options.path +
                                 " is only " +
                                 std::to_string(recorded * options.recorded_interval) + " ms long");
    }
    if (!together.empty()) return together;
    together = {1, 2, 5, 10};
    std::erase_if(together, [&](std::size_t count) { return count > recorded; });
    return together;
}

// What one interval and level cost.
struct Row {
    double interval;  // seconds
    codec::Level level;
    Epoch epoch;

    // Megabits a second.
    double rate() const { return epoch.bytes * 8e-6 / interval; }
};

std::vector<Row> measure_all(const Options& options, const TraceFile& trace) {
    const auto all_lengths = epochs_together(options, trace);
    std::vector<Row> rows;
    std::printf("%8s %-9s %10s %10s %9s %9s %9s\n", "interval", "level", "pages", "kB sent",
                "Mbit/s", "paused", "of a core");
    for (const std::size_t count : all_lengths) {
        for (const codec::Level level : codec::all_levels) {
            rows.push_back({static_cast<double>(count * options.recorded_interval) * 1e-3, level,
                            measure(trace, level, count)});
            const Row& row = rows.back();
            std::printf("%5.0f ms %-9s %10.0f %10.0f %9.1f %8.2f%% %8.1f%%\n", row.interval * 1e3,
                        name(level).data(), row.epoch.pages, row.epoch.bytes / 1e3, row.rate(),
                        100 * row.epoch.copy_seconds / row.interval,
                        100 * row.epoch.encode_seconds / row.interval);
        }
    }
    return rows;
}

// What a row means on a link.
struct Answer {
    double wait;  // seconds that output waits at most
    double link_share;
    bool sustainable;
};

Answer answer(const Row& row, double link, double round_trip) {
    const double wire = row.epoch.bytes * 8e-6 / link;
    // Coding, sending and the guest's next epoch overlap: each alone has to keep up.
    return {
        row.interval + row.epoch.copy_seconds + row.epoch.encode_seconds + wire + round_trip * 1e-3,
        wire / row.interval, std::max(wire, row.epoch.encode_seconds) <= row.interval};
}

nlohmann::json json_of(const Row& row, double link, const Answer& answer) {
    return {{"link_mbit", link},
            {"interval_seconds", row.interval},
            {"level", std::string(name(row.level))},
            {"bytes", row.epoch.bytes},
            {"encode_seconds", row.epoch.encode_seconds},
            {"paused_seconds", row.epoch.copy_seconds},
            {"longest_wait_seconds", answer.wait},
            {"link_share", answer.link_share},
            {"sustainable", answer.sustainable}};
}

void print_best(const std::vector<Row>& rows, double link, double round_trip) {
    const Row* best = nullptr;
    for (const Row& row : rows) {
        const Answer of_row = answer(row, link, round_trip);
        if (!of_row.sustainable) continue;
        if (best == nullptr || of_row.wait < answer(*best, link, round_trip).wait) best = &row;
    }
    if (best == nullptr) {
        std::printf("%6.0f Mbit/s  none of these: the guest writes faster than the link can take\n",
                    link);
        return;
    }
    const Answer of_best = answer(*best, link, round_trip);
    char choice[64];
    std::snprintf(choice, sizeof choice, "%.0f ms, %s", best->interval * 1e3,
                  name(best->level).data());
    std::printf("%6.0f Mbit/s  %-18s %.1f ms, %.0f%%\n", link, choice, of_best.wait * 1e3,
                100 * of_best.link_share);
}

}  // namespace

int cost_command(const warmvm::Words& arguments) {
    const Options options = options_of(arguments);
    JsonFile json(options.json, {options.path});
    const TraceFile trace(options.path);
    const std::vector<Row> rows = measure_all(options, trace);
    nlohmann::json document;
    std::printf("\n%-14s %-18s %s\n", "link", "best",
                "output waits at most, and what of the link is used");
    for (const double link : options.links) {
        for (const Row& row : rows)
            document.push_back(json_of(row, link, answer(row, link, options.round_trip)));
        print_best(rows, link, options.round_trip);
    }
    json.write(document);
    return 0;
}

}  // namespace replication::trace
