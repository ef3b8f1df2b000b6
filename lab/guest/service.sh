#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A domain with the back end of another one's interface. Its own front end leads to the NIC's domain or, where it owns the
# NIC itself, to dom0, for commands only.
. /lab/common

mount -t xenfs xenfs /proc/xen
modprobe "$(parameter lab.driver)" || fail "modprobe $(parameter lab.driver) failed"
await /sys/class/net/eth0
management=$(parameter lab.management)
if [ -n "$management" ]; then
	# The NIC is going to be eth0.
	ip link set eth0 name management
	ip addr add "$management/24" dev management
	ip link set management up
	modprobe xen-pcifront || fail "modprobe xen-pcifront failed"
else
	configure eth0
fi

inner=$(parameter lab.inner)
case "$(parameter lab.way)" in
bridge)
	make_bridge "$inner"
	;;
route)
	echo 1 >/proc/sys/net/ipv4/ip_forward
	[ -z "$inner" ] || ip addr add "$inner/32" dev lo
	;;
esac
# It runs a script for each interface that comes; xl in dom0 waits for that.
xl devd || fail "xl devd did not start"
