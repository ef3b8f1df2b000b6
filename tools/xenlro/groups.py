# SPDX-License-Identifier: GPL-2.0-only
"""Groups of the link that were set by hand for an interface; the kernel adds those of addresses and programs."""

from __future__ import annotations

from . import iproute
from .system import System


def save(system: System, name: str) -> list[str]:
    """MAC addresses of groups."""
    shown = iproute.show(system, "ip", "maddress", "show", "dev", name)
    return [group["link"] for entry in shown for group in entry.get("maddr", ()) if group.get("features") == "static"]


def differences(name: str, before: list[str], now: list[str]) -> list[str]:
    return [f"the group {group} of {name} is missing" for group in before if group not in now]


def mend(system: System, name: str, before: list[str], now: list[str]) -> list[str]:
    """Join the groups that are missing; the commands that were refused."""
    return iproute.batch(system, ("ip",), [f"maddress add {group} dev {name}" for group in before if group not in now])
