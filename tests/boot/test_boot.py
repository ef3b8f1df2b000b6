# SPDX-License-Identifier: GPL-2.0-only
"""Linux on the emulated NIC: the kernel's own r8169, unmodified, and r8169_lro.

    sender VM -- stream socket -- rtl8169d == vfio-user == Linux with r8169 or r8169_lro

Any complaint of a kernel on its console fails the test during which it came up.
"""

from __future__ import annotations

import contextlib
import time
import unittest

from lab import topology
from lab.agent import CommandFailed
from lab.paths import BUILD

from .abuse import Abuse
from .control import Control


class OnTheNic(Control, Abuse):
    """Tests of both drivers; each class below is one kernel on one chip."""

    series: str
    chip: str
    # Bytes of a file or a stream.
    size = 8 << 20

    @classmethod
    def setUpClass(cls):
        logs = BUILD / "check" / f"boot-{cls.series}-{cls.chip}"
        cls.lab = cls.enterClassContext(
            topology.NativeLab(cls.series, with_ours=True, logs=logs, chip=cls.chip))

    def drivers(self) -> tuple[str, str]:
        """The kernel's driver and ours."""
        return self.lab.model.stock, self.lab.model.ours

    @contextlib.contextmanager
    def served_by(self, driver: str):
        """A part of the test in which a driver serves the NIC."""
        with self.subTest(driver=driver):
            self.lab.use_nic_driver(driver)
            self.lab.wait_for_ping()
            yield

    def test_ping(self):
        for driver in self.drivers():
            with self.served_by(driver):
                self.lab.sender.run(f"ping -c 20 -i 0.05 -s 1400 {topology.NIC_ADDRESS} | grep -q ' 0% packet loss'")

    def test_file_arrives_intact(self):
        for driver in self.drivers():
            with self.served_by(driver):
                self.lab.send_file(self.size)

    def test_file_leaves_intact(self):
        for driver in self.drivers():
            with self.served_by(driver):
                self.lab.send_file(self.size, outward=True)

    def test_streams_both_ways_lose_nothing(self):
        for driver in self.drivers():
            with self.served_by(driver):
                missed = self.missed()
                self.lab.transfer(self.size)
                self.lab.transfer(self.size, outward=True)
                self.assertEqual(self.missed(), missed)

    def missed(self) -> int:
        """Frames that the NIC had no room for."""
        return self.lab.nic.stats().get("rx_missed", 0)

    def test_link_goes_down_and_up(self):
        for driver in self.drivers():
            with self.served_by(driver):
                self.lab.nic.ctl("link", state="down")
                self.lab.wait_for_link(up=False)
                with self.assertRaises(CommandFailed):
                    self.lab.sender.run(f"ping -c 1 -W 1 {topology.NIC_ADDRESS}")
                self.lab.nic.ctl("link", state="up")
                self.lab.wait_for_link()
                self.lab.wait_for_ping()

    def test_driver_is_removed_under_traffic(self):
        for driver in self.drivers():
            with self.served_by(driver):
                self.flood()
                self.lab.nic_host.run(f"rmmod {driver}", timeout=60)
                self.lab.nic_driver = None
                self.lab.sender.run("killall iperf; true")
                self.lab.use_nic_driver(driver)
                self.lab.wait_for_ping()
                self.lab.send_file(self.size)

    def serve(self, port: int) -> None:
        """Start a server of iperf in place of an earlier one, and wait until it listens: a client that comes before gives up."""
        # In /proc/net/tcp ports are hexadecimal, and a socket that listens is in state 0A.
        listens = f"grep -q ':{port:04X} .* 0A ' /proc/net/tcp"
        self.lab.nic_host.run(f"killall iperf 2>/dev/null; while {listens}; do usleep 50000; done; "
                              f"setsid iperf -s -p {port} >/dev/null 2>&1 & until {listens}; do usleep 50000; done", timeout=60)

    def flood(self) -> None:
        """Start a stream in the background, and wait until it flows."""
        self.serve(5004)
        self.lab.sender.run(f"setsid iperf -c {topology.NIC_ADDRESS} -p 5004 -t 120 >/dev/null 2>&1 &")
        before = self.lab.nic.stats()["rx_frames"]
        deadline = time.monotonic() + 30
        while self.lab.nic.stats()["rx_frames"] < before + 1000:
            self.assertLess(time.monotonic(), deadline, "no traffic came up")
            time.sleep(0.2)

    def counters(self) -> dict[str, int]:
        lines = self.lab.nic_host.run(f"ethtool -S {topology.NIC}").splitlines()[1:]
        return {name.strip(): int(value) for name, _, value in (line.rpartition(":") for line in lines)}

    def test_lro_aggregates_and_counts(self):
        self.lab.use_nic_driver(self.lab.model.ours)
        self.lab.set_nic_gro(True)
        self.lab.set_module_parameter(self.lab.nic_host, self.lab.model.ours, "lro", 1)
        before = self.counters()
        done = self.lab.transfer(4 * self.size)
        delta = {name: value - before[name] for name, value in self.counters().items()}
        self.assertGreater(done.lro_ratio, 3)
        self.assertGreater(delta["rx0_lro_merged"] / delta["rx0_lro_aggregates"], 3)
        self.assertEqual(delta["rx0_lro_packets"],
                         sum(delta[f"rx0_lro_{where}"] for where in ("held", "merged", "singles", "passed", "to_gro")))

    def test_lro_off_does_not_aggregate(self):
        self.lab.use_nic_driver(self.lab.model.ours)
        self.lab.set_nic_gro(False)
        self.lab.set_module_parameter(self.lab.nic_host, self.lab.model.ours, "lro", 0)
        before = self.counters()
        done = self.lab.transfer(self.size)
        self.assertEqual(self.counters()["rx0_lro_packets"], before["rx0_lro_packets"])
        self.assertLess(done.lro_ratio, 1.1)
        self.lab.set_nic_gro(True)
        self.lab.set_module_parameter(self.lab.nic_host, self.lab.model.ours, "lro", 1)

    def tearDown(self):
        self.lab.check()


class Linux612OnPci(OnTheNic, unittest.TestCase):
    series, chip = "6.12", "8169"


class Linux61OnPcie(OnTheNic, unittest.TestCase):
    series, chip = "6.1", "8168"


class Linux73OnPci(OnTheNic, unittest.TestCase):
    series, chip = "7.3", "8169"
