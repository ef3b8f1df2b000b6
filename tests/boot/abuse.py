# SPDX-License-Identifier: GPL-2.0-only
"""Abuse of this project's driver under traffic, for any class that has `lab`, flood() and counters()."""

from __future__ import annotations

import time
import unittest

from lab import topology
from lab.agent import CommandFailed
from tests import engine, flow

FILE = 2 << 20
LIES = 1000
SYSFS_NIC = f"$(basename $(readlink -f /sys/class/net/{topology.NIC}/device))"


def switched_under_traffic(test: unittest.TestCase, lab: topology.NativeLab, times: int, unseen: bool = True) -> None:
    """Switch the driver's mode while traffic flows: it has to arrive intact, with no frame lost behind the wire.

    `unseen`: frames count that the driver never saw, and that the NIC does not count either.
    """
    for host in (lab.sender, lab.receiver):
        flow.install(host)
    statistics = f"/sys/class/net/{topology.NIC}/statistics"

    def losses() -> dict[str, int]:
        """Frames without room in the NIC, frames dropped by driver or stack, and frames that the driver never saw."""
        names = ("rx_dropped", "rx_errors", "rx_missed_errors", "rx_packets")
        told = lab.receiver.run("cat " + " ".join(f"{statistics}/{name}" for name in names))
        seen, nic = dict(zip(names, map(int, told.split()))), lab.nic.stats()
        return {"missed": nic.get("rx_missed", 0), "dropped": seen["rx_dropped"], "errors": seen["rx_errors"],
                "missed by the driver": seen["rx_missed_errors"],
                "not seen": nic["rx_frames"] - seen["rx_packets"] if unseen else 0}

    def frames() -> tuple[int, int]:
        """Frames that came in, and frames that the engine got."""
        return lab.nic.stats()["rx_frames"], engine.counters(lab.receiver)["rx0_lro_packets"]

    lost_before, before = losses(), frames()
    flows = [flow.start(lab.sender, lab.receiver_address, kind) for kind in ("bulk", "bulk", "small", "echo")]
    for one in flows:
        one.progress(1)
    engine.switch(lab.receiver, lab.model.ours, times)
    for one in flows:
        one.progress(1 << 16)
        one.stop()
    lab.wait_for_ping()
    test.assertEqual(losses(), lost_before)
    test.assertEqual(engine.unbalanced(engine.counters(lab.receiver)), [])
    came, given = (after - earlier for after, earlier in zip(frames(), before))
    # A third of the time the engine is off.
    test.assertGreater(given, came // 4)
    test.assertLess(given, came)


class Abuse:
    """Traffic has to flow again after each of these."""

    switches = 200
    # Whether the NIC takes or counts each frame of the wire.
    counts_all = True

    def test_nic_is_unplugged_under_traffic(self):
        self.lab.use_nic_driver(self.lab.model.ours)
        self.lab.wait_for_ping()
        self.flood()
        host = self.lab.nic_host
        place = host.run(f"echo {SYSFS_NIC}").strip()
        host.run(f"echo 1 >/sys/bus/pci/devices/{place}/remove", timeout=60)
        self.lab.sender.run("killall iperf; true")
        with self.assertRaises(CommandFailed):
            host.run(f"ip link show {topology.NIC}")
        host.run(f"echo 1 >/sys/bus/pci/rescan; echo {self.lab.model.ours} >/sys/bus/pci/devices/{place}/driver_override; "
                 f"echo {place} >/sys/bus/pci/drivers_probe", timeout=60)
        host.run(f"ip addr add {topology.NIC_ADDRESS}/24 dev {topology.NIC} && ip link set {topology.NIC} up")
        self.lab.wait_for_link()
        self.lab.wait_for_ping()
        self.lab.send_file(FILE)

    def test_mtu_changes_under_traffic(self):
        self.lab.use_nic_driver(self.lab.model.ours)
        self.lab.wait_for_ping()
        self.flood()
        for mtu in (1280, 3000, 1400, 1500):
            self.lab.nic_host.run(f"ip link set {topology.NIC} mtu {mtu}; sleep 1")
        self.lab.sender.run("killall iperf; true")
        self.lab.wait_for_link()
        self.lab.wait_for_ping()
        self.lab.send_file(FILE)

    def test_lro_is_switched_under_traffic(self):
        self.lab.use_nic_driver(self.lab.model.ours)
        self.lab.wait_for_ping()
        switched_under_traffic(self, self.lab, self.switches, self.counts_all)

    def test_lying_nic_does_no_harm(self):
        self.lab.use_nic_driver(self.lab.model.ours)
        self.lab.wait_for_ping()
        # rx-all: the driver passes on frames with errors, too.
        for kind, rx_all in (("short", "off"), ("short", "on"), ("long", "off"), ("fragment", "off"), ("status", "off"),
                             ("status", "on"), ("checksum", "off"), ("owner", "off"), ("storm", "off")):
            with self.subTest(kind, rx_all=rx_all):
                self.lab.nic_host.run(f"ethtool -K {topology.NIC} rx-all {rx_all}")
                told = self.lab.nic.stats()["faults"]
                self.lab.nic.ctl("fault", kind=kind, count=LIES)
                deadline = time.monotonic() + 30
                # A lie about ownership waits for room, and frames may have passed without it.
                while self.lab.nic.stats()["faults"] < told + LIES:
                    self.assertLess(time.monotonic(), deadline, "the lies found no end")
                    self.lab.nic.ctl("generate", frames=2 * LIES, flows=8, burst=4)
                    while self.lab.nic.ctl("info")["generating"]:
                        self.assertLess(time.monotonic(), deadline, "the lies found no end")
                        time.sleep(0.1)
                self.lab.wait_for_ping()
                self.lab.send_file(FILE)
