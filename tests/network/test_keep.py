# SPDX-License-Identifier: GPL-2.0-only
"""All that a host's network is configured to is there after a change of the driver."""

from __future__ import annotations

import unittest

from tests.network.namespaces import OURS, STOCK, OnHost

PLAIN = ("address add 10.0.0.5/24 broadcast + dev eth0", "route add default via 10.0.0.1 dev eth0")


class Kept(OnHost):
    def test_plain_address_and_gateway(self):
        self.configure(*PLAIN)
        self.assertIn("is served by r8169_lro, now and after a reboot", self.same_after())

    def test_gateway_that_is_on_no_network_of_ours(self):
        self.configure("address add 10.0.0.5/32 dev eth0", "route add default via 172.31.1.1 dev eth0 onlink")
        self.same_after()

    def test_gateway_behind_a_route_to_it(self):
        self.configure("address add 10.0.0.5/32 dev eth0", "route add 172.31.1.1 dev eth0 scope link",
                       "route add default via 172.31.1.1 dev eth0 proto static")
        self.same_after()

    def test_gateway_behind_a_route_that_sorts_after_it(self):
        self.configure("address add 10.0.0.5/32 dev eth0", "route add 172.31.1.1 dev eth0 scope link table 200",
                       "route add default via 172.31.1.1 dev eth0 table 200", "rule add from 10.0.0.5 table 200 priority 90",
                       "route add 10.77.0.0/16 via 10.0.0.99 dev eth0 onlink src 10.0.0.5")
        self.same_after()

    def test_peer_address(self):
        self.configure("address add 10.0.0.5 peer 10.0.0.1/32 dev eth0", "route add default via 10.0.0.1 dev eth0")
        self.same_after()

    def test_ipv6_addresses_routes_and_gateway(self):
        self.configure("address add fd00::5/64 dev eth0", "address add fd00::6/64 dev eth0 preferred_lft 0",
                       "address add fd00::77/128 dev eth0 noprefixroute")
        self.configure("-6 route add default via fe80::1 dev eth0",
                       "-6 route add fd09::/64 via fd00::1 src fd00::5 metric 50 mtu 1300 pref high",
                       "-6 route add fd0a::/64 nexthop via fd00::1 dev eth0 nexthop via fd00::2 dev eth0 weight 3",
                       "-6 route add fd0b::/64 from fd00::/64 via fd00::1 dev eth0", "-6 rule add from fd00::5 table 300",
                       "-6 route add default via fd00::1 table 300")
        self.same_after()

    def test_link_local_address_that_is_not_the_kernels(self):
        self.configure("address add fe80::5/64 dev eth0")
        self.host("address del fe80::5054:ff:feaa:bb01/64 dev eth0")
        self.same_after()

    def test_other_tables_and_rules(self):
        self.configure(*PLAIN, "route add default via 10.0.0.1 dev eth0 table 100 metric 7",
                       "rule add from 10.0.0.5 lookup 100 priority 77", "rule add iif eth0 fwmark 1/0xff lookup 100",
                       "route add 10.0.0.0/24 dev eth0 table 100 src 10.0.0.5 scope link proto 77")
        self.same_after()

    def test_ipv4_by_an_ipv6_gateway(self):
        self.configure("address add 10.0.0.5/32 dev eth0", "route add default via inet6 fe80::1 dev eth0")
        self.same_after()

    def test_names_mac_address_and_lengths(self):
        self.configure(*PLAIN, "link property add dev eth0 altname uplink altname wan0", "link set eth0 mtu 1400 txqueuelen 77",
                       "link set eth0 address 02:00:00:00:00:77", "link set eth0 alias card", "link set eth0 allmulticast on",
                       "route replace default via 10.0.0.1 dev eth0")
        self.same_after()

    def test_labels_metrics_order_and_flags_of_addresses(self):
        self.configure("address add 10.0.0.5/24 brd + dev eth0 label eth0:first metric 50",
                       "address add 10.0.0.6/24 dev eth0 label eth0:second", "address add 10.0.0.4/24 dev eth0 noprefixroute",
                       "address add 10.1.0.5/16 dev eth0 scope link preferred_lft 0", "route add default via 10.0.0.1 metric 100")
        self.same_after()

    def test_prefix_route_that_was_taken_away_stays_away(self):
        self.configure(*PLAIN, "route add 10.0.0.1 dev eth0", "route del 10.0.0.0/24 dev eth0")
        self.same_after()

    def test_metrics_of_routes(self):
        self.configure(*PLAIN, "route add 10.8.0.0/16 via 10.0.0.1 mtu lock 1300 advmss 1200 initcwnd 10 tos 4",
                       "route add 10.9.0.0/16 nexthop via 10.0.0.1 dev eth0 weight 2 nexthop via 10.0.0.7 dev eth0",
                       "route add 10.7.0.0/16 via 10.0.0.1 metric 5", "route append 10.7.0.0/16 via 10.0.0.2 metric 5")
        self.same_after()

    def test_every_metric_that_ip_has(self):
        metrics = ("mtu 1300", "advmss 1200", "window 5000", "rtt 20ms", "rtt 1500ms", "rttvar 30ms", "ssthresh 7", "cwnd 9",
                   "reordering 5", "hoplimit 9", "initcwnd 9", "initrwnd 9", "features ecn", "quickack 1", "congctl reno",
                   "rto_min 20ms", "rto_min 1234ms", "fastopen_no_cookie 1")
        locked = [metric.replace(" ", " lock ", 1) for metric in metrics if metric.split()[0] not in
                  ("rto_min", "features", "fastopen_no_cookie", "quickack")]
        self.configure("address add 10.0.0.5/24 dev eth0", "address add fd00::5/64 dev eth0",
                       "route add default via 10.0.0.1 dev eth0 rto_min 20ms", "route add 10.99.0.0/16 via 10.0.0.1 realms 4/5",
                       *(f"route add 10.{number}.0.0/16 via 10.0.0.1 {metric}"
                         for number, metric in enumerate((*metrics, *locked), start=20)))
        self.configure(*(f"-6 route add fd{number}::/64 via fd00::1 {metric}"
                         for number, metric in enumerate((*metrics, *locked), start=20)))
        self.same_after()

    def test_route_of_another_interface_from_an_address_that_goes(self):
        self.configure(*PLAIN, "link add other type veth peer name rehto", "link set other up", "link set rehto up",
                       "route add 10.200.0.0/16 dev other src 10.0.0.5")
        self.same_after()

    def test_port_of_a_bridge_and_the_bridges_address(self):
        self.configure("link add br0 type bridge", "link set br0 up", "link set eth0 master br0",
                       "address add 10.0.0.5/24 dev br0", "route add default via 10.0.0.1 dev br0")
        for words in ("link set dev eth0 hairpin on isolated on learning off cost 7 priority 9 mcast_flood off",
                      "fdb add 02:00:00:00:00:33 dev eth0 master static",
                      "mdb add dev br0 port eth0 grp 239.1.1.1 permanent"):
            self.on_host("bridge", *words.split())
        self.same_after()

    def test_neighbours_that_were_set(self):
        self.configure(*PLAIN, "neighbour add 10.0.0.77 lladdr 02:00:00:00:00:11 dev eth0 nud permanent",
                       "-6 neighbour add fd00::2 lladdr 02:00:00:00:00:12 dev eth0 router", "neighbour add proxy 10.0.0.78 dev eth0")
        self.same_after()

    def test_gateway_whose_mac_address_was_set(self):
        self.gateway("link set lan address 02:00:00:00:aa:01")
        for kind in ("nud permanent", "nud noarp", "extern_learn nud reachable"):
            self.configure(*(PLAIN if kind == "nud permanent" else ()),
                           f"neighbour replace 10.0.0.1 lladdr 02:00:00:00:aa:01 dev eth0 {kind}")
            before = self.neighbours()
            self.same_after()
            self.same_after(wanted="stock", driver=STOCK)
            self.assertEqual(self.neighbours(), before)

    def neighbours(self) -> list[str]:
        """Those that do not change by themselves."""
        shown = self.on_host("ip", "-4", "neighbour", "show", "dev", "eth0", "nud", "all")
        return sorted(" ".join(line.split()) for line in shown.splitlines()
                      if any(word in line for word in ("PERMANENT", "NOARP", "extern_learn", "managed")))

    def test_neighbours_of_every_kind(self):
        self.configure(*PLAIN, "neighbour add 10.0.0.50 lladdr 02:00:00:00:00:50 dev eth0 nud noarp",
                       "neighbour add 10.0.0.51 dev eth0 managed", "neighbour add proxy 10.0.0.78 dev eth0",
                       "neighbour add 10.0.0.52 lladdr 02:00:00:00:00:52 dev eth0 extern_learn nud reachable",
                       "neighbour add 10.0.0.53 lladdr 02:00:00:00:00:53 dev eth0 nud permanent")
        before = self.neighbours()
        self.assertEqual(len(before), 4)
        self.same_after()
        self.assertEqual([line.replace("FAILED", "INCOMPLETE") for line in self.neighbours()],
                         [line.replace("FAILED", "INCOMPLETE") for line in before])

    def test_sysctls(self):
        self.configure(*PLAIN)
        for name, value in (("ipv4/conf/eth0/rp_filter", "2"), ("ipv4/conf/eth0/forwarding", "1"),
                            ("ipv4/neigh/eth0/ucast_solicit", "9"), ("ipv6/conf/eth0/accept_ra", "0"),
                            ("ipv6/conf/eth0/addr_gen_mode", "1"), ("ipv6/neigh/eth0/gc_stale_time", "77")):
            self.on_host("sh", "-c", f"echo {value} >/proc/sys/net/{name}")
        self.same_after()

    def test_secret_that_addresses_are_made_of(self):
        self.configure(*PLAIN)
        self.on_host("sh", "-c", "echo 2001:db8::1:2:3:4 >/proc/sys/net/ipv6/conf/eth0/stable_secret")
        self.same_after()
        self.assertEqual((self.root / "run/xenlro/switch.json").stat().st_mode & 0o777, 0o600)

    def test_mtu_of_ipv6_alone(self):
        self.configure(*PLAIN)
        self.on_host("sh", "-c", "echo 1300 >/proc/sys/net/ipv6/conf/eth0/mtu")
        self.same_after()
        self.host("link set eth0 mtu 1400")
        self.same_after(wanted="stock", driver=STOCK)

    def test_addresses_that_are_local_by_a_route(self):
        self.configure(*PLAIN, "address add fd00::5/64 dev eth0", "route add local 192.0.2.0/24 dev eth0",
                       "route add broadcast 10.0.7.255 dev eth0", "route add local 198.51.100.0/24 dev eth0 table 77")
        self.configure("-6 route add local fd77::/64 dev eth0", "-6 route add anycast fd78::1 dev eth0",
                       "-6 route add multicast ff07::/16 dev eth0 table local")
        self.same_after()

    def test_settings_of_a_port_in_sysfs(self):
        self.configure("link add br0 type bridge", "link set br0 up", "link set eth0 master br0",
                       "link set eth0 type bridge_slave proxy_arp on proxy_arp_wifi on mcast_router 2")
        self.on_host("sh", "-c", "echo 8 >/sys/class/net/eth0/brport/group_fwd_mask")
        shown = "grep -r . /sys/class/net/eth0/brport/proxyarp* /sys/class/net/eth0/brport/*mask"
        before = self.on_host("sh", "-c", shown)
        self.same_after()
        self.assertEqual(self.on_host("sh", "-c", shown), before)

    def test_ipv6_that_is_off(self):
        self.configure(*PLAIN)
        self.on_host("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6")
        self.same_after()

    def test_offloads(self):
        self.configure(*PLAIN)
        self.on_host("ethtool", "-K", "eth0", "gro", "on", "tso", "off", "tx", "off")
        self.same_after()

    def test_interface_that_is_down(self):
        self.configure("address add 10.0.0.5/24 dev eth0", "link set eth0 down")
        self.same_after()

    def test_name_that_comes_otherwise_with_the_new_driver(self):
        self.configure(*PLAIN)
        self.behave(strange={OURS: "enp0s3"})
        self.same_after()

    def test_both_ways_with_much_at_once(self):
        self.configure(*PLAIN, "address add fd00::5/64 dev eth0", "-6 route add default via fe80::1 dev eth0 metric 9",
                       "link property add dev eth0 altname uplink", "address add 10.0.0.9 peer 10.3.0.1/32 dev eth0",
                       "route add default via 10.3.0.1 dev eth0 table 9", "rule add from 10.0.0.9 table 9")
        self.same_after()
        self.same_after(wanted="stock", driver=STOCK)


