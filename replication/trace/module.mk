# SPDX-License-Identifier: GPL-2.0-only
# replication/trace: dirty-page traces: the file, recording them, what replicating them would cost.
M := replication/trace
$(M)_SRCS := $(sort $(filter-out $(M)/src/main.cpp,$(wildcard $(M)/src/*.cpp)))
$(M)_USES := replication/codec libwarmvm/guest libwarmvm/program
$(M)_PROGS := replication-trace=$(M)/src/main.cpp
$(M)_INSTALLS := sbin=$(B)/bin/replication-trace man8=docs/man/replication-trace.8 \
  completion=$(M)/completion/replication-trace.bash=replication-trace
$(eval $(call module,$(M)))
