# SPDX-License-Identifier: GPL-2.0-only
"""Table 2 of the study that the lab repeats, with the lab's numbers beside the study's."""

from __future__ import annotations

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
# Columns that appear when any run has the field: two lines of head, path of the field in a run, digits.
_MEASURED = (
    ("driver", "insn/B", ratios.DRIVER, 2),
    ("guest", "insn/B", ratios.GUEST, 2),
    ("copies", "/ 64 KiB", ("grant_copies_per_64k",), 1),
    ("p99", "µs", ("latency_us", "p99"), 0),
)


def render(results: dict) -> str:
    """The table as text: medians over the repeats, one row per configuration in the order of the runs."""
    measured = [column for column in _MEASURED if any(ratios.field(run, column[2]) is not None
                                                      for run in results["runs"])]
    rows = [[*row, *(column[line] for column in measured)] for line, row in enumerate(_HEAD)]
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
            *(_text(ratios.middle(results, name, *path), digits) for _, _, path, digits in measured),
        ])
    title = (f"Table 2: TCP receive throughput, {results['bytes']} bytes per run, 64 KiB writes, MTU 1500\n"
             f"Linux {results['kernel']}, Xen {results['xen']}, QEMU {results['qemu']}, {results['nic']}")
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
