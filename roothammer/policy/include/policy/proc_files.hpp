// SPDX-License-Identifier: GPL-2.0-only
// What dom0's kernel says of itself, taken from its text. No input or output of its own; text that
// is not as expected gives nothing, never an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace roothammer::policy {

// Bytes of a line like "MemTotal:   12345 kB" (proc(5): meminfo, status).
std::optional<std::uint64_t> field_in_kib(std::string_view text, std::string_view name);

// Counts lines of the kernel's log. Records are those of /dev/kmsg (Linux,
// Documentation/ABI/testing/dev-kmsg): "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT".
class KernelLog {
  public:
    // Records before sequence number `from` are not counted.
    explicit KernelLog(std::uint64_t from) : next_(from), from_(from) {}
    void add(std::string_view record);
    [[nodiscard]] std::uint64_t next() const { return next_; }
    [[nodiscard]] std::uint64_t errors() const { return errors_; }
    [[nodiscard]] std::uint64_t out_of_memory() const { return out_of_memory_; }

  private:
    std::uint64_t next_, from_;
    std::uint64_t errors_ = 0, out_of_memory_ = 0;
};

}  // namespace roothammer::policy
