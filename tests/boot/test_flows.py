# SPDX-License-Identifier: GPL-2.0-only
"""Streams that take turns, through a bridge: r8169_lro merges each separately, loses nothing and holds no packet for
long.

    rtl8169d, which makes the frames == Linux [ r8169_lro or r8169 - br0 - dummy0 ]

The frames come at 1000 Mbit/s by the machine's own clock.
"""

from __future__ import annotations

import unittest

from lab import configs, scaling_flows
from lab.paths import BUILD

HEADERS, PAYLOAD = 66, 1448
FRAMES = 20000
# 256 frames of each flow at the highest number of flows: the first burst of a flow goes in two or three packets.
MANY = 1 << 18
BURST = 16
MERGED = 14
# Microseconds: eight times hold_us as shipped, and the machine's time for all flows that are due by then.
HOLD, SLACK = 800, 200
# Other work of this machine delays the NIC's interrupts, which can only lengthen a wait: one of these runs has no such
# delay.
RUNS = 3


class Interleaved(unittest.TestCase):
    """One machine for all tests; the bridge's output is counted there in packets and bytes."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(scaling_flows.FlowsLab("6.12", BUILD / "check/flows", own_clock=True))

    def send(self, frames: int = FRAMES, **traffic: int) -> scaling_flows.Passage:
        """Send frames through the engine; no byte of them is missing, and none waited for long."""
        self.use(1)
        for _ in range(RUNS):
            done = self.through(frames, **traffic)
            if done.longest_wait <= HOLD + SLACK:
                return done
        self.fail(f"a packet waited {done.longest_wait} us, also in the last of {RUNS} runs")

    def use(self, mode: int) -> None:
        """The driver with the engine, in a mode, and with GRO; it knows nothing of the flows of other tests."""
        self.lab.use_nic_driver(configs.STOCK_NIC)
        self.lab.use(scaling_flows.Engine("lro", configs.OUR_NIC, False))
        self.lab.set_module_parameter(self.lab.nic_host, configs.OUR_NIC, "lro", mode)

    def send_gro(self, frames: int, **traffic: int) -> scaling_flows.Passage:
        """The same through the kernel's own driver, with GRO."""
        self.lab.use(scaling_flows.Engine("gro", configs.STOCK_NIC, True))
        return self.through(frames, **traffic)

    def through(self, frames: int, **traffic: int) -> scaling_flows.Passage:
        """Send frames in the machine's present state; none of their bytes is missing."""
        before = self.sent()
        done = scaling_flows.send(self.lab, frames=frames, counted=False, **traffic)
        self.assertEqual(self.sent() - before, done.packets * HEADERS + frames * PAYLOAD)
        return done

    def sent(self) -> int:
        """Bytes that the bridge has forwarded."""
        return int(self.lab.nic_host.run(f"cat /sys/class/net/{scaling_flows.SINK}/statistics/tx_bytes"))

    def test_8_flows_packet_by_packet(self):
        self.assertGreater(self.send(flows=8).lro_ratio, 4)

    def test_8_flows_in_bursts(self):
        self.assertGreaterEqual(self.send(flows=8, burst=BURST).lro_ratio, MERGED)

    def test_64_flows_in_bursts(self):
        self.assertGreaterEqual(self.send(flows=64, burst=BURST).lro_ratio, MERGED)

    def test_1024_flows_in_bursts(self):
        self.assertGreaterEqual(self.send(MANY, flows=1024, burst=BURST).lro_ratio, MERGED)

    def test_1024_flows_packet_by_packet(self):
        peer = self.send_gro(MANY // 4, flows=1024)
        ours = self.send(MANY // 4, flows=1024)
        self.assertGreaterEqual(ours.lro_ratio, peer.lro_ratio)

    def test_engine_off(self):
        # How long packets wait is the kernel's affair then: for ksoftirqd, up to a tick.
        self.use(0)
        self.lab.set_nic_gro(False)
        self.assertEqual(self.through(FRAMES, flows=8).lro_ratio, 1)

    def tearDown(self):
        self.lab.check()
