// SPDX-License-Identifier: GPL-2.0-only
#include "fake_ports.hpp"

#include <algorithm>

namespace fake {
namespace {

using warmvm::Error;
using warmvm::PreservedSet;
using warmvm::SetState;

std::vector<warmvm::Extent> extents_of(const Domain& domain) {
    std::vector<warmvm::Extent> extents;
    for (const auto& [gfn, mfn] : domain.frames) {
        const auto pin = domain.pinned.find(mfn.value());
        const auto level = pin == domain.pinned.end() ? 0u : pin->second;
        if (!extents.empty() && level == 0) {
            auto& last = extents.back();
            if (last.pin == 0 && last.gfn + last.count == gfn &&
                last.mfn.value() + last.count == mfn.value()) {
                ++last.count;
                continue;
            }
        }
        extents.push_back({gfn, mfn, 1, level});
    }
    return extents;
}

}  // namespace

std::optional<warmvm::PreservedInfo> PreservedMemory::info() {
    step("preserved info");
    if (!has_feature) return std::nullopt;
    auto info = host_info;
    info.image = loaded.has_value();
    info.armed = armed_token != 0;
    return info;
}

std::vector<PreservedSet> PreservedMemory::sets() {
    step("sets");
    std::vector<PreservedSet> infos;
    for (const auto& [id, set] : preserved) {
        infos.push_back(set.info);
        infos.back().blob_bytes = set.blob.size();
    }
    return infos;
}

PreservedSet PreservedMemory::describe(const Domain& domain) {
    PreservedSet set;
    set.state = SetState::local;
    set.is_pv = domain.is_pv();
    set.domid = domain.id;
    set.uuid = domain.uuid;
    set.frames = domain.frames.size();
    set.extents = extents_of(domain).size();
    set.metadata_bytes = set.extents * sizeof(std::uint64_t);
    return set;
}

std::variant<PreservedSet, warmvm::Refusal> PreservedMemory::check(DomId domain) {
    step("check");
    const auto& target = get(domain);
    if (target.refusal) return *target.refusal;
    return describe(target);
}

SetId PreservedMemory::preserve(DomId domain) {
    step("preserve");
    auto& target = get(domain);
    const auto no = [](warmvm::Refusal refusal) {
        throw warmvm::PreservedError(std::make_error_code(std::errc::invalid_argument), refusal,
                                     "preserve");
    };
    if (target.refusal) no(*target.refusal);
    if (target.shutdown != warmvm::ShutdownReason::suspend) {
        no({warmvm::Reason::not_suspended, 0});
    }
    const SetId id(next_set_++);
    Set set{describe(target), extents_of(target), {}};
    set.info.id = id;
    set.info.tsc_preserve = {tsc_, tsc_ + 5};
    preserved[id.value()] = set;
    target.held = true;
    return id;
}

void PreservedMemory::release(SetId set) {
    step("release");
    auto& target = get(set);
    if (target.info.state != SetState::local) broken_rule("release of a set that is not local");
    get(target.info.domid).held = false;
    preserved.erase(set.value());
}

void PreservedMemory::set_blob(SetId set, std::span<const std::byte> blob) {
    step("set_blob");
    get(set).blob.assign(blob.begin(), blob.end());
}

std::vector<std::byte> PreservedMemory::blob(SetId set) {
    step("blob");
    return get(set).blob;
}

std::vector<warmvm::Extent> PreservedMemory::extents(SetId set) {
    step("extents");
    return get(set).extents;
}

void PreservedMemory::read(Mfn first, std::span<std::byte> out) {
    step("read preserved");
    for (std::size_t i = 0; i * warmvm::page_size < out.size(); ++i) {
        std::ranges::copy(ram[first.value() + i],
                          out.begin() + static_cast<std::ptrdiff_t>(i * warmvm::page_size));
    }
}

void PreservedMemory::adopt(SetId set, DomId domain) {
    step("adopt");
    auto& source = get(set);
    auto& target = get(domain);
    if (source.info.state != SetState::inherited) broken_rule("adoption of a set not inherited");
    if (!target.frames.empty()) broken_rule("adoption by a domain that has memory");
    for (const auto& extent : source.extents) {
        for (std::uint32_t i = 0; i < extent.count; ++i) {
            target.frames[extent.gfn + i] = Mfn(extent.mfn.value() + i);
        }
    }
    source.info.state = SetState::adopted;
    source.info.domid = domain;
    source.info.tsc_adopt = {tsc_, tsc_ + 5};
    source.info.ticks_adopt = 2 * source.info.frames;
    target.held = true;
}

std::uint64_t PreservedMemory::commit(SetId set) {
    step("commit");
    auto& source = get(set);
    if (source.info.state != SetState::adopted) broken_rule("commit of a set not adopted");
    auto& target = get(source.info.domid);
    target.held = false;
    ++target.times_resumed_elsewhere;
    const auto ticks = source.info.frames;
    preserved.erase(set.value());
    return ticks;
}

void PreservedMemory::discard(SetId set) {
    step("discard");
    const auto state = get(set).info.state;
    if (state != SetState::inherited && state != SetState::unreadable) {
        throw Error::of(std::errc::device_or_resource_busy, "discard");
    }
    // Unreadable ones cannot be told apart: all go.
    std::erase_if(preserved, [&](const auto& entry) {
        const auto& [id, target] = entry;
        if (state == SetState::unreadable ? target.info.state != state : id != set.value()) {
            return false;
        }
        for (const auto& extent : target.extents) {
            for (std::uint32_t i = 0; i < extent.count; ++i) ram[extent.mfn.value() + i] = Page{};
        }
        return true;
    });
    if (state == SetState::unreadable) {
        host_info.record_reason = warmvm::Reason::none;
        host_info.unreadable_frames = 0;
    }
}

void PreservedMemory::damage(SetId set, warmvm::Reason reason) {
    auto& target = get(set);
    target.info.state = SetState::unreadable;
    target.info.reason = reason;
    target.blob.clear();
    host_info.unreadable_frames += target.info.frames;
}

void PreservedMemory::damage_record(warmvm::Reason reason) {
    Set whole;
    whole.info.id = SetId(next_set_++);
    whole.info.state = SetState::unreadable;
    whole.info.reason = reason;
    for (const auto& [id, set] : preserved) {
        whole.info.frames += set.info.frames;
        whole.extents.insert(whole.extents.end(), set.extents.begin(), set.extents.end());
    }
    host_info.record_reason = reason;
    host_info.unreadable_frames = whole.info.frames;
    preserved = {{whole.info.id.value(), whole}};
}

void PreservedMemory::arm(std::uint64_t token) {
    step("arm");
    if (token == 0 || !loaded) broken_rule("arming without a token or an image");
    for (const auto& [id, set] : preserved) {
        if (set.info.state == SetState::local && set.blob.empty()) {
            throw warmvm::PreservedError(std::make_error_code(std::errc::invalid_argument),
                                         {warmvm::Reason::no_blob, id}, "arm");
        }
    }
    armed_token = token;
}

void PreservedMemory::disarm() {
    step("disarm");
    armed_token = 0;
}

std::optional<warmvm::Refusal> PreservedMemory::verify() {
    step("verify");
    return verify_refusal;
}

warmvm::Survey PreservedMemory::survey() {
    step("survey");
    return survey_result;
}

}  // namespace fake
