# SPDX-License-Identifier: GPL-2.0-only
"""The back ends that a driver domain has for its guests: which module serves them, and how another one would.

They are not chosen one by one. A module is in use as long as a guest has an interface of it, and of two modules that
could serve a new one the kernel takes the one that was loaded first.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

from . import drivers
from .drivers import Bus
from .errors import EXIT_USAGE, XenlroError
from .system import System, read

# Where modprobe looks for its configuration.
FOLDERS = ("etc", "run", "usr/local/lib", "usr/lib")


def collect(system: System) -> list[dict]:
    """Each back end: its name on the bus, interface, module (None: no driver), and this project's module for it."""
    return [_entry(bus, path) for bus in _buses() for path in _devices(system, bus)]


def notices(system: System) -> list[str]:
    """Sentences about what is not as the configuration says, each with what to do."""
    found = []
    for bus in _buses():
        stock = [entry["interface"] or entry["device"] for entry in collect(system)
                 if entry["ours"] == bus.ours and entry["module"] == bus.stock]
        if not stock:
            continue
        if (system.sys / "module" / bus.ours).is_dir():
            found.append(f"{', '.join(stock)} stays with {bus.stock} although {bus.ours} is loaded, because {bus.stock} was "
                         f"loaded first: {_how(bus)}")
        elif kept(system, bus):
            found.append(f"{', '.join(stock)} is served by {bus.stock} although modprobe's configuration asks for {bus.ours} "
                         f"first: `modprobe {bus.ours}` says why, or {_how(bus)}")
    return found


def kept(system: System, bus: Bus) -> bool:
    """Whether modprobe loads our module before the stock one, and so at each boot."""
    stock = bus.stock.replace("-", "[-_]")
    line = re.compile(rf"^\s*softdep\s+{stock}\s+pre:.*\b{bus.ours}\b", re.M)
    return any(line.search(read(path)) for folder in FOLDERS
               for path in sorted((system.root / folder / "modprobe.d").glob("*.conf")))


def refuse(system: System, name: str) -> None:
    """Raise XenlroError where the name is that of a back end, which says how all of them change."""
    for entry in collect(system):
        if name in (entry["device"], entry["interface"]):
            bus = next(bus for bus in _buses() if bus.ours == entry["ours"])
            raise XenlroError(f"{name} is a back end: it changes with all others of this machine, {_how(bus)}", EXIT_USAGE)


def _how(bus: Bus) -> str:
    return (f"while no guest has an interface, by `modprobe -r {bus.stock}` and `modprobe {bus.ours}`; `echo softdep "
            f"{bus.stock} pre: {bus.ours} >/etc/modprobe.d/{bus.ours}.conf` does so at each boot")


def _buses() -> list[Bus]:
    return [bus for bus in drivers.known() if bus.whole]


def _devices(system: System, bus: Bus) -> list[Path]:
    folder = system.sys / "bus" / bus.name / "devices"
    return sorted(path for path in folder.iterdir() if fnmatchcase(path.name, bus.devices)) if folder.is_dir() else []


def _entry(bus: Bus, path: Path) -> dict:
    driver = (path / "driver").resolve().name if (path / "driver").exists() else None
    interfaces = sorted((path / "net").iterdir()) if (path / "net").is_dir() else []
    return {"device": path.name, "interface": interfaces[0].name if interfaces else None,
            "module": {bus.stock_driver: bus.stock}.get(driver or "", driver), "ours": bus.ours}
