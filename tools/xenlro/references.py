# SPDX-License-Identifier: GPL-2.0-only
"""Entries of tables of the whole machine that know the interface by its number: labels of addresses, ends of MPTCP."""

from __future__ import annotations

from . import iproute
from .routes import families
from .system import System


def save(system: System, name: str) -> dict[str, list[str]]:
    """By table, the entries as `ip` takes them. A machine without MPTCP has none of it."""
    labels = iproute.lines(system, "-6", "addrlabel", "list") if len(families(system)) > 1 else []
    return {"addrlabel": [line for line in labels if f" dev {name} " in f"{line} "],
            "mptcp endpoint": [line for line in _ends(system) if f" dev {name} " in f"{line} "]}


def differences(before: dict[str, list[str]], now: dict[str, list[str]]) -> list[str]:
    """The number of an end is no difference: a manager may have given it another one."""
    return [f"the entry '{entry}' of `ip {table}` is missing" for table, entries in before.items()
            for entry in entries if _without_id(entry) not in map(_without_id, now[table])]


def mend(system: System, before: dict[str, list[str]], now: dict[str, list[str]]) -> list[str]:
    """Add the missing ones, in the place of ends that name an interface that is gone; the commands that were refused."""
    commands = []
    for table, entries in before.items():
        missing = [entry for entry in entries if _without_id(entry) not in map(_without_id, now[table])]
        there = {line.split()[0]: line.split() for line in _ends(system)} if table == "mptcp endpoint" and missing else {}
        for entry in missing:
            if old := there.get(entry.split()[0]):
                commands.append(f"{table} delete id {old[old.index('id') + 1]}")
            commands.append(f"{table} add {entry}")
    return iproute.batch(system, ("ip", "-6"), commands)


def _ends(system: System) -> list[str]:
    said = system.output("ip", "mptcp", "endpoint", "show")
    return [" ".join(line.split()) for line in said.splitlines() if " id " in line]


def _without_id(entry: str) -> str:
    words = entry.split()
    if "id" in words:
        del words[words.index("id"):words.index("id") + 2]
    return " ".join(words)
