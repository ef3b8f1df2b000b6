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

# Waits up to 20 s for file $1 to exist.
await()
{
	for _ in $(seq 200); do
		[ -e "$1" ] && return
		usleep 100000
	done
	fail "$1 did not appear"
}
