# SPDX-License-Identifier: GPL-2.0-only
# One make for everything: libraries, programs, tests, the patched Xen, the lab.
# Non-recursive: each module has a module.mk that names its sources and the modules right below it.
# Only what is below a module is on its -I path, so an include against the direction does not
# compile.

CONFIG  ?= release
WERROR  ?= 0
PREFIX  ?= /usr/local
DESTDIR ?=
B       := build/$(CONFIG)
VERSION := $(file < VERSION)

MAKEFLAGS += -rR
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all
-include config.mk

CXX      ?= g++
ifeq ($(origin CXX),default)
CXX      := g++
endif
AR       := ar
# Not there yet, and not needed, where packages are about to be installed.
PKG_CONFIG := $(if $(filter deps demo,$(MAKECMDGOALS)),:,pkg-config)
STD      := -std=gnu++20
WARN     := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor
ifeq ($(WERROR),1)
WARN     += -Werror
endif
# What a debugger is told; line numbers, which are all that a sanitizer needs, compile in a quarter
# less time. ASan and UBSan see the more the less is optimised, and -O1 compiles twice as long.
DEBUGINFO   ?= -g
opt-release := -O2 $(DEBUGINFO) -D_FORTIFY_SOURCE=2
opt-debug   := -O0 -g
opt-asan    := -O0 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
opt-tsan    := -O1 -g1 -fsanitize=thread
opt-fuzz    := -O1 -g1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
OPT      := $(opt-$(CONFIG))
ifeq ($(OPT),)
$(error CONFIG must be release, debug, asan, tsan or fuzz, not '$(CONFIG)')
endif
CXXFLAGS ?=
LDFLAGS  ?=
TESTS    ?= %

# --- the module mechanism --------------------------------------------------
# A module.mk sets, for module M (its folder's path):
#   M_SRCS     .cpp files of its library          M_USES  modules right below it, whose headers, and
#              the headers of what is below those, it may include
#   M_PROGS    programs: name=main.cpp ...        M_PKGS  pkg-config packages
#   M_LIBS     extra -l flags                     M_DEPS  generated files needed before compiling
#   M_EXPORTS  folders of generated headers       M_INCS  private folders, of a test's subject
#   M_FLAGS    extra compiler flags               M_TESTS gtest sources: one binary for the module
#   M_LINT     sources that only another CONFIG compiles
#   M_INSTALLS what `make install` copies, as kind=file or kind=file=name: see "installation"
#   M_STATIC   those of its programs that are linked statically, for they are started while guests
#              stand still and a shared library costs more to load than they take to run
static-release := -static
static-debug   := -static
modules :=
obj = $(patsubst %.cpp,$(B)/obj/%.o,$(1))
lib = $(B)/lib/$(subst /,-,$(1)).a
closure = $(1) $(foreach u,$($(1)_USES),$(call closure,$(u)))
define module
modules += $(1)
$(1)_ALLSRCS := $$(sort $$($(1)_SRCS) $$(foreach p,$$($(1)_PROGS),$$(lastword $$(subst =, ,$$p))) $$($(1)_TESTS))
$(1)_LINTSRCS := $$(sort $$($(1)_ALLSRCS) $$($(1)_LINT))
endef

define module_rules
$(1)_CF := $(addprefix -I,$(wildcard $(1)/include) $(if $(wildcard $(1)/src),$(1)/src,$(1))) \
  $(foreach u,$(sort $(call closure,$(1))),$(addprefix -I,$($(u)_EXPORTS)) \
    $(if $(filter-out $(1),$(u)),$(if $(wildcard $(u)/include),-I$(u)/include,-I$(u)))) \
  $(addprefix -I,$($(1)_INCS)) $($(1)_FLAGS) $(if $($(1)_PKGS),$(shell $(PKG_CONFIG) --cflags $($(1)_PKGS)))
