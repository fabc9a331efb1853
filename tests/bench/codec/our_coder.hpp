// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "codec/epoch_encoder.hpp"
#include "coder.hpp"
#include "trace/trace_file.hpp"

namespace replication::bench {

// Our codec as a Coder; its page stores start with the trace's first image committed.
std::unique_ptr<Coder> make_our_coder(std::string name, const codec::EncoderOptions& options,
                                      const trace::TraceFile& trace);

}  // namespace replication::bench
