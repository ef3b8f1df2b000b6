# SPDX-License-Identifier: GPL-2.0-only
"""Attempts at a measurement: a bad one is discarded, counted and repeated.

An attempt is bad when its measured interval contained a retransmission storm or was cut short (measure.fault()), or
when a kernel or Xen complained or a machine ended during it. After the latter all machines boot again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .console import MachineFault
from .steps import say

REPETITIONS = 3


@dataclass(frozen=True)
class Attempt:
    """A run's record, the fault of its measurement (None: sound), and a function that measures the other fields."""

    record: dict
    fault: str | None
    fields: Callable[[], dict]


def sound(attempt: Callable[[], Attempt], restart: Callable[[], object]) -> dict:
    """Make attempts until one is sound, at most 1 + REPETITIONS; return the last one's record.

    `discarded` is added to it, `discard_reasons` if there are any, and the other fields if it is sound. `restart` boots
    the machines again. Raises the MachineFault of the last attempt.
    """
    reasons: list[str] = []
    while True:
        fields = None
        try:
            made = attempt()
            if not made.fault:
                fields = made.fields()
        except MachineFault as error:
            if len(reasons) == REPETITIONS:
                raise
            reasons.append(_thrown_away(" ".join(str(error).split("\n")[:2])))
            restart()
            continue
        if not made.fault:
            break
        reasons.append(_thrown_away(made.fault))
        if len(reasons) > REPETITIONS:
            say(f"    None of {len(reasons)} attempts is sound: this run has no instruction counts.")
            break
    told = {"discard_reasons": reasons} if reasons else {}
    return made.record | (fields or {}) | {"discarded": len(reasons)} | told


def _thrown_away(reason: str) -> str:
    say(f"    Thrown away: {reason.rstrip('.')}.")
    return reason
