// SPDX-License-Identifier: GPL-2.0-only
#include <vector>

#include "xen/host_memory.hpp"
#include "xen/types.hpp"
#include "xen_c.hpp"

namespace warmvm {
namespace {

constexpr std::uint32_t first_reserved_domid = 0x7ff0;  // DOMID_FIRST_RESERVED

class XenHostMemory final : public HostMemory {
  public:
    XenHostMemory() : xc_(open_xc()) {}

    HostMemoryUse use() override {
        // Frames that change hands between the calls would be counted twice or not at all.
        constexpr int tries = 4;
        HostMemoryUse use;
        for (int i = 0; i < tries; ++i) {
            const auto before = physinfo();
            use = {before.total_pages * page_size, before.free_pages * page_size, 0, 0};
            add_domains(use);
            if (physinfo().free_pages == before.free_pages) break;
        }
        return use;
    }

  private:
    xc_physinfo_t physinfo() {
        xc_physinfo_t info{};
        check_xc(xc_physinfo(xc_.get(), &info), "xc_physinfo");
        return info;
    }

    void add_domains(HostMemoryUse& use) {
        constexpr unsigned batch = 256;
        std::vector<xc_domaininfo_t> raw(batch);
        for (std::uint32_t next = 0;;) {
            const int got = check_xc(xc_domain_getinfolist(xc_.get(), next, batch, raw.data()),
                                     "xc_domain_getinfolist");
            for (int i = 0; i < got; ++i) {
                const auto& domain = raw[static_cast<std::size_t>(i)];
                next = domain.domain + 1u;
                if (domain.domain >= first_reserved_domid) continue;
                use.domains += domain.tot_pages * page_size;
                if (domain.domain == 0) continue;
                ++use.guests;
                // A PV guest has none; one that has gone by now needs none.
                std::uint64_t pool = 0;
                if (domain.flags & XEN_DOMINF_hap &&
                    xc_get_paging_mempool_size(xc_.get(), domain.domain, &pool) == 0) {
                    use.domains += pool;
                }
            }
            if (static_cast<unsigned>(got) < batch) return;
        }
    }

    XcHandle xc_;
};

}  // namespace

std::unique_ptr<HostMemory> open_host_memory() {
    return std::make_unique<XenHostMemory>();
}

}  // namespace warmvm