$(1)_CLOSURE := $(sort $(call closure,$(1)))
$(1)_LF = $$(foreach m,$$($(1)_CLOSURE),$$(if $$($$m_PKGS),$$(shell $(PKG_CONFIG) --libs --static $$($$m_PKGS))) $$($$m_LIBS))
$(1)_ALLDEPS := $(foreach m,$(sort $(call closure,$(1))),$($(m)_DEPS))
$(1)_ALLHDRS := $(wildcard $(1)/include/*/*.hpp $(1)/src/*.hpp $(if $(wildcard $(1)/src),,$(1)/*.hpp))
$(1)_SEENHDRS := $$(sort $$($(1)_ALLHDRS) $(foreach u,$(call closure,$(1)),$$(wildcard $(u)/include/*/*.hpp)))
$(1)_STAMPS := $$(patsubst %,$(B)/lint/%.ok,$($(1)_LINTSRCS) $$($(1)_ALLHDRS))
lint_stamps += $$($(1)_STAMPS)
$(call obj,$($(1)_ALLSRCS)) $$($(1)_STAMPS): private MODFLAGS = $$($(1)_CF)
$$($(1)_STAMPS): private MOD = $(1)
$$($(1)_STAMPS): .clang-tidy .clang-format $$($(1)_SEENHDRS) | $$($(1)_ALLDEPS)
$(call obj,$($(1)_ALLSRCS)): $(1)/module.mk Makefile | $$($(1)_ALLDEPS)
$(if $($(1)_SRCS),$(call lib,$(1)): $(call obj,$($(1)_SRCS)))
$(foreach p,$($(1)_PROGS),$(call program,$(1),$(firstword $(subst =, ,$(p))),$(lastword $(subst =, ,$(p)))))
$(if $($(1)_TESTS),$(call testprog,$(1)))
libraries += $(if $($(1)_SRCS),$(call lib,$(1)))
$(if $($(1)_INSTALLS),$(call installs,install,$(1),$($(1)_INSTALLS)))
endef
define program
$(B)/bin/$(2): $(call obj,$(3)) $(foreach m,$(sort $(call closure,$(1))),$(if $($(m)_SRCS),$(call lib,$(m))))
	@mkdir -p $$(@D); echo "  LD    $$@"
	@$$(CXX) $$(OPT) $(if $(filter $(2),$($(1)_STATIC)),$(static-$(CONFIG))) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$($(1)_LF)
programs += $(B)/bin/$(2)

endef
define testprog
$(B)/test/$(subst /,-,$(1)): $(call obj,$($(1)_TESTS)) $(foreach m,$(sort $(call closure,$(1))),$(if $($(m)_SRCS),$(call lib,$(m))))
	@mkdir -p $$(@D); echo "  LD    $$@"
	@$$(CXX) $$(OPT) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$($(1)_LF) $$(shell $(PKG_CONFIG) --libs gtest_main)
testprogs += $(B)/test/$(subst /,-,$(1))

endef

# --- installation ------------------------------------------------------------
# Where each kind of file goes. One that was built is copied; in one that is here, @sbin@ and
# @libexec@ become folders. A configuration that is there already is left alone, also by uninstall.
SYSCONFDIR    ?= /etc
UNITDIR       ?= $(PREFIX)/lib/systemd/system
MANDIR        ?= $(PREFIX)/share/man
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
EXAMPLEDIR    ?= $(PREFIX)/share/doc/roothammer/examples
# Where an xl of this tree (make xl) looks for subcommands that are programs of their own.
XEN_LIBEXEC   ?= /usr/lib/xen-4.17
# They go into lists, recipes and sed's commands as they are: after a blank, uninstall would remove
# what it was never told to.
no_path := & | ; < > ( ) ' " ` \ * ? [ ] { } ~ $$
is_no_path = $(strip $(foreach c,$(no_path),$(findstring $(c),$(1))) $(filter-out $(2),$(words $(1))) \
  $(subst x$(strip $(1))x,,x$(1)x))
ifneq ($(filter install% uninstall%,$(MAKECMDGOALS)),)
$(foreach v,PREFIX SYSCONFDIR UNITDIR MANDIR COMPLETIONDIR EXAMPLEDIR XEN_LIBEXEC,\
  $(if $(call is_no_path,$($(v)),1)$(filter-out /%,$($(v))),\
    $(error $(v) must be an absolute path without blanks and $(no_path), not '$($(v))')))
$(if $(call is_no_path,$(DESTDIR),0 1),\
  $(error DESTDIR must be a path without blanks and $(no_path), or empty, not '$(DESTDIR)'))
endif
# Not to be chosen: a program finds what it starts by its own place.
SBINDIR       := $(PREFIX)/sbin
LIBEXECDIR    := $(PREFIX)/libexec/roothammer

to-sbin        = 755 $(SBINDIR)
to-libexec     = 755 $(LIBEXECDIR)
to-data        = 644 $(LIBEXECDIR)
to-unit        = 644 $(UNITDIR)
to-xendomains  = 644 $(UNITDIR)/xendomains.service.d
to-man5        = 644 $(MANDIR)/man5
to-man8        = 644 $(MANDIR)/man8
to-completion  = 644 $(COMPLETIONDIR)
to-example     = 644 $(EXAMPLEDIR)
to-conf        = 644 $(SYSCONFDIR)/xen
to-initramfs   = 755 $(SYSCONFDIR)/initramfs-tools/scripts/init-bottom
# A program of sbin, linked to.
to-subcommand  = 755 $(XEN_LIBEXEC)/bin
# These are nobody else's, and go when they are empty. Where examples go to may be somebody else's.
own_folders   := $(LIBEXECDIR) $(UNITDIR)/xendomains.service.d \
  $(foreach d,$(EXAMPLEDIR) $(patsubst %/,%,$(dir $(EXAMPLEDIR))),$(if $(findstring /roothammer,$(d)),$(d)))
