#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A machine without Xen: the sender, or the receiver of the native configurations.
. /lab/common

# The sender's NIC is there by now; the receiver's comes with the driver under test.
address=$(parameter lab.ip)
if [ -n "$address" ]; then
	await /sys/class/net/eth0
	ip addr add "$address/24" dev eth0
	ip link set eth0 up
fi
