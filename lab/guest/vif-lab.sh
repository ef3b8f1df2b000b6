#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Hotplug script of the guest's interface: joins it to the bridge, tells Xen.
# xl sets vif and XENBUS_PATH.
# shellcheck disable=SC2154
exec >>/var/log/xen/vif.log 2>&1
export PATH=/bin:/usr/bin:/usr/sbin
echo "$1 $vif"
case "$1" in
online|add)
	ip link set "$vif" master br0
	ip link set "$vif" up
	xenstore-write "$XENBUS_PATH/hotplug-status" connected
	;;
esac
