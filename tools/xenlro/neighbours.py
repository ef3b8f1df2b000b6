# SPDX-License-Identifier: GPL-2.0-only
"""Neighbours of an interface that were set by hand, and addresses that it answers for."""

from __future__ import annotations

from . import iproute
from .system import System

# States in which the kernel does not ask for a neighbour.
_SET = ("PERMANENT", "NOARP")


def save(system: System, name: str) -> list[str]:
    """Each as `ip neighbour replace` takes it."""
    there = iproute.show(system, "ip", "neighbour", "show", "dev", name, "nud", "all")
    proxied = iproute.show(system, "ip", "neighbour", "show", "proxy", "dev", name)
    return sorted(filter(None, map(_taken, there))) + sorted(f"proxy {entry['dst']}" for entry in proxied)


def held(system: System, name: str, address: str) -> bool:
    """Whether the kernel does not ask for the neighbour's MAC address, because it was set."""
    there = iproute.show(system, "ip", "neighbour", "show", "to", address, "dev", name, "nud", "all")
    return any(set(_SET) & set(entry.get("state", ())) or "extern_learn" in entry for entry in there)


def _taken(entry: dict) -> str:
    """A neighbour by the words that set it; empty where the kernel has made it."""
    flags = "".join(f" {flag}" for flag in ("router", "managed", "extern_learn") if flag in entry)
    state = next((word.lower() for word in _SET if word in entry.get("state", ())), "reachable")
    # The kernel itself sets those of groups and of broadcasts.
    if "lladdr" in entry and int(entry["lladdr"][:2], 16) & 1:
        return ""
    if "lladdr" in entry and (state != "reachable" or "extern_learn" in entry):
        return f"{entry['dst']} lladdr {entry['lladdr']} nud {state}{flags}"
    return f"{entry['dst']}{flags}" if "managed" in entry else ""


def differences(before: list[str], now: list[str]) -> list[str]:
    return [f"the neighbour '{entry}' is missing" for entry in before if entry not in now]


def mend(system: System, name: str, before: list[str], now: list[str]) -> list[str]:
    return iproute.batch(system, ("ip",), [f"neighbour replace {entry} dev {name}" for entry in before if entry not in now])
