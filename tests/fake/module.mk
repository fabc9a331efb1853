# SPDX-License-Identifier: GPL-2.0-only
# Stateful fakes of every port, and guests to put into them.
tests/fake_SRCS := $(wildcard tests/fake/*.cpp)
tests/fake_USES := roothammer/host
$(eval $(call module,tests/fake))
