# SPDX-License-Identifier: GPL-2.0-only
"""The key ratios between the project and its peers, from medians over the repeats.

    driver_cost           driver domain's instructions per byte, guest1 / gro1
    driver_cost_coherent  the same, guest1 / gro1-coherent
    guest_cost            guest's instructions per byte, guest2 / gro2
    both_cost             both domains' instructions per byte, guest12 / gro12
    capacity              capacity of the best guest configuration of this project relative to native: native's
                          instructions per byte / those of the busier domain, which is the limit because the two run
                          side by side
    capacity_config       that configuration
    throughput            its measured Mbit/s / native's
    grant_copies          grant copies per 64 KiB in guest1
    lro_ratio             LRO ratio of this project's engine at 1 flow and at 1000 flows interleaved
    latency_p99           99th percentile of the request/response latency in guest12, merging / merging switched off,
                          each over the answers of all repeats

A ratio whose inputs were not measured is absent.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable
from statistics import median

from . import configs, latency
from .steps import LabError

# Instruction counts per payload byte of each domain: the path of the field in a run.
DRIVER = ("insn_per_byte", "driver", "total")
GUEST = ("insn_per_byte", "guest", "total")
DIGITS = 4
# The many flows of lro_ratio: that number, or the next point of the scaling series.
MANY_FLOWS = (1000, 1024)
# Length of the bursts of these flows, if the series distinguishes bursts.
BURST = 16

# The names of the ratios in earlier results files.
_EARLIER = {"P1": "driver_cost", "P1_coherent": "driver_cost_coherent", "P2": "guest_cost", "P3": "both_cost",
            "P4": "capacity", "P4_config": "capacity_config", "P4_mbps": "throughput", "P5": "grant_copies",
            "P6": "lro_ratio", "P8": "latency_p99"}


def number(value: object) -> float | None:
    """`value` when it is a finite number, else None."""
    proper = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if proper else None


def field(record: object, path: Iterable[str]) -> float | None:
    """The number at `path` within nested objects; None when there is none."""
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return number(record)


def values(results: dict, config: str, *path: str) -> list[float]:
    """The field of each run of a configuration that has it, in the order of the runs."""
    found = (field(run, path) for run in results["runs"] if run["config"] == config)
    return [value for value in found if value is not None]


def middle(results: dict, config: str, *path: str) -> float | None:
    """Median of a field over the runs of a configuration; None when no run has it."""
    found = values(results, config, *path)
    return median(found) if found else None


def of(results: dict) -> dict:
    """The ratios of a results file, by their present names; computed if the file holds none."""
    kept = results.get("ratios")
    if not isinstance(kept, dict) or not kept:
        return compute(results)
    return {_EARLIER.get(name, name): value for name, value in kept.items()}


def compute(results: dict) -> dict:
    """The ratios by name, rounded to four digits after the point."""
    found: dict[str, object] = {
        "driver_cost": _over(middle(results, "guest1", *DRIVER), middle(results, "gro1", *DRIVER)),
        "driver_cost_coherent": _over(middle(results, "guest1", *DRIVER), middle(results, "gro1-coherent", *DRIVER)),
        "guest_cost": _over(middle(results, "guest2", *GUEST), middle(results, "gro2", *GUEST)),
        "both_cost": _over(_both(results, "guest12"), _both(results, "gro12")),
        **_capacity(results),
        "grant_copies": _over(middle(results, "guest1", "grant_copies_per_64k"), 1),
        "lro_ratio": _many_flows(results),
        "latency_p99": _over(_slowest(results, "guest12", "latency_histogram"),
                    _slowest(results, "guest12", "latency_off_histogram")),
    }
    return {name: value for name, value in found.items() if value not in (None, {})}


def _over(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else round(above / below, DIGITS)


def _slowest(results: dict, config: str, name: str) -> float | None:
    """99th percentile of the histogram of all repeats together, µs."""
    found = [latency.restored(run[name]) for run in results["runs"]
             if run["config"] == config and isinstance(run.get(name), dict)]
    try:
        return functools.reduce(operator.add, found).percentile(0.99) if found else None
    except LabError:
        return None


def _both(results: dict, config: str) -> float | None:
    driver, guest = middle(results, config, *DRIVER), middle(results, config, *GUEST)
    return None if driver is None or guest is None else driver + guest


def _busier(results: dict, config: str) -> float | None:
    """Instructions per byte of the domain that executes more of them."""
    driver, guest = middle(results, config, *DRIVER), middle(results, config, *GUEST)
    return None if driver is None or guest is None else max(driver, guest)


def _capacity(results: dict) -> dict[str, object]:
    native = middle(results, "native", *DRIVER)
    limits = {config.name: limit for config in configs.ALL.values()
              if config.xen and not (config.nic_gro or config.guest_gro)
              and (limit := _busier(results, config.name))}
    if native is None or not limits:
        return {}
    best = min(limits, key=limits.__getitem__)
    return {"capacity": _over(native, limits[best]), "capacity_config": best,
            "throughput": _over(middle(results, best, "mbps"), middle(results, "native", "mbps"))}


def _many_flows(results: dict) -> dict[str, float]:
    scaling = results.get("scaling")
    rows = scaling.get("flows") if isinstance(scaling, dict) else None
    ours = [row for row in rows or () if isinstance(row, dict) and row.get("engine") == "lro"
            and row.get("burst", BURST) == BURST]

    def at(flows: int) -> float | None:
        found = [ratio for row in ours if row.get("flows") == flows
                 and (ratio := number(row.get("lro_ratio"))) is not None]
        return _over(median(found), 1) if found else None

    many = next((ratio for flows in MANY_FLOWS if (ratio := at(flows)) is not None), None)
    return {name: ratio for name, ratio in (("1", at(1)), ("1000", many)) if ratio is not None}
