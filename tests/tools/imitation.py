# SPDX-License-Identifier: GPL-2.0-only
"""A machine for the command xenlro: a sysfs of plain files, and a kernel that reacts to what is written to it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from xenlro import drivers
from xenlro.cli import main
from xenlro.errors import XenlroError
from xenlro.system import System

KERNEL = "6.12.0-test"
REALTEK = "pci:v000010ECd00008168sv00000000sd00000000bc02sc00i00"
OTHER = "pci:v00008086d0000100Esv00000000sd00000000bc02sc00i00"
# A card of each stock driver, as its ids in modules.alias.
CARDS = {"r8169": REALTEK, "e1000e": "pci:v00008086d000010D3sv00000000sd00000000bc02sc00i00",
         "igb": "pci:v00008086d00001533sv00000000sd00000000bc02sc00i00",
         "igc": "pci:v00008086d000015F2sv00000000sd00000000bc02sc00i00"}
# By module: the bus, and the driver's name there.
_DRIVERS = {module: (bus.name, driver) for bus in drivers.known()
            for module, driver in ((bus.stock, bus.stock_driver), (bus.ours, bus.ours))}


class Machine(System):
    """broken: module -> what modprobe says instead of loading it. deaf: drivers that bind nothing.

    built: the project's modules that DKMS has built, each signed by `signer`, its driver made from that of Linux `base`.
    counted: the engine's counters of each interface; growing: they are added to at each look. log: the kernel's.
    unmerged: interfaces whose merging `ethtool -K` has turned off.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root, KERNEL)
        object.__setattr__(self, "broken", {})
        object.__setattr__(self, "deaf", set())
        object.__setattr__(self, "built", set(drivers.modules()))
        object.__setattr__(self, "signer", "DKMS module signing key")
        object.__setattr__(self, "base", None)
        object.__setattr__(self, "counted", {"merged": 100, "aggregates": 5, "flush_psh": 4, "pass_syn": 1})
        object.__setattr__(self, "growing", False)
        object.__setattr__(self, "looks", 0)
        object.__setattr__(self, "log", "")
        object.__setattr__(self, "unmerged", set())
        object.__setattr__(self, "commands", [])
        object.__setattr__(self, "children", [])
        for folder in ("sys/bus/pci/devices", "sys/bus/xen/devices", "sys/bus/xen-backend/devices", f"lib/modules/{KERNEL}"):
            (root / folder).mkdir(parents=True)
        (root / f"lib/modules/{KERNEL}/modules.alias").write_text(
            "# Aliases\n" + "".join(f"alias {alias[:22]}sv*sd*bc*sc*i* {module}\n"
                                    for module, alias in (*CARDS.items(), ("e1000", OTHER))))

    def add(self, bus: str, name: str, interface: str, driver: str | None, modalias: str = REALTEK) -> Path:
        """Plug a device in."""
        device = self.sys / "bus" / bus / "devices" / name
        device.mkdir()
        (device / "modalias").write_text(modalias + "\n")
        (device / "interface").write_text(interface)
        if bus == "pci":
            for name, value in (("class", "0x020000"), ("vendor", f"0x{modalias[9:13].lower()}"),
                                ("device", f"0x{modalias[18:22].lower()}"), ("driver_override", "(null)")):
                (device / name).write_text(f"{value}\n")
        if driver:
            self._load_driver(next(module for module, found in _DRIVERS.items() if found == (bus, driver)))
            if not (device / "driver").exists():
                self._bind(device, bus, driver)
        return device

    def driver(self, bus: str, name: str) -> str | None:
        """Who serves a device."""
        link = self.sys / "bus" / bus / "devices" / name / "driver"
        return link.resolve().name if link.exists() else None

    def _load_driver(self, module: str) -> None:
        bus, driver = _DRIVERS[module]
        (self.sys / "bus" / bus / "drivers" / driver).mkdir(parents=True, exist_ok=True)
        for device in (self.sys / "bus" / bus / "devices").iterdir():
            if not (device / "driver").exists() and (bus != "pci" or self._matches(device, driver)):
                self._bind(device, bus, driver)

    @staticmethod
    def _matches(device: Path, driver: str) -> bool:
        override = (device / "driver_override").read_text().strip()
        if override not in ("", "(null)"):
            return driver == override
        return driver in CARDS and (device / "modalias").read_text().strip() == CARDS[driver]

    def _bind(self, device: Path, bus: str, driver: str) -> None:
        if driver in self.deaf:
            return
        (device / "driver").symlink_to(self.sys / "bus" / bus / "drivers" / driver)
        (device / "net" / (device / "interface").read_text()).mkdir(parents=True)

    def write(self, path: Path, text: str) -> None:
        devices = path.parents[0] if path.name == "drivers_probe" else path.parents[2]
        device = devices / "devices" / text.strip()
        if path.name == "unbind":
            (device / "driver").unlink()
            next((device / "net").iterdir()).rmdir()
        elif path.name == "bind":
            self._bind(device, path.parents[2].name, path.parent.name)
        elif path.name == "drivers_probe":
            for driver in sorted((devices / "drivers").iterdir()):
                if not (device / "driver").exists() and self._matches(device, driver.name):
                    self._bind(device, "pci", driver.name)
        else:
            super().write(path, text)

    def detach(self, words: Sequence[str], log: Path) -> None:
        """As a process that knows this machine as it is now."""
        if (child := os.fork()) == 0:
            code = 1
            try:
                os.setsid()
                # A lock belongs to all who have its file open.
                os.closerange(3, 256)
                said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
                for number in (1, 2):
                    os.dup2(said, number)
                code = main(words, self)
            finally:
                os._exit(code)
        self.children.append(child)

    def run(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        if command[0] == "modprobe":
            if command[1] in self.broken:
                return subprocess.CompletedProcess(command, 1, "", f"modprobe: ERROR: {self.broken[command[1]]}\n")
            self._load_driver(command[1])
            return subprocess.CompletedProcess(command, 0, "", "")
        if command[:2] == ("ethtool", "-S"):
            self.looks += 1
            times = self.looks if self.growing else 1
            # A tenth is on a second queue.
            lines = [f"     rx{queue}_lro_{name}: {part * times}" for name, value in self.counted.items()
                     for queue, part in enumerate((value - value // 10, value // 10))]
            return subprocess.CompletedProcess(command, 0, "\n".join(["NIC statistics:", "     tx_packets: 7", *lines]), "")
        if command[:2] == ("ethtool", "-k") and command[2] in self.unmerged:
            return subprocess.CompletedProcess(command, 0, "Features for x:\nlarge-receive-offload: off\nrx-gro-hw: off\n", "")
        if command[:2] == ("ethtool", "-K"):
            # In a file, as it may be another process that asks.
            with (self.root / f"offloads-{command[2]}").open("a") as file:
                file.write(" ".join(command[3:]) + "\n")
            return subprocess.CompletedProcess(command, 1, "", "Could not change any device features\n")
        if command[0] == "modinfo" and command[-1] in self.built:
            said = (("mode:what happens\n" if command[-1] == "br_linearize" else "lro:the mode (int)\nhold_us:how long\n") if "-F" in command else
                    f"filename:       /lib/{command[-1]}.ko.xz\nversion:        1.0\nsigner:         {self.signer}\n"
                    + (f"base:           {self.base}\n" if self.base and command[-1] in _DRIVERS else ""))
            return subprocess.CompletedProcess(command, 0, said, "")
        if command[0] == "lsinitramfs":
            return subprocess.CompletedProcess(command, 0, f"usr/lib/modules/{KERNEL}/updates/dkms/r8169_lro.ko.xz\n", "")
        if command[0] == "dmesg":
            return subprocess.CompletedProcess(command, 0, self.log, "")
        if command[0] == "ip":
            return subprocess.CompletedProcess(command, 0, "[{}]" if "-json" in command else "", "")
        raise XenlroError(f"the program {command[0]} is missing: install the package that has it")
