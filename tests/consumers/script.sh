# SPDX-License-Identifier: GPL-2.0-only
# What the setups of table.py are written with; for busybox's sh.
P=/proc/lro_consumers
# busybox takes its own, which know little, before those in PATH.
ip() { /usr/sbin/ip "$@"; }
tc() { /usr/sbin/tc "$@"; }

FAR=02:00:00:00:00:99

# Packets go on from one device to another.
forward() {
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
}

# Where packets come in.
entry() { # DEVICE
	ip -batch - <<-EOF
		addr add 10.1.0.1/24 dev $1
		addr add fd01::1/64 dev $1 nodad
	EOF
}

# Where they leave: the far end, and another one in its place.
exit_to() { # DEVICE
	ip -batch - <<-EOF
		addr add 10.9.0.1/24 dev $1
		addr add fd09::1/64 dev $1 nodad
		neigh replace 10.9.0.2 lladdr $FAR dev $1 nud permanent
		neigh replace 10.9.0.3 lladdr $FAR dev $1 nud permanent
		neigh replace fd09::2 lladdr $FAR dev $1 nud permanent
	EOF
}

# Where the packets of a tunnel leave.
outer_to() { # DEVICE
	ip -batch - <<-EOF
		addr add 10.8.0.1/24 dev $1
		addr add fd08::1/64 dev $1 nodad
		link set $1 mtu 9000
		neigh replace 10.8.0.2 lladdr $FAR dev $1 nud permanent
		neigh replace fd08::2 lladdr $FAR dev $1 nud permanent
	EOF
}

# What a port can do; ethtool has names of its own for it.
able() { # DEVICE FEATURE...
	port=$1
	shift
	[ $# = 0 ] || ethtool -K "$port" $(for feature in "$@"; do
		case $feature in
		sg) echo tx-scatter-gather on ;;
		csum) echo tx-checksum-ip-generic on ;;
		fraglist) echo tx-scatter-gather-fraglist on ;;
		tso) echo tx-tcp-segmentation on tx-tcp6-segmentation on ;;
		ecn) echo tx-tcp-ecn-segmentation on ;;
		mangleid) echo tx-tcp-mangleid-segmentation on ;;
		vlan) echo tx-vlan-hw-insert on ;;
		esac
	done)
}

filter_bridge() {
	for family in iptables ip6tables; do
		echo 1 >/proc/sys/net/bridge/bridge-nf-call-$family
	done
}

# Connection tracking lets packets pass that are out of any window.
liberal() {
	echo 1 >/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal
}

# A bond takes a while to see that it has a carrier.
settle() { # DEVICE
	until [ "$(cat /sys/class/net/"$1"/carrier)" = 1 ]; do sleep 0.1; done
}

# Let a program run until the row is over, once it has said that it is ready.
background() {
	rm -f /tmp/ready
	"$@" >/tmp/ready 2>&1 &
	echo $! >>/tmp/running
	until [ -s /tmp/ready ]; do sleep 0.05; done
}

# Those programs have to be there to the end.
still_running() {
	for process in $(cat /tmp/running); do
		kill -0 "$process" 2>/dev/null || echo "consumers: fault: a program has ended: $(tail -n 1 /tmp/ready)"
	done
}

xdp() { background helper xdp "$1"; }
taps() { background helper taps tap0 tap1; ip link set tap0 up; ip link set tap1 up; }
# There is no other user.
capture() { background tcpdump -Z root -i "$1" -w /tmp/capture.pcap; }

linearize() {
	insmod "$(find /lib -name br_linearize.ko)" mode="$1" hook="$2" ports='port*' ||
		echo "consumers: fault: br_linearize is not loaded"
}

expect_parameter() {
	[ "$(cat /sys/module/lro_consumers/parameters/lro)" = "$1" ] || echo "consumers: fault: the parameter is lost"
}

