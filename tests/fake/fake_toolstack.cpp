// SPDX-License-Identifier: GPL-2.0-only
// libxl around the real save helper: what it does before and after, and how it cleans up.
#include <fcntl.h>

#include "base/fault.hpp"
#include "base/file.hpp"
#include "fake_ports.hpp"
#include "guest/save_file.hpp"
#include "guests.hpp"
#include "preserved/guest_record.hpp"
#include "preserved/restore_preserved.hpp"
#include "preserved/save_preserved.hpp"
#include "save_file_parts.hpp"

namespace fake {
namespace {

warmvm::ToolstackResult failed(const std::string& message) {
    return {warmvm::ToolstackOutcome::failed, message};
}

// It has ended as soon as it is let go, but nobody knows before asking.
class Save final : public warmvm::ToolstackJob {
  public:
    Save(std::size_t& held, std::function<warmvm::ToolstackResult()> save)
        : held_(held), save_(std::move(save)) {
        ++held_;
    }
    ~Save() override {
        if (!result_) --held_;
    }
    void wait_until_held() override {}
    void let_go() override {
        --held_;
        result_ = failed("cut short");
        result_ = save_();
    }
    warmvm::ToolstackResult result() override { return result_.value(); }

  private:
    std::size_t& held_;
    std::function<warmvm::ToolstackResult()> save_;
    std::optional<warmvm::ToolstackResult> result_;
};

}  // namespace

std::unique_ptr<warmvm::ToolstackJob> Toolstack::start_save(DomId domain,
                                                            const std::filesystem::path& file,
                                                            std::chrono::milliseconds timeout) {
    step("xl save");
    save_timeout = timeout;
    auto job = std::make_unique<Save>(saves_held, [=, this] { return save(domain, file); });
    most_held = std::max(most_held, saves_held);
    return job;
}

// The last to be started is the first: whoever relies on an order must not.
std::size_t Toolstack::first_ended(std::span<warmvm::ToolstackJob* const> jobs) {
    most_saves = std::max(most_saves, jobs.size());
    return jobs.size() - 1;
}

warmvm::ToolstackResult Toolstack::save(DomId id, const std::filesystem::path& file) {
    auto& domain = get(id);
    auto& control = nodes["/local/domain/" + std::to_string(id.value()) + "/control/shutdown"];
    Bytes image;
    const auto suspend = [&] {
        if (on_suspend) on_suspend();
        control = "suspend";
        if (domain.suspends == Domain::Suspends::never) return false;
        control = "";  // the guest takes it up
        if (domain.suspends == Domain::Suspends::late) {
            late_[id.value()] = domain.late_by;
            return false;
        }
        if (domain.is_pv()) leave_pfns_in_start_info(*this, domain);
        domain.shutdown = warmvm::ShutdownReason::suspend;
        return true;
    };
    try {
        warmvm::save_preserved(
            helper_ports(), id, [] {}, suspend,
            [&](warmvm::ByteView bytes) { warmvm::append(image, bytes); });
    } catch (const std::exception& error) {
        // xl has written the guest's configuration before it asks the guest, and leaves it there.
        warmvm::replace_file(file, image);
        if (domain.suspends != Domain::Suspends::yes) {
            return {killed_tools.contains("xl") ? warmvm::ToolstackOutcome::died
                                                : warmvm::ToolstackOutcome::timed_out,
                    error.what()};
        }
        // xl: "Failed to save domain, resuming domain".
        if (!killed_tools.contains("wake")) domain.shutdown.reset();
        return failed(error.what());
    }
    if (killed_tools.contains("save")) return {warmvm::ToolstackOutcome::died, "killed"};
    auto bytes = save_file_prefix(domain.name, domain.uuid, domain.kind);
    warmvm::append(bytes, image);
    warmvm::append(bytes, save_file_suffix());
    warmvm::replace_file(file, bytes);
    ++domain.toolstack_pauses;
    domain.shutdown.reset();
    ++domain.times_cancelled;
    return {warmvm::ToolstackOutcome::done, {}};
}

warmvm::ToolstackResult Toolstack::restore(const std::filesystem::path& file) {
    step("xl restore");
    const auto bytes = warmvm::read_file(file, warmvm::max_blob_bytes);
    const auto saved = warmvm::read_save_file(bytes);
    const auto record =
        warmvm::decode_guest_record(saved.image.get(warmvm::RecordType::preserved_memory).body);
    for (const auto& [other, domain] : domains) {
        if (domain.uuid == record.uuid) return failed("the guest exists already");
    }
    auto& domain = add_domain(warmvm::guest_name(saved), warmvm::guest_kind(saved).value());
    const auto id = domain.id;
    domain.uuid = record.uuid;
    domain.toolstack_pauses = 1;
    domain.policy = {};
    // libxl makes the node; only a guest that boots writes it.
    nodes["/local/domain/" + std::to_string(id.value()) + "/control/feature-suspend"] = "";
    if (saved.image.is_pv) {
        for (const auto& image_record : saved.image.records) {
            if (image_record.type != warmvm::RecordType::x86_pv_vcpu_basic) continue;
            domain.vcpus[warmvm::decode_vcpu(image_record.body).vcpu.value()] = {};
        }
    }
    if (killed_tools.contains("restore early")) return failed("killed");
    try {
        warmvm::MemorySource source(warmvm::ByteView(bytes).subspan(saved.prefix.size()));
        constexpr std::uint32_t store_port = 1;
        constexpr std::uint32_t console_port = 2;
        warmvm::restore_preserved(
            helper_ports(), id, source,
            {warmvm::Port(store_port), DomId(0), warmvm::Port(console_port), DomId(0)},
            [&](unsigned) {
                step("static_data_done");
                return 0;
            });
    } catch (const std::exception& error) {
        if (!killed_tools.contains("restore")) remove(id);
        return failed(error.what());
    }
    if (killed_tools.contains("restore late")) return failed("killed");
    return {warmvm::ToolstackOutcome::done, {}};
}

warmvm::ToolstackResult Toolstack::shutdown(DomId domain, std::chrono::milliseconds timeout) {
    step("xl shutdown");
    shutdown_timeout = timeout;
    if (on_shutdown) on_shutdown();
    if (get(domain).suspends != Domain::Suspends::yes) {
        return {warmvm::ToolstackOutcome::timed_out, "the guest does not answer"};
    }
    remove(domain);
    return {warmvm::ToolstackOutcome::done, {}};
}

warmvm::ToolstackResult Toolstack::destroy(DomId domain) {
    step("xl destroy");
    remove(domain);
    return {warmvm::ToolstackOutcome::done, {}};
}

}  // namespace fake
