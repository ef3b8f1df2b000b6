# SPDX-License-Identifier: GPL-2.0-only
"""Makes rows of results from the rounds that the bench module printed.

Every figure is per packet. The empty loop is subtracted round by round. Ratios are taken between the same rounds of the
two paths, which ran next to each other. A result is the median, with its median absolute deviation (MAD).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

# The peers of a path: the ratio is that to the kernel's common way, napi_gro_receive().
BASES = {
    "gro_skb": "gro_skb", "gro_frags": "gro_skb", "lro_skb": "gro_skb", "lro_copy": "gro_skb", "lro_page": "gro_skb",
    "pass_udp": "bare_udp", "passcopy_udp": "bare_udp", "pass_ack": "bare_ack", "passcopy_ack": "bare_ack",
}
# Further ways of a driver that holds the packet in a page: xen-netfront's, and the cheapest that GRO has.
PEERS = {"lro_page": ("gro_pull", "gro_frags")}
# The lower bound: aggregates by a path that trusts every packet. No correct engine can be faster.
FLOORS = {"lro_skb": "bound_skb", "lro_copy": "bound_copy", "lro_page": "bound_page"}
# A round in which less than this share of the packets counted is dropped; a row needs this number of rounds.
COUNTED_MIN = 0.25
ROUNDS_MIN = 5

# Failures of the measurement, not of the path.
BUSY, TOO_CHEAP = "the machine was too busy to measure", "the path costs less than the empty loop"

LINE = re.compile(r"lro_bench: (run|row|worst) (\{.*\})\s*$")

Key = tuple[str, int, int]  # path, flows, size


class NoResults(Exception):
    """The console does not hold a complete run."""


@dataclass
class Run:
    """The module's output: `about` the run, and one record per path, number of flows and size.

    `worst`: the records of tests/bench/worst.py.
    """

    about: dict[str, Any] = field(default_factory=dict)
    records: dict[Key, dict[str, Any]] = field(default_factory=dict)
    worst: list[dict[str, Any]] = field(default_factory=list)


def parse(console: str) -> Run:
    """Read the console of a run; raises NoResults unless the run is complete."""
    run, begun = Run(), 0
    for line in console.splitlines():
        found = LINE.search(line)
        if not found:
            continue
        record = json.loads(found[2])
        if found[1] == "run":
            run.about = record
            begun += 1
        elif found[1] == "worst":
            run.worst.append(record)
        else:
            run.records[record["path"], record["flows"], record["size"]] = record
    ended = len(re.findall(r"lro_bench: end\s*$", console, re.MULTILINE))
    if not run.records or not ended or ended != begun:
        raise NoResults("the benchmark did not come to its end")
    return run


def _mad(values: list[float]) -> float:
    """Median absolute deviation."""
    return _median(abs(value - _median(values)) for value in values)


class _Rounds:
    """Per-packet figures of one combination of flows and size: per path, round number -> ticks.

    Rounds with too few counted packets, because the machine was busy, are left out.
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


def _rounded(value: float, digits: int = 2) -> float | None:
    return None if math.isnan(value) else round(value, digits)


def _peer(rounds: _Rounds, path: str, peer: str) -> dict[str, float | None]:
    """The cost of another way, and the ratio of `path` to that."""
    ours, theirs = rounds.net(path), rounds.net(peer)
    both = ours.keys() & theirs.keys()
    return {"ns": _rounded(_median(theirs.values()) * rounds.ns_per_tick),
            "ratio": _rounded(_median(ours[number] / theirs[number] for number in both), 4)}


def _floor(rounds: _Rounds, path: str, base: str) -> dict[str, float | None]:
    """The lower bound of `path`, as a ratio like its own; None for paths without the engine."""
    if path not in FLOORS:
        return {"floor": None, "floor_mad": None}
    least, theirs = rounds.net(FLOORS[path]), rounds.net(base)
    ratios = [least[number] / theirs[number] for number in least.keys() & theirs.keys()]
    return {"floor": _rounded(_median(ratios), 4), "floor_mad": _rounded(_mad(ratios), 4)}


def _failure(records: tuple[dict[str, Any], dict[str, Any]], pairs: int, ratio: float) -> str:
    for record in records:
        if record["failure"]:
            return record["failure"] if record is records[0] else f"{record['path']}: {record['failure']}"
    if pairs < min(ROUNDS_MIN, len(records[0]["counted"])):
        return BUSY
    if not ratio > 0:
        return TOO_CHEAP
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

    return {
        "path": name, "kind": kind, "entry": entry, "flows": flows, "size": size,
        "ns": _rounded(_median(ns)), "ns_mad": _rounded(_mad(ns)),
        "ratio": _rounded(_median(ratios), 4), "ratio_mad": _rounded(_mad(ratios), 4), "ratio_to": base,
        "base_ns": _rounded(_median(base_ns)), "extra_ns": _rounded(_median(extra)),
        "empty_ns": _rounded(_median(rounds.raw("empty").values()) * rounds.ns_per_tick),
        "alloc_ns": _rounded(_median(rounds.net("alloc").values()) * rounds.ns_per_tick),
        "tsc_cycles": _rounded(_median(ours.values()), 1),
        "cycles": _rounded(_median(rounds.net(path, "pmu").values()), 1) if run.about["pmu"] else None,
        "packets": record["packets"], "rounds": len(both), "rounds_dropped": len(record["counted"]) - len(both),
        "segs_per_delivery": round(record["segments"] / max(1, record["deliveries"]), 3),
        **_floor(rounds, path, base),
        "peers": {peer: _peer(rounds, path, peer) for peer in PEERS.get(path, ())},
        "failure": failure, "ok": not failure,
    }


