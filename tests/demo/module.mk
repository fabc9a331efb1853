# SPDX-License-Identifier: GPL-2.0-only
# The demonstration: from an empty machine to a verdict.  Packages come first and alone: the
# rest of this makefile asks pkg-config about them when it is read.
DEMO := build/demo

.PHONY: demo demo-run
demo: deps ## a warm reboot under three guests, with a timeline and a verdict (root)
	@$(MAKE) --no-print-directory demo-run

demo-run: lab-images lab-tools xen
	@mkdir -p $(DEMO)
	@PYTHONPATH=tests/lab $(LABPY) tests/demo/demo.py $(DEMO)
