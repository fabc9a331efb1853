// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "codec/epoch_encoder.hpp"
#include "coder.hpp"

namespace replication::trace {

class TraceFile;

// Our codec as a Coder; its page stores start with the trace's first image committed.
std::unique_ptr<Coder> make_our_coder(std::string name, const codec::EncoderOptions& options,
                                      const TraceFile& trace);

}  // namespace replication::trace
