# SPDX-License-Identifier: GPL-2.0-only
"""From the rounds that the bench module printed to rows of results.

Every figure is per packet. The empty loop is subtracted round by round, and ratios are taken between the same rounds of
the two paths, which ran next to each other; then the median counts, with its median absolute deviation (MAD).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

# What a path is compared with: the way of the kernel for a driver that holds the packet alike.
BASES = {
    "gro_skb": "gro_skb", "lro_skb": "gro_skb", "lro_copy": "gro_skb",
    "gro_frags": "gro_frags", "lro_page": "gro_frags",
    "pass_udp": "bare_udp", "passcopy_udp": "bare_udp", "pass_ack": "bare_ack", "passcopy_ack": "bare_ack",
}
# A round in which less than this share of the packets counted is dropped; a row needs so many rounds.
COUNTED_MIN = 0.25
ROUNDS_MIN = 5

LINE = re.compile(r"lro_bench: (run|row) (\{.*\})\s*$")

Key = tuple[str, int, int]  # path, flows, size


class NoResults(Exception):
    """The console does not hold a whole run."""


@dataclass
class Run:
    """What the module printed: `about` the run, and one record per path, number of flows and size."""

    about: dict[str, Any] = field(default_factory=dict)
    records: dict[Key, dict[str, Any]] = field(default_factory=dict)


def parse(console: str) -> Run:
    """Read the console of a run; raises NoResults unless it went to its end."""
    run = Run()
    for line in console.splitlines():
        found = LINE.search(line)
        if not found:
            continue
        record = json.loads(found[2])
        if found[1] == "run":
            run.about = record
        else:
            run.records[record["path"], record["flows"], record["size"]] = record
    if not run.about or not run.records or not re.search(r"lro_bench: end\s*$", console, re.MULTILINE):
        raise NoResults("the benchmark did not come to its end")
    return run


def _mad(values: list[float]) -> float:
    """Median absolute deviation."""
    return _median(abs(value - _median(values)) for value in values)


class _Rounds:
    """Per-packet figures of one combination of flows and size: per path, round number -> ticks.

    Rounds of which too little is left because the machine was busy are not in them.
    """

    def __init__(self, run: Run, flows: int, size: int):
        self._run = run
        self._place = (flows, size)
        self.ns_per_tick = 1e6 / run.about["tsc_khz"]

    def raw(self, path: str, clock: str = "tsc") -> dict[int, float]:
        record = self._run.records[path, *self._place]
        packets = record["packets"]
        return {number: record[clock][number] / packets for number, counted in enumerate(record["counted"])
                if counted >= packets * COUNTED_MIN}

    def net(self, path: str, clock: str = "tsc") -> dict[int, float]:
        """Without the empty loop."""
        empty = _median(self.raw("empty", clock).values())
        return {number: value - empty for number, value in self.raw(path, clock).items()}


def _median(values: Iterable[float]) -> float:
    """Median, or not-a-number of nothing."""
    listed = list(values)
    return median(listed) if listed else math.nan


def _failure(records: tuple[dict[str, Any], dict[str, Any]], pairs: int, ratio: float) -> str:
    for record in records:
        if record["failure"]:
            return record["failure"] if record is records[0] else f"{record['path']}: {record['failure']}"
    if pairs < min(ROUNDS_MIN, len(records[0]["counted"])):
        return "the machine was too busy to measure"
    if not ratio > 0:
        return "the path costs less than the empty loop"
    return ""


def _row(run: Run, record: dict[str, Any]) -> dict[str, Any]:
    path, flows, size = record["path"], record["flows"], record["size"]
    rounds = _Rounds(run, flows, size)
    base = BASES[path]
    ours, theirs = rounds.net(path), rounds.net(base)
    both = sorted(ours.keys() & theirs.keys())
    ratios = [ours[number] / theirs[number] for number in both]
    ns = [ours[number] * rounds.ns_per_tick for number in both]
    base_ns = [theirs[number] * rounds.ns_per_tick for number in both]
    extra = [mine - other for mine, other in zip(ns, base_ns)]
    failure = _failure((record, run.records[base, flows, size]), len(both), _median(ratios))
    name, kind, entry = path, "tcp", path
    if path.startswith("pass"):
        entry, _, kind = path.partition("_")
        name, entry = "pass", "lro_copy" if entry == "passcopy" else "lro_skb"

    def rounded(value: float, digits: int = 2) -> float | None:
        return None if math.isnan(value) else round(value, digits)

    return {
        "path": name, "kind": kind, "entry": entry, "flows": flows, "size": size,
        "ns": rounded(_median(ns)), "ns_mad": rounded(_mad(ns)),
        "ratio": rounded(_median(ratios), 4), "ratio_mad": rounded(_mad(ratios), 4), "ratio_to": base,
        "base_ns": rounded(_median(base_ns)), "extra_ns": rounded(_median(extra)),
        "empty_ns": rounded(_median(rounds.raw("empty").values()) * rounds.ns_per_tick),
        "alloc_ns": rounded(_median(rounds.net("alloc").values()) * rounds.ns_per_tick),
        "tsc_cycles": rounded(_median(ours.values()), 1),
        "cycles": rounded(_median(rounds.net(path, "pmu").values()), 1) if run.about["pmu"] else None,
        "packets": record["packets"], "rounds": len(both), "rounds_dropped": len(record["counted"]) - len(both),
        "segs_per_delivery": round(record["segments"] / max(1, record["deliveries"]), 3),
        "failure": failure, "ok": not failure,
    }


def rows(run: Run) -> list[dict[str, Any]]:
    """One row per path that is compared, number of flows and size."""
    return [_row(run, record) for (path, _, _), record in run.records.items() if path in BASES]


def loop_failures(run: Run) -> list[str]:
    """Sentences about loops and comparison paths that are not rows of their own but went wrong."""
    return [f"{path}, {flows} flows, {size} bytes: {record['failure']}"
            for (path, flows, size), record in run.records.items() if path not in BASES and record["failure"]]


def table(all_rows: list[dict[str, Any]]) -> str:
    """A short table for the terminal."""
    lines = [f"{'path':<13} {'flows':>5} {'size':>5} {'ns/packet':>15} {'ratio':>15} {'segs':>6}  compared with"]
    for row in all_rows:
        name = row["path"]
        if row["kind"] != "tcp":
            name += f" {row['kind']}" + (" copy" if row["entry"] == "lro_copy" else "")
        line = f"{name:<13} {row['flows']:>5} {row['size']:>5} "
        if row["ns"] is not None:
            line += (f"{row['ns']:>8.1f} ±{row['ns_mad']:>5.1f} {row['ratio']:>8.3f} ±{row['ratio_mad']:>5.3f} "
                     f"{row['segs_per_delivery']:>6.1f}  {row['ratio_to']}")
        lines.append(line if row["ok"] else f"{line}  FAILED: {row['failure']}")
    return "\n".join(lines)
