# SPDX-License-Identifier: GPL-2.0-only
"""Networks that are set up oddly, full file systems, and signals at every step: nothing of it may cost the network."""

from __future__ import annotations

import json
import unittest

from tests.network.namespaces import STOCK, OnHost
from tests.network.test_keep import PLAIN, Announcing
from tests.network.test_refuse import Refused

# Rules that match an interface by the number that its name had when they were loaded.
BY_NUMBER = {"nftables": [{"rule": {"family": "inet", "table": "filter", "chain": "input", "handle": 4, "expr": [
    {"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "eth0"}}, {"accept": None}]}}]}


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


class Elsewhere(Refused):
    """What depends on the card and is not seen where the command looks first."""

    def setUp(self):
        super().setUp()
        self.box = f"{self.host_space}b"
        self.command("ip", "netns", "add", self.box)
        self.addCleanup(self.command, "ip", "netns", "del", self.box)
        self.spawn(self.box, "sleep", "600")

    def test_device_on_top_in_a_container(self):
        # One that is on an interface of a third namespace, with the same number there.
        numbers = [json.loads(self.command("ip", "-n", space, "-json", "link", "show", "dev", name))[0]["ifindex"]
                   for space, name in ((self.host_space, "eth0"), (self.gateway_space, "lan"))]
        self.assertEqual(numbers[0], numbers[1])
        self.gateway("link add link lan name foreign0 type macvlan", f"link set foreign0 netns {self.box}")
        self.xenlro("use", "eth0", "lro")
        self.xenlro("use", "eth0", "stock")
        (self.root / "steps").unlink()
        self.host("link add link eth0 name inside0 type macvlan", f"link set inside0 netns {self.box}")
        self.refused("inside0 of another network namespace on top of eth0 would go away with it")

    def test_card_whose_interface_is_in_a_container(self):
        self.host(f"link set eth0 netns {self.box}")
        # What ip shows of the interface of a card, and not of what stands in for it here.
        self.put("bin/nsenter", "#!/bin/sh\nnsenter \"$@\" | sed 's/\"ifname\":\"eth0\",/&\"parentdev\":\"0000:00:03.0\",/'\n")
        (self.root / "sys/bus/pci/devices/0000:00:03.0/net/eth0").rmdir()
        said = self.xenlro("use", "0000:00:03.0", "lro", code=1)
        self.assertIn("is in another network namespace", said)
        self.assertNotIn("unbind", self.steps())

    def test_rule_that_knows_the_interface_by_its_number(self):
        self.put("bin/nft", f"#!/bin/sh\ntest \"$3\" != ruleset || echo '{json.dumps(BY_NUMBER)}'\n")
        self.refused("knows eth0 by its number")

    def test_packets_of_another_interface_that_are_sent_here(self):
        self.on_host("tc", "actions", "add", "action", "mirred", "egress", "mirror", "dev", "eth0")
        self.refused("traffic control sends packets to eth0")


if __name__ == "__main__":
    unittest.main()
