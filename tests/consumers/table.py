# SPDX-License-Identifier: GPL-2.0-only
"""The consumers: each is a row here, and one more row is one more consumer.

`setup` is what an administrator types; `words` tell the module what becomes of the packets, see struct row in
consumers.h. Rows begin with the devices up and nothing else configured: nic0, which receives, and port0 and port1,
which can do nothing but transmit.
"""

from __future__ import annotations

from dataclasses import dataclass

# The interpreter of what is typed, and what is behind it.
PROGRAMS = ("usr/sbin/ip", "usr/sbin/tc", "usr/sbin/bridge", "usr/sbin/ethtool", "usr/bin/tcpdump")

FAR = "02:00:00:00:00:99"
LRO = "/sys/module/lro_consumers/parameters/lro"

FORWARD = "forward"
ROUTE = f"{FORWARD}; entry nic0; exit_to port0"
BRIDGE = "ip link add br0 type bridge; ip link set br0 up; ip link set nic0 master br0; ip link set port0 master br0"
# Where the far end of a tunnel is.
OUTER = "outer_to port0"
OVER = f"{FORWARD}; entry nic0; {OUTER}"
INGRESS = "tc qdisc add dev nic0 clsact; tc filter add dev nic0 ingress"


@dataclass(frozen=True)
class Consumer:
    """A row. `needs` names modules, for kernels that do not have everything built in, in the order in which they are
    loaded: modprobe of busybox knows no soft dependencies."""

    name: str
    setup: str
    words: str = ""
    needs: tuple[str, ...] = ()
    # For Debian's kernels of these series alone; user-mode Linux has all rows.
    series: tuple[str, ...] = ("6.1", "6.12", "7.3")

    @property
    def label(self) -> str:
        """The name as one word."""
        return self.name.replace(" ", "_")


def offload(name: str, features: str, more: str = "") -> list[Consumer]:
    """A port that can some of the segmentation, behind a route and in a bridge."""
    able = f"able port0 {features}{'; ' + more if more else ''}"
    return [Consumer(f"{name}, routed", f"{ROUTE}; {able}", "ttl=1"),
            Consumer(f"{name}, bridged", f"{BRIDGE}; {able}", "bridged", ("bridge",))]


def tunnel(name: str, link: str, words: str, needs: str) -> Consumer:
    """A tunnel for IP packets."""
    return Consumer(name, f"{OVER}; ip link add tun type {link}; ip link set tun mtu 8000 up; "
                    "ip route add 10.9.0.0/24 dev tun; ip route add fd09::/64 dev tun", f"ttl=1 {words}", (needs,))


def ether_tunnel(name: str, link: str, words: str, needs: str) -> Consumer:
    """A tunnel for Ethernet frames."""
    return Consumer(name, f"{OUTER}; ip link add tun type {link}; ip link set tun mtu 8000 up; "
                    "ip link add br0 type bridge; ip link set br0 up; ip link set nic0 master br0; "
                    "ip link set tun master br0", f"bridged {words}", (needs, "bridge"))


SEGMENTERS = [
    *offload("no features", ""),
    *offload("SG", "sg"),
    *offload("SG and checksum", "sg csum"),
    *offload("SG, checksum, frag_list", "sg csum fraglist"),
    *offload("TSO without ECN", "sg csum tso"),
    *offload("TSO without ECN, frag_list", "sg csum tso fraglist"),
    *offload("TSO with ECN", "sg csum tso ecn fraglist"),
    *offload("TSO that counts no identification", "sg csum tso ecn mangleid"),
    *offload("gso_max_size", "sg csum tso ecn fraglist", "ip link set port0 gso_max_size 20000"),
    *offload("gso_max_segs", "sg csum tso ecn", "ip link set port0 gso_max_segs 7"),
    Consumer("gso_ipv4_max_size", f"{ROUTE}; able port0 sg csum tso ecn; ip link set port0 gso_ipv4_max_size 9000",
             "ttl=1 only=4", series=("6.12", "7.3")),
    Consumer("a queue that cuts", f"{ROUTE}; able port0 sg csum tso ecn; "
             "tc qdisc add dev port0 root tbf rate 4gbit burst 9000 limit 4000000", "ttl=1", ("sch_tbf",)),
]

