# SPDX-License-Identifier: GPL-2.0-only
"""Networks that are set up oddly, full file systems, and signals at every step: nothing of it may cost the network."""

from __future__ import annotations

import json
import sys
import unittest

from tests.network.namespaces import OURS, STOCK, OnHost
from tests.network.test_back import BY_SSH, Back
from tests.network.test_keep import PLAIN, Announcing
from tests.network.test_refuse import Refused

# All that the switch does to the machine, in order.
STEPS = ("unbind", "unbound", "probe", "probed", "ip -batch")
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

    def test_address_that_is_received_besides_its_own(self):
        self.configure(*PLAIN)
        self.on_host("bridge", "fdb", "add", "02:00:00:00:00:33", "dev", "eth0", "self", "permanent")
        self.same_after()
        self.assertIn("02:00:00:00:00:33 self permanent", self.on_host("bridge", "fdb", "show", "dev", "eth0"))

    def test_entries_that_know_the_interface_by_its_number(self):
        self.configure(*PLAIN)
        self.host("-6 addrlabel add prefix fd00::/64 dev eth0 label 77", "mptcp endpoint add 10.0.0.5 dev eth0 subflow",
                  "mptcp endpoint add 10.0.0.6 dev eth0 signal")
        shown = "ip -6 addrlabel list | grep eth0; ip mptcp endpoint show"
        before = self.on_host("sh", "-c", shown)
        self.same_after()
        self.same_after(wanted="stock", driver=STOCK)
        self.assertEqual(self.on_host("sh", "-c", shown), before)

    def while_a_gateway_is_asked(self, *commands: str) -> tuple[str, int]:
        """Give commands to ip while the change waits for a gateway that does not answer; what the change ends with."""
        self.behave(limits={"gateway.ANSWERS_WITHIN": 8.0})
        self.configure(PLAIN[0], "route add default via 10.0.0.77 dev eth0")
        started = self.start("use", "eth0", "lro")
        self.until(lambda: "10.0.0.77" in self.on_host("ip", "neighbour", "show", "nud", "all"))
        self.host(*commands)
        said, _ = started.communicate(timeout=600)
        return said, started.returncode

    def test_configuration_that_is_added_at_the_last_moment(self):
        said, code = self.while_a_gateway_is_asked("address add 10.44.0.1/24 dev eth0", "route add 10.45.0.0/16 via 10.44.0.2")
        self.assertEqual((code, self.driver()), (0, OURS), said)
        self.assertIn("10.45.0.0/16 via 10.44.0.2", self.on_host("ip", "route"))

    def test_device_on_top_that_is_added_at_the_last_moment(self):
        said, code = self.while_a_gateway_is_asked("link add link eth0 name top0 type macvlan")
        self.assertIn("top0 on top of eth0 would go away with it", said)
        self.assertEqual((code, self.driver()), (1, STOCK))
        self.assertNotIn("unbind", self.steps())

    def test_program_that_has_to_be_started_again_is_named(self):
        self.configure(*PLAIN)
        listening = ("import socket, time; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3); s.bind(('eth0', 3)); "
                     "time.sleep(600)")
        process = self.spawn(self.host_space, sys.executable, "-c", listening)
        self.until(lambda: len(self.on_host("cat", "/proc/net/packet").splitlines()) > 1)
        self.assertRegex(self.same_after(), rf"interface that was removed: python\S* \({process.pid}\)\n")
        self.assertNotIn("Note", self.same_after(wanted="stock", driver=STOCK))

    # A socket of a device, one of the link's address, and one that joined a group; and where to tell that they are there.
    BOUND = r"""
import socket, sys, time
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
u.bind(("0.0.0.0", 67))
l = socket.socket(socket.AF_INET6)
l.bind(("fe80::5054:ff:feaa:bb01", 2222, 0, socket.if_nametoindex("eth0")))
l.listen()
m = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
m.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("224.0.0.251") + socket.inet_aton("10.0.0.5"))
n = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
n.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, "ff02::fb")
             + socket.if_nametoindex("eth0").to_bytes(4, sys.byteorder))
open(sys.argv[1], "w").close()
time.sleep(600)
"""

    def test_sockets_that_are_bound_to_the_interface_are_named(self):
        self.configure(*PLAIN)
        process = self.spawn(self.host_space, sys.executable, "-c", self.BOUND, str(self.root / "bound"))
        self.until(lambda: (self.root / "bound").exists())
        wanted = (rf"whose sockets are bound to the interface that was removed: python\S* \({process.pid}\)\n"
                  r"Note: restart the programs that have joined 224.0.0.251, ff02::fb on eth0")
        self.behave(deaf=[OURS])
        # The interface went, though all is as it was otherwise.
        self.assertRegex(self.xenlro("use", "eth0", "lro", code=1), wanted)
        self.behave()
        self.assertNotIn("Note", self.same_after())

    def test_sockets_of_a_change_that_succeeds(self):
        self.configure(*PLAIN)
        process = self.spawn(self.host_space, sys.executable, "-c", self.BOUND, str(self.root / "bound"))
        self.until(lambda: (self.root / "bound").exists())
        self.assertRegex(self.same_after(), rf"removed: python\S* \({process.pid}\)\nNote: restart the programs that")

    ROUTING = r"""
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
s.setsockopt(socket.IPPROTO_IP, 200, 1)
s.setsockopt(socket.IPPROTO_IP, 202, struct.pack("=HBBIiI", 0, 8, 1, 0, socket.if_nametoindex("eth0"), 0))
open(sys.argv[1], "w").close()
time.sleep(600)
"""

    def test_program_that_routes_multicast_is_named(self):
        self.configure(*PLAIN)
        self.spawn(self.host_space, sys.executable, "-c", self.ROUTING, str(self.root / "routing"))
        self.until(lambda: (self.root / "routing").exists())
        self.assertIn("restart the program that routes multicast: it has lost eth0", self.xenlro("use", "eth0", "lro"))

    def test_alternative_name(self):
        self.configure(*PLAIN, "link property add dev eth0 altname enp0s3")
        self.assertIn("0000:00:03.0 (eth0) is served by r8169_lro", self.xenlro("use", "enp0s3", "lro"))
        self.xenlro("use", "enp0s9", "lro", code=2)

    def test_queues(self):
        self.configure(*PLAIN)
        self.behave(queues=4)
        self.xenlro("use", "eth0", "lro")
        self.on_host("sh", "-c", "ethtool -L eth0 rx 3 tx 2")
        self.same_after(wanted="stock", driver=STOCK)
        self.assertRegex(self.on_host("ethtool", "-l", "eth0"), r"(?s)Current.*RX:\s+3\s+TX:\s+2\b")
        self.on_host("sh", "-c", "echo 1 >/sys/class/net/eth0/queues/tx-0/xps_rxqs")
        self.same_after()
        self.assertEqual(self.on_host("cat", "/sys/class/net/eth0/queues/tx-0/xps_rxqs"), "1\n")


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

    def test_log_of_the_kernel_that_is_sent_through_the_card(self):
        for name, text in (("dev_name", "eth0\n"), ("enabled", "1\n")):
            self.put(f"sys/kernel/config/netconsole/first/{name}", text)
        self.refused("netconsole sends the kernel's log through eth0")

    def test_packets_of_another_interface_that_are_sent_here(self):
        self.on_host("tc", "actions", "add", "action", "mirred", "egress", "mirror", "dev", "eth0")
        self.refused("traffic control sends packets to eth0")


