# SPDX-License-Identifier: GPL-2.0-only
"""Cycles and instructions that `perf stat` counted on a host, or the reason why there are none."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..agent import Host

EVENTS = ("cycles", "instructions", "instructions:u")
# An event that perf counted for less of the time than this is an estimate.
WHOLE = 99.0
# A hybrid CPU has a row for each kind of core: cpu_core/cycles/, cpu_atom/instructions/u.
_EVENT = re.compile(r"(?:\w+/)?(cycles|instructions)(?:/?:?([a-zA-Z]*)/?)")
_PROBE = f"perf stat -a -x, -e {','.join(EVENTS)} -- sleep 0.1 2>&1"


@dataclass(frozen=True)
class Counts:
    """events: name as in EVENTS -> count. reasons: name of an event without a count -> reason."""

    events: dict[str, int]
    reasons: dict[str, str]

    @property
    def why(self) -> str | None:
        """The reasons for missing counts, in words; None when none is missing."""
        names: dict[str, list[str]] = {}
        for name, reason in self.reasons.items():
            names.setdefault(reason, []).append(name)
        return "; ".join(f"{reason} {', '.join(found)}" for reason, found in names.items()) or None


def parse(text: str) -> Counts:
    """The counts in the output of `perf stat -x,`. A count that perf scaled up is none."""
    sums: dict[str, int] = {}
    reasons: dict[str, str] = {}
    for line in text.splitlines():
        fields = line.split(",")
        # value, unit, event, time, share of the time in percent
        found = _EVENT.fullmatch(fields[2]) if len(fields) >= 5 else None
        if not found:
            continue
        name = found[1] + (":u" if "u" in found[2] else "")
        value = fields[0].strip()
        if not value.isdigit():
            reasons[name] = f"perf says {value} of"
            continue
        try:
            share = float(fields[4])
        except ValueError:
            reasons[name] = "perf does not say for how long it counted"
            continue
        if share < WHOLE:
            reasons[name] = f"perf counted for {share:.0f} % of the time only:"
        else:
            sums[name] = sums.get(name, 0) + int(value)
    for name in EVENTS:
        if name not in sums:
            reasons.setdefault(name, "perf printed no count of")
    return Counts({name: value for name, value in sums.items() if name not in reasons}, reasons)


def probe(host: Host) -> str | None:
    """Why perf counts nothing on a host; None when it counts all."""
    said = host.run(_PROBE, check=False)
    if re.search(r"perf: (command )?not found|No such file", said):
        return "perf is not installed there"
    counts = parse(said)
    if not counts.reasons:
        return None
    if all("printed no count" in reason for reason in counts.reasons.values()):
        last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "nothing")
        return f"perf does not work there: {last[:120]}"
    return f"{counts.why} (is the PMU exposed? under Xen that takes vpmu=on)"


@dataclass(frozen=True)
class Interval:
    """The output of count() of host.sh: perf's counts, and the payload and seconds of the interval."""

    counts: Counts
    payload: int
    seconds: float


def interval(text: str) -> Interval | None:
    """An interval; None when it holds no payload, because the transfer was over before it began."""
    found = re.search(r"^payload (-?\d+) ([\d.]+) ([\d.]+)$", text, re.MULTILINE)
    if not found or int(found[1]) <= 0 or float(found[3]) <= float(found[2]):
        return None
    return Interval(parse(text), int(found[1]), float(found[3]) - float(found[2]))
