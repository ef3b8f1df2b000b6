# SPDX-License-Identifier: GPL-2.0-only
"""Costs that a sender can cause: rows of tests/bench/worst.c, beside GRO's and an ordinary packet that does not merge.

All figures are ns per packet, medians of the rounds; ratios are taken between the same rounds.
"""

from __future__ import annotations

from statistics import median
from typing import Any

from .results import COUNTED_MIN, Run

# The case that the others are compared with.
ORDINARY = "ordinary"
# The highest mean cost of a packet, as a multiple of an ordinary packet that does not merge, by the same way in.
BOUND = 4.0
# Factor for the noise of a machine with other work.
NOISE = 1.5

PEER = "gro_skb"
ENGINE = ("lro_skb", "lro_copy", "lro_page")


def _rounds(run: Run, record: dict[str, Any]) -> dict[int, float]:
    """Round -> ns per packet. Rounds with too few counted packets are left out."""
    scale = 1e6 / run.about["tsc_khz"]
    packets = record["packets"]
    return {number: ticks * scale / packets for number, ticks in enumerate(record["tsc"])
            if record["counted"][number] >= packets * COUNTED_MIN}


def _between(ours: dict[int, float], theirs: dict[int, float]) -> float | None:
    """Median of the ratios of rounds that ran together."""
    ratios = [ours[number] / theirs[number] for number in ours.keys() & theirs.keys()]
    return round(median(ratios), 2) if ratios else None


def _merged(record: dict[str, Any]) -> float:
    """Packets per delivery."""
    return round(record["segments"] / max(1, record["deliveries"]), 3)


def rows(run: Run) -> list[dict[str, Any]]:
    """One row per case, way into the engine and size of the flow table."""
    rounds = {(record["case"], record["flows"], record["max_flows"], record["path"]): _rounds(run, record)
              for record in run.worst}
    ordinary = {path: found for (case, _, _, path), found in rounds.items() if case == ORDINARY}
    found = []
    for record in run.worst:
        path, place = record["path"], (record["case"], record["flows"], record["max_flows"])
        if path not in ENGINE:
            continue
        ours, theirs = rounds[*place, path], rounds[*place, PEER]
        usual = median(ordinary[path].values()) if ordinary.get(path) else None
        ns = median(ours.values()) if ours else None
        peer = next(other for other in run.worst if other["path"] == PEER
                    and (other["case"], other["flows"], other["max_flows"]) == place)
        found.append({
            "case": record["case"], "path": path, "flows": record["flows"], "max_flows": record["max_flows"],
            "size": record["size"], "ns": ns and round(ns, 1),
            "gro_ns": round(median(theirs.values()), 1) if theirs else None, "ratio": _between(ours, theirs),
            "times": round(ns / usual, 2) if ns and usual else None,
            "segs_per_delivery": _merged(record), "gro_segs_per_delivery": _merged(peer),
            "failure": record["failure"] or (peer["failure"] and f"{PEER}: {peer['failure']}"),
        })
    return found


def failures(found: list[dict[str, Any]]) -> list[str]:
    """Sentences about rows that failed, or are above the bound by more than noise."""
    if not found:
        return ["no row of costs that a sender can cause was measured"]
    said = []
    for row in found:
        name = f"{row['case']} to {row['path']}, {row['flows']} flows, max_flows {row['max_flows']}"
        if row["failure"]:
            said.append(f"{name}: {row['failure']}")
        elif row["times"] is None:
            said.append(f"{name}: the machine was too busy to measure")
        elif row["times"] > BOUND * NOISE:
            said.append(f"{name}: {row['ns']:.0f} ns, {row['times']:.1f} times an ordinary packet that does not merge; "
                        f"wanted at most {BOUND:.0f}")
    return said


def table(found: list[dict[str, Any]]) -> str:
    """A line per case and size of the flow table: ns, multiple of an ordinary packet's, packets per delivery."""
    lines = ["ns per packet of costly streams (times an ordinary packet that does not merge), and packets per "
             "delivery",
             "case        flows max_flows" + "".join(f"{path:>13}" for path in ENGINE) + f"{PEER:>9}   gro   lro"]
    by_case: dict[tuple[str, int, int], dict[str, dict[str, Any]]] = {}
    for row in found:
        by_case.setdefault((row["case"], row["flows"], row["max_flows"]), {})[row["path"]] = row
    for (case, flows, max_flows), by_path in by_case.items():
        cells = [f"{row['ns']:.0f} ({row['times']:.1f})" if (row := by_path.get(path)) and row["times"] is not None
                 else "-" for path in ENGINE]
        first = next(iter(by_path.values()))
        peer = "-" if first["gro_ns"] is None else f"{first['gro_ns']:.0f}"
        lines.append(f"{case:<10}{flows:>7}{max_flows:>10}" + "".join(f"{cell:>13}" for cell in cells)
                     + f"{peer:>9}{first['gro_segs_per_delivery']:>6.1f}{first['segs_per_delivery']:>6.1f}")
    return "\n".join(lines)
