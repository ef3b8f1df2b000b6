# SPDX-License-Identifier: GPL-2.0-only
"""Neighbours of an interface that were set by hand, and addresses that it answers for."""

from __future__ import annotations

from . import iproute
from .system import System


def save(system: System, name: str) -> list[str]:
    """Each as `ip neighbour replace` takes it."""
    permanent = iproute.show(system, "ip", "neighbour", "show", "dev", name, "nud", "permanent")
    proxied = iproute.show(system, "ip", "neighbour", "show", "proxy", "dev", name)
    found = [f"{entry['dst']} lladdr {entry['lladdr']} nud permanent" + (" router" if "router" in entry else "")
             for entry in permanent if "lladdr" in entry]
    return sorted(found) + sorted(f"proxy {entry['dst']}" for entry in proxied)


def differences(before: list[str], now: list[str]) -> list[str]:
    return [f"the neighbour '{entry}' is missing" for entry in before if entry not in now]


def mend(system: System, name: str, before: list[str], now: list[str]) -> list[str]:
    return iproute.batch(system, ("ip",), [f"neighbour replace {entry} dev {name}" for entry in before if entry not in now])
