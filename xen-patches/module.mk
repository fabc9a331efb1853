# SPDX-License-Identifier: GPL-2.0-only
# The patched hypervisor: Debian's source, the series on top, one build folder a variant.
XEN_SERIES := xen-patches/4.17
XEN_BUILD  := build/xen
XEN_TREE   := $(XEN_BUILD)/tree
xen_patches := $(addprefix $(XEN_SERIES)/,$(shell sed 's/\#.*//' $(XEN_SERIES)/series))

# Own identity and fixed dates: the same series always gives the same commit.
xen_git := git -c user.name=series -c user.email=series@invalid -c core.autocrlf=false -c gc.auto=0
xen_cc  := $(if $(shell command -v ccache),ccache gcc,gcc)
xen_make = $(MAKE) -C $(XEN_TREE)/xen O=$(abspath $(1)) CC="$(xen_cc)" HOSTCC="$(xen_cc)" \
  XEN_WHOAMI=builder XEN_DOMAIN=invalid XEN_BUILD_DATE=- XEN_BUILD_TIME=-

.PHONY: xen xl xen-tree xen-refresh xen-check
xen-tree: $(XEN_TREE)/.applied ## fetch Debian's Xen source and apply the series
xen: $(XEN_BUILD)/release/xen $(XEN_BUILD)/debug/xen ## build the patched hypervisor, release and debug

$(XEN_BUILD)/source/.fetched: $(XEN_SERIES)/BASE xen-patches/fetch-source
	@mkdir -p $(@D); echo "  FETCH xen source"
	@xen-patches/fetch-source $(abspath $<) $(abspath $(@D))
	@touch $@

$(XEN_TREE)/.applied: $(XEN_BUILD)/source/.fetched $(XEN_SERIES)/series $(xen_patches)
	@echo "  APPLY $(XEN_SERIES)"
	@rm -rf $(XEN_TREE)
	@dpkg-source -x --no-check --no-copy $(XEN_BUILD)/source/*.dsc $(XEN_TREE) > $(XEN_BUILD)/unpack.log 2>&1
	@cd $(XEN_TREE) && $(xen_git) init -q && $(xen_git) add -Af . && \
	  GIT_AUTHOR_DATE=2025-01-01T00:00:00Z GIT_COMMITTER_DATE=2025-01-01T00:00:00Z \
	  $(xen_git) commit -qm base && $(xen_git) tag base
	@cd $(XEN_TREE) && $(xen_git) am -q --committer-date-is-author-date --keep-cr \
	  $(abspath $(xen_patches)) && echo /.applied >> .git/info/exclude
	@touch $@

# What the variants build with, over Xen's defaults.
xen_config_release := CONFIG_PRESERVED_MEMORY=y
xen_config_debug   := CONFIG_PRESERVED_MEMORY=y CONFIG_DEBUG=y

$(XEN_BUILD)/%/xen: $(XEN_TREE)/.applied
	@mkdir -p $(@D); echo "  XEN   $* (some minutes the first time; log: $(XEN_BUILD)/$*.log)"
	@printf '%s\n' $(xen_config_$*) > $(@D)/allrandom.config
	@{ KCONFIG_ALLCONFIG=$(abspath $(@D))/allrandom.config $(call xen_make,$(@D)) alldefconfig && \
	   $(call xen_make,$(@D)); } > $(XEN_BUILD)/$*.log 2>&1 || { tail -n 30 $(XEN_BUILD)/$*.log; exit 1; }
	@for c in $(xen_config_$*); do grep -qx "$$c" $(@D)/.config || { echo "$$c did not hold"; exit 1; }; done

# xl alone of the tools is patched; it runs on Debian's libxl, so it has Debian's paths.
xl_paths := LIBEXEC_BIN="$(XEN_LIBEXEC)/bin" XENFIRMWAREDIR="$(XEN_LIBEXEC)/boot" \
  XEN_CONFIG_DIR="/etc/xen" XEN_SCRIPT_DIR="/etc/xen/scripts" XEN_LOCK_DIR="/var/lock" \
  XEN_RUN_DIR="/var/run/xen" XEN_LOG_DIR="/var/log/xen" XEN_DUMP_DIR="/var/lib/xen/dump"

xl: $(XEN_BUILD)/xl ## build the patched xl (optional: everything else works with Debian's)
$(XEN_BUILD)/xl: $(XEN_TREE)/.applied xen-patches/module.mk
	@echo "  XL    $@"
	@$(xen_cc) -std=gnu99 -O2 -g -Wall -Wno-format-zero-length -Wno-unused-but-set-variable -idirafter $(XEN_TREE)/tools/include \
	  $(foreach p,$(xl_paths),'-D$(p)') -DHAVE_YAJL_YAJL_VERSION_H=1 \
	  -o $@ $(XEN_TREE)/tools/xl/*.c -lxlutil -lxenlight -lxentoollog -lxenstore -lyajl

xen-refresh: ## write the tree's commits back to the series
	@$(xen_git) -C $(XEN_TREE) rev-parse -q --verify base > /dev/null
	@rm -f $(XEN_SERIES)/*.patch
	@number=300; for commit in $$($(xen_git) -C $(XEN_TREE) rev-list --reverse base..HEAD); do \
	  $(xen_git) -C $(XEN_TREE) format-patch -q -N --zero-commit --no-signature --no-renames \
	    --full-index --subject-prefix= -o $(abspath $(XEN_SERIES)) --start-number=$$number -1 $$commit \
	    || exit 1; number=$$((number + 10)); done
	@cd $(XEN_SERIES) && ls *.patch > series

xen-check: $(XEN_TREE)/.applied ## prove the series: every prefix builds, off means unchanged
	@xen-patches/check $(XEN_TREE) $(XEN_SERIES) $(XEN_BUILD)/check
