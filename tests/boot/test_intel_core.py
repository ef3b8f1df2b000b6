# SPDX-License-Identifier: GPL-2.0-only
"""The part of test_intel that belongs to `make check`: each driver once on Linux 6.12, traffic, lies of the NIC, resets."""

from __future__ import annotations

import unittest

from lab import topology
from tests import engine

from .lies import Liar
from .test_intel import LoadAndTraffic

SMALL = 1 << 20
RESETS = 5


class Core(Liar, LoadAndTraffic):
    """One boot for each NIC."""

    series = "6.12"

    def test_lies_do_no_harm(self):
        with self.liar():
            self.lied_to((*self.counted, *self.uncounted), self.counted)

    def test_resets_under_traffic(self):
        lab, host = self.lab, self.lab.nic_host
        lab.use_nic_driver(lab.model.ours)
        lab.wait_for_ping()
        host.run("setsid iperf -s -p 5004 >/dev/null 2>&1 &")
        lab.sender.run(f"sleep 1; setsid iperf -c {topology.NIC_ADDRESS} -p 5004 -t 60 >/dev/null 2>&1 & sleep 2")
        host.run(f"for i in $(seq {RESETS}); do ethtool -r {topology.NIC}; usleep 300000; done")
        lab.sender.run("killall iperf; true")
        host.run("killall iperf; true")
        lab.wait_for_link()
        lab.wait_for_ping()
        lab.send_file(SMALL)
        counted = engine.counters(host)
        self.assertGreater(counted["rx0_lro_merged"], 100)
        self.assertEqual(engine.unbalanced(counted), [])


class E1000e(Core, unittest.TestCase):
    chip = "e1000e"
    counted = ("long", "short", "tiny", "header")


class Igb(Core, unittest.TestCase):
    chip = "igb"
    counted = ("long", "stamp")
    # Each frame that follows a piece is a part of the same one.
    uncounted = ("piece", *Liar.uncounted)