LIMITS = [
    Consumer("gro_max_size", f"{ROUTE}; ip link set nic0 gro_max_size 10000", "ttl=1"),
    Consumer("gro_ipv4_max_size", f"{ROUTE}; ip link set nic0 gro_ipv4_max_size 10000", "ttl=1 only=4",
             series=("6.12", "7.3")),
]

BRIDGES = [
    Consumer("flooding", f"{BRIDGE}; ip link set port1 master br0", "bridged ports=2", ("bridge",)),
    Consumer("flooding beside a capture", f"{BRIDGE}; ip link set port1 master br0", "bridged ports=2 keep",
             ("bridge",)),
    Consumer("tags through a bridge", BRIDGE, "bridged tag=5 out=5", ("bridge",)),
    Consumer("tags in the frame through a bridge", BRIDGE, "bridged tag=5 in_band out=5", ("bridge",)),
    Consumer("tags through a bridge, written by the port", f"{BRIDGE}; able port0 sg csum vlan",
             "bridged tag=5 out=5", ("bridge",)),
    Consumer("br_netfilter", f"{BRIDGE}; filter_bridge", "bridged", ("bridge", "br_netfilter")),
    Consumer("br_netfilter with DNAT", f"{BRIDGE}; filter_bridge; {FORWARD}; ip addr add 10.9.0.1/24 dev br0; "
             f"ip neigh replace 10.9.0.3 lladdr {FAR} dev br0 nud permanent", "bridged dnat dst only=4",
             ("bridge", "br_netfilter")),
    Consumer("16 bytes written before the network header", BRIDGE, "bridged scribble", ("bridge",)),
    Consumer("the same with a tag", BRIDGE, "bridged scribble tag=5 out=5", ("bridge",)),
    Consumer("two bridges and a veth", "ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up; "
             "for b in 0 1; do ip link add br$b type bridge; ip link set br$b up; ip link set v$b master br$b; done; "
             "ip link set nic0 master br0; ip link set port0 master br1", "bridged", ("bridge", "veth")),
    # What a program gives to a tap the kernel cuts into segments of 8 bytes at least (TCP_MIN_GSO_SIZE).
    Consumer("two bridges and a program with two taps", "taps; for b in 0 1; do ip link add br$b type bridge; "
             "ip link set br$b up; ip link set tap$b master br$b; done; "
             "ip link set nic0 master br0; ip link set port0 master br1", "bridged least=8", ("bridge", "tun")),
]

SHIM = [Consumer(f"br_linearize, {mode} at {hook}", f"{BRIDGE}; linearize {mode} {hook}; able port0 sg csum tso ecn",
                 "bridged", ("bridge",))
        for hook in ("bridge", "egress") for mode in ("linearize", "inphase", "segment", "auto")]

