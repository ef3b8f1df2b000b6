# SPDX-License-Identifier: GPL-2.0-only
"""The network devices that the project's drivers can serve, as sysfs shows them."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from . import backends, drivers, order
from .drivers import Bus
from .errors import EXIT_USAGE, XenlroError
from .system import System, read

PCI_NETWORK = "0x02"    # base class, the first byte of `class`


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
    def on_pci(self) -> bool:
        """Whether the kernel ties it to a driver by driver_override; other buses have none."""
        return self.bus.name == "pci"

    @property
    def busy(self) -> bool:
        """Whether a driver has it that is neither ours nor the stock one: a guest's, for example."""
        return self.driver not in (None, self.bus.ours, self.bus.stock_driver)


def find(system: System) -> list[Device]:
    """All devices that one of the project's drivers can serve, PCI first."""
    aliases, last = _stock_aliases(system), order.read(system)
    # A card that a switch left without a driver is known by that switch, whatever the kernel's files say.
    switched = {last.device: next((bus for bus in drivers.known() if bus.ours == last.bus), None)} if last else {}
    found = [_device(bus, path) for path in _entries(system.sys / "bus/pci/devices")
             if read(path / "class").startswith(PCI_NETWORK) and (bus := _pci_bus(path, aliases) or switched.get(path.name))]
    return found + [_device(bus, path) for bus in drivers.single() if bus.name != "pci"
                    for path in _entries(system.sys / "bus" / bus.name / "devices") if fnmatchcase(path.name, bus.devices)]


def named(system: System, name: str) -> Device:
    """The device with that bus address or interface; XenlroError lists what there is."""
    devices = find(system)
    for look in (lambda: name, lambda: _other_name(system, name)):
        called = look()
        for device in devices:
            if called and called in (device.id, device.interface):
                return device
    backends.refuse(system, name)
    known = ", ".join(f"{device.id} ({device.interface or 'no interface'})" for device in devices)
    raise XenlroError(f"'{name}' is not a device that these drivers can serve; there is "
                      + (known or f"none: {nothing()}"), EXIT_USAGE)


def _other_name(system: System, name: str) -> str | None:
    """The name of the interface that has this one as an alternative name."""
    said = system.output("ip", "-json", "link", "show", "dev", name) if not name.startswith("-") else ""
    with suppress(ValueError, LookupError):
        return json.loads(said)[0].get("ifname")
    return None


def nothing() -> str:
    """What is said where there is no device."""
    return " and ".join(dict.fromkeys(f"no {bus.serves}" for bus in drivers.single()))


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _device(bus: Bus, path: Path) -> Device:
    interfaces = _entries(path / "net")
    return Device(bus, path.name, path, _driver(path), interfaces[0].name if interfaces else None)


def _driver(path: Path) -> str | None:
    driver = path / "driver"
    return driver.resolve().name if driver.exists() else None


def _pci_bus(path: Path, aliases: dict[str, list[str]]) -> Bus | None:
    """Our driver for a card: the one that it has, or the one that stands in for the driver of the card's id."""
    driver, alias = _driver(path), read(path / "modalias")
    for bus in drivers.known():
        if bus.name == "pci" and (driver in (bus.ours, bus.stock_driver) or
                                  alias and any(fnmatchcase(alias, pattern) for pattern in aliases.get(bus.stock, ()))):
            return bus
    return None


def _stock_aliases(system: System) -> dict[str, list[str]]:
    """The PCI ids that each driver of the running kernel serves, as a module or as a part of it."""
    found: dict[str, list[str]] = {}
    folder = system.root / "lib/modules" / system.kernel
    for words in map(str.split, read(folder / "modules.alias").splitlines()):
        if len(words) == 3 and words[0] == "alias":
            found.setdefault(words[2], []).append(words[1])
    for entry in read(folder / "modules.builtin.modinfo").split("\0"):
        name, _, alias = entry.partition(".alias=")
        if alias:
            found.setdefault(name, []).append(alias)
    return found
