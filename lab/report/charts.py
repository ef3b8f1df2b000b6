# SPDX-License-Identifier: GPL-2.0-only
"""The bar charts: a bar for each configuration, ours beside the peers."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from . import quality
from .data import NOBODY, OURS, PARTS, Block, Data, Figure, family, has_guest, medians
from .missing import missing
from .plots import COMMON, bars, block, colour, names_axis, panel, stacked
from .words import amount, best, leader, without


@dataclass(frozen=True)
class _Measure:
    """A number of each run: its field, and its words."""

    name: str
    title: str
    field: str
    what: str
    unit: str
    label: str
    digits: int
    more_is_better: bool
    guests_only: bool = False


THROUGHPUT = _Measure("throughput", "Throughput by configuration", "mbps", "Throughput", "Mbit/s",
                      "throughput (Mbit/s)", 1, True)
LRO_RATIO = _Measure("lro-ratio", "LRO ratio by configuration", "lro_ratio", "LRO ratio", "",
                     "LRO ratio (segments per packet)", 2, True)
GRANTS = _Measure("grant-copies", "Copy operations by configuration", "grant_copies_per_64k",
                  "Grant copies per 64 KiB", "", "copy operations per 64 KiB", 1, False, guests_only=True)


def one_bar(data: Data, measure: _Measure) -> Block:
    """A chart of one number."""
    repeats = data.repeats(measure.field)
    if not repeats:
        return missing(data, measure.field)
    centre = medians(repeats)
    sees = leader(centre, measure.what, measure.unit, measure.more_is_better)
    script = COMMON + bars("bars", repeats, centre, measure.label, measure.digits)
    return Figure(measure.name, measure.title, sees + without(data.lacking(measure.field,
                                                                           guests_only=measure.guests_only)),
                  data.at(f"runs[].{measure.field}"), script)


def instructions(data: Data) -> Block:
    """Instructions per byte of both domains, split by where they ran."""
    stacks, totals = {}, {}
    for domain in data.domains:
        totals[domain] = data.repeats("insn_per_byte", domain, "total")
        stacks[domain] = {name: parts for name in totals[domain]
                          if None not in (parts := [data.middle(name, "insn_per_byte", domain, part)
                                                    for part in PARTS])}
    there = [domain for domain in data.domains if stacks[domain]]
    if not there and any(totals.values()):
        return missing(data, "parts")
    if not there:
        return missing(data, "insn_per_byte")
    top = max(max([*totals[domain][name], sum(heights)]) for domain in there
              for name, heights in stacks[domain].items())
    names = [name for name in data.configs if any(name in stacks[domain] for domain in there)]
    script = COMMON + f"set multiplot layout {len(there)},1\n"
    for domain in there:
        script += panel(data.domains[domain])
        script += stacked(domain, stacks[domain], totals[domain], medians(totals[domain]), PARTS,
                          "instructions per byte", top, names)
        script += "unset key\n"
    script += "unset multiplot\n"
    sees = " ".join(leader(medians(totals[domain]), f"Instructions per byte in the {data.domains[domain]}", "", False)
                    + _heaviest(stacks[domain]) for domain in there)
    lacking = [name for name in data.configs if name not in names]
    return Figure("instructions", "Instructions per byte, by domain and by where they ran", sees + without(lacking),
                  data.at("runs[].insn_per_byte"), script, (1100, 370 * len(there)))


def _heaviest(stacks: dict[str, list[float]]) -> str:
    """Which part weighs most in this project's best configuration."""
    name = best({config: sum(heights) for config, heights in stacks.items()}, OURS, False)
    if name is None or not sum(stacks[name]):
        return ""
    heights = stacks[name]
    heavy = max(range(len(PARTS)), key=heights.__getitem__)
    share = 100 * heights[heavy] / sum(heights)
    return f" {share:.0f} % of those of {name} run in {_place(PARTS[heavy])}."


def _place(part: str) -> str:
    return {"xen": "the hypervisor", "kernel": "the kernel", "modules": "modules", "user": "user space"}[part]


def latency(data: Data) -> Block:
    """Median and 99th percentile of request and response."""
    panels = {point: found for point in ("p50", "p99") if (found := data.repeats("latency_us", point))}
    if not panels:
        return missing(data, "latency_us")
    script = COMMON + f"set multiplot layout {len(panels)},1\n"
    for point, repeats in panels.items():
        script += panel("median" if point == "p50" else "99th percentile")
        script += bars(point, repeats, medians(repeats), "request and response (µs)", 0)
        script += "unset key\n"
    script += "unset multiplot\n"
    last = "p99" if "p99" in panels else "p50"
    centre = medians(panels[last])
    name = "99th percentile" if last == "p99" else "median"
    sees = leader(centre, f"Latency, {name}", "µs", False)
    ours, plain = best(centre, OURS, False), best(centre, NOBODY, False)
    if ours and plain and centre[plain]:
        slow = max((config for config in centre if family(config) == OURS), key=centre.__getitem__)
        sees += (f" The slowest of this project, {slow}, takes {centre[slow] / centre[plain]:.2f} times as long as "
                 f"{plain}.")
    return Figure("latency", "Request/response latency", sees + without(data.lacking("latency_us", last)),
                  data.at("runs[].latency_us"), script, (1100, 340 * len(panels)))


def spread(data: Data) -> Block:
    """How far each repeat of an instruction figure is from their median."""
    figures = [figure for figure in quality.judge(data.results).figures if len(figure.values) > 1]
    if not figures:
        return missing(data, "repeats")
    points = []
    for index, figure in enumerate(figures):
        centre = median(figure.values)
        points += [(index, 100 * (value / centre - 1), figure.config) for value in figure.values if centre]
    limit = 100 * quality.LIMIT
    reach = 1.2 * max([limit, *(abs(value) for _, value, _ in points)])
    names = [f"{figure.config} {figure.domain}" if has_guest(figure.config) else figure.config for figure in figures]
    script = (COMMON + names_axis(names) + "set xtics rotate by -40\nset bmargin 7\n"
              + f"set yrange [{-reach:.4g}:{reach:.4g}]\nset format y \"%+g %%\"\n"
              + 'set ylabel "distance from the median"\n'
              + f"set object 1 rectangle from graph 0, first {-limit} to graph 1, first {limit} behind "
              + 'fc rgb "#eaf3ea" fs solid 1 noborder\n$dots << EOD\n'
              + "".join(f"{index} {value:.6g} {colour(config)}\n" for index, value, config in points) + "EOD\n"
              + block("medians", [(index, 0, 0.3) for index in range(len(figures))])
              + 'set errorbars 0\nplot $medians using 1:2:3 with xerrorbars pt -1 lw 2 lc rgb "#444444" '
              + 'title "median", \\\n'
              + ' $dots using 1:2:3 with points pt 7 ps 0.7 lc rgb variable notitle, \\\n'
              + ' keyentry with points pt 7 ps 0.7 lc rgb "#111111" title "one repeat", \\\n'
              + f' keyentry with boxes fs solid 1 lc rgb "#cfe6cf" title "within {limit:g} %"\n')
    inside = sum(abs(value) <= limit for _, value, _ in points)
    widest = max(figures, key=lambda figure: figure.relative)
    sees = (f"{inside} of {len(points)} repeats lie within {limit:g} % of their median; the widest figure is "
            f"{names[figures.index(widest)]}, with a median absolute deviation of "
            f"{amount(100 * widest.relative)} %.")
    return Figure("spread", "Spread of the instruction figures over repeats", sees, data.at("runs[].insn_per_byte"),
                  script, (1100, 430))