class Full(Back):
    """File systems without room for what the command has to write."""

    def small(self, folder: str, size: str) -> str:
        """Make one of the machine's folders a file system of that size; a command that fills it."""
        (self.root / folder).mkdir(exist_ok=True)
        self.command("mount", "-t", "tmpfs", "-o", f"size={size}", "small", str(self.root / folder))
        self.addCleanup(self.command, "umount", str(self.root / folder))
        return f"cat /dev/zero >{self.root / folder}/filler 2>/dev/null || true"

    def test_run_is_full_from_the_start(self):
        self.command("sh", "-c", self.small("run", "64k"))
        said = self.xenlro("use", "eth0", "lro", code=3)
        self.assertIn("No space left on device", said)
        self.assertNotIn("unbind", self.steps())
        self.is_back()

    def test_run_has_room_for_the_order_and_not_for_the_configuration(self):
        fill = self.small("run", "64k")
        self.behave(at={"modprobe r8169_lro": {"run": f"mkdir -p {self.root}/run/xenlro; {fill}; "
                                                      f"truncate -s -12K {self.root}/run/filler"}})
        self.host(*(f"route add 10.{net}.0.0/16 via 10.0.0.{host}" for net in range(60, 100) for host in (8,)))
        self.host(*(f"route add 172.20.{net}.0/24 via 10.0.0.9" for net in range(200)))
        self.before = self.state()
        said = self.xenlro("use", "eth0", "lro", code=3)
        self.assertIn("No space left on device", said)
        self.assertNotIn("unbind", self.steps())
        self.is_back()

    def test_run_gets_full_in_the_middle(self):
        self.behave(at={"unbound": {"run": self.small("run", "256k")}})
        said = self.start("use", "eth0", "lro").communicate(timeout=600)[0]
        self.assertIn("is served by r8169_lro, now and after a reboot", said)
        self.assertEqual((self.driver(), self.chosen(), self.lost(self.before)), (OURS, True, []))

    def test_etc_is_full(self):
        (self.root / "etc/xenlro").mkdir()
        self.command("sh", "-c", self.small("etc/xenlro", "4k"))
        said = self.xenlro("use", "eth0", "lro", code=3)
        self.assertIn("No space left on device", said)
        self.assertNotIn("unbind", self.steps())
        self.is_back()

    def test_etc_gets_full_in_the_middle(self):
        (self.root / "etc/xenlro").mkdir()
        self.behave(at={"unbound": {"run": self.small("etc/xenlro", "4k")}})
        said = self.xenlro("use", "eth0", "lro", code=1)
        self.assertIn("so eth0 is served by r8169 again, with its configuration as it was", said)
        self.is_back()

    def test_etc_is_read_only(self):
        self.xenlro("use", "eth0", "lro")
        etc = str(self.root / "etc")
        self.command("mount", "--bind", etc, etc)
        self.addCleanup(self.command, "umount", etc)
        self.command("mount", "-o", "remount,ro,bind", etc)
        for options, environment in (((), None), (("--now",), BY_SSH), ((), BY_SSH)):
            self.behave(limits={"switch.CONFIRM_WITHIN": 600.0})
            said = self.xenlro("use", "eth0", "stock", *options, environment=environment)
            if environment and not options:
                said = self.xenlro("confirm")
            self.assertIn("is served by r8169 now, and by r8169_lro again after a reboot", said)
            self.assertIn("mount that file system for writing", said)
            self.assertEqual((self.driver(), self.lost(self.before)), (STOCK, []))
            (self.root / "steps").unlink()
            self.assertIn("Read-only file system", self.xenlro("use", "eth0", "lro", code=3))
            self.assertNotIn("unbind", self.steps())
            self.command("mount", "-o", "remount,rw,bind", etc)
            self.xenlro("use", "eth0", "lro")
            self.command("mount", "-o", "remount,ro,bind", etc)

    def test_etc_is_full_when_the_user_confirms(self):
        (self.root / "etc/xenlro").mkdir()
        self.behave(limits={"switch.CONFIRM_WITHIN": 600.0})
        self.xenlro("use", "eth0", "lro", environment=BY_SSH)
        self.command("sh", "-c", self.small("etc/xenlro", "4k"))
        self.assertIn("make room there", self.xenlro("confirm", code=3))
        self.assertFalse(self.chosen())
        # There is time left to do so.
        (self.root / "etc/xenlro/filler").unlink()
        self.xenlro("confirm")
        self.assertEqual((self.driver(), self.chosen(), self.lost(self.before)), (OURS, True, []))


