#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Hotplug script of an interface that is routed to, as Qubes has it: a host route for its address and one for each that lies
# behind it, and answers to ARP for all else.
# xl sets vif and XENBUS_PATH.
# shellcheck disable=SC2154
exec >>/var/log/xen/vif.log 2>&1
export PATH=/bin:/usr/bin:/usr/sbin
echo "$1 $vif"
case "$1" in
online|add)
	ip link set "$vif" up
	echo 1 >"/proc/sys/net/ipv4/conf/$vif/proxy_arp"
	addresses=$(xenstore-read "$XENBUS_PATH/ip")
	front=${addresses%% *}
	ip route add "$front/32" dev "$vif"
	for address in ${addresses#"$front"}; do
		ip route add "$address/32" via "$front" dev "$vif"
	done
	xenstore-write "$XENBUS_PATH/hotplug-status" connected
	;;
esac