def rows(run: Run) -> list[dict[str, Any]]:
    """One row per path that is compared, number of flows and size."""
    return [_row(run, record) for (path, _, _), record in run.records.items() if path in BASES]


def loop_failures(run: Run) -> list[str]:
    """Sentences about failures of loops and comparison paths, which are no rows."""
    return [f"{path}, {flows} flows, {size} bytes: {record['failure']}"
            for (path, flows, size), record in run.records.items() if path not in BASES and record["failure"]]


def _cell(row: dict[str, Any] | None, width: int, figure: str) -> str:
    if not row or row["ns"] is None:
        return " " * (width - 1) + "-"
    return f"{figure.format(**row):>{width}}"


COLUMNS = (("gro_skb", 9, "{ns:.0f}"), ("gro_frags", 10, "{ns:.0f}"),
           ("lro_skb", 12, "{ns:.0f} ({ratio:.2f})"), ("lro_page", 12, "{ns:.0f} ({ratio:.2f})"),
           ("lro_copy", 12, "{ns:.0f} ({ratio:.2f})"))


def table(all_rows: list[dict[str, Any]]) -> str:
    """A short table for the terminal: one line per size and number of flows."""
    tcp: dict[tuple[int, int], dict[str, dict[str, Any]]] = {}
    passed: dict[tuple[str, int], dict[tuple[str, int], dict[str, Any]]] = {}
    for row in all_rows:
        if row["path"] == "pass":
            passed.setdefault((row["kind"], row["size"]), {})[row["entry"], row["flows"]] = row
        else:
            tcp.setdefault((row["size"], row["flows"]), {})[row["path"]] = row
    lines = ["ns per packet (ratio to gro_skb), and packets per delivery",
             " size flows" + "".join(f"{path:>{width}}" for path, width, _ in COLUMNS) + "   gro   lro"]
    for (size, flows), by_path in sorted(tcp.items()):
        lines.append(f"{size:>5}{flows:>6}" + "".join(_cell(by_path.get(path), width, figure)
                                                     for path, width, figure in COLUMNS)
                     + _cell(by_path.get("gro_skb"), 6, "{segs_per_delivery:.1f}")
                     + _cell(by_path.get("lro_page"), 6, "{segs_per_delivery:.1f}"))
    counts = sorted({flows for by_place in passed.values() for _, flows in by_place})
    lines += ["", "ns that a packet which cannot merge costs more than without the engine",
              " size kind  entry   " + "".join(f"{f'{flows} flows':>12}" for flows in counts)]
    for (kind, size), by_place in sorted(passed.items(), key=lambda item: (item[0][1], item[0][0])):
        for entry in sorted({entry for entry, _ in by_place}, reverse=True):
            lines.append(f"{size:>5} {kind:<5} {entry:<8}" + "".join(
                _cell(by_place.get((entry, flows)), 12, "{extra_ns:.0f}") for flows in counts))
    return "\n".join(lines)


# Path -> target as a share of gro_skb's cost, for full-sized packets by number of flows; and ns for a packet that
# cannot merge.
BOUNDS = {"lro_page": 0.5, "lro_copy": 0.5, "lro_skb": 0.8}
BOUND_SIZE, BOUND_FLOWS = 1514, (1, 64)
BOUND_EXTRA_NS = 30


def _verdict(have: float, bound: float, row: dict[str, Any]) -> str:
    """The verdict on a figure: a target below the lower bound, by more than its spread, is out of reach."""
    if have <= bound:
        return "kept"
    floor, spread = row["floor"], row["floor_mad"]
    return "out of reach" if floor is not None and floor - spread > bound else "missed"


def judgement(all_rows: list[dict[str, Any]]) -> list[str]:
    """One sentence per measured figure with a target."""
    lines = []
    for row in all_rows:
        if not row["ok"] or row["flows"] not in BOUND_FLOWS:
            continue
        if row["path"] in BOUNDS and row["size"] == BOUND_SIZE:
            bound, have = BOUNDS[row["path"]], row["ratio"]
            text = (f"{row['path']}, {row['flows']} flows: {have:.2f} of gro_skb, wanted at most {bound}; "
                    f"the lower bound takes {row['floor']:.2f}")
        elif row["path"] == "pass" and row["size"] in (64, BOUND_SIZE):
            bound, have = BOUND_EXTRA_NS, row["extra_ns"]
            text = (f"{row['kind']} of {row['size']} bytes to {row['entry']}, {row['flows']} flows: {have:+.0f} ns, "
                    f"wanted at most {bound}")
        else:
            continue
        lines.append(f"{_verdict(have, bound, row):<12} {text}")
    return sorted(lines, key=lambda line: line.startswith("kept"))


def row_failures(all_rows: list[dict[str, Any]], timing: bool = True) -> list[str]:
    """Sentences about failed rows; rows that could not be measured count if `timing` matters."""
    return [f"{row['path']} {row['kind']} to {row['entry']}, {row['flows']} flows, {row['size']} bytes: "
            f"{row['failure']}" for row in all_rows
            if not row["ok"] and (timing or row["failure"] not in (BUSY, TOO_CHEAP))]
