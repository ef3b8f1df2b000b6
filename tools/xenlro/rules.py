# SPDX-License-Identifier: GPL-2.0-only
"""Routing rules of both families, as `ip rule` prints and takes them."""

from __future__ import annotations

from . import iproute
from .routes import FAMILIES, families
from .system import System


def save(system: System) -> dict[str, list[str]]:
    """By family, the rules as `ip rule add` takes them."""
    there = {family: iproute.lines(system, family, "rule", "show") for family in families(system)}
    return {family: [_taken(line) for line in there.get(family, ())] for family in FAMILIES}


def differences(before: dict[str, list[str]], now: dict[str, list[str]]) -> list[str]:
    return [f"the rule '{line}' is missing" for family in FAMILIES for line in before[family] if line not in now[family]]


def mend(system: System, before: dict[str, list[str]], now: dict[str, list[str]]) -> list[str]:
    """Add the rules that are missing; the commands that were refused."""
    refused = []
    for family in FAMILIES:
        refused += iproute.batch(system, ("ip", family), [f"rule add {line}" for line in before[family]
                                                          if line not in now[family]])
    return refused


def _taken(line: str) -> str:
    priority, _, rest = line.partition(":")
    words = [word for word in rest.split() if not (word.startswith("[") and word.endswith("]"))]
    return " ".join([*words, "priority", priority.strip()])
