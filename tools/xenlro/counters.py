# SPDX-License-Identifier: GPL-2.0-only
"""The engine's counters of an interface, as `ethtool -S` shows them, added up over the queues."""

from __future__ import annotations

import re
from collections import Counter

from .system import System

_LINE = re.compile(r"\s*rx\d+_lro_(\w+): (\d+)$")


def read(system: System, interface: str) -> Counter[str]:
    """Counter by name without queue and prefix; empty when the interface has none."""
    found: Counter[str] = Counter()
    for line in system.output("ethtool", "-S", interface).splitlines():
        match = _LINE.match(line)
        if match:
            found[match[1]] += int(match[2])
    return found


def ratio(counters: Counter[str]) -> float | None:
    """LRO ratio: packets per aggregate; None without an aggregate."""
    return counters["merged"] / counters["aggregates"] if counters["aggregates"] else None


def reasons(counters: Counter[str], count: int) -> list[tuple[str, int]]:
    """The most frequent reasons why aggregates ended and packets were passed on."""
    found = [(name, value) for name, value in counters.items()
             if value and name.startswith(("flush_", "pass_", "gro_"))]
    return sorted(found, key=lambda item: (-item[1], item[0]))[:count]
