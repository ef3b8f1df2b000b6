# SPDX-License-Identifier: GPL-2.0-only
"""Names that other software uses, choices that are for another device, and udev's rule."""

from __future__ import annotations

import shutil
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from tests.tools.imitation import CARDS, OTHER  # noqa: E402  (needs that path)
from tests.tools.test_xenlro import CARD, SECOND, OnMachine  # noqa: E402
from xenlro import drivers  # noqa: E402

RULE = TOP / "packaging/70-xenlro.rules"
# A file by which other software finds the card, words of the refusal, and the file that the refusal suggests.
FILES = (
    ("etc/systemd/network/20-lan.link", "[Match]\nDriver=r8169\n[Link]\nName=lan0\n", "20-lan.link goes by Driver=r8169",
     "[Match]\nDriver=r8169 r8169_lro\n[Link]\nName=lan0\n"),
    ("run/systemd/network/10-netplan-lan.network", "[Match]\nDriver=r8169\n", "the netplan file that it is made from",
     "[Match]\nDriver=r8169 r8169_lro\n"),
    ("etc/systemd/network/30-not.network", "[Match]\nDriver=!r8169_lro e1000\n", "30-not.network goes by",
     "[Match]\nDriver=!e1000\n"),
    ("etc/NetworkManager/system-connections/x.nmconnection", "[match]\ndriver=r8169;\n", "x.nmconnection goes by",
     "[match]\ndriver=r8169;r8169_lro;\n"),
    ("etc/NetworkManager/conf.d/y.conf", "[device-a]\nmatch-device=driver:r8169\n", "y.conf goes by",
     "[device-a]\nmatch-device=driver:r8169,driver:r8169_lro\n"),
    ("etc/udev/rules.d/70-own.rules", 'SUBSYSTEM=="net", DRIVERS=="r8169", NAME="lan0"\n', "70-own.rules has a rule",
     'SUBSYSTEM=="net", DRIVERS=="r8169|r8169_lro", NAME="lan0"\n'),
    # Spaces where systemd, NetworkManager and udev take them.
    ("etc/systemd/network/40-space.network", "[Match]\nDriver = r8169\n[Network]\nDHCP=yes\n", "40-space.network goes by",
     "[Match]\nDriver = r8169 r8169_lro\n[Network]\nDHCP=yes\n"),
    ("etc/systemd/network/41-head.network", " [Match] \n Driver=r8169\n", "41-head.network goes by",
     "[Match] \nDriver=r8169 r8169_lro\n"),
    ("etc/systemd/network/42-twice.network", "[Match]\nType=ether\n[Match]\nDriver=r8169\n", "42-twice.network goes by",
     "[Match]\nType=ether\n[Match]\nDriver=r8169\nDriver=r8169_lro\n"),
    ("etc/systemd/network/43-property.link", "[Match]\nProperty=ID_BUS=pci ID_NET_DRIVER=r8169\n", "43-property.link goes by",
     "[Match]\nProperty=ID_BUS=pci ID_NET_DRIVER=r8169*\n"),
    ("etc/NetworkManager/system-connections/z.nmconnection", "[match]\ndriver = r8169\n", "z.nmconnection goes by",
     "[match]\ndriver = r8169;r8169_lro\n"),
    ("etc/udev/rules.d/71-space.rules", 'SUBSYSTEM == "net", DRIVERS == "r8169", NAME = "lan0"\n', "71-space.rules has a rule",
     'SUBSYSTEM == "net", DRIVERS == "r8169|r8169_lro", NAME = "lan0"\n'),
    ("etc/qubes-suspend-module-blacklist", "iwlwifi\nr8169\n", "unload before the machine sleeps", "iwlwifi\nr8169\nr8169_lro\n"),
)
UPLINK = 'SUBSYSTEMS=="xen", KERNEL=="eth*", ACTION=="add", DRIVERS=="vif", TAG+="systemd"\n'


