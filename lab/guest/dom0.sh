#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# dom0: bridge and Xen's daemons. The lab adds the NIC, if it is dom0's, and the other domains later.
. /lab/common

mount -t xenfs xenfs /proc/xen
if [ "$(parameter lab.way)" = ovs ]; then
	make_switch "$(parameter lab.ip)"
else
	make_bridge "$(parameter lab.ip)"
fi

xenstored --pid-file=/run/xenstored.pid || fail "xenstored did not start"
for _ in $(seq 100); do
	xenstore-read / >/dev/null 2>&1 && break
	usleep 100000
done
xen-init-dom0 || fail "xen-init-dom0 failed"
mkdir -p /var/log/xen/console
xenconsoled --log=guest --log-dir=/var/log/xen/console --pid-file=/run/xenconsoled.pid ||
	fail "xenconsoled did not start"

# The output of the domains appears here as well, so that the watcher of this console sees a fault at once.
for name in $(parameter lab.domains | tr : ' '); do
	touch "/var/log/xen/console/guest-$name.log"
	tail -n +1 -s 2 -F "/var/log/xen/console/guest-$name.log" |
		awk -v name="$name" '{ print name ": " $0; fflush() }' >/dev/console 2>&1 &
done
