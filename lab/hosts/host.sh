#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The lab runs this on a host that the user named. It records the measured interface, changes its driver and restores
# everything. It needs only the host, so that it also works when the lab is lost.
#
#	connection		the interfaces over which ssh came here
#	show INTERFACE		all that the lab may change, one setting a line
#	begin INTERFACE LIMIT	record that in $DIR and watch: no sign of life for LIMIT seconds puts it back
#	keep			take each line of standard input for a sign of life; its end means that the lab is gone
#	bind DRIVER		give the interface another driver, with the recorded addresses, bridge and settings
#	change COMMAND		run a command that changes something, unless the host was put back already
#	restore			put everything back; prints what differs and fails if something does
#	end			restore, then forget the record
#	count INTERFACE HOW FIRST LAST	perf's counts between two amounts of payload, see count()
# Every change holds the lock, so that a command that the lab left running cannot undo a restore.
DIR=${XENLRO_DIR:-/run/xenlro-lab}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH LC_ALL=C
MODULES="netfront_lro r8169_lro lro_core r8169 xen_netfront"
EVENTS=cycles,instructions,instructions:u
# Ethernet, IPv4, and TCP with timestamps.
HEADERS=66

fail()
{
	echo "$*" >&2
	exit 1
}

interface()
{
	cat "$DIR/interface"
}

# The device of the recorded interface, which has no name while no driver serves it.
device()
{
	cat "$DIR/device"
}

driver_of()
{
	[ -e "$1/driver" ] && basename "$(readlink -f "$1/driver")"
}

# An interface and all interfaces below it.
with_lower()
{
	echo "$1"
	for lower in "/sys/class/net/$1"/lower_*; do
		[ -e "$lower" ] && with_lower "${lower##*/lower_}"
	done
	return 0
}

