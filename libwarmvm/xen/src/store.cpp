// SPDX-License-Identifier: GPL-2.0-only
#include <cstdlib>

#include "xen/store.hpp"
#include "xen_c.hpp"

namespace warmvm {
namespace {

struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
};

class XenStore final : public Store {
  public:
    XenStore() : store_(owned<StoreHandle>(xs_open(0), "xs_open")) {}

    std::optional<std::string> read(const std::string& path) override {
        return read_in(XBT_NULL, path);
    }

    void write(const std::string& path, const std::string& value) override {
        if (!xs_write(store_.get(), XBT_NULL, path.c_str(), value.data(),
                      static_cast<unsigned>(value.size()))) {
            throw Error::from_errno("xs_write " + path);
        }
    }

    std::vector<std::string> list(const std::string& path) override {
        unsigned count = 0;
        const std::unique_ptr<char*, Free> entries(
            xs_directory(store_.get(), XBT_NULL, path.c_str(), &count));
        if (!entries) {
            if (errno == ENOENT) return {};
            throw Error::from_errno("xs_directory " + path);
        }
        return {entries.get(), entries.get() + count};
    }

    bool replace(const std::string& path, const std::string& expected,
                 const std::string& replacement) override {
        for (;;) {
            const auto transaction = xs_transaction_start(store_.get());
            if (transaction == XBT_NULL) throw Error::from_errno("xs_transaction_start");
            const bool same = read_in(transaction, path) == expected;
            if (same && !xs_write(store_.get(), transaction, path.c_str(), replacement.data(),
                                  static_cast<unsigned>(replacement.size()))) {
                const auto error = Error::from_errno("xs_write " + path);
                xs_transaction_end(store_.get(), transaction, true);
                throw error;
            }
            if (xs_transaction_end(store_.get(), transaction, !same)) return same;
            if (errno != EAGAIN) throw Error::from_errno("xs_transaction_end");
        }
    }

    void resume_domain(DomId domain) override {
        if (!xs_resume_domain(store_.get(), domain.value())) {
            throw Error::from_errno("xs_resume_domain(dom" + std::to_string(domain.value()) + ")");
        }
    }

  private:
    std::optional<std::string> read_in(xs_transaction_t transaction, const std::string& path) {
        unsigned length = 0;
        const std::unique_ptr<void, Free> value(
            xs_read(store_.get(), transaction, path.c_str(), &length));
        if (!value) {
            if (errno == ENOENT) return std::nullopt;
            throw Error::from_errno("xs_read " + path);
        }
        return std::string(static_cast<const char*>(value.get()), length);
    }

    StoreHandle store_;
};

}  // namespace

std::unique_ptr<Store> open_store() {
    return std::make_unique<XenStore>();
}

std::string domain_path(DomId domain, std::string_view node) {
    return "/local/domain/" + std::to_string(domain.value()) + "/" + std::string(node);
}

}  // namespace warmvm