class Announcing(OnHost):
    """A gateway that announces itself."""

    ANNOUNCER = r"""
import ipaddress, socket, struct, sys, time
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lan")
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.bind(("fe80::1", 0, 0, socket.if_nametoindex("lan")))
prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xc0, 3600, 1800, 0) + ipaddress.IPv6Address("fd55::").packed
said = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
while True:
    try:
        s.sendto(said, ("ff02::1", 0, 0, socket.if_nametoindex("lan")))
    except OSError:
        pass
    time.sleep(float(sys.argv[1]))
"""

    def announce(self, every: float) -> None:
        process = self.spawn(self.gateway_space, "python3", "-c", self.ANNOUNCER, str(every))
        self.until(lambda: " proto ra " in self.command("ip", "-n", self.host_space, "-6", "route"))
        self.until(lambda: "tentative" not in self.command("ip", "-n", self.host_space, "-6", "address"))
        self.announcer = process


class Announced(Announcing):
    """What a router's announcements brought."""

    def test_they_bring_it_again(self):
        self.configure(*PLAIN)
        self.announce(0.5)
        self.same_after()

    def test_router_that_says_nothing_for_a_while(self):
        self.configure(*PLAIN)
        self.announce(0.5)
        self.announcer.kill()
        self.same_after()


class Hardware(OnHost):
    """A card whose driver takes more of ethtool."""

    def test_coalescing(self):
        self.behave(kind="tap")
        self.host("link del eth0")
        (self.root / "sys/bus/pci/devices/0000:00:03.0/net/eth0").rmdir()
        self.on_host("python3", "-c", f"import sys; sys.argv = ['', '{self.root}', 'make']\n"
                     "from pathlib import Path; from tests.network.host import Host\n"
                     f"Host(Path('{self.root}')).plug('r8169')")
        self.on_host("ethtool", "-C", "eth0", "rx-frames", "9")
        self.configure("address add 10.0.0.5/24 dev eth0", "link set eth0 up")
        self.same_after()
        self.assertRegex(self.on_host("ethtool", "-c", "eth0"), r"rx-frames:\s+9")


if __name__ == "__main__":
    unittest.main()
