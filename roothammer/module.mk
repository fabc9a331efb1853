# roothammer: warm reboot. The save helper libxl runs, the operator's command, what runs at boot.
roothammer_SRCS  := $(wildcard roothammer/src/*.cpp)
roothammer_USES  := libwarmvm
roothammer_LIBS  := -lboost_program_options -lz
roothammer_PROGS := warmvm-save-helper=roothammer/save_helper_main.cpp
$(eval $(call module,roothammer))
