# SPDX-License-Identifier: GPL-2.0-only
"""The engine's counters of an interface, as `ethtool -S` shows them, added up over the queues."""

from __future__ import annotations

import re
from collections import Counter

from .system import System, read as read_file

_LINE = re.compile(r"\s*rx\d+_lro_(\w+): (\d+)$")
ENDED = ("flush_",)                             # why aggregates ended
ALL = (*ENDED, "pass_", "gro_")                 # and why packets were passed on


def read(system: System, interface: str) -> Counter[str]:
    """Counter by name without queue and prefix; empty when the interface has none."""
    found: Counter[str] = Counter()
    for line in system.output("ethtool", "-S", interface).splitlines():
        match = _LINE.match(line)
        if match:
            found[match[1]] += int(match[2])
    return found


def linearized(system: System) -> Counter[str]:
    """The counters of br_linearize; empty when it is not loaded."""
    lines = (line.split() for line in read_file(system.root / "proc/net/br_linearize").splitlines())
    return Counter({words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()})


def ratio(counters: Counter[str]) -> float | None:
    """LRO ratio: packets per aggregate; None without an aggregate."""
    return counters["merged"] / counters["aggregates"] if counters["aggregates"] else None


def spared(counters: Counter[str]) -> float | None:
    """Share of the received packets that the stack was spared; None when none was received."""
    return (counters["merged"] - counters["aggregates"]) / counters["packets"] if counters["packets"] else None


def reasons(counters: Counter[str], count: int, kinds: tuple[str, ...] = ALL) -> list[tuple[str, int]]:
    """The most frequent reasons why aggregates ended and packets were passed on."""
    found = [(name, value) for name, value in counters.items() if value and name.startswith(kinds)]
    return sorted(found, key=lambda item: (-item[1], item[0]))[:count]


def total(counters: Counter[str], kinds: tuple[str, ...] = ALL) -> int:
    """The number of times that a reason was counted."""
    return sum(value for name, value in counters.items() if name.startswith(kinds))
