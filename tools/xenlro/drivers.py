# SPDX-License-Identifier: GPL-2.0-only
"""The drivers of this project, each with the kernel's driver that it stands in for, as */graft.toml describe them."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What goes by no device: the engine, and the shim in front of ports.
ENGINE, SHIM = "lro_core", "br_linearize"


@dataclass(frozen=True)
class Bus:
    """A bus, and two drivers on it: the kernel's, and ours that is grafted onto it.

    name is the bus, stock and ours are modules; stock_driver is the stock driver's name on the bus, which is not always
    its module's. Devices are told by their names where the bus says nothing else of them; serves is a word for one.
    whole: no device is chosen by itself, for whichever of the two drivers is loaded first serves all.
    """

    name: str
    stock: str
    stock_driver: str
    ours: str
    devices: str
    serves: str
    needs: tuple[str, ...]
    whole: bool = False


def single() -> tuple[Bus, ...]:
    """The drivers whose devices are chosen one by one, those of PCI first."""
    return tuple(bus for bus in known() if not bus.whole)


@functools.cache
def known() -> tuple[Bus, ...]:
    """All drivers, those of PCI first."""
    installed = {path.stem: path for path in HERE.glob("grafts/*.toml")}
    # A checkout has them where the drivers are.
    found = installed or {path.parent.name: path for path in HERE.parents[1].glob("*/graft.toml")}
    buses = [_read(name, path) for name, path in sorted(found.items())]
    return tuple(sorted(buses, key=lambda bus: (bus.name != "pci", bus.name)))


def _read(name: str, path: Path) -> Bus:
    data = tomllib.loads(path.read_text())
    return Bus(data["bus"], data["stock"], data["stock_driver"], name, data.get("devices", "*"), data["serves"],
               tuple(data.get("needs", ())), data.get("whole", False))


def modules() -> tuple[str, ...]:
    """Names of all modules of this project."""
    return (ENGINE, *(bus.ours for bus in known()), SHIM)
