# SPDX-License-Identifier: GPL-2.0-only
"""The key ratios between the project and its peers, from medians over the repeats.

    driver_cost           instructions per byte of the domain with the NIC, guest1 / gro1
    driver_cost_coherent  the same, guest1 / gro1-coherent
    guest_cost            the receiver's instructions per byte, guest2 / gro2
    both_cost             all domains' instructions per byte, guest12 / gro12; they are two with the topology "bridge"
    capacity              capacity of the best guest configuration of this project relative to native: native's
                          instructions per byte / those of the busier domain, which is the limit because the two run
                          side by side
    capacity_config       that configuration
    throughput            its measured Mbit/s / native's
    grant_copies          grant copies per 64 KiB in guest1, on the first hop
    kept                  mean size of a packet on the last hop / on the first one, guest12; where there are several
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

DIGITS = 4
# The NIC's domain without Xen, and the domains of results that do not name theirs.
_DRIVER, _GUEST = "driver", "guest"
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


def topology(results: dict) -> dict:
    """The topology that the results are of, as lab/domains.py describes it."""
    found = results.get("topology")
    return found if isinstance(found, dict) else {
        "domains": [{"name": _DRIVER, "title": "driver domain"}, {"name": _GUEST, "title": "guest"}],
        "hops": [{"back": _DRIVER, "front": _GUEST}]}


def path_of(results: dict) -> list[str]:
    """The domains that the payload passes, from the NIC's to the receiver."""
    hops = topology(results)["hops"]
    return [hops[0]["back"], *(hop["front"] for hop in hops)]


def domains(results: dict) -> dict[str, str]:
    """What each domain is called, by its name: those on the path in its order, then the others."""
    titles = {domain["name"]: domain["title"] for domain in topology(results)["domains"]}
    path = path_of(results)
    return {name: titles[name] for name in [*path, *(name for name in titles if name not in path)]}


def cost(domain: str) -> tuple[str, str, str]:
    """Where a run has the instructions per byte of a domain."""
    return ("insn_per_byte", domain, "total")


def values(results: dict, config: str, *path: str) -> list[float]:
    """The field of each run of a configuration that has it, in the order of the runs.

    Without Xen the machine with the NIC stands in the place of the domain that owns it.
    """
    known = configs.ALL.get(config)
    if known and not known.xen:
        owner = path_of(results)[0]
        path = tuple(_DRIVER if name == owner else name for name in path)
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
    path = path_of(results)
    driver, guest = cost(path[0]), cost(path[-1])
    found: dict[str, object] = {
        "driver_cost": _over(middle(results, "guest1", *driver), middle(results, "gro1", *driver)),
        "driver_cost_coherent": _over(middle(results, "guest1", *driver), middle(results, "gro1-coherent", *driver)),
        "guest_cost": _over(middle(results, "guest2", *guest), middle(results, "gro2", *guest)),
        "both_cost": _over(_both(results, "guest12"), _both(results, "gro12")),
        **_capacity(results),
        "grant_copies": _over(middle(results, "guest1", "grant_copies_per_64k"), 1),
        "kept": _kept(results),
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


def _costs(results: dict, config: str) -> list[float] | None:
    """Instructions per byte of each domain; None when they are not known of all."""
    found = [middle(results, config, *cost(name)) for name in domains(results)]
    known = [value for value in found if value is not None]
    return known if len(known) == len(found) else None


def _both(results: dict, config: str) -> float | None:
    found = _costs(results, config)
    return sum(found) if found else None


def _busier(results: dict, config: str) -> float | None:
    """Instructions per byte of the domain that executes most of them."""
    found = _costs(results, config)
    return max(found) if found else None


def hop_values(results: dict, config: str, number: int, name: str) -> list[float]:
    """A field of a hop, by its place on the path, of each run of a configuration that has it."""
    found = []
    for run in results["runs"]:
        hops = run.get("hops")
        if run["config"] == config and isinstance(hops, list) and number < len(hops):
            found.append(field(hops[number], (name,)))
    return [value for value in found if value is not None]


def hop_middle(results: dict, config: str, number: int, name: str) -> float | None:
    """Median over the runs; None when no run has it."""
    found = hop_values(results, config, number, name)
    return median(found) if found else None


def _kept(results: dict) -> float | None:
    last = len(topology(results)["hops"]) - 1
    return None if not last else _over(hop_middle(results, "guest12", last, "mean_bytes"),
                                       hop_middle(results, "guest12", 0, "mean_bytes"))


def _capacity(results: dict) -> dict[str, object]:
    native = middle(results, "native", *cost(path_of(results)[0]))
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
