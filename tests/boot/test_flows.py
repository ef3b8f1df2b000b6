# SPDX-License-Identifier: GPL-2.0-only
"""Interleaved streams through a bridge: r8169_lro merges each for itself and loses nothing.

    rtl8169d, which makes the frames == Linux [ r8169_lro - br0 - dummy0 ]
"""

from __future__ import annotations

import unittest

from lab import configs, scaling_flows
from lab.paths import BUILD

HEADERS, PAYLOAD = 66, 1448
FRAMES = 20000
# 128 of each flow where there are most.
MANY = 1 << 17


class Interleaved(unittest.TestCase):
    """One machine for all tests; what the bridge passes on is counted there in packets and bytes."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(scaling_flows.FlowsLab("6.12", BUILD / "check/flows", own_clock=True))
        cls.lab.use(scaling_flows.Engine("lro", configs.OUR_NIC, False))

    def send(self, mode: int, frames: int = FRAMES, **traffic: int) -> float:
        """Send frames with the engine off (0) or strict (1); return the LRO ratio when no byte of them is missing."""
        self.lab.set_module_parameter(self.lab.nic_host, configs.OUR_NIC, "lro", mode)
        before = self.sent()
        done = scaling_flows.send(self.lab, frames=frames, counted=False, **traffic)
        self.assertEqual(self.sent() - before, done.packets * HEADERS + frames * PAYLOAD)
        return done.lro_ratio

    def sent(self) -> int:
        """Bytes that the bridge has passed on."""
        return int(self.lab.nic_host.run(f"cat /sys/class/net/{scaling_flows.SINK}/statistics/tx_bytes"))

    def test_8_flows_packet_by_packet(self):
        self.assertGreater(self.send(1, flows=8), 16)

    def test_8_flows_in_bursts(self):
        self.assertGreater(self.send(1, flows=8, burst=10), 16)

    def test_128_flows_packet_by_packet(self):
        self.assertGreater(self.send(1, flows=128), 8)

    def test_1024_flows_packet_by_packet(self):
        self.assertGreaterEqual(self.send(1, MANY, flows=1024), 16)

    def test_engine_off(self):
        self.assertEqual(self.send(0, flows=8), 1)

    def tearDown(self):
        self.lab.check()
