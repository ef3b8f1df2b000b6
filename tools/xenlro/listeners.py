# SPDX-License-Identifier: GPL-2.0-only
"""Programs that are bound to an interface's number by a packet socket: they receive nothing from its successor."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from .system import System, read

# These notice that an interface went and came.
_NOTICE = {"systemd-network", "NetworkManager", "dhcpcd", "systemd-udevd"}


def of(system: System, name: str) -> list[str]:
    """Programs with such a socket, each with its number, in order."""
    try:
        index = read(system.sys / "class/net" / name / "ifindex")
        rows = [line.split() for line in (system.proc / "net/packet").read_text().splitlines()[1:]]
    except OSError:
        return []
    sockets = {row[8] for row in rows if len(row) > 8 and row[4] == index}
    found = {(read(folder / "comm"), folder.name) for folder in system.proc.glob("[0-9]*") if sockets and _has(folder, sockets)}
    return [f"{command} ({number})" for command, number in sorted(found) if command not in _NOTICE]


def _has(folder: Path, sockets: set[str]) -> bool:
    with suppress(OSError):
        for entry in os.scandir(folder / "fd"):
            with suppress(OSError):
                if (match := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry.path))) and match[1] in sockets:
                    return True
    return False
