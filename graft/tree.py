# SPDX-License-Identifier: GPL-2.0-only
"""The parts of this tree: its modules are the folders with a Kbuild, its drivers those with a graft.toml.

There is no other list: a further driver is a further folder.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
ENGINE = "lro_core"     # every other module may use it


def drivers(top: Path = TOP) -> tuple[str, ...]:
    """Names of the drivers that are grafted."""
    return tuple(sorted(path.parent.name for path in top.glob("*/graft.toml")))


def modules(top: Path = TOP) -> tuple[str, ...]:
    """Names of all modules, the engine first."""
    names = sorted(path.parent.name for path in top.glob("*/Kbuild"))
    return (ENGINE, *(name for name in names if name != ENGINE))


def described(driver: str, top: Path = TOP) -> dict:
    """Contents of a driver's graft.toml."""
    return tomllib.loads((top / driver / "graft.toml").read_text())


def sources(top: Path = TOP) -> list[str]:
    """Paths in a kernel's source that the drivers are grafted from: a file, or the folder of several."""
    paths = set()
    for driver in drivers(top):
        data = described(driver, top)
        files = data["files"] + data.get("optional", [])
        paths.add(data["directory"] if len(files) > 1 else f"{data['directory']}/{files[0]}")
    return sorted(paths)
