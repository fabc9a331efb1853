// SPDX-License-Identifier: GPL-2.0-only
#include "hotplug/scripts.hpp"

#include <xxhash.h>

#include <span>
#include <sstream>

#include "base/file.hpp"
#include "base/hex.hpp"

namespace roothammer::hotplug {
namespace {

std::string digest(const std::filesystem::path& file) {
    constexpr std::size_t limit = 1u << 20;
    const auto bytes = warmvm::read_file(file, limit);
    XXH128_canonical_t canonical{};
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
    return warmvm::hex(std::as_bytes(std::span(canonical.digest)));
}

}  // namespace

std::optional<std::string> changed_script(const std::filesystem::path& script,
                                          const std::string& list) {
    const auto folder = script.parent_path();
    std::istringstream lines(list);
    std::string wanted, name;
    bool listed = false;
    while (lines >> wanted >> name) {
        try {
            if (digest(folder / name) != wanted)
                return (folder / name).string() + " is not the known one";
        } catch (const warmvm::Error& error) {
            return error.what();
        }
        listed = listed || name == script.filename();
    }
    if (!listed) return script.string() + " is not a known script";
    // The scripts run whatever hooks there are.
    std::error_code none;
    for (const auto& hook : std::filesystem::directory_iterator(folder / "vif-post.d", none)) {
        if (hook.path().extension() == ".hook")
            return "there are hooks in " + hook.path().parent_path().string();
    }
    return std::nullopt;
}

}  // namespace roothammer::hotplug
