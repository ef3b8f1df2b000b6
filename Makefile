# SPDX-License-Identifier: GPL-2.0-only
# xenlro: `make help` lists what there is to make.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
KSRC ?=
OUT ?= build/modules/$(KVER)
# Shown by ethtool -i and modinfo.
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

PYTHON ?= python3
# The modules that this kernel can have, and the grafted ones among them; the folders determine both.
MODULES := $(shell sh graft/modules.sh $(KDIR))
GRAFTED := $(filter $(patsubst %/graft.toml,%,$(wildcard */graft.toml)),$(MODULES))

# Kbuild writes beside the sources, so it gets a folder of its own, with copies.
STAGE := $(OUT)/src
SHARED := $(wildcard Kbuild include/*.h $(foreach m,$(MODULES),$(m)/Kbuild $(m)/*.[ch]))

.PHONY: help
help:
	@echo 'make check             the tests, as root; SUITES="match graft" for some'
	@echo 'make check-all         with the suites that take long; `python3 -m tests --help` names all'
	@echo 'make lab               the laboratory, as root: throughput, LRO ratio and instructions of all configurations'
	@echo '                       CONFIGS="gro12 guest12" BYTES=32M REPEATS=3 KERNEL=6.12|6.1|7.3'
	@echo '                       NIC=8169|8168|e1000e|igb: the emulated NIC; guest1 uses our driver for it'
	@echo '                       TOPOLOGY=bridge|ovs|driver-domain|chain: the domains of the Xen host; GUEST=pv|pvh: the guests'
	@echo '                       FLOWTABLE=1: a flowtable in the chain'"'"'s firewall; FIXED_ID=1: a sender with one IP'
	@echo '                       identification; MANGLE_ID=1: vifs that take its aggregates whole'
	@echo '                       PROFILE=1: also shows the symbols that the instructions belong to'
	@echo '                       HOSTS=hosts.toml measures your own machines (lab/hosts.example.toml)'
	@echo '                       SCALING=1: more flows and more guests instead, added to the last results'
	@echo 'make report            build/lab/report.html and plots of the last `make lab`, or of RESULTS=FILE'
	@echo 'make coverage          lines and branches of the rules that the unit tests reach; fails below 100 %'
	@echo 'make fuzz              any bytes through the rules and the flow table, then a back end that does anything to the'
	@echo '                       driver of a guest: FUZZ_SECONDS=600 for each of the two'
	@echo 'make property          random packet streams through the engine in every mode: SEED= PACKETS=1000000'
	@echo 'make soak              long runs, as root: soak-engine, the same with SEED= SOAK_PACKETS=100000000, and'
	@echo '                       soak-drivers, mixed traffic through both drivers, then memory: SOAK_MINUTES=30, and'
	@echo '                       deaths of the back end: DEATHS=500 on each of two kernels'
	@echo 'make check-hosts       HOSTS= on virtual machines with sshd: results, and that they are put back'
	@echo 'make check-package     the packages on a Debian 13 system: install, choose, reboot, upgrade the kernel, remove;'
	@echo '                       the same in a Xen guest; and with Secure Boot, before and after a key is enrolled'
	@echo 'make check-kernels     grafts and modules for further kernels of the mirror, and for cloud kernels, as root:'
	@echo '                       KERNELS="7.2 6.1.170-3" for some series or versions'
	@echo 'make check-backend     back end restarts and the like, with netfront_lro and with the stock xen-netfront, as root'
	@echo 'make check-netback     netback_lro under traffic, as root'
	@echo 'make check-consumers   aggregates through all their consumers, in user-mode Linux and on each kernel in virtual machines, as root'
	@echo 'make check-intel       e1000e_lro and igb_lro on the NICs that QEMU emulates, as root'
	@echo 'make check-kasan       r8169_lro and br_linearize on a kernel with KASAN and lockdep, then netfront_lro on one with all that'
	@echo '                       can be had in a Xen guest; it builds both, as root'
	@echo 'make check-overhead    throughput with and without measuring, on an idle machine'
	@echo 'make kunit             tests of the engine in user-mode Linux with KASAN (builds that kernel)'
	@echo 'make bench             ns per packet of the engine and of GRO in user-mode Linux'
	@echo '                       BENCH_QUICK=1: in seconds, not exact'
	@echo 'make setup             only what the laboratory needs before its first run'
	@echo 'make modules           the modules for a kernel: KVER=$$(uname -r) KSRC= OUT='
	@echo 'make dist              build/dist/xenlro-VERSION.tar.xz: this tree with the drivers grafted for each kernel series'
	@echo 'make deb               build/dist/*.deb: the modules for DKMS, and the command xenlro'
	@echo 'make rpm               build/dist/*.rpm: the same for distributions with RPM'
	@echo 'make install           both into a system, on any distribution: DESTDIR= PREFIX=/usr/local; `make uninstall` undoes it'
	@echo 'make example           the example driver of docs/porting.md, and lro_core for it: KVER=$$(uname -r) OUT='
	@echo 'make clean             removes build/'

.PHONY: modules
modules: stage
	$(MAKE) -C $(KDIR) M=$(abspath $(STAGE)) XENLRO_VERSION=$(VERSION) $(COMPILER) $(KBUILD_FLAGS) modules
	@cp $(foreach m,$(MODULES),$(STAGE)/$(m)/$(m).ko) $(OUT)/
	@echo 'modules: $(foreach m,$(MODULES),$(OUT)/$(m).ko)'

# The archive of `make dist` includes the grafted drivers of some series. A graft made on this machine is preferred.
SERIES := $(word 1,$(subst ., ,$(KVER))).$(firstword $(subst -, ,$(subst +, ,$(word 2,$(subst ., ,$(KVER))))))
PACKED := $(if $(KSRC),,$(wildcard grafted/$(SERIES)))
# Not every release tells the version of the source, and 6.1.0-56 is a name.
POINT = $(SERIES).$(shell sed -n 's/^\#define LINUX_VERSION_SUBLEVEL //p' $(KDIR)/include/generated/uapi/linux/version.h 2>/dev/null)
GRAFT = $(PYTHON) graft/graft.py --kver $(KVER) $(if $(KSRC),--ksrc $(KSRC)) --out $(STAGE)

# The compiler that the kernel was built with. Where the headers name one by its version, as Debian's do, Kbuild takes
# no other. Elsewhere another one of the same kind mostly works, and Kbuild only warns.
CONFIG = $(shell sed -n 's/^$(1)="*\([^"]*\)"*$$/\1/p' $(KDIR)/include/config/auto.conf 2>/dev/null)
CLANG := $(call CONFIG,CONFIG_CC_IS_CLANG)
KERNEL_CC := $(if $(CLANG),clang $(call CONFIG,CONFIG_CLANG_VERSION),gcc $(call CONFIG,CONFIG_GCC_VERSION))
NAMED_CC := $(if $(wildcard $(KDIR)/.kernelvariables),$(firstword $(call CONFIG,CONFIG_CC_VERSION_TEXT)))
USED_CC := $(if $(filter command,$(origin CC)),$(CC),$(or $(NAMED_CC),$(firstword $(KERNEL_CC))))
COMPILER := $(if $(CLANG),$(if $(call CONFIG,CONFIG_LD_IS_LLD),LLVM=1,CC=clang))

.PHONY: fits grafts stage
fits:
	@test -e $(KDIR)/Makefile || { echo 'modules: the headers of Linux $(KVER) are missing:' \
		'install the package linux-headers-$(KVER), or set KDIR=' >&2; exit 3; }
	@sh graft/compiler.sh $(KVER) $(USED_CC) $(KERNEL_CC)
	@sh graft/modules.sh --lacking $(KDIR) | while read -r module option; do \
		echo "modules: $$module is not built: Linux $(KVER) has no $$option"; done

grafts:
ifeq ($(GRAFTED),)
	@mkdir -p $(STAGE)
else ifeq ($(PACKED),)
	@$(GRAFT) $(GRAFTED)
else
	@if command -v spatch >/dev/null && command -v $(PYTHON) >/dev/null; then \
		$(GRAFT) --packed $(PACKED) --point $(POINT) $(GRAFTED); \
	else \
		mkdir -p $(STAGE) && cp -r $(GRAFTED:%=$(PACKED)/%) $(STAGE); \
	fi
endif

# The graft comes first: if it fails, nothing is built. Leftovers of an earlier run with another configuration are
# removed.
stage: fits
	@$(MAKE) --no-print-directory grafts
	@cd $(STAGE) && for folder in */; do \
		case ' include $(MODULES) ' in *" $${folder%/} "*) ;; *) rm -rf "$$folder" ;; esac; done
	@cp -u --parents $(SHARED) $(STAGE)

