tests/unit/roothammer_USES  := roothammer libwarmvm tests/fake
tests/unit/roothammer_TESTS := $(wildcard tests/unit/roothammer/*_test.cpp)
$(eval $(call module,tests/unit/roothammer))