HEADERS = [
    Consumer("802.1Q", f"{FORWARD}; entry nic0; ip link add link port0 name port0.7 type vlan id 7; "
             "ip link set port0.7 up; exit_to port0.7", "ttl=1 out=7", ("8021q",)),
    Consumer("802.1Q by the port", f"{FORWARD}; entry nic0; able port0 sg csum vlan; "
             "ip link add link port0 name port0.7 type vlan id 7; ip link set port0.7 up; exit_to port0.7",
             "ttl=1 out=7", ("8021q",)),
    Consumer("a VLAN of the NIC", f"{FORWARD}; ip link add link nic0 name nic0.5 type vlan id 5; "
             "ip link set nic0.5 up; entry nic0.5; exit_to port0", "ttl=1 tag=5", ("8021q",)),
    Consumer("a VLAN of the NIC, tag in the frame", f"{FORWARD}; ip link add link nic0 name nic0.5 type vlan id 5; "
             "ip link set nic0.5 up; entry nic0.5; exit_to port0", "ttl=1 tag=5 in_band", ("8021q",)),
    tunnel("GRE", "gre local 10.8.0.1 remote 10.8.0.2 ttl 64", "at=38", "ip_gre"),
    tunnel("IPIP", "ipip local 10.8.0.1 remote 10.8.0.2 ttl 64", "at=34 only=4", "ipip"),
    tunnel("SIT", "sit local 10.8.0.1 remote 10.8.0.2 ttl 64", "at=34 only=6", "sit"),
    tunnel("IP in IPv6", "ip6tnl mode any local fd08::1 remote fd08::2 encaplimit none", "at=54", "ip6_tunnel"),
    tunnel("GRE over IPv6", "ip6gre local fd08::1 remote fd08::2 encaplimit none", "at=58", "ip6_gre"),
    tunnel("IPIP in UDP", "ipip local 10.8.0.1 remote 10.8.0.2 ttl 64 encap fou encap-sport 5555 encap-dport 5555",
           "at=42 only=4", "fou"),
    ether_tunnel("GRE for Ethernet", "gretap local 10.8.0.1 remote 10.8.0.2 ttl 64", "at=52", "ip_gre"),
    ether_tunnel("VXLAN", "vxlan id 5 local 10.8.0.1 remote 10.8.0.2 dstport 4789 dev port0", "at=64", "vxlan"),
    ether_tunnel("VXLAN with checksums", "vxlan id 5 local 10.8.0.1 remote 10.8.0.2 dstport 4789 dev port0 udpcsum",
                 "at=64", "vxlan"),
    ether_tunnel("Geneve", "geneve id 5 remote 10.8.0.2", "at=64", "geneve"),
    Consumer("MPLS", f"{OVER}; ip route add 10.9.0.0/24 encap mpls 100 via inet 10.8.0.2 dev port0; "
             "ip -6 route add fd09::/64 encap mpls 100 via inet6 fd08::2 dev port0", "ttl=1 at=18",
             ("mpls_iptunnel", "mpls_gso")),
    Consumer("MPLS by tc", f"{ROUTE}; ip link set port0 mtu 9000; tc qdisc add dev port0 clsact; "
             "tc filter add dev port0 egress matchall action mpls push protocol mpls_uc label 100 ttl 9",
             "ttl=1 at=18", ("cls_matchall", "act_mpls", "sch_ingress", "mpls_gso")),
    Consumer("a tag by tc", f"{BRIDGE}; {INGRESS} matchall action vlan push id 9", "bridged out=9",
             ("bridge", "cls_matchall", "act_vlan", "sch_ingress")),
    Consumer("a tag less by tc", f"{BRIDGE}; {INGRESS} protocol 802.1Q matchall action vlan pop", "bridged tag=5",
             ("bridge", "cls_matchall", "act_vlan", "sch_ingress")),
    Consumer("ESP", f"{OVER}; ip route add 10.9.0.0/24 via 10.8.0.2; "
             "ip xfrm state add src 10.8.0.1 dst 10.8.0.2 proto esp spi 1 mode tunnel enc cipher_null '' "
             "auth digest_null ''; ip xfrm policy add src 10.1.0.0/24 dst 10.9.0.0/24 dir out "
             "tmpl src 10.8.0.1 dst 10.8.0.2 proto esp mode tunnel", "ttl=1 at=42 trailer only=4",
             ("esp4", "authenc", "crypto_null", "xfrm_user")),
    Consumer("MACsec", f"{FORWARD}; entry nic0; ip link add link port0 name secure type macsec port 1 encrypt off; "
             "ip macsec add secure tx sa 0 pn 1 on key 01 000102030405060708090a0b0c0d0e0f; "
             "ip link set port0 mtu 9000; ip link set secure mtu 8000 up; exit_to secure", "ttl=1 at=30 trailer",
             ("macsec", "gcm", "ctr", "ghash_generic")),
]

