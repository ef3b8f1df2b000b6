# SPDX-License-Identifier: GPL-2.0-only
"""Packet filters and the like that are bound to this very device, and would not find its successor."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .system import System, read

# Words by which nftables knows an interface by its number; iifname, oifname and sdifname know its name.
_BY_NUMBER = ("iif", "oif", "sdif")


def mirrored(system: System, name: str) -> str | None:
    """A sentence about traffic control, of any interface, that sends packets to this one."""
    for entry in json.loads(system.output("tc", "-json", "actions", "list", "action", "mirred") or "[]"):
        for action in entry.get("actions", ()):
            if action.get("to_dev") == name:
                return (f"traffic control sends packets to {name} (`tc actions list action mirred`), which would stop after the "
                        "change: remove it first")
    return None


def logged(system: System, name: str) -> str | None:
    """A sentence about netconsole, which stops when its interface goes."""
    targets = (system.sys / "kernel/config/netconsole").glob("*/dev_name")
    told = read(system.sys / "module/netconsole/parameters/netconsole")
    if any(read(path) == name and read(path.with_name("enabled")) == "1" for path in targets) or f"/{name}," in told:
        return f"netconsole sends the kernel's log through {name} and would stop: end it first and start it again after the change"
    return None


def backed(system: System, name: str) -> str | None:
    """A sentence about ports of a bridge that pass their packets to this one while they have no carrier."""
    for path in sorted((system.sys / "class/net").glob("*/brport/backup_port")):
        if read(path) == name:
            port = path.parents[1].name
            return (f"{name} is the backup port of {port}, which would have none after the change: take it away (`bridge link "
                    f"set dev {port} nobackup_port`) and set it again afterwards")
    return None


def hooked(system: System, name: str) -> str | None:
    """A sentence about a chain or a flowtable of nftables that has the device."""
    for part in ("chains", "flowtables"):
        for entry in _entries(system, part):
            devices = entry.get("dev", [])
            if name in ([devices] if isinstance(devices, str) else devices):
                return (f"nftables' {part.removesuffix('s')} {entry.get('name')} of table {entry.get('table')} is tied to {name} "
                        "and would be lost: take it away (a service that loads it can be restarted after the change)")
    return None


def numbered(system: System, name: str) -> str | None:
    """A sentence about a rule or a set of nftables that has looked up the interface's number when it was loaded.

    The number is another one after the change: a rule that lets ssh in would not, or one that keeps others out.
    """
    for entry in _entries(system, "ruleset"):
        if _by_number(entry) and name in _strings([entry.get("expr"), entry.get("elem")]):
            where = " ".join(str(entry[word]) for word in ("family", "table", "chain", "name") if word in entry)
            return (f"nftables ({where}) knows {name} by its number (iif, oif, fwd, dup), which is another one after the change: "
                    "write iifname or oifname there, or take it away")
    return None


def steered(system: System, name: str) -> str | None:
    """Number of ethtool's rules that steer packets to queues of the device."""
    found = re.search(r"^Total (\d+) rules$", system.output("ethtool", "-n", name), re.M)
    return f"{found[1]} rules for queues of {name}" if found and found[1] != "0" else None


def _entries(system: System, part: str) -> Iterator[dict]:
    """The objects that `nft list` names."""
    shown = json.loads(system.output("nft", "-j", "list", part) or "{}").get("nftables", [])
    return (inner for outer in shown for inner in outer.values() if isinstance(inner, dict))


def _by_number(entry: dict) -> bool:
    """Whether a rule asks for an interface's number or sends to it, or a set or a map holds numbers."""
    parts = [entry.get(word) for word in ("type", "map", "expr")]
    if "iface_index" in _strings(parts[:2]) or any(True for word in ("fwd", "dup") for _ in _named(parts, word)):
        return True
    return any(isinstance(asked, dict) and asked.get(key) in _BY_NUMBER
               for word, key in (("meta", "key"), ("fib", "result")) for asked in _named(parts, word))


def _named(value: Any, word: str) -> Iterator[Any]:
    """All values of a key, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == word:
                yield inner
            yield from _named(inner, word)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, word)


def _strings(value: Any) -> set[str]:
    """All texts in it, at any depth."""
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for entry in inner for text in _strings(entry)}
