# SPDX-License-Identifier: GPL-2.0-only
# roothammer/preserved: a guest whose memory is preserved: the two halves of a warm reboot that run
# within libxl, the record between them, and such a guest as an ordinary save file.
M := roothammer/preserved
$(M)_SRCS   := $(wildcard $(M)/src/*.cpp)
$(M)_USES   := libwarmvm/guest
$(M)_LIBS   := -lxxhash
$(M)_PROGS  := warmvm-save-helper=roothammer/preserved/save_helper_main.cpp
$(M)_STATIC := warmvm-save-helper
$(M)_INSTALLS := libexec=$(B)/bin/warmvm-save-helper
$(eval $(call module,$(M)))