.PHONY: dist deb rpm
dist:
	@$(PYTHON) packaging/dist.py

deb:
	@$(PYTHON) packaging/deb.py

rpm:
	@$(PYTHON) packaging/rpm.py

# Folders of `make install`, below DESTDIR. DKMS reads the modules' sources from /usr/src with any PREFIX, and udev
# reads no rules below /usr/local.
DESTDIR ?=
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
SHAREDIR ?= $(PREFIX)/share
SRCDIR ?= /usr/src
UDEVDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,/etc)/udev/rules.d
# The folder of OpenRC's services; empty: none is installed.
INITDIR ?= $(if $(wildcard /sbin/openrc-run),/etc/init.d)
DKMS_TREE := $(SRCDIR)/xenlro-$(VERSION)
PLACED = sed 's,/usr/sbin,$(SBINDIR),g; s,/usr/share,$(SHAREDIR),g; s,/usr/lib/udev/rules\.d,$(UDEVDIR),g'

.PHONY: install install-dkms install-command uninstall
install: install-dkms install-command
	@echo 'installed: `dkms install xenlro/$(VERSION)` builds the modules for this kernel, and `xenlro status` shows the devices'
	@test -d grafted || echo 'no grafted drivers are in this tree (the archive of `make dist` has them): building takes' \
		'Coccinelle and the source of the kernel (linux-source-X.Y)'

