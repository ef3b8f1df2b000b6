# SPDX-License-Identifier: GPL-2.0-only
"""A Xen host behind a NIC that QEMU emulates: this project's driver in the driver domain, and a guest that gets all.

    sender VM -- relay -- QEMU's e1000e or igb in Xen [ dom0: e1000e_lro or igb_lro, br0, netback | guest: xen-netfront ]
"""

from __future__ import annotations

import unittest

from lab import configs, grants, topology, traffic
from lab.paths import BUILD
from tests import engine

FILE = 4 << 20
BULK = 16 << 20


class Behind:
    """One boot for each NIC."""

    chip: str

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(topology.XenLab("6.12", with_ours=True, logs=BUILD / f"check/xen-{cls.chip}",
                                                        chip=cls.chip))

    def tearDown(self):
        self.lab.check()

    def use(self, name: str) -> None:
        self.lab.apply(configs.ALL[name].on(self.lab.model))

    def test_1_guest1(self):
        lab = self.lab
        self.use("guest1")
        lab.dom0.run(f"modprobe {grants.MODULE}")
        lab.send_file(FILE)
        lab.send_file(FILE, outward=True)
        before, copied = engine.counters(lab.dom0), grants.read(lab.dom0)
        done = lab.transfer(BULK)
        after, copies = engine.counters(lab.dom0), grants.read(lab.dom0) - copied
        merged = sum(after[name] - before[name] for name in after if name.endswith("_lro_merged"))
        self.assertGreater(merged, done.segments // 2)
        self.assertGreater(done.lro_ratio, 4)
        # In phase: one copy for the headers of a packet, and one for each page, the last of which is partly filled.
        self.assertLess(copies.ops, BULK / 4096 + 3 * done.packets)
        self.assertEqual(engine.unbalanced(after), [])

    def test_2_resets_and_removal_under_traffic(self):
        lab = self.lab
        self.use("guest1")
        lab.guest.run("setsid iperf -s -p 5004 >/dev/null 2>&1 &")
        lab.sender.run(f"sleep 1; setsid iperf -c {topology.GUEST_ADDRESS} -p 5004 -t 60 >/dev/null 2>&1 & sleep 3")
        lab.dom0.run(f"for i in 1 2 3; do ethtool -r {topology.NIC}; usleep 500000; done")
        lab.dom0.run(f"rmmod {lab.model.ours}", timeout=60)
        lab.nic_driver = None
        lab.sender.run("killall iperf; true")
        self.use("guest1")
        lab.send_file(FILE)

    def test_3_guest12(self):
        self.use("guest12")
        self.lab.send_file(FILE)
        self.assertGreater(self.lab.transfer(BULK).lro_ratio, 4)


class Bouncing(topology.XenLab):
    """No buffer of a driver in the driver domain is the NIC's own: what comes is only there after a sync of DMA."""

    arguments = "swiotlb=force"


class Bounced:
    """One boot for each NIC: drivers leave out syncs only of buffers that are the NIC's own."""

    chip: str

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Bouncing("6.12", with_ours=True, logs=BUILD / f"check/xen-bounced-{cls.chip}",
                                                 chip=cls.chip))

    def tearDown(self):
        self.lab.check()

    def test_frames_are_synced(self):
        lab = self.lab
        lab.use_nic_driver(lab.model.ours)
        traffic.send_file(lab.sender, lab.dom0, topology.NIC_ADDRESS, BULK)
        traffic.send_file(lab.dom0, lab.sender, topology.SENDER_ADDRESS, FILE)
        counted = engine.counters(lab.dom0)
        # A frame that was not synced looks like no segment, and the kernel's function would take it.
        self.assertGreater(engine.copied(counted), 500)
        self.assertEqual(engine.unbalanced(counted), [])


class E1000e(Behind, unittest.TestCase):
    chip = "e1000e"


class Igb(Behind, unittest.TestCase):
    chip = "igb"


class E1000eBounced(Bounced, unittest.TestCase):
    chip = "e1000e"


class IgbBounced(Bounced, unittest.TestCase):
    chip = "igb"
