# SPDX-License-Identifier: GPL-2.0-only
"""Networks that are set up oddly, full file systems, and signals at every step: nothing of it may cost the network."""

from __future__ import annotations

import unittest

from tests.network.namespaces import STOCK, OnHost
from tests.network.test_keep import PLAIN, Announcing


class Kept(OnHost):
    def other(self) -> None:
        """A second interface, with a gateway of its own."""
        self.configure("link add other type veth peer name rehto", "link set other up", "link set rehto up",
                       "address add 10.50.0.5/24 dev other")

    def test_two_default_routes_with_metrics(self):
        self.other()
        self.configure("address add 10.0.0.5/24 dev eth0", "route add default via 10.0.0.1 dev eth0 metric 100",
                       "route add default via 10.50.0.1 dev other metric 50", "route add default via 10.0.0.7 dev eth0 metric 300")
        self.same_after()

    def test_default_route_over_two_interfaces(self):
        self.other()
        self.configure("address add 10.0.0.5/24 dev eth0", "address add fd00::5/64 dev eth0", "address add fd50::5/64 dev other",
                       "route add default nexthop via 10.0.0.1 dev eth0 weight 2 nexthop via 10.50.0.1 dev other",
                       "-6 route add default nexthop via fd00::1 dev eth0 nexthop via fd50::1 dev other")
        self.same_after()

    def test_token_of_ipv6(self):
        self.configure(*PLAIN)
        self.on_host("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra")
        self.host("token set ::77 dev eth0")
        self.same_after()
        self.assertIn("token ::77 dev eth0", self.on_host("ip", "token", "list"))

    def test_groups_that_were_joined_by_hand(self):
        self.configure(*PLAIN)
        self.host("maddress add 33:33:00:00:00:77 dev eth0")
        self.same_after()
        self.assertIn("33:33:00:00:00:77 static", self.on_host("ip", "maddress", "show", "dev", "eth0"))

    def test_queues(self):
        self.configure(*PLAIN)
        self.behave(queues=4)
        self.xenlro("use", "eth0", "lro")
        self.on_host("sh", "-c", "ethtool -L eth0 rx 3 tx 2")
        self.same_after(wanted="stock", driver=STOCK)
        self.assertRegex(self.on_host("ethtool", "-l", "eth0"), r"(?s)Current.*RX:\s+3\s+TX:\s+2\b")


class AnnouncedOnly(Announcing):
    def test_machine_without_ipv4(self):
        self.announce(0.5)
        self.assertEqual(self.on_host("ip", "-4", "route").strip(), "")
        said = self.same_after()
        self.assertIn("is served by r8169_lro", said)

    def test_router_that_is_gone_after_the_change(self):
        self.announce(0.5)
        before = self.state()
        self.behave(at={"probed": {"run": f"ip -n {self.gateway_space} address del fe80::1/64 dev lan"},
                        "unbind 2": {"run": f"ip -n {self.gateway_space} address add fe80::1/64 dev lan nodad"}})
        self.assertIn("the gateway fe80::1 does not answer", self.xenlro("use", "eth0", "lro", code=1))
        self.assertEqual((self.driver(), self.lost(before)), (STOCK, []))


if __name__ == "__main__":
    unittest.main()