WRITERS = [
    Consumer("a route", ROUTE, "ttl=1"),
    Consumer("a route beside a capture", ROUTE, "ttl=1 keep"),
    Consumer("a route and a capture by AF_PACKET", f"{ROUTE}; capture nic0", "ttl=1", ("af_packet",)),
    Consumer("NAT by tc", f"{ROUTE}; {INGRESS} protocol ip matchall action nat ingress 10.9.0.2/32 10.9.0.3",
             "ttl=1 dst only=4 keep", ("cls_matchall", "act_nat", "sch_ingress")),
    # No flight begins with SYN; a packet with FIN, as an aggregate then is, begins no connection for conntrack.
    Consumer("NAT by conntrack", f"{ROUTE}; liberal; "
             f"{INGRESS} protocol ip matchall action ct commit nat dst addr 10.9.0.3 pipe action csum ip4h",
             "ttl=1 dst only=4 keep nofin",
             ("crc32c_generic", "cls_matchall", "act_ct", "act_csum", "sch_ingress", "nf_nat")),
    Consumer("pedit", f"{ROUTE}; {INGRESS} protocol ip matchall action pedit ex munge ip tos set 0x40 pipe "
             "action csum ip4h", "ttl=1 tos only=4 keep",
             ("crc32c_generic", "cls_matchall", "act_pedit", "act_csum", "sch_ingress")),
    Consumer("mirred redirects", f"{INGRESS} matchall action mirred egress redirect dev port0", "bridged",
             ("cls_matchall", "act_mirred", "sch_ingress")),
    Consumer("mirred mirrors, a bridge forwards",
             f"{BRIDGE}; {INGRESS} matchall action mirred egress mirror dev port1", "bridged ports=2 keep",
             ("bridge", "cls_matchall", "act_mirred", "sch_ingress")),
    Consumer("an ifb in between", f"{ROUTE}; ip link add ifb0 type ifb; ip link set ifb0 up; "
             f"{INGRESS} matchall action mirred egress redirect dev ifb0", "ttl=1",
             ("cls_matchall", "act_mirred", "sch_ingress", "ifb")),
    Consumer("macvlan", f"{FORWARD}; ip link add link nic0 name mv0 type macvlan mode passthru; ip link set mv0 up; "
             "entry mv0; exit_to port0", "ttl=1", ("macvlan",)),
    Consumer("a bond of the NIC", f"{FORWARD}; ip link add bond0 type bond mode active-backup; ip link set nic0 down; "
             "ip link set nic0 master bond0; ip link set bond0 up; entry bond0; exit_to port0; settle bond0", "ttl=1",
             ("bonding",)),
    Consumer("a bond that sends twice", f"{FORWARD}; entry nic0; ip link add bond0 type bond mode broadcast; "
             "for p in port0 port1; do ip link set $p down; ip link set $p master bond0; done; "
             "ip link set bond0 up; exit_to bond0; settle bond0", "ttl=1 ports=2", ("bonding",)),
]

# None of these may get an aggregate.
SINGLES = [
    Consumer("generic XDP", f"{ROUTE}; xdp nic0", "ttl=1 single"),
    Consumer("generic XDP, then lro=1", f"{ROUTE}; xdp nic0; echo 1 >{LRO}; expect_parameter 1", "ttl=1 single"),
    Consumer("generic XDP, then lro=2", f"{ROUTE}; xdp nic0; echo 2 >{LRO}; expect_parameter 2", "ttl=1 single"),
    Consumer("GRO off", f"{ROUTE}; ethtool -K nic0 gro off", "ttl=1 single"),
    Consumer("GRO off, then lro=1", f"{ROUTE}; ethtool -K nic0 gro off; echo 1 >{LRO}", "ttl=1 single"),
    Consumer("GRO off and on again", f"{ROUTE}; ethtool -K nic0 gro off; ethtool -K nic0 gro on", "ttl=1"),
    Consumer("no checksums by the NIC", f"{ROUTE}; ethtool -K nic0 rx off gro off", "ttl=1 single"),
    # Debian's kernels are built without it.
    Consumer("a switch behind the NIC", "true", "dsa bridged", series=()),
]

CONSUMERS = [*SEGMENTERS, *LIMITS, *BRIDGES, *SHIM, *HEADERS, *WRITERS, *SINGLES]
