# SPDX-License-Identifier: GPL-2.0-only
# A host that ages, behind every port of the policy.
tests/fake/policy_SRCS := $(wildcard tests/fake/policy/*.cpp)
tests/fake/policy_USES := roothammer/policy
$(eval $(call module,tests/fake/policy))