# Devices go, but for those that their modules keep.
clear_devices() {
	for device in /sys/class/net/*; do
		case ${device##*/} in
		lo | eth? | sit0 | tunl0 | gre0 | gretap0 | erspan0 | ip6tnl0 | ip6gre0 | bonding_masters) ;;
		*) echo "link del ${device##*/}" ;;
		esac
	done | ip -force -batch - 2>/dev/null
}

# Devices as they are at first.
begin() {
	: >/tmp/running
	insmod $(find /lib -name lro_consumers.ko) || return
	printf 'link set %s up\n' nic0 nic1 wire0 port0 port1 | ip -batch -
}

end() {
	for process in $(cat /tmp/running); do
		kill "$process"
		wait "$process"
	done 2>/dev/null
	[ ! -e /sys/module/br_linearize ] || rmmod br_linearize
	rmmod lro_consumers
	clear_devices
	case $1 in
	*xfrm*) ip xfrm policy flush; ip xfrm state flush ;;
	esac
	for switch in ipv4/ip_forward ipv6/conf/all/forwarding; do
		echo 0 >/proc/sys/net/$switch
	done
}

# A row of the table; what is not a module is built in.
row() { # NAME SETUP WORDS MODULES
	for module in $4; do
		modprobe -q "$module"
	done 2>/dev/null
	# Some modules bring devices along, whose names the rows use.
	clear_devices
	begin
	eval "$2" || echo "consumers: fault: the setup does not work"
	echo "$1 $3" >$P && still_running && cat $P || echo "consumers: not ok $1"
	end "$2"
}

# Files by real sockets from behind wire0, one for each way in.
sockets() {
	[ -s /www/file ] || { mkdir -p /www; dd if=/dev/urandom of=/www/file bs=64k count=16 2>/dev/null; }
	begin
	unshare -n sleep 10000 &
	space=$!
	echo $space >>/tmp/running
	sleep 0.5
	ip link set wire0 netns $space
	ip addr add 10.2.0.1/24 dev nic0
	nsenter -t $space -n sh -c "ip link set lo up; ip link set wire0 up; ip addr add 10.2.0.2/24 dev wire0;
		httpd -p 8080 -h /www"
	for way in 0 1 2 3 4 5 6 7 8; do
		echo "way $way" >$P
		rm -f /tmp/got
		timeout 30 wget -q -O /tmp/got http://10.2.0.2:8080/file
		cmp -s /www/file /tmp/got || break
	done
	if cmp -s /www/file /tmp/got; then
		echo "consumers: ok sockets: a file in each way"
	else
		echo "consumers: fault: way $way: the file is not what was sent"
		echo "consumers: not ok sockets"
	fi
	kill $(pidof httpd)
	end
}

# What is said when a parameter overrides what was chosen for a device alone.
said() {
	begin
	dmesg -c >/dev/null
	ethtool -K nic1 rx-gro-hw off
	echo 1 >$LRO
	if dmesg | grep -q "nic1: lro=1 takes the place of what was chosen for this device" &&
	   ! dmesg | grep -q "nic0: lro=1"; then
		echo "consumers: ok a choice that is overridden"
	else
		echo "consumers: not ok a choice that is overridden"
	fi
	end
}

pages() { sed -n "s/^pages_$1 //p" /proc/net/br_linearize; }

# What br_linearize keeps to copy to is used again, but not kept when there is nothing to copy for a while: then more pages
# are new than the three that its ring takes before it starts over.
go_back() {
	modprobe -q bridge 2>/dev/null
	begin
	ip link add br0 type bridge
	ip link set br0 up
	ip link set nic0 master br0
	ip link set port0 master br0
	linearize inphase bridge
	echo "go_back bridged only=4 way=2" >$P
	new=$(pages new) recycled=$(pages recycled)
	sleep 4
	echo "go_back bridged only=4 way=2" >$P
	again=$(($(pages new) - new))
	if [ $recycled -gt 0 ] && [ $again -gt 3 ]; then
		echo "consumers: ok pages that go back"
	else
		echo "consumers: not ok pages that go back: $new new, $recycled used again, later $again new"
	fi
	end
}
LRO=/sys/module/lro_consumers/parameters/lro