class Names(OnMachine):
    def put(self, path: str, text: str) -> Path:
        file = self.machine.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def test_files_that_go_by_the_drivers_name(self):
        for path, text, wanted, corrected in FILES:
            with self.subTest(path=path):
                file = self.put(path, text)
                for options in ((), ("--at-boot",)):
                    self.assertIn(wanted, self.xenlro("use", "eth0", "lro", *options, code=1))
                self.assertEqual(self.drivers()[0], "r8169")
                self.assertFalse((self.machine.choices / CARD).exists())
                file.write_text(corrected)
                self.xenlro("use", "eth0", "lro", "--at-boot")
                self.xenlro("use", "eth0", "stock", "--at-boot")
                file.unlink()

    def test_files_that_add_to_another(self):
        self.put("usr/lib/systemd/network/80-lan.network", "[Match]\nName=eth0\n")
        added = self.put("etc/systemd/network/80-lan.network.d/own.conf", "[Match]\nDriver=r8169\n")
        self.assertIn("own.conf goes by Driver=r8169", self.xenlro("use", "eth0", "lro", code=1))
        self.put("run/systemd/network/80-lan.network.d/own.conf", "[Match]\nDriver=e1000\n")
        self.put("etc/systemd/network/80-lan.network.d/second.conf", "[Match]\nDriver=\nDriver=r8169_lro r8169\n")
        self.xenlro("use", "eth0", "lro")
        added.unlink()

    def test_file_that_stands_in_for_the_systems_own(self):
        self.put("usr/lib/systemd/network/20-lan.link", "[Match]\nDriver=r8169\n")
        self.put("etc/systemd/network/20-lan.link", "[Match]\nDriver=r81*\n")
        self.xenlro("use", "eth0", "lro", "--at-boot")

    def test_uplink_rule_of_qubes(self):
        self.put("usr/lib/udev/rules.d/99-qubes-network.rules", UPLINK)
        self.assertIn('a rule for the driver "vif"', self.xenlro("use", "vif-0", "lro", code=1))
        # The sentence says to copy it with our name.
        self.put("etc/udev/rules.d/99-xenlro-uplink.rules", UPLINK.replace('"vif"', '"netfront_lro"'))
        self.xenlro("use", "vif-0", "lro", "--at-boot")


class EveryDriver(OnMachine):
    """The rule and `xenlro apply` work for each driver of a PCI device."""

    ADDRESS = "0000:00:09.0"

    def setUp(self):
        super().setUp()
        self.buses = [bus for bus in drivers.known() if bus.name == "pci"]
        self.assertEqual({bus.stock for bus in self.buses}, set(CARDS))

    def at_boot(self, bus: drivers.Bus) -> str | None:
        """The driver of a chosen card after the rule ran for it, before the stock driver was loaded."""
        card = self.machine.add("pci", self.ADDRESS, "eth9", None, CARDS[bus.stock])
        self.choose(self.ADDRESS)
        try:
            self.xenlro("apply", self.ADDRESS, code=bus.ours in self.machine.broken)
            return self.machine.driver("pci", self.ADDRESS)
        finally:
            self.assertEqual((card / "driver_override").read_text().strip(), "")
            shutil.rmtree(card)
            (self.machine.choices / self.ADDRESS).unlink()

    def test_chosen_card_goes_to_its_driver(self):
        for bus in self.buses:
            with self.subTest(driver=bus.ours):
                self.assertEqual(self.at_boot(bus), bus.ours)

    def test_card_whose_module_does_not_load_goes_to_the_stock_driver(self):
        for bus in self.buses:
            with self.subTest(driver=bus.ours):
                self.machine.broken[bus.ours] = f"FATAL: Module {bus.ours} not found"
                self.assertEqual(self.at_boot(bus), bus.stock_driver)

    def test_override_of_a_driver_is_taken_from_what_it_does_not_serve(self):
        disk = self.machine.add("pci", self.ADDRESS, "none", None, "pci:v0000144Dd0000A808")
        (disk / "class").write_text("0x010802\n")
        for bus in self.buses:
            with self.subTest(driver=bus.ours):
                (disk / "driver_override").write_text(f"{bus.ours}\n")
                self.xenlro("apply", self.ADDRESS)
                self.assertEqual((disk / "driver_override").read_text().strip(), "")

    def test_rules_for_pci_name_no_driver(self):
        lines = [line for line in RULE.read_text().splitlines() if 'SUBSYSTEM=="pci"' in line]
        self.assertTrue(lines)
        for bus in self.buses:
            self.assertNotIn(bus.ours, "".join(lines))

    def test_file_that_goes_by_a_stock_drivers_name(self):
        file = self.machine.root / "etc/systemd/network/20-lan.link"
        file.parent.mkdir(parents=True)
        for bus in self.buses:
            with self.subTest(driver=bus.ours):
                card = self.machine.add("pci", self.ADDRESS, "eth9", None, CARDS[bus.stock])
                file.write_text(f"[Match]\nDriver={bus.stock_driver}\n[Link]\nName=lan0\n")
                self.assertIn(f"would not match {bus.ours}", self.xenlro("use", self.ADDRESS, "lro", "--at-boot", code=1))
                file.write_text("[Match]\nDriver=another\n")
                self.assertIn(bus.ours, self.xenlro("use", self.ADDRESS, "lro", "--at-boot"))
                shutil.rmtree(card)


