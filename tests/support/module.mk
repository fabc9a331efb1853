# tests/support: what tests of every module need and no module has.
$(eval $(call module,tests/support))
