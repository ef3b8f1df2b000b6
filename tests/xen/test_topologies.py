# SPDX-License-Identifier: GPL-2.0-only
"""The core of the Xen tests where people run Xen: PVH guests, a driver domain of its own, Qubes' chain, Open vSwitch.

Each class is one topology of lab/domains.py.
"""

from __future__ import annotations

import unittest

from lab import configs, domains, hops, topology
from lab.paths import BUILD
from lab.traffic import IPERF_PORT

from . import core
from .core import BULK, FILE


class Topology:
    """The same for each: stock drivers and ours carry files, and no hop cuts up what the first one passes."""

    place = domains.DEFAULT
    kind = domains.PVH
    # Of the mean size of a packet on the first hop, what there has to be on the last one.
    kept = 0.95

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(topology.XenLab(
            "6.12", with_ours=True, logs=BUILD / "check" / f"xen-{cls.place}-{cls.kind}",
            topology=domains.select(cls.place), kind=cls.kind, counted=True))

    def tearDown(self):
        self.lab.check()

    def test_1_stock_drivers(self):
        core.carries(self, self.lab, "gro12")

    def test_2_ours(self):
        core.carries(self, self.lab, "guest12")

    def test_3_no_hop_cuts_up_what_the_first_one_passes(self):
        lab = self.lab
        lab.apply(configs.ALL["guest12"])
        before = hops.read(lab.topology.hops, lab.hosts)
        lab.transfer(BULK)
        found = hops.fields(lab.topology.hops, before, hops.read(lab.topology.hops, lab.hosts), BULK)["hops"]
        sizes = [hop["mean_bytes"] for hop in found]
        self.assertGreater(sizes[0], 8192, found)
        self.assertGreater(sizes[-1], self.kept * sizes[0], found)


class Pvh(Topology, unittest.TestCase):
    """A PVH guest behind dom0's bridge."""


class DriverDomain(Topology, unittest.TestCase):
    """A PVH guest behind a driver domain that dom0 has given the NIC."""

    place = "driver-domain"


class Switch(Topology, unittest.TestCase):
    """Open vSwitch in dom0, and br_linearize at its ports."""

    place = "ovs"
    kind = domains.PV

    def test_4_aggregates_of_gro_are_copied_in_phase(self):
        lab = self.lab
        lab.apply(configs.ALL["gro1-inphase"])
        before = hops.read(lab.topology.hops, lab.hosts)
        done = lab.transfer(BULK)
        passed = hops.read(lab.topology.hops, lab.hosts)[0] - before[0]
        # One for the headers of a packet, and one for each page, the last of which is partly filled.
        self.assertLess(passed.copies.ops, BULK / 4096 + 2 * done.packets)
        lab.set_rewriting(None)


class Chain(Topology, unittest.TestCase):
    """The NIC's domain, a firewall with NAT and the receiver."""

    place = "chain"

    def test_4_a_flowtable_takes_what_the_sender_opens(self):
        lab = self.lab
        lab.apply(configs.ALL["guest12"])
        topology.rules.load(lab.hosts["firewall"], flowtable=True)
        lab.transfer(BULK)
        said = lab.hosts["firewall"].run("nft list ruleset | grep 'flow add'")
        # Of some ten thousand packets the rule has seen those that came before the connection was in the table.
        self.assertLess(int(said.split("packets")[1].split()[0]), 100, said)
        topology.rules.load(lab.hosts["firewall"])
        lab.send_file(FILE)

    def test_5_relaxed_merging_is_refused_where_packets_are_forwarded(self):
        for name, module in (("net", configs.OUR_NIC), ("firewall", configs.OUR_GUEST)):
            host = self.lab.hosts[name]
            with self.subTest(name):
                self.lab.set_module_parameter(host, module, "lro", 2)
                self.assertIn("large-receive-offload: off", host.run("ethtool -k eth0"))
                self.lab.send_file(FILE)
                self.lab.set_module_parameter(host, module, "lro", 1)

    def test_6_a_smaller_mtu_on_the_last_hop(self):
        app = self.lab.hosts["app"]
        firewall = self.lab.hosts["firewall"]
        vif = firewall.run("cd /sys/class/net && ls -d vif*").strip()
        firewall.run(f"ip link set {vif} mtu 1400")
        app.run("ip link set eth0 mtu 1400")
        try:
            self.lab.send_file(FILE)
            self.lab.send_file(FILE, outward=True)
        finally:
            firewall.run(f"ip link set {vif} mtu 1500")
            app.run("ip link set eth0 mtu 1500")

    def test_7_connections_that_the_receiver_opens_are_translated(self):
        lab = self.lab
        lab.sender.run(f"setsid iperf -s -P 1 -p {IPERF_PORT} >/tmp/served 2>&1 & sleep 1")
        lab.receiver.run(f"iperf -c {domains.SENDER_ADDRESS} -p {IPERF_PORT} -n 1M", timeout=60)
        said = lab.sender.run("until grep -q connected /tmp/served; do usleep 100000; done; cat /tmp/served", timeout=30)
        self.assertIn(domains.TOPOLOGIES["chain"].hops[0].address, said)


if __name__ == "__main__":
    unittest.main()
