# SPDX-License-Identifier: GPL-2.0-only
# The test of the example driver inside user-mode Linux. Each result is a line "check: NAME: VALUE".
T=/sys/kernel/debug/tracing
P=/sys/module/lro_core/parameters
FLOWS=/sys/kernel/debug/lro_core/flows
PORT=8080

say() { echo "check: $1: $2"; }
inside() { nsenter -t $NS -n "$@"; }

# Fetch the file from the other side of the pair; "intact" if it comes out right.
fetch() { # NAME ADDRESS
	rm -f /tmp/got
	timeout 60 wget -q -O /tmp/got "http://$2:$PORT/file"
	if cmp -s /www/file /tmp/got; then say "$1" intact; else say "$1" broken; fi
}

# The tracepoints since the last time: the most segments in an aggregate, the names of events and reasons.
trace_since() { # NAME FILTER
	say "$1 segs" "$(grep "lro_flush:.*$2" $T/trace | sed 's/.* segs=\([0-9]*\).*/\1/' | sort -n | tail -1)"
	echo >$T/trace
}

mount -t devtmpfs devtmpfs /dev
mkdir -p /www /tmp
dd if=/dev/urandom of=/www/file bs=64k count=64 2>/dev/null
unshare -n sleep 10000 &
NS=$!
sleep 1
ip link set lropair1 netns $NS
for dev in lropair0 v0; do
	[ $dev = v0 ] && ip link add link lropair0 name v0 type vlan id 5
	ip link set $dev up
done
inside ip link set lropair1 up
inside ip link add link lropair1 name v1 type vlan id 5
inside ip link set v1 up
ip addr add 10.9.0.1/24 dev lropair0
ip addr add 10.9.5.1/24 dev v0
ip addr add fd09::1/64 dev lropair0
inside ip addr add 10.9.0.2/24 dev lropair1
inside ip addr add 10.9.5.2/24 dev v1
inside ip addr add fd09::2/64 dev lropair1
inside httpd -p $PORT -h /www
sleep 3		# duplicate address detection

echo 4096 >$T/buffer_size_kb
echo 1 >$T/events/lro_core/enable
fetch "copy mode" 10.9.0.2
say "events" "$(sed -n 's/.* \(lro_[a-z]*\):.*/\1/p' $T/trace | sort -u | tr '\n' ' ')"
say "reasons" "$(sed -n 's/.* reason=\([a-z_]*\).*/\1/p' $T/trace | sort -u | tr '\n' ' ')"
trace_since "copy mode" "from=10.9.0.2:$PORT"
fetch "IPv6" "[fd09::2]"
trace_since "IPv6" "from=\[fd09::2\]:$PORT"
fetch "tag in the data" 10.9.5.2
trace_since "tag in the data" "vlan=81000005"
echo 2 >/sys/module/lro_pair/parameters/way
fetch "page mode" 10.9.0.2
trace_since "page mode" "from=10.9.0.2:$PORT"
fetch "tag in the data, page mode" 10.9.5.2
trace_since "tag in the data, page mode" "vlan=81000005"
echo 0 >/sys/module/lro_pair/parameters/way
fetch "skb mode" 10.9.0.2
trace_since "skb mode" "from=10.9.0.2:$PORT"
fetch "tag in the data, skb mode" 10.9.5.2
trace_since "tag in the data, skb mode" "vlan=81000005"
echo 0 >/sys/module/lro_pair/parameters/lro
fetch "off" 10.9.0.2
trace_since "off" "from=10.9.0.2:$PORT"
echo 1 >/sys/module/lro_pair/parameters/lro
echo 1 >/sys/module/lro_pair/parameters/way
echo 0 >$T/events/lro_core/enable

# The flow table while packets flow.
( while [ ! -e /tmp/enough ]; do wget -q -O /dev/null "http://10.9.0.2:$PORT/file"; done ) &
LOAD=$!
: >/tmp/flows
for i in $(seq 600); do
	cat $FLOWS >>/tmp/flows
	[ $i -ge 60 ] && grep -q ":$PORT > 10.9.0.1:" /tmp/flows && break
done
touch /tmp/enough
wait $LOAD
say "dump header" "$(grep -c '^lropair0 napi [0-9]*: [0-9]* of [0-9]* flows$' /tmp/flows)"
say "dump flow" "$(grep -m 1 ":$PORT > 10.9.0.1:" /tmp/flows)"

# Values that are not allowed change nothing.
for value in "max_flows 0" "max_flows 65537" "max_flows many" "max_segs 0" "hold_us 10001" "hold_us -1"; do
	set -- $value
	before=$(cat $P/$1)
	if echo $2 2>/dev/null >$P/$1; then say "refused $value" no; else
		[ "$before" = "$(cat $P/$1)" ] && say "refused $value" yes
	fi
done
say "message" "$(dmesg | grep -c 'lro_core: max_flows is a number from 1 to 65536; keeping')"

# The table changes its size while packets flow.
( for i in $(seq 60); do for n in 1 65536 3 1024; do echo $n >$P/max_flows; echo $i >$P/max_segs; done; done
  echo 64 >$P/max_segs; echo 1024 >$P/max_flows; touch /tmp/resized ) &
fetch "resize" 10.9.0.2
until [ -e /tmp/resized ]; do fetch "resize" 10.9.0.2; done
cat $FLOWS >/tmp/flows
say "resized" "$(grep -c '^lropair. napi [0-9]*: [0-9]* of 1024 flows$' /tmp/flows)"

# The device goes down and up, and the mode changes, while packets flow.
( sleep 0.2; for i in $(seq 5); do ip link set lropair0 down; sleep 0.1; ip link set lropair0 up; echo 0 >/sys/module/lro_pair/parameters/lro
  sleep 0.3; echo 1 >/sys/module/lro_pair/parameters/lro; done; touch /tmp/toggled ) &
fetch "down and up" 10.9.0.2
until [ -e /tmp/toggled ]; do sleep 0.2; done
ip link set lropair0 down
say "stopped" "$(grep -c '^lropair0 napi [0-9]*: not polling' $FLOWS)"
ip link set lropair0 up

# The other device moves to another namespace and back while it receives.
upload() { yes | timeout 2 nc 10.9.0.2 $PORT >/dev/null 2>&1; }
upload &
sleep 0.5
inside ip link set lropair1 netns 1
ip link set lropair1 up
ip link set lropair1 netns $NS
inside ip addr add 10.9.0.2/24 dev lropair1
inside ip link set lropair1 up
wait $!
fetch "moved" 10.9.0.2

# Modules leave while packets flow.
rmmod lro_core 2>/tmp/why && say "core in use" removed || say "core in use" "$(cat /tmp/why)"
( while wget -q -T 2 -O /dev/null "http://10.9.0.2:$PORT/file"; do :; done ) &
sleep 0.5
rmmod lro_pair && say "driver unloaded" yes
rmmod lro_core && say "core unloaded" yes
kill $NS
wait
