#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The Xen guest: loads the front end that the kernel command line names.
. /lab/common

modprobe "$(parameter lab.driver)" || fail "modprobe $(parameter lab.driver) failed"
await /sys/class/net/eth0
configure eth0
