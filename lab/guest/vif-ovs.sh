#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Hotplug script of an interface that joins Open vSwitch.
# xl sets vif and XENBUS_PATH.
# shellcheck disable=SC2154
exec >>/var/log/xen/vif.log 2>&1
export PATH=/bin:/usr/bin:/usr/sbin
echo "$1 $vif"
case "$1" in
online|add)
	ovs-vsctl --timeout=30 --may-exist add-port br0 "$vif"
	ip link set "$vif" up
	xenstore-write "$XENBUS_PATH/hotplug-status" connected
	;;
offline|remove)
	ovs-vsctl --timeout=30 --if-exists del-port br0 "$vif"
	;;
esac
