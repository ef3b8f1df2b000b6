# SPDX-License-Identifier: GPL-2.0-only
"""Groups of the link, and addresses besides its own, that were set by hand for an interface to receive.

The kernel adds the groups of addresses and programs.
"""

from __future__ import annotations

import json

from . import iproute
from .system import System, read


def save(system: System, name: str) -> list[str]:
    """MAC addresses, those of groups first."""
    shown = iproute.show(system, "ip", "maddress", "show", "dev", name)
    own = read(system.sys / "class/net" / name / "address")
    # Without the program there are none that were set by it.
    told = json.loads(system.output("bridge", "-json", "fdb", "show", "dev", name) or "[]")
    return ([group["link"] for entry in shown for group in entry.get("maddr", ()) if group.get("features") == "static"]
            + [entry["mac"] for entry in told if "self" in entry.get("flags", ()) and entry.get("state") == "permanent"
               and not _is_group(entry["mac"]) and entry["mac"] != own])


def differences(name: str, before: list[str], now: list[str]) -> list[str]:
    return [f"the {'group' if _is_group(address) else 'address'} {address} of {name} is missing"
            for address in before if address not in now]


def mend(system: System, name: str, before: list[str], now: list[str]) -> list[str]:
    """Add what is missing; the commands that were refused."""
    missing = [address for address in before if address not in now]
    return (iproute.batch(system, ("ip",), [f"maddress add {group} dev {name}" for group in missing if _is_group(group)])
            + iproute.batch(system, ("bridge",), [f"fdb add {address} dev {name} self permanent" for address in missing
                                                  if not _is_group(address)]))


def _is_group(address: str) -> bool:
    return bool(int(address[:2], 16) & 1)
