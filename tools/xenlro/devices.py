# SPDX-License-Identifier: GPL-2.0-only
"""The network devices that the project's drivers can serve, as sysfs shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from .errors import EXIT_USAGE, XenlroError
from .system import System, read

PCI_NETWORK = "0x02"    # base class, the first byte of `class`


@dataclass(frozen=True)
class Bus:
    """A bus, and the two drivers of ours that matter on it.

    stock and ours are modules; stock_driver is the stock driver's name on the bus, which is not always its module's.
    """

    name: str
    stock: str
    stock_driver: str
    ours: str


PCI = Bus("pci", "r8169", "r8169", "r8169_lro")
# xenbus names a driver after its first id unless it says otherwise, and the stock front end does not.
XEN = Bus("xen", "xen-netfront", "vif", "netfront_lro")
BUSES = {bus.name: bus for bus in (PCI, XEN)}


@dataclass(frozen=True)
class Device:
    """One NIC or vif. id is its name on the bus; interface and driver are None when it has none."""

    bus: Bus
    id: str
    path: Path
    driver: str | None
    interface: str | None

    @property
    def ours(self) -> bool:
        return self.driver == self.bus.ours

    @property
    def busy(self) -> bool:
        """Whether a driver has it that is neither ours nor the stock one: a guest's, for example."""
        return self.driver not in (None, self.bus.ours, self.bus.stock_driver)


def find(system: System) -> list[Device]:
    """All devices that one of the project's drivers can serve, PCI first."""
    stock = _stock_aliases(system)
    found = [device for path in _entries(system.sys / "bus/pci/devices")
             if read(path / "class").startswith(PCI_NETWORK)
             and _is_realtek(device := _device(PCI, path), stock)]
    return found + [_device(XEN, path) for path in _entries(system.sys / "bus/xen/devices")
                    if re.fullmatch(r"vif-\d+", path.name)]


def named(system: System, name: str) -> Device:
    """The device with that bus address or interface; XenlroError lists what there is."""
    devices = find(system)
    for device in devices:
        if name in (device.id, device.interface):
            return device
    known = ", ".join(f"{device.id} ({device.interface or 'no interface'})" for device in devices)
    raise XenlroError(f"'{name}' is not a device that these drivers can serve; there is "
                      + (known or "none: no Realtek NIC that r8169 knows and no Xen vif"), EXIT_USAGE)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _device(bus: Bus, path: Path) -> Device:
    driver = path / "driver"
    interfaces = _entries(path / "net")
    return Device(bus, path.name, path, driver.resolve().name if driver.exists() else None,
                  interfaces[0].name if interfaces else None)


def _is_realtek(device: Device, aliases: list[str]) -> bool:
    if device.driver in (PCI.ours, PCI.stock_driver):
        return True
    alias = read(device.path / "modalias")
    return bool(alias) and any(fnmatchcase(alias, pattern) for pattern in aliases)


def _stock_aliases(system: System) -> list[str]:
    """The PCI ids that the stock driver of the running kernel serves."""
    lines = read(system.root / "lib/modules" / system.kernel / "modules.alias").splitlines()
    return [words[1] for words in map(str.split, lines)
            if len(words) == 3 and words[0] == "alias" and words[2] == PCI.stock]
