#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Set-up that every lab machine shares; sourced by the role scripts.

/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin:/usr/sbin HOME=/root

# The lab's console watcher takes any line that starts with "lab-setup:" as a failure.
fail()
{
	echo "lab-setup: $*" >/dev/console
	exit 1
}

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
ip link set lo up
# Netback drops packets when its queue of 512 KiB for a guest is full. With a window that fits into the queue, no
# measurement includes TCP's recovery.
echo "4096 131072 524288" >/proc/sys/net/ipv4/tcp_rmem

while read -r module; do
	modprobe "$module" || fail "modprobe $module failed"
done </lab/modules

# Prints the value of kernel parameter $1 (NAME=VALUE).
parameter()
{
	tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p"
}

# Gives interface $1 the address of lab.ip. Behind the router lab.gw nothing but that is on the link.
configure()
{
	address=$(parameter lab.ip)
	gateway=$(parameter lab.gw)
	ip addr add "$address/$([ -n "$gateway" ] && echo 32 || echo 24)" dev "$1"
	ip link set "$1" up
	if [ -n "$gateway" ]; then
		ip route add "$gateway" dev "$1"
		ip route add default via "$gateway" dev "$1"
	fi
}

# Makes the bridge br0, with address $1.
make_bridge()
{
	ip link add br0 type bridge
	echo 0 >/sys/class/net/br0/bridge/forward_delay
	echo 0 >/sys/class/net/br0/bridge/multicast_snooping
	ip addr add "$1/24" dev br0
	ip link set br0 up
}

# Makes br0 of Open vSwitch, a switch that learns, with address $1.
make_switch()
{
	ovsdb-tool create /etc/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema || fail "ovsdb-tool failed"
	ovsdb-server --detach --pidfile --log-file --remote=punix:/run/openvswitch/db.sock /etc/openvswitch/conf.db ||
		fail "ovsdb-server did not start"
	ovs-vsctl --no-wait init
	ovs-vswitchd --detach --pidfile --log-file || fail "ovs-vswitchd did not start"
	ovs-vsctl add-br br0 || fail "Open vSwitch made no bridge"
	ip addr add "$1/24" dev br0
	ip link set br0 up
}

# Waits up to 20 s for file $1 to exist.
await()
{
	for _ in $(seq 200); do
		[ -e "$1" ] && return
		usleep 100000
	done
	fail "$1 did not appear"
}
