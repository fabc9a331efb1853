// SPDX-License-Identifier: GPL-2.0-only
#include "preflight/next_boot.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "base/hex.hpp"

namespace roothammer {
namespace {

// What an option is given: in "a=b,c a=d", a is given b, c and d.
std::vector<std::string> values(const std::string& commandline, std::string_view option) {
    std::vector<std::string> found;
    std::istringstream words(commandline);
    for (std::string word; words >> word;) {
        if (!word.starts_with(option)) continue;
        std::istringstream parts(word.substr(option.size()));
        for (std::string part; std::getline(parts, part, ',');) found.push_back(part);
    }
    return found;
}

// "512M" -> 512 MiB, in KiB without a unit as Xen reads it; nullopt if it is no size.
std::optional<std::uint64_t> size(const std::string& text) {
    if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
    std::size_t used = 0;
    std::uint64_t number = 0;
    try {
        number = std::stoull(text, &used);
    } catch (const std::out_of_range&) {
        return std::nullopt;
    }
    switch (used < text.size() ? text[used] : 'K') {
        case 'B':
        case 'b':
            return number;
        case 'K':
        case 'k':
            return number << 10;
        case 'M':
        case 'm':
            return number << 20;
        case 'G':
        case 'g':
            return number << 30;
        case 'T':
        case 't':
            return number << 40;
        default:
            return std::nullopt;
    }
}

}  // namespace

std::string next_xen_commandline(const std::string& running) {
    constexpr std::string_view no_real_mode = "no-real-mode";
    std::string next;
    std::istringstream words(running);
    for (std::string word; words >> word;) {
        if (word == no_real_mode || word.starts_with("liveupdate=") ||
            word.starts_with("preserved-token=")) {
            continue;
        }
        next += word + " ";
    }
    return next + std::string(no_real_mode);
}

std::string with_token(const std::string& commandline, std::uint64_t token) {
    return commandline + " preserved-token=" + warmvm::hex(token);
}

std::string next_kernel_commandline(const std::string& running) {
    constexpr std::string_view no_tests = "cryptomgr.notests";
    // The rest stays as it is written: a value may be quoted, with blanks in it.
    std::string next = running.substr(0, running.find_last_not_of(" \n") + 1);
    std::istringstream words(next);
    for (std::string word; words >> word;) {
        // Whoever asks for certified cryptography, or for a panic when it fails, wants the tests.
        if (word.starts_with(no_tests) || word.starts_with("fips=") ||
            word.starts_with("cryptomgr.panic_on_fail")) {
            return next;
        }
    }
    if (!next.empty()) next += ' ';
    return next + std::string(no_tests);
}

std::optional<std::uint64_t> dom0_memory(const std::string& xen_commandline) {
    std::optional<std::uint64_t> bytes;
    for (const auto& value : values(xen_commandline, "dom0_mem=")) {
        if (const auto given = size(value)) bytes = given;
    }
    return bytes;
}

bool asks_for_pvh_dom0(const std::string& xen_commandline) {
    bool pvh = false;
    for (const auto& value : values(xen_commandline, "dom0=")) {
        if (value == "pvh") pvh = true;
        if (value == "pv") pvh = false;
    }
    return pvh;
}

bool switches_iommu_off(const std::string& xen_commandline) {
    constexpr std::array<std::string_view, 5> no{"no", "off", "false", "disable", "0"};
    constexpr std::array<std::string_view, 5> yes{"yes", "on", "true", "enable", "1"};
    bool off = false;
    std::istringstream words(xen_commandline);
    for (std::string word; words >> word;) {
        if (word == "no-iommu") off = true;
        if (word == "iommu") off = false;
        for (const auto& value : values(word, "iommu=")) {
            if (std::ranges::find(no, value) != no.end()) off = true;
            if (std::ranges::find(yes, value) != yes.end()) off = false;
        }
    }
    return off;
}

std::uint64_t dom0_overhead(const std::string& xen_commandline, std::uint64_t dom0_bytes,
                            const warmvm::HostHardware& hardware) {
    constexpr std::uint64_t bytes_a_cpu = 1u << 20;
    constexpr std::uint64_t memory_of_an_octet = 256;
    constexpr unsigned table_bits = 9;
    std::uint64_t bytes = 0;
    if (hardware.iommu && !switches_iommu_off(xen_commandline)) {
        for (auto tables = hardware.frames >> table_bits; tables; tables >>= table_bits) {
            bytes += tables * warmvm::page_size;
        }
    }
    if (asks_for_pvh_dom0(xen_commandline)) {
        bytes += hardware.cpus * bytes_a_cpu + dom0_bytes / memory_of_an_octet;
    }
    return bytes;
}

}  // namespace roothammer
