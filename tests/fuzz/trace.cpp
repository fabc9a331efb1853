// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as a trace file, and as an XBZRLE page.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "trace/trace_file.hpp"
#include "xbzrle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    replication::Bytes page(replication::page_size);
    replication::bench::xbzrle_decode(reinterpret_cast<const std::byte*>(data), size, page.data());
    const int file = ::memfd_create("trace", 0);
    if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
    try {
        replication::trace::TraceFile trace("/proc/self/fd/" + std::to_string(file));
    } catch (const warmvm::Error&) {
    }
    ::close(file);
    return 0;
}
