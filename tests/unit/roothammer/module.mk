# SPDX-License-Identifier: GPL-2.0-only
tests/unit/roothammer_USES  := roothammer tests/fake tests/support
tests/unit/roothammer_TESTS := $(wildcard tests/unit/roothammer/*_test.cpp)
$(eval $(call module,tests/unit/roothammer))

# Xen's own verifier over what rescue writes.
.PHONY: check-stream
ifeq ($(TESTS),%)
check: check-stream
endif
check-stream: $(B)/test/tests-unit-roothammer
	@rm -rf $(B)/rescued; mkdir -p $(B)/rescued
	@WARMVM_RESCUED=$(B)/rescued $< --gtest_brief=1 --gtest_filter='Rescue.Writes*' > $(B)/rescued.log
	@for f in $(B)/rescued/*.save; do PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$(XEN_SRC)/tools/python \
	  python3 $(XEN_SRC)/tools/python/scripts/verify-stream-v2 -q -f xl -i $$f || exit 1; done
