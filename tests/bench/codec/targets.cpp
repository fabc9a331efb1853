// SPDX-License-Identifier: GPL-2.0-only
#include "targets.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace replication::bench {
namespace {

template <typename Result>
const Result& find(const std::vector<Result>& results, const std::string& coder) {
    for (const Result& result : results)
        if (result.coder == coder) return result;
    throw std::out_of_range(coder + " was not replayed");
}

// The least and the geometric mean of a figure over all traces, and where the least is.
struct Spread {
    double least = std::numeric_limits<double>::max();
    double mean = 1;
    std::string where;
};

template <typename Of>
Spread spread(const Figures& figures, Of of) {
    Spread result;
    double logarithms = 0;
    for (const TraceFigures& figure : figures) {
        const double value = of(figure);
        logarithms += std::log(value);
        if (value >= result.least) continue;
        result.least = value;
        result.where = figure.trace;
    }
    result.mean = std::exp(logarithms / static_cast<double>(figures.size()));
    return result;
}

}  // namespace

std::vector<Target> targets_of(const Figures& figures) {
    const auto ratio = [&](const std::string& ours, const std::string& peer) {
        return spread(figures, [&](const TraceFigures& f) {
            return find(f.epochs, ours).ratio() / find(f.epochs, peer).ratio();
        });
    };
    const auto speed = [&](const std::string& ours, const std::string& peer) {
        return spread(figures, [&](const TraceFigures& f) {
            return find(f.epochs, ours).encode_rate() / find(f.epochs, peer).encode_rate();
        });
    };
    std::vector<Target> targets;
    const auto on_each = [&](const std::string& name, double wanted, const Spread& reached) {
        targets.push_back({name + ", worst trace (" + reached.where + ")", wanted, reached.least});
    };
    const auto on_mean = [&](const std::string& name, double wanted, const Spread& reached) {
        targets.push_back({name + ", geometric mean", wanted, reached.mean});
    };
    on_each("balanced: ratio to patch-from's", 1, ratio("balanced", "patch-from"));
    on_each("balanced: speed to patch-from's", 4, speed("balanced", "patch-from"));
    on_mean("balanced: ratio to xbzrle's", 3, ratio("balanced", "xbzrle"));
    on_mean("balanced: speed to xbzrle's", 0.7, speed("balanced", "xbzrle"));
    on_each("balanced: ratio to xbzrle's", 1, ratio("balanced", "xbzrle"));
    on_mean("fast: ratio to xbzrle's", 1, ratio("fast", "xbzrle"));
    on_mean("fast: speed to xbzrle's", 2.5, speed("fast", "xbzrle"));
    on_each("fast: ratio to xbzrle's", 0.9, ratio("fast", "xbzrle"));
    on_mean("small: ratio to patch-from's", 1.2, ratio("small", "patch-from"));
    on_each("small: speed to patch-from's", 1, speed("small", "patch-from"));
    const auto image = [&](auto of) {
        return spread(figures, [&](const TraceFigures& f) {
            return of(find(f.image, "ours")) / of(find(f.image, "zstd-1"));
        });
    };
    on_each("whole image: ratio to zstd -1's", 1,
            image([](const ImageResult& r) { return r.ratio(); }));
    on_each("whole image: speed to zstd -1's", 2,
            image([](const ImageResult& r) { return r.encode_rate(); }));
    for (const std::string level : {"fast", "balanced", "small"})
        on_each(level + ": decoding to encoding", 1, spread(figures, [&](const TraceFigures& f) {
                    const ReplayResult& result = find(f.epochs, level);
                    return result.decode_rate() / result.encode_rate();
                }));
    on_each("whole image: decoding to encoding", 1, spread(figures, [&](const TraceFigures& f) {
                return find(f.image, "ours").decode_rate() / find(f.image, "ours").encode_rate();
            }));
    for (const std::string level : {"fast", "balanced", "small"})
        on_mean(level + ": two threads to one", 1.7, spread(figures, [&](const TraceFigures& f) {
                    return find(f.threads, level + ", 2 threads").encode_rate() /
                           find(f.threads, level + ", 1 threads").encode_rate();
                }));
    on_mean("whole image: two threads to one", 1.7, spread(figures, [&](const TraceFigures& f) {
                return f.image_threads[1].encode_rate() / f.image_threads[0].encode_rate();
            }));
    const Spread similarity = ratio("balanced", "balanced, no similarity");
    on_each("similarity: ratio to that without", 0.97, similarity);
    on_mean("similarity: ratio to that without", 1, similarity);
    return targets;
}

}  // namespace replication::bench
