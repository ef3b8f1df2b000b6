# SPDX-License-Identifier: GPL-2.0-only
# Builds the one module of the folder that make runs in, for one kernel:
#   make -C lab/wire -f ../module.mk MODULE=wire_clock KVER=... OUT=...

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
OUT ?= $(dir $(lastword $(MAKEFILE_LIST)))../build/modules/$(KVER)
# Kbuild writes beside the sources, so it gets a folder of its own, with copies.
STAGE := $(OUT)/$(notdir $(CURDIR))

.PHONY: all
all:
	@mkdir -p $(STAGE)
	@cp -u Kbuild $(MODULE).c $(STAGE)
	$(MAKE) -C $(KDIR) M=$(abspath $(STAGE)) $(KBUILD_FLAGS) modules
	@# Without debug data: it travels over an emulated serial port, and takes memory of machines that run from memory.
	@strip --strip-debug -o $(OUT)/$(MODULE).ko $(STAGE)/$(MODULE).ko
