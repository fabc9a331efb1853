// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cerrno>
#include <optional>

#include "xen/log_dirty.hpp"
#include "xen_c.hpp"

namespace warmvm {
namespace {

class XenLogDirty final : public LogDirty {
  public:
    XenLogDirty()
        : xc_(open_xc()), call_(owned<XencallHandle>(xencall_open(nullptr, 0), "xencall_open")) {}

    std::uint64_t frames(DomId domain) override {
        xen_pfn_t frames = 0;
        check_xc(xc_domain_nr_gpfns(xc_.get(), domain.value(), &frames),
                 name("xc_domain_nr_gpfns", domain));
        return frames;
    }

    bool enable(DomId domain) override {
        auto request = shadow_op(domain, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
        const int result = xc_domctl(xc_.get(), &request);
        if (result < 0 && errno == EINVAL) return false;
        check_xc(result, name("enabling log-dirty mode", domain));
        return true;
    }

    void disable(DomId domain) override {
        auto request = shadow_op(domain, XEN_DOMCTL_SHADOW_OP_OFF);
        check_xc(xc_domctl(xc_.get(), &request), name("disabling log-dirty mode", domain));
    }

    void take(DomId domain, std::span<std::uint64_t> written) override {
        if (words_ < written.size()) {
            bitmap_.emplace(call_.get(), written.size_bytes());
            words_ = written.size();
        }
        auto* bitmap = bitmap_->as<std::uint64_t>();
        // Xen leaves alone what is beyond the pages that it can note.
        std::fill_n(bitmap, written.size(), 0);
        auto request = shadow_op(domain, XEN_DOMCTL_SHADOW_OP_CLEAN);
        request.u.shadow_op.dirty_bitmap.p = bitmap_->as<std::uint8_t>();
        request.u.shadow_op.pages = written.size() * 64;
        check_xc(xc_domctl(xc_.get(), &request), name("taking the log-dirty bitmap", domain));
        std::copy_n(bitmap, written.size(), written.begin());
    }

  private:
    static xen_domctl shadow_op(DomId domain, std::uint32_t operation) {
        xen_domctl request{};
        request.cmd = XEN_DOMCTL_shadow_op;
        request.domain = static_cast<domid_t>(domain.value());
        request.u.shadow_op.op = operation;
        return request;
    }

    XcHandle xc_;
    XencallHandle call_;
    std::optional<HypercallBuffer> bitmap_;
    std::size_t words_ = 0;
};

}  // namespace

std::unique_ptr<LogDirty> open_log_dirty() {
    return std::make_unique<XenLogDirty>();
}

}  // namespace warmvm
