// SPDX-License-Identifier: GPL-2.0-only
#include "aging_host.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/error.hpp"

namespace fake {
namespace {

using policy::CommandResult;
using policy::Resource;
using policy::Value;

constexpr double mib = 1024.0 * 1024;
constexpr std::int64_t day = 86400;
constexpr std::int64_t thursday = 4;  // 1970-01-01

}  // namespace

AgingHost::AgingHost() : xen_heap_size(4096 * mib), dom0_memory(2048 * mib), swap(1024 * mib) {
    aging[Resource::xen_heap] = {200 * mib, 0, 200 * mib};
    aging[Resource::xenstored] = {10 * mib, 0, 10 * mib};
    aging[Resource::dom0_memory] = {500 * mib, 0, 500 * mib};
    aging[Resource::dom0_swap] = {0, 0, 0};
    moment.boot = "boot-1";
    moment.uptime = std::chrono::minutes(5);
    moment.wall = 20000 * day;  // Friday, 2024-10-04, 00:00
}

void AgingHost::pass(std::chrono::seconds time) {
    moment.uptime += time;
    moment.wall += time.count();
    for (auto& [resource, one] : aging) one.used += one.leak * static_cast<double>(time.count());
}

void AgingHost::boot_again(bool warm) {
    moment.boot = "boot-" + std::to_string(++boots_);
    moment.uptime = std::chrono::seconds(40);
    moment.wall += 40;
    generation = warm ? generation + 1 : 0;
    log.clear();
    for (auto& [resource, one] : aging) one.used = one.after_boot;
}

policy::Outcome AgingHost::watch(std::chrono::seconds time, std::chrono::seconds step,
                                 const policy::Config& config, policy::Decision same) {
    policy::Outcome outcome;
    for (std::chrono::seconds passed{}; passed < time; passed += step) {
        pass(step);
        outcome = run(config);
        if (outcome.decision != same) break;
    }
    return outcome;
}

template <class Effect>
auto AgingHost::step(Effect effect) {
    const bool is_it = ++calls == fail_at;
    const auto fail = [&] {
        if (kill) throw PolicyKilled();
        throw warmvm::Error::of(std::errc::io_error, "injected");
    };
    if (is_it && !after_effect) fail();
    auto result = effect();
    if (is_it) fail();
    return result;
}

policy::Reading AgingHost::read(std::uint64_t log_from) {
    return step([&] {
        policy::Reading reading;
        const auto put = [&](Value value, double number) {
            if (unreadable.contains(value)) return;
            reading.values[value] = static_cast<std::uint64_t>(std::max(number, 0.0));
        };
        const auto used = [&](Resource resource) { return aging[resource].used; };
        put(Value::xen_own, used(Resource::xen_heap));
        put(Value::xen_free, xen_heap_size - used(Resource::xen_heap));
        put(Value::xenstored, used(Resource::xenstored));
        put(Value::dom0_total, dom0_memory);
        put(Value::dom0_available, dom0_memory - used(Resource::dom0_memory));
        put(Value::swap_total, swap);
        put(Value::swap_used, used(Resource::dom0_swap));
        put(Value::guests, static_cast<double>(guests));
        put(Value::generation, static_cast<double>(generation));
        put(Value::log_next, static_cast<double>(log.size()));
        const auto fresh = log.begin() + static_cast<std::ptrdiff_t>(
                                             std::min<std::uint64_t>(log_from, log.size()));
        constexpr int error = 3;
        put(Value::log_errors, static_cast<double>(std::count_if(
                                   fresh, log.end(), [](int level) { return level <= error; })));
        put(Value::out_of_memory, static_cast<double>(std::count(fresh, log.end(), -1)));
        for (const auto value : unreadable) {
            reading.missing.push_back(
                std::string(policy::value_names.at(static_cast<std::size_t>(value))) +
                ": cannot be read");
        }
        reading.no_xen = no_xen;
        reading.last_reboot = last_reboot;
        return reading;
    });
}

policy::Moment AgingHost::now() {
    return step([&] { return moment; });
}

policy::LocalMinute AgingHost::local(std::int64_t wall) {
    return {static_cast<int>((wall / day + thursday) % 7), static_cast<int>(wall % day / 60)};
}

std::string AgingHost::local_text(std::int64_t wall) {
    const auto time = local(wall);
    return std::string(policy::day_names.at(static_cast<std::size_t>(time.weekday))) + " minute " +
           std::to_string(time.minute);
}

std::optional<std::string> AgingHost::read(const std::string& name) {
    return step([&]() -> std::optional<std::string> {
        const auto file = files.find(name);
        if (file == files.end()) return std::nullopt;
        return file->second;
    });
}

void AgingHost::replace(const std::string& name, const std::string& text) {
    step([&] {
        ++writes;
        files[name] = text;
        return true;
    });
}

CommandResult AgingHost::preflight() {
    return step([&] {
        ++preflights;
        if (during_preflight) during_preflight();
        return preflight_says;
    });
}

CommandResult AgingHost::reboot() {
    return step([&] { return do_reboot(); });
}

CommandResult AgingHost::do_reboot() {
    if (preflight_says.kind != CommandResult::Kind::ok) {
        throw std::logic_error("rebooted against the preflight");
    }
    ++reboots;
    tries_at_reboot = files["tries"];
    switch (reboot_does) {
        case Reboot::works:
            boot_again(true);
            throw WarmRebooted();
        case Reboot::ends_cold:
            boot_again(false);
            throw WarmRebooted();
        case Reboot::kills_us:
            throw PolicyKilled();
        case Reboot::is_refused:
            return {CommandResult::Kind::host_refused, "a resume is under way"};
        case Reboot::called_off:
            break;
    }
    return {CommandResult::Kind::failed, "guest web did not suspend"};
}

}  // namespace fake
