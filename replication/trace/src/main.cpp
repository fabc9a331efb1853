// SPDX-License-Identifier: GPL-2.0-only
// Dirty-page traces: recorded and priced. docs/man/replication-trace.8
#include "commands.hpp"

using namespace replication::trace;

int main(int argc, char** argv) {
    return warmvm::run_commands("replication-trace",
                                {{"record", record_command}, {"cost", cost_command}}, argc, argv);
}
