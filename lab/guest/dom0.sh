#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The driver domain: bridge and Xen's daemons. The lab adds NIC and guest later.
. /lab/common

mount -t xenfs xenfs /proc/xen
ip link add br0 type bridge
echo 0 >/sys/class/net/br0/bridge/forward_delay
echo 0 >/sys/class/net/br0/bridge/multicast_snooping
ip addr add "$(parameter lab.ip)/24" dev br0
ip link set br0 up

xenstored --pid-file=/run/xenstored.pid || fail "xenstored did not start"
for _ in $(seq 100); do
	xenstore-read / >/dev/null 2>&1 && break
	usleep 100000
done
xen-init-dom0 || fail "xen-init-dom0 failed"
mkdir -p /var/log/xen/console
xenconsoled --log=guest --log-dir=/var/log/xen/console --pid-file=/run/xenconsoled.pid ||
	fail "xenconsoled did not start"

# The guest's output appears here as well, so that the watcher of this console sees a fault at once.
touch /var/log/xen/console/guest-guest.log
tail -n +1 -s 2 -F /var/log/xen/console/guest-guest.log |
	awk '{ print "guest: " $0; fflush() }' >/dev/console 2>&1 &