class HangUp(Back):
    """The session goes at each step, with and without a confirmation to come."""

    def test_at_each_step(self):
        for step in STEPS:
            with self.subTest(step=step):
                self.behave(at={step: {"signal": "HUP", "to": "all"}})
                started = self.start("use", "eth0", "lro")
                said, _ = started.communicate(timeout=600)
                self.assertEqual((started.returncode, self.driver(), self.chosen()), (0, OURS, True), said)
                self.assertIn(step.removesuffix(" 2"), self.steps())
                self.assertEqual(self.lost(self.before), [], said)
                self.behave()
                self.xenlro("use", "eth0", "stock")
                (self.root / "steps").unlink()

    def test_while_it_waits_for_the_user(self):
        self.behave(limits={"switch.CONFIRM_WITHIN": 600.0})
        self.xenlro("use", "eth0", "lro", environment=BY_SSH)
        order = json.loads((self.root / "run/xenlro/switch.json").read_text())
        for number in ("HUP", "TERM", "INT", "PIPE"):
            self.command("kill", f"-{number}", order["guard"].split()[0])
        self.xenlro("confirm")
        self.assertEqual((self.driver(), self.chosen(), self.lost(self.before)), (OURS, True, []))

    def test_while_it_goes_back(self):
        self.behave(deaf=[OURS], at={"probe 2": {"signal": "HUP", "to": "all"}, "ip -batch": {"signal": "TERM", "to": "all"}})
        said = self.xenlro("use", "eth0", "lro", code=1)
        self.assertIn("so eth0 is served by r8169 again, with its configuration as it was", said)
        self.is_back()


if __name__ == "__main__":
    unittest.main()