connection()
{
	# shellcheck disable=SC2086 # four words
	set -- $SSH_CONNECTION
	[ $# = 4 ] || fail "ssh does not say over which addresses it came"
	{
		ip route get "${1%\%*}" | sed -n 's/.* dev \([^ ]*\).*/\1/p'
		ip -o addr | awk -v address="${3%\%*}" '{ split($4, part, "/"); if (part[1] == address) print $2 }'
	} | while read -r name; do with_lower "$name"; done | sort -u
}

# Prints "file PATH VALUE" for each file that can be read.
files()
{
	grep -s -H . "$@" </dev/null | sed -e 's/:/ /' -e 's/^/file /'
}

addresses()
{
	# Such as: 2: eth0    inet 10.0.0.2/24 brd 10.0.0.255 scope global eth0\       valid_lft forever
	ip -o addr show dev "$1" | awk '
		($3 == "inet" || $3 == "inet6") && !/ scope link/ && !/ dynamic/ {
			line = "address " $4
			for (i = 5; i < NF; i++)
				if ($i == "brd") line = line " brd " $(i + 1)
			print line
		}' | sort
}

routes()
{
	for version in -4 -6; do
		ip "$version" route show dev "$1" 2>/dev/null |
			grep -v -e 'proto kernel' -e 'proto ra' -e '^fe80' -e 'proto dhcp' |
			sed -e 's/ linkdown//; s/ dead//; s/ \+/ /g; s/ *$//' -e "s/ dev $1\( \|$\)/\1/; s/^/route $version /" | sort
	done
}

# ethtool -k prints long names; for some, -K needs the short ones.
features()
{
	ethtool -k "$1" 2>/dev/null | awk '
		BEGIN {
			split("rx-checksumming rx tx-checksumming tx scatter-gather sg tcp-segmentation-offload tso " \
			      "generic-segmentation-offload gso generic-receive-offload gro " \
			      "large-receive-offload lro rx-vlan-offload rxvlan tx-vlan-offload txvlan " \
			      "ntuple-filters ntuple receive-hashing rxhash", pair, " ")
			for (i = 1; i in pair; i += 2) short[pair[i]] = pair[i + 1]
		}
		$3 != "[fixed]" && ($2 == "on" || $2 == "off") {
			sub(/:$/, "", $1)
			print "feature", ($1 in short ? short[$1] : $1), $2
		}'
}

coalescing()
{
	ethtool -c "$1" 2>/dev/null | awk '
		/^(rx|tx)-(usecs|frames):/ && $2 ~ /^[0-9]+$/ { sub(/:$/, "", $1); line = line " " $1 " " $2 }
		END { if (line) print "coalesce" line }'
}

show()
{
	name=$1
	net=/sys/class/net/$name
	[ -e "$net" ] || fail "there is no interface $name"
	if [ -e "$net/device" ]; then
		echo "driver $(driver_of "$net/device")"
		[ -e "$net/device/driver_override" ] && echo "override $(cat "$net/device/driver_override")"
	fi
	for module in $MODULES; do
		[ -d "/sys/module/$module" ] && echo "module $module" && files "/sys/module/$module/parameters/"*
	done
	files /proc/sys/net/ipv4/tcp_no_metrics_save "$net/mtu" "$net/tx_queue_len" "$net/gro_flush_timeout" \
		"$net/napi_defer_hard_irqs"
	for kind in conf neigh; do
		files "/proc/sys/net/ipv4/$kind/$name/"* "/proc/sys/net/ipv6/$kind/$name/"*
	done
	features "$name"
	if [ -e "$net/master" ]; then
		echo "master $(basename "$(readlink -f "$net/master")")"
		for setting in hairpin_mode learning unicast_flood multicast_flood broadcast_flood isolated \
			bpdu_guard root_block multicast_fast_leave multicast_router neigh_suppress priority path_cost; do
			[ -e "$net/brport/$setting" ] && files "$net/brport/$setting"
		done
	fi
	ip link show dev "$name" | grep -q '[<,]UP[,>]' && echo "link up" || echo "link down"
	addresses "$name"
	routes "$name"
	ethtool "$name" 2>/dev/null | awk '$1 == "Wake-on:" { print "wake", $2 }'
	echo "carrier $(cat "$net/carrier" 2>/dev/null || echo 0)"
	coalescing "$name"
	return 0
}

# Refuses an interface with others on top, which would not return by themselves.
check_plain()
{
	net=/sys/class/net/$1
	for upper in "$net"/upper_*; do
		[ -e "$upper" ] || continue
		[ -e "$net/master" ] && [ "$(readlink -f "$upper")" = "$(readlink -f "$net/master")" ] &&
			[ -d "$net/master/bridge" ] && continue
		fail "${upper##*/upper_} lies on $1 and would be lost with its driver: measure another interface"
	done
	if command -v tc >/dev/null && tc qdisc show dev "$1" | grep -q '^qdisc [a-z_]* [1-9a-f][0-9a-f]*: root'; then
		fail "$1 has a queueing discipline that would be lost with its driver: remove it (tc qdisc) before"
	fi
}

begin()
{
	check_plain "$1"
	show "$1" >"$DIR/record" || exit 1
	echo "$1" >"$DIR/interface"
	readlink -f "/sys/class/net/$1/device" >"$DIR/device" || :
	alive
	setsid sh "$DIR/host" watch "$2" </dev/null >/dev/null 2>&1 9>&- &
	echo $! >"$DIR/watch.pid"
	cat "$DIR/record"
}

alive()
{
	read -r now _ </proc/uptime
	echo "${now%.*}" >"$DIR/alive"
}

keep()
{
	while read -r _; do
		[ -e "$DIR/record" ] || fail "the host was put back, because the lab gave no sign of life"
		alive
	done
	[ -e "$DIR/record" ] && echo 0 >"$DIR/alive"
}

watch()
{
	trap '' HUP INT TERM
	while sleep 1; do
		[ -e "$DIR/record" ] || exit 0
		read -r now _ </proc/uptime
		last=$(cat "$DIR/alive")
		if [ $((${now%.*} - ${last:-0})) -gt "$1" ]; then
			sh "$DIR/host" end >"$DIR/log" 2>&1
			exit
		fi
	done
}

lock()
{
	[ -d "$DIR" ] || fail "the host was put back already, because the lab gave no sign of life"
	exec 9>>"$DIR/lock"
	flock -w 120 9 || fail "another change of this host does not end"
	[ -e "$DIR/record" ] || fail "the host was put back already, because the lab gave no sign of life"
}

# The name of the device's interface, once it has one.
await_interface()
{
	for _ in $(seq 200); do
		found=$(ls "$1/net" 2>/dev/null)
		[ -n "$found" ] && break
		sleep 0.1
	done
	[ -n "$found" ] || fail "$2 gave no network interface"
	# Most systems rename it a moment later.
	for _ in $(seq 30); do
		[ -e "$1/net/$(interface)" ] && return
		sleep 0.1
	done
	ip link set "$(ls "$1/net")" down
	ip link set "$(ls "$1/net")" name "$(interface)"
}

rebind()
{
	driver=$1
	device=$(device)
	[ -n "$device" ] || fail "$(interface) is not a device with a driver"
	[ "$(driver_of "$device")" = "$driver" ] && return
	id=$(basename "$device")
	drivers=$(readlink -f "$device/subsystem")/drivers
	[ -d "$drivers/$driver" ] || fail "the driver $driver is not loaded"
	[ -e "$device/driver" ] && echo "$id" >"$device/driver/unbind"
	[ -e "$device/driver_override" ] && echo "$driver" >"$device/driver_override"
	echo "$id" >"$drivers/$driver/bind" || fail "$driver does not take the device $id: see the kernel log"
	await_interface "$device" "$driver"
}

# Gives the interface its recorded settings, except driver and modules, and writes its state to $DIR/now. Settings of a
# driver and of a bridge port exist only after the first round.
configure()
{
	name=$(interface)
	for _ in 1 2 3; do
		show "$name" >"$DIR/now"
		grep -vxF -f "$DIR/now" "$DIR/record" >"$DIR/todo" || return 0
		while read -r verb what value; do
			set_one "$verb" "$what" "$value"
		done <"$DIR/todo"
	done
	show "$name" >"$DIR/now"
} >"$DIR/configure.log" 2>&1

# Sets one line of the record. A failure shows in differences().
set_one()
{
	# shellcheck disable=SC2086 # $3 may be several words
	case $1 in
	file) [ ! -e "$2" ] || echo "$3" >"$2" ;;
	feature) ethtool -K "$name" "$2" "$3" ;;
	master) ip link set "$name" master "$2" ;;
	link) ip link set "$name" "$2" ;;
	address) ip addr add "$2" $3 dev "$name" ;;
	route) ip "$2" route replace $3 dev "$name" ;;
	wake) ethtool -s "$name" wol "$2" ;;
	carrier) await_carrier "$2" ;;
	coalesce) ethtool -C "$name" "$2" $3 ;;
	esac
}

