// SPDX-License-Identifier: GPL-2.0-only
// The only file that includes Xen's C headers, and the owners of what they hand out.
#pragma once

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif
// First what those headers include themselves, outside the C linkage they do not declare.
#include <cstddef>
#include <cstdint>
#include <cstdio>

extern "C" {
#include <xencall.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xenguest.h>
#include <xenstore.h>
#include <xentoollog.h>
}

#include <memory>
#include <string>

#include "base/error.hpp"
#include "closed.hpp"
#include "xen/types.hpp"

namespace warmvm {

template <auto close>
struct Closer {
    template <class T>
    void operator()(T* handle) const noexcept {
        close(handle);
    }
};
using XcHandle = std::unique_ptr<xc_interface, Closer<xc_interface_close>>;
using XencallHandle = std::unique_ptr<xencall_handle, Closer<xencall_close>>;
using ForeignMemoryHandle =
    std::unique_ptr<xenforeignmemory_handle, Closer<xenforeignmemory_close>>;
using StoreHandle = std::unique_ptr<xs_handle, Closer<xs_close>>;

// What a call has opened, which is how a program finds that it cannot work here.
template <class Handle, class T>
Handle owned(T* raw, const char* what) {
    if (!raw) throw closed(what);
    return Handle(raw);
}

// What a failed call is called: "xc_domain_pause(dom7)".
inline std::string name(const char* call, DomId domain) {
    return std::string(call) + "(" + str(domain) + ")";
}

// libxc's convention: negative means errno says why.
inline int check_xc(int result, const std::string& what) {
    if (result < 0) throw Error::from_errno(what);
    return result;
}

inline XcHandle open_xc() {
    return owned<XcHandle>(xc_interface_open(nullptr, nullptr, 0), "xc_interface_open");
}

// Memory that a hypercall may read and write.
class HypercallBuffer {
  public:
    HypercallBuffer(xencall_handle* call, std::size_t bytes)
        : call_(call), pages_((bytes + XC_PAGE_SIZE - 1) / XC_PAGE_SIZE) {
        if (pages_ == 0) pages_ = 1;
        memory_ = xencall_alloc_buffer_pages(call_, pages_);
        if (!memory_) throw Error::from_errno("xencall_alloc_buffer_pages");
    }
    ~HypercallBuffer() { xencall_free_buffer_pages(call_, memory_, pages_); }
    HypercallBuffer(const HypercallBuffer&) = delete;
    HypercallBuffer& operator=(const HypercallBuffer&) = delete;
    [[nodiscard]] void* get() const { return memory_; }
    template <class T>
    [[nodiscard]] T* as() const {
        return static_cast<T*>(memory_);
    }

  private:
    xencall_handle* call_;
    std::size_t pages_;
    void* memory_;
};

}  // namespace warmvm
