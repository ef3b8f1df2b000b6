# SPDX-License-Identifier: GPL-2.0-only
"""Table 2 of the study that the lab repeats, with the lab's numbers beside the study's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from . import ratios

# The study's figures on a Pentium 4 with a real RTL8169: Mbit/s, LRO ratio. guest1's rate is from its text.
STUDY = {
    "native": (560.1, None),
    "guest0": (514.6, None),
    "guest1": (523.0, "< guest2"),
    "guest2": (636.9, 3.525),
}
_HEAD = (("", "Mbit/s", "", "LRO ratio", "", "", ""),
         ("configuration", "study", "here", "study", "here", "retransmits", "runs"))
@dataclass(frozen=True)
class _Column:
    """A column that is there when any configuration has the number: two lines of head, its median, digits."""

    above: str
    below: str
    middle: Callable[[str], float | None]
    digits: int


def _columns(results: dict) -> list[_Column]:
    def plain(above: str, below: str, path: tuple[str, ...], digits: int) -> _Column:
        return _Column(above, below, lambda config: ratios.middle(results, config, *path), digits)

    def hop(number: int, above: str, below: str, name: str, unit: float = 1) -> _Column:
        def middle(config: str) -> float | None:
            found = ratios.hop_middle(results, config, number, name)
            return None if found is None else found / unit
        return _Column(above, below, middle, 1)

    columns = [plain(name, "insn/B", ratios.cost(name), 2) for name in ratios.domains(results)]
    hops = ratios.topology(results)["hops"]
    if len(hops) == 1:
        columns.append(plain("copies", "/ 64 KiB", ("grant_copies_per_64k",), 1))
    else:
        for number, one in enumerate(hops):
            columns += [hop(number, f"to {one['front']}", "copies/64K", "grant_copies_per_64k"),
                        hop(number, f"to {one['front']}", "KiB/packet", "mean_bytes", 1024)]
    columns.append(plain("p99", "µs", ("latency_us", "p99"), 0))
    ran = {run["config"] for run in results["runs"]}
    return [column for column in columns if any(column.middle(config) is not None for config in ran)]


def path(results: dict) -> str:
    """The domains that the payload passes, in one line; empty where the results do not say them."""
    if not isinstance(results.get("topology"), dict):
        return ""
    topology = ratios.topology(results)
    kinds = {domain["name"]: domain.get("kind") for domain in topology["domains"]}
    ways = [f"-[{hop.get('way')}]-> {hop['front']} ({kinds[hop['front']]})" for hop in topology["hops"]]
    owner = ratios.path_of(results)[0]
    varied = f" [{', '.join(topology['varied'])}]" if topology.get("varied") else ""
    return " ".join([f"sender -> NIC -> {owner} ({kinds[owner]})", *ways]) + varied


def render(results: dict) -> str:
    """The table as text: medians over the repeats, one row per configuration in the order of the runs."""
    measured = _columns(results)
    rows = [[*row, *(column.below if line else column.above for column in measured)] for line, row in enumerate(_HEAD)]
    for name in dict.fromkeys(run["config"] for run in results["runs"]):
        runs = [run for run in results["runs"] if run["config"] == name]
        rate, ratio = STUDY.get(name, (None, None))
        rows.append([
            name,
            _text(rate, 1),
            _text(median(run["mbps"] for run in runs), 1),
            _text(ratio, 3),
            _text(median(run["lro_ratio"] for run in runs), 2),
            str(sum(run["retransmits"] for run in runs)),
            str(len(runs)),
            *(_text(column.middle(name), column.digits) for column in measured),
        ])
    title = (f"Table 2: TCP receive throughput, {results['bytes']} bytes per run, 64 KiB writes, MTU 1500\n"
             f"Linux {results['kernel']}, Xen {results['xen']}, QEMU {results['qemu']}, {results['nic']}")
    if drawn := path(results):
        title += f"\n{drawn}"
    return columns(title, rows, len(_HEAD))


def columns(title: str, rows: list[list[str]], head: int) -> str:
    """A title, and rows of cells in columns, the first `head` of them as the head; numbers stand to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(head, "-" * max(len(line) for line in lines))
    return "\n".join([title, "", *lines])


def _text(value: float | str | None, digits: int) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:.{digits}f}"


def _line(row: list[str], widths: list[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
    return "  ".join(cells).rstrip()