await_carrier()
{
	[ "$1" = 1 ] || return
	for _ in $(seq 200); do
		[ "$(cat "/sys/class/net/$name/carrier" 2>/dev/null)" = 1 ] && return
		sleep 0.1
	done
}

bind()
{
	[ "$(driver_of "$(device)")" = "$1" ] && return
	rebind "$1"
	configure
}

# Ends processes that the lab may have left running, each in a session of its own whose number is in a file.
end_leftovers()
{
	for file in "$DIR"/*.session; do
		[ -e "$file" ] || continue
		cat /proc/[0-9]*/stat 2>/dev/null | sed 's/(.*)/name/' |
			awk -v session="$(cat "$file")" '$6 == session { print $1 }' |
			while read -r process; do kill -9 "$process" 2>/dev/null; done
	done
}

restore()
{
	end_leftovers
	driver=$(sed -n 's/^driver //p' "$DIR/record")
	override=$(sed -n 's/^override //p' "$DIR/record")
	[ -z "$driver" ] || (rebind "$driver")
	if [ -n "$override" ]; then
		[ "$override" = "(null)" ] && override=
		echo "$override" >"$(device)/driver_override"
	fi
	for module in $MODULES; do
		grep -qx "module $module" "$DIR/record" || [ ! -d "/sys/module/$module" ] || rmmod "$module"
	done
	configure
	differences
}

# Prints the differences to the record; true when there are none.
differences()
{
	grep -vxF -f "$DIR/now" "$DIR/record" | sed 's/^/missing: /' >"$DIR/differences"
	grep -vxF -f "$DIR/record" "$DIR/now" | sed 's/^/additional: /' >>"$DIR/differences"
	cat "$DIR/differences"
	[ ! -s "$DIR/differences" ]
}

# Bytes of payload that interface $1 received. A NIC counts frames of the wire. At the end of TCP (HOW is "ip"), IP
# counts packets that may be merged, each with one set of headers.
payload()
{
	if [ "$2" = ip ]; then
		awk -v headers=$((HEADERS - 14)) '
			/^Ip:/ { if (seen) packets = $3; seen = 1 }
			/^IpExt:/ { if (!place) { for (i = 2; i <= NF; i++) if ($i == "InOctets") place = i }
				    else octets = $place }
			END { printf "%.0f\n", octets - headers * packets }' /proc/net/snmp /proc/net/netstat
	else
		read -r bytes <"/sys/class/net/$1/statistics/rx_bytes"
		read -r packets <"/sys/class/net/$1/statistics/rx_packets"
		echo $((bytes - HEADERS * packets))
	fi
}

# Waits until interface $1 received $2 bytes.
until_received()
{
	while read -r received <"/sys/class/net/$1/statistics/rx_bytes" && [ "$received" -lt "$2" ]; do
		sleep 0.1
	done
}

# Writes to $DIR/counts perf's counts on all CPUs while the interface received its bytes FIRST to LAST from now on,
# followed by "payload BYTES BEGUN ENDED", in seconds.
count()
{
	rm -f "$DIR/counts" "$DIR/counts.new"
	read -r base <"/sys/class/net/$1/statistics/rx_bytes"
	until_received "$1" $((base + $3))
	before=$(payload "$1" "$2")
	read -r begun _ </proc/uptime
	perf stat -a -x, -e "$EVENTS" -o "$DIR/counts.new" -- sh "$DIR/host" until "$1" $((base + $4))
	read -r ended _ </proc/uptime
	after=$(payload "$1" "$2")
	echo "payload $((after - before)) $begun $ended" >>"$DIR/counts.new"
	mv "$DIR/counts.new" "$DIR/counts"
}

verb=$1
shift
case $verb in
connection) connection ;;
show) show "$@" ;;
begin) begin "$@" ;;
keep) keep ;;
watch) watch "$@" ;;
bind) lock; bind "$@" ;;
change) lock; eval "$1" ;;
restore) lock; restore ;;
end) lock; restore && rm -rf "$DIR" ;;
until) until_received "$@" ;;
count) setsid sh "$DIR/host" counting "$@" </dev/null >/dev/null 2>&1 & ;;
counting) echo $$ >"$DIR/count.session"; count "$@" ;;
*) fail "host.sh does not know $verb" ;;
esac