class OtherDevice(OnMachine):
    """Another device is at the address of a choice, as after a card was added."""

    def setUp(self):
        super().setUp()
        self.choose(CARD)
        self.card = self.machine.sys / "bus/pci/devices" / CARD

    def become(self, **attributes: str) -> None:
        """Another device, which the stock driver does not serve, or not yet."""
        (self.card / "driver").unlink()
        for path in (self.card / "net").iterdir():
            path.rmdir()
        for name, value in attributes.items():
            (self.card / name).write_text(f"{value}\n")

    def override(self) -> str:
        return (self.card / "driver_override").read_text().strip()

    def test_rule_writes_no_override(self):
        self.assertNotIn("driver_override", "".join(line for line in RULE.read_text().splitlines() if not line.startswith("#")))

    def test_disk_is_left_alone_and_a_foreign_override_goes(self):
        self.become(**{"class": "0x010802", "vendor": "0x144d", "device": "0xa808", "modalias": "pci:v0000144Dd0000A808",
                       "driver_override": "r8169_lro"})
        self.xenlro("apply", CARD)
        self.assertEqual(self.override(), "")
        self.assertNotIn(("modprobe", "r8169_lro"), self.machine.commands)

    def test_another_card_goes_to_its_own_driver(self):
        self.become(vendor="0x8086", device="0x100e", modalias=OTHER)
        self.xenlro("apply", CARD)
        self.assertIsNone(self.machine.driver("pci", CARD))

    def test_another_realtek_card_is_not_the_chosen_one(self):
        self.become(device="0x8169")
        self.assertIn(f"{CARD} is 0x10ec:0x8169 now", self.xenlro("apply", CARD, code=1))
        self.assertEqual((self.machine.driver("pci", CARD), self.override()), ("r8169", ""))
        self.assertIn("the choice", self.xenlro("status"))

    def test_choice_that_does_not_say_what_for_counts_for_nothing(self):
        (self.machine.choices / CARD).write_text("r8169_lro\n")
        self.assertIn("no device that it describes", self.xenlro("apply", CARD, code=1))
        self.assertEqual(self.machine.driver("pci", CARD), "r8169")

    def test_override_is_there_only_while_the_card_is_bound(self):
        self.xenlro("use", "eth0", "lro")
        self.assertEqual((self.machine.driver("pci", CARD), self.override()), ("r8169_lro", ""))

    def test_override_waits_for_the_module(self):
        self.become()
        self.machine.broken["r8169_lro"] = "FATAL: Module r8169_lro not found"
        self.xenlro("apply", CARD, code=1)
        self.assertEqual((self.machine.driver("pci", CARD), self.override()), ("r8169", ""))

    def test_override_by_hand_is_told_of(self):
        (self.machine.sys / "bus/pci/devices" / SECOND / "driver_override").write_text("r8169_lro\n")
        self.assertIn("`xl pci-assignable-add` too", self.xenlro("status"))
        self.xenlro("use", "eth1", "stock")
        self.assertNotIn("pci-assignable-add", self.xenlro("status"))


if __name__ == "__main__":
    unittest.main()
