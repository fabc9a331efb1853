tests/unit/libwarmvm_USES  := libwarmvm tests/fake
tests/unit/libwarmvm_TESTS := $(wildcard tests/unit/libwarmvm/*_test.cpp)
tests/unit/libwarmvm_INCS  := libwarmvm/src build/gen
$(eval $(call module,tests/unit/libwarmvm))
