// SPDX-License-Identifier: GPL-2.0-only
// The page codec beside its peers, on recorded traces: `make bench-codec`, `make bench-similarity`.
//
// replay sends every epoch of the traces through the levels of the codec and through what else
// could be used (peers.hpp), in turn and several times, of which the median counts, and the image
// at the start as a whole. Ratios are bytes of pages to bytes sent; ours have the framing of the
// stream. Rates are bytes of pages a second of CPU time of one core, the upkeep of the reference
// included; two threads are compared by elapsed time, of which the least counts. Last come the
// codec's targets, as ratios of figures of the same run.
//
// similarity says of the blocks that changed how many bytes are the same at the same place before,
// and in the better of that and of what a table of block signatures finds.
#include "commands.hpp"

using namespace replication::bench;

int main(int argc, char** argv) {
    return warmvm::run_commands("bench-codec",
                                {{"replay", replay_command}, {"similarity", similarity_command}},
                                argc, argv);
}