# What uninstall says of what it leaves. The hook is looked for before it goes.
enabled_units := $(wildcard $(DESTDIR)$(SYSCONFDIR)/systemd/system/*.wants/roothammer-*)
early_hook    := $(wildcard $(DESTDIR)$(SYSCONFDIR)/initramfs-tools/scripts/init-bottom/roothammer)
kept_files     = $(wildcard $(addprefix $(DESTDIR),$(SYSCONFDIR)/xen/roothammer*.conf /var/lib/roothammer))

entry_kind    = $(word 1,$(subst =, ,$(1)))
entry_file    = $(word 2,$(subst =, ,$(1)))
entry_name    = $(notdir $(lastword $(subst =, ,$(1))))
entry_mode    = $(firstword $(to-$(entry_kind)))
entry_path    = $(DESTDIR)$(lastword $(to-$(entry_kind)))/$(entry_name)
entry_command = $(or $(command-$(entry_kind)),$(command-$(if $(filter $(B)/%,$(entry_file)),built,here)))
command-built      = install -D -m $(entry_mode) $(entry_file) $(entry_path)
command-here       = text=$$$$(sed 's|@sbin@|$(SBINDIR)|g; s|@libexec@|$(LIBEXECDIR)|g' $(entry_file)) && \
  printf '%s\n' "$$$$text" | install -D -m $(entry_mode) /dev/stdin $(entry_path)
command-conf       = test -e $(entry_path) || install -D -m $(entry_mode) $(entry_file) $(entry_path)
command-subcommand = install -d $(dir $(entry_path)) && ln -sfn $(SBINDIR)/$(entry_name) $(entry_path)
# A line of a recipe, and what a foreach puts between two of them must not be at its beginning.
define install_one

	@echo "  INST  $(entry_path)"; $(entry_command)
endef
# installs TARGET,MODULE,ENTRIES: the module's part of install or install-early, and of uninstall.
define installs
.PHONY: $(1)/$(2) uninstall/$(1)/$(2)
$(1): $(1)/$(2)
$(1)/$(2): $(foreach e,$(3),$(call entry_file,$(e)))
$(foreach e,$(3),$(call install_one,$(e)))
uninstall: uninstall/$(1)/$(2)
uninstall/$(1)/$(2):
	@rm -f $(foreach e,$(filter-out conf=%,$(3)),$(call entry_path,$(e)))

endef
.PHONY: install uninstall
install: ## install programs, systemd units and man pages (PREFIX, DESTDIR)
uninstall: ## remove what install and install-early put there (configuration stays)
	@for d in $(addprefix $(DESTDIR),$(own_folders)); do ! test -d $$d || rmdir --ignore-fail-on-non-empty $$d; done
	@$(foreach f,$(kept_files),echo "  STAYS $(f)";) true
	@$(foreach f,$(enabled_units),echo "  STAYS $(f), which leads to nothing now: rm it";) true
	@$(if $(early_hook),echo "  STAYS the hook in the initramfs that was built with it: update-initramfs -u")

include $(sort $(wildcard */module.mk */*/module.mk */*/*/module.mk))
$(foreach m,$(modules),$(eval $(call module_rules,$(m))))

$(B)/obj/%.o: %.cpp
	@mkdir -p $(@D); echo "  CXX   $<"
	@$(CXX) $(STD) $(OPT) $(WARN) $(MODFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<
$(B)/lib/%.a:
	@mkdir -p $(@D); echo "  AR    $@"
	@rm -f $@; $(AR) rcs $@ $^
-include $(foreach m,$(modules),$(patsubst %.o,%.d,$(call obj,$($(m)_ALLSRCS))))

# --- targets ----------------------------------------------------------------
.PHONY: all check help clean distclean
all: $(libraries) $(programs) ## build the libraries and programs

# TESTS: the modules whose tests shall run, a pattern: tests-unit-codec.
check: $(filter $(addprefix $(B)/test/,$(TESTS)),$(testprogs)) ## run the unit tests (no root, no Xen)
	@tests/run-unit $(filter $(addprefix $(B)/test/,$(TESTS)),$(testprogs))

clean: ## remove what this CONFIG compiled (the built Xen and images stay)
	rm -rf $(B)
distclean: ## remove everything that was built
	rm -rf build compile_commands.json

# --- editors ------------------------------------------------------------------
# Written while the recipe is expanded, since one command line has no room for all of it.
.PHONY: compile_commands.json
compile_commands.json: | $(sort $(foreach m,$(modules),$($(m)_DEPS))) ## how each file is compiled, for clangd
	$(file > $@,[)$(foreach m,$(modules),$(foreach s,$($(m)_LINTSRCS),$(file >> $@,$(compile_command))))
	@sed -i '$$s/,$$/\n]/' $@
compile_command = {"directory": "$(CURDIR)", "file": "$(s)", "command": "$(lastword $(CXX)) $(STD) $(OPT) $(WARN) $(strip $($(m)_CF)) -c $(s)"},

# --- style --------------------------------------------------------------------
# Every source must be formatted and clean under clang-tidy, and every header must compile alone. A
# header that a source of its module includes first has shown that already.
.PHONY: lint format
lint: $(lint_stamps) ## formatting, headers that compile alone, clang-tidy
	@echo "$(words $(lint_stamps)) passed, 0 failed"
format: ## format the C++ sources
	@clang-format -i $(shell git ls-files '*.cpp' '*.hpp')
included_as = $(patsubst $(MOD)/%,%,$(patsubst $(MOD)/src/%,%,$(patsubst $(MOD)/include/%,%,$<)))
$(B)/lint/%.hpp.ok: %.hpp
	@mkdir -p $(@D); echo "  LINT  $<"
	@clang-format --dry-run -Werror $<
	@grep -hm1 '^#include' /dev/null $($(MOD)_LINTSRCS) | grep -qF '"$(included_as)"' || \
	  echo '#include "$(abspath $<)"' | $(CXX) $(STD) $(WARN) $(MODFLAGS) $(CXXFLAGS) -fsyntax-only -x c++ -
	@touch $@
# The analyzer takes as long as all other checks. It is for libwarmvm, where C's handles and buffers
# are; the rest has owners for them. Of a test only what may be a bug is of interest.
tidy = clang-tidy --quiet $(patsubst %,'--checks=%',$(tidy-$(firstword $(subst /, ,$<))))
tidy-libwarmvm := clang-analyzer-*,-clang-analyzer-optin.performance.Padding
tidy-tests     := -performance-*,-misc-*,-modernize-*,-readability-*
$(B)/lint/%.cpp.ok: %.cpp
	@mkdir -p $(@D); echo "  LINT  $<"
	@clang-format --dry-run -Werror $<
	@$(tidy) --warnings-as-errors='*' $< -- $(STD) $(MODFLAGS) $(CXXFLAGS) 2>/dev/null || \
	  { $(tidy) $< -- $(STD) $(MODFLAGS) $(CXXFLAGS); exit 1; }
	@touch $@

# --- fuzzing ------------------------------------------------------------------
# libFuzzer with ASan and UBSan over every reader of bytes from outside; clang only. A module adds
# names to `fuzzers`: NAME is $(B)/bin/fuzz-NAME, and fuzz_NAME its seeds' folder and longest input.
FUZZ         ?= %
FUZZ_SECONDS ?= 600
fuzz_chosen  := $(filter $(FUZZ),$(fuzzers))
.PHONY: fuzz fuzz-short fuzz-record fuzz-build fuzz-run fuzz-programs
fuzz: ## fuzz every reader for FUZZ_SECONDS (600) each; FUZZ chooses, a pattern
	@$(MAKE) --no-print-directory CONFIG=fuzz CXX=clang++ fuzz-run
fuzz-short: ## the fuzzers for 10 seconds each
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=10
fuzz-record: ## fuzz the hypervisor's record parser alone
	@$(MAKE) --no-print-directory fuzz FUZZ=preserved_record%
fuzz-build: ## compile the fuzzers and run none of them
	@$(MAKE) --no-print-directory CONFIG=fuzz CXX=clang++ fuzz-programs
fuzz-programs: $(addprefix $(B)/bin/fuzz-,$(fuzz_chosen)) $(foreach f,$(fuzz_chosen),$(fuzz_needs_$(f)))
fuzz-run: fuzz-programs
	@tests/fuzz/run $(B) $(FUZZ_SECONDS) $(foreach f,$(fuzz_chosen),$(f) $(fuzz_$(f)))

help: ## this list
	@grep -hE '^[a-z][a-z0-9._-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort | awk -F'\t' '{printf "  %-16s %s\n",$$1,$$2}'

# What a change must pass.  E2E_ARGS chooses tests on real Xen (pytest's arguments).
.PHONY: test
test: ## every test: unit, the patch series, real Xen in QEMU (root, the packages of `make deps`)
	@tests/run-all
