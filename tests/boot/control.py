# SPDX-License-Identifier: GPL-2.0-only
"""Tests of how this project's driver is controlled by ethtool and by its parameter, for any class that has `lab`."""

from __future__ import annotations

import contextlib
import re

from lab import topology
from lab.agent import CommandFailed
from lab.paths import ROOT

STRICT, RELAXED = "rx-gro-hw", "large-receive-offload"
SMALL = 1 << 20


class Control:
    """The features, and whether the engine obeys them."""

    def modes(self) -> tuple[str, str]:
        """State of the features for strict and relaxed mode."""
        found = dict(re.findall(r"^([\w-]+): (\w+)", self.lab.nic_host.run(f"ethtool -k {topology.NIC}"), re.M))
        return found[STRICT], found[RELAXED]

    def feature(self, name: str, state: str) -> None:
        # The status is not 0 when the kernel keeps a feature from changing.
        self.lab.nic_host.run(f"ethtool -K {topology.NIC} {name} {state}", check=False)

    def parameter(self, value: int) -> None:
        self.lab.set_module_parameter(self.lab.nic_host, self.lab.model.ours, "lro", value)

    def engine_packets(self) -> int:
        """Packets of a small file, which arrived intact, that the engine saw."""
        def count() -> int:
            return int(self.lab.nic_host.run(f"ethtool -S {topology.NIC} | sed -n 's/ *rx0_lro_packets: //p'"))
        before = count()
        self.lab.send_file(SMALL)
        return count() - before

    @contextlib.contextmanager
    def controlled(self):
        """A part of the test with our driver in strict mode, also at its end."""
        self.lab.use_nic_driver(self.lab.model.ours)
        self.lab.wait_for_ping()
        self.parameter(1)
        try:
            yield
        finally:
            self.parameter(1)

    def test_parameter_sets_features(self):
        with self.controlled():
            for value, modes in ((0, ("off", "off")), (2, ("off", "on")), (1, ("on", "off"))):
                with self.subTest(lro=value):
                    self.parameter(value)
                    self.assertEqual(self.modes(), modes)
                    self.assertEqual(self.engine_packets() > 100, value > 0)

    def test_feature_switches_one_device(self):
        with self.controlled():
            self.feature(STRICT, "off")
            self.assertEqual(self.modes(), ("off", "off"))
            self.assertEqual(self.engine_packets(), 0)
            self.feature(RELAXED, "on")
            self.assertEqual(self.modes(), ("off", "on"))
            self.assertGreater(self.engine_packets(), 100)
            self.feature(STRICT, "on")
            self.assertEqual(self.modes(), ("off", "on"))
            self.feature(RELAXED, "off")
            self.assertEqual(self.modes(), ("on", "off"))

    def test_bridge_takes_relaxed_away_and_leaves_strict(self):
        host = self.lab.nic_host
        with self.controlled():
            self.parameter(2)
            host.run(f"ip link add br9 type bridge && ip link set {topology.NIC} master br9")
            try:
                self.assertEqual(self.modes(), ("on", "off"))
                self.feature(RELAXED, "on")
                self.assertEqual(self.modes(), ("on", "off"))
            finally:
                host.run(f"ip link set {topology.NIC} nomaster; ip link del br9")
            self.parameter(2)
            self.assertEqual(self.modes(), ("off", "on"))

    def test_forwarding_takes_relaxed_away_and_leaves_strict(self):
        host = self.lab.nic_host
        for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            with self.subTest(switch), self.controlled():
                self.parameter(2)
                host.run(f"echo 1 >/proc/sys/net/{switch}")
                try:
                    self.assertEqual(self.modes(), ("on", "off"))
                    self.parameter(2)
                    self.assertEqual(self.modes(), ("on", "off"))
                finally:
                    host.run(f"echo 0 >/proc/sys/net/{switch}")

    def test_gro_off_takes_strict_along(self):
        with self.controlled():
            try:
                self.feature("gro", "off")
                self.feature(RELAXED, "off")
                self.assertEqual(self.modes(), ("off", "off"))
                self.assertEqual(self.engine_packets(), 0)
                self.parameter(1)
                self.assertEqual(self.modes(), ("off", "off"))
                self.assertIn("lro=1 has to wait: GRO is off", self.lab.nic_host.run("dmesg"))
            finally:
                self.feature("gro", "on")
            self.assertEqual(self.modes(), ("on", "off"))
            self.assertGreater(self.engine_packets(), 100)

    def test_driver_starts_in_the_mode_of_its_parameter(self):
        with self.controlled():
            self.lab.use_nic_driver(self.lab.model.ours, "lro=2")
            self.lab.wait_for_ping()
            self.assertEqual(self.modes(), ("off", "on"))
            self.lab.send_file(SMALL)

    def test_wrong_mode_is_refused(self):
        with self.controlled():
            for value in ("banana", "3", "-1"):
                with self.subTest(lro=value):
                    with self.assertRaises(CommandFailed):
                        self.parameter(value)
                    self.assertEqual(self.lab.nic_host.run(f"cat /sys/module/{self.lab.model.ours}/parameters/lro").strip(), "1")
                    self.assertEqual(self.modes(), ("on", "off"))
            self.assertIn("lro is 0 (off), 1 (strict) or 2 (relaxed)", self.lab.nic_host.run("dmesg"))

    def test_ethtool_names_module_and_version(self):
        version = re.search(r'^PACKAGE_VERSION="(.+)"$', (ROOT / "dkms.conf").read_text(), re.M)[1]
        with self.controlled():
            told = self.lab.nic_host.run(f"ethtool -i {topology.NIC}").splitlines()
            self.assertIn(f"driver: {self.lab.model.ours}", told)
            self.assertIn(f"version: {version}", told)
