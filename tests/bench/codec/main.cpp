// SPDX-License-Identifier: GPL-2.0-only
// The page codec beside its peers, on recorded traces: `make bench-codec`, `make bench-similarity`.
#include "commands.hpp"

using namespace replication::bench;

int main(int argc, char** argv) {
    return replication::trace::run_program(
        "bench-codec", {{"replay", replay_command}, {"similarity", similarity_command}}, argc,
        argv);
}