install-dkms:
	mkdir -p $(DESTDIR)$(DKMS_TREE)
	cp -r --parents Makefile Kbuild dkms.conf include $(patsubst %/,%,$(dir $(wildcard */Kbuild))) \
		$(wildcard graft/*.py graft/*.sh) $(wildcard grafted) $(DESTDIR)$(DKMS_TREE)

install-command:
	mkdir -p $(DESTDIR)$(SBINDIR) $(DESTDIR)$(SHAREDIR)/xenlro/grafts $(DESTDIR)$(UDEVDIR)
	$(PLACED) packaging/xenlro >$(DESTDIR)$(SBINDIR)/xenlro
	chmod 755 $(DESTDIR)$(SBINDIR)/xenlro
	install -m644 -t $(DESTDIR)$(SHAREDIR)/xenlro tools/xenlro/*.py
	for driver in */graft.toml; do \
		install -m644 "$$driver" "$(DESTDIR)$(SHAREDIR)/xenlro/grafts/$${driver%/*}.toml" || exit; done
	$(PLACED) packaging/70-xenlro.rules >$(DESTDIR)$(UDEVDIR)/70-xenlro.rules
	mkdir -p $(DESTDIR)$(SHAREDIR)/man/man8
	$(PLACED) packaging/xenlro.8 >$(DESTDIR)$(SHAREDIR)/man/man8/xenlro.8
	mkdir -p $(DESTDIR)$(SHAREDIR)/bash-completion/completions
	$(PLACED) packaging/xenlro.bash-completion >$(DESTDIR)$(SHAREDIR)/bash-completion/completions/xenlro
ifneq ($(INITDIR),)
	install -D -m755 packaging/xenlro.openrc $(DESTDIR)$(INITDIR)/xenlro
endif

# The choices in /etc/xenlro stay.
uninstall:
	if test -z '$(DESTDIR)' && command -v dkms >/dev/null && dkms status xenlro/$(VERSION) | grep -q .; then \
		dkms remove xenlro/$(VERSION) --all; fi
	rm -rf $(DESTDIR)$(DKMS_TREE) $(DESTDIR)$(SHAREDIR)/xenlro
	rm -f $(DESTDIR)$(SBINDIR)/xenlro $(DESTDIR)$(UDEVDIR)/70-xenlro.rules $(DESTDIR)$(SHAREDIR)/man/man8/xenlro.8 \
		$(DESTDIR)$(SHAREDIR)/bash-completion/completions/xenlro $(if $(INITDIR),$(DESTDIR)$(INITDIR)/xenlro)

# A driver that shows how to use the engine. It has a separate folder, since none of it is installed.
EXAMPLE := $(OUT)/example
.PHONY: example
example:
	@test -e $(KDIR)/Makefile || { echo 'example: the headers of Linux $(KVER) are missing:' \
		'install the package linux-headers-$(KVER), or set KDIR=' >&2; exit 3; }
	@mkdir -p $(EXAMPLE)
	@cp -u --parents $(wildcard include/*.h $(foreach m,lro_core examples/lro_pair,$(m)/Kbuild $(m)/*.[ch])) $(EXAMPLE)
	@echo 'obj-m += lro_core/ examples/lro_pair/' >$(EXAMPLE)/Kbuild
	$(MAKE) -C $(KDIR) M=$(abspath $(EXAMPLE)) $(KBUILD_FLAGS) modules
	@echo 'example: $(EXAMPLE)/lro_core/lro_core.ko $(EXAMPLE)/examples/lro_pair/lro_pair.ko'

# The lab and the tests set up what they need by themselves.
export NIC TOPOLOGY GUEST FLOWTABLE FIXED_ID MANGLE_ID CONFIGS BYTES REPEATS KERNEL KERNELS PROFILE HOSTS SCALING RESULTS

.PHONY: setup lab report check coverage fuzz property soak soak-engine soak-drivers kunit bench
setup:
	@$(PYTHON) -m lab setup

lab:
	@$(PYTHON) -m lab run

report:
	@$(PYTHON) -m lab report

check:
	@$(PYTHON) -m tests $(SUITES)

.PHONY: check-all
check-all:
	@$(PYTHON) -m tests --all

.PHONY: check-hosts check-package check-kernels check-backend check-netback check-consumers check-intel check-kasan check-overhead
check-hosts: setup
	@$(PYTHON) -m tests.kit tests.hosts.test_hosts tests.hosts.test_hosts_xen

check-package: setup
	@$(PYTHON) -m tests.package

check-kernels: setup
	@$(PYTHON) -m tests.kit tests.kernels.test_kernels

check-backend: setup
	@$(PYTHON) -m tests.kit tests.xen.test_backend.Netfront tests.xen.test_backend.Newest tests.xen.test_backend.Oldest \
		tests.xen.test_backend_stock.StockNetfront tests.xen.test_saved

check-netback: setup
	@$(PYTHON) -m tests.kit tests.xen.test_netback

check-consumers: setup
	@$(PYTHON) -m tests.kit tests.consumers.test_uml tests.consumers.test_consumers tests.consumers.test_replay

check-intel: setup
	@$(PYTHON) -m tests.kit tests.boot.test_intel tests.xen.test_intel

check-kasan: setup
	@$(PYTHON) -m tests.kit tests.boot.test_kasan tests.xen.test_debug

check-overhead: setup
	@$(PYTHON) -m tests.kit tests.insn.overhead

coverage:
	@$(PYTHON) tests/unit/coverage.py

FUZZ_SECONDS ?= 600
fuzz:
	@$(PYTHON) tests/fuzz/run.py --seconds $(FUZZ_SECONDS)
	@$(PYTHON) tests/ring/run.py --seconds $(FUZZ_SECONDS)

PACKETS ?= 1000000
SOAK_PACKETS ?= 100000000
property soak-engine: SENT = --packets $(if $(filter soak-engine,$@),$(SOAK_PACKETS),$(PACKETS)) $(if $(SEED),--seed $(SEED))
property soak-engine:
	@$(PYTHON) tests/property/run.py $(SENT)

SOAK_MINUTES ?= 30
soak-drivers: export SOAK_MINUTES := $(SOAK_MINUTES)
# Of each of two kernels.
DEATHS ?= 500
soak-drivers: export DEATHS := $(DEATHS)
soak-drivers: setup
	@$(PYTHON) -m tests.kit tests.soak.test_drivers tests.xen.test_deaths

soak: soak-engine soak-drivers

kunit:
	@$(PYTHON) tests/kunit/run.py

bench:
	@$(PYTHON) tests/bench/run.py $(if $(BENCH_QUICK),--quick)

.PHONY: clean
clean:
	rm -rf build
