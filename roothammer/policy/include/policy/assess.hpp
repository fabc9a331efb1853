// SPDX-License-Identifier: GPL-2.0-only
// What a host's history says: what ages, until when that can go on, and whether it is time.
// No input or output of its own.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policy/config.hpp"
#include "policy/history.hpp"
#include "policy/trend.hpp"

namespace roothammer::policy {

// What may run out. Each is measured as what is used, so that aging is always a rise.
enum class Resource : std::uint8_t { xen_heap, xenstored, dom0_memory, dom0_swap };
inline constexpr std::array resource_names{
    std::string_view("Xen's heap"), std::string_view("xenstored's memory"),
    std::string_view("dom0's memory"), std::string_view("dom0's swap")};

struct ResourceTrend {
    Resource resource{};
    Trend trend;
    std::optional<double> used;      // bytes, now
    std::optional<double> headroom;  // bytes until the reserve is touched, now
    // Seconds from now until it is, of a rise: by the fastest, the likely and the slowest slope of
    // the interval.
    std::optional<double> earliest, expected, latest;
    bool is_due = false;
};

struct Assessment {
    std::array<ResourceTrend, resource_names.size()> resources;
    std::size_t samples = 0;  // of this boot
    double significance = 0;  // of each test
    bool due_by_time = false;
    bool due_by_trend = false;
    bool out_of_memory = false;  // it has happened already; counts as a trend
    bool is_due = false;
    std::string why;  // is_due: in words
};

// samples: the history with the sample of now at its end. Only that sample's boot counts, and of it
// only samples with as many guests as there are now.
Assessment assess(std::span<const Sample> samples, const Config& config);

// Has the wall clock been set between these moments of one boot?
bool has_stepped(const Moment& before, const Moment& after);

}  // namespace roothammer::policy
