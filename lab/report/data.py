# SPDX-License-Identifier: GPL-2.0-only
"""The report's access to the results, and its parts: sections of tables, figures and notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from .. import configs, ratios

# Who merges packets in a configuration: this project, the kernel's GRO, or nobody.
OURS, GRO, NOBODY = "ours", "gro", "nobody"
PARTS = ("xen", "kernel", "modules", "user")


def family(config: str) -> str:
    """Who merges packets in a configuration."""
    known = configs.ALL.get(config)
    if known is None or not known.aggregates:
        return NOBODY
    return OURS if known.ours else GRO


def has_guest(config: str) -> bool:
    """Whether the receiver of a configuration is a Xen guest."""
    return config not in configs.ALL or configs.ALL[config].xen


class Data:
    """The results, and where they lie, by the questions that the report asks.

    source: the results file as the page names it. folder: where it lies, with the files that it names.
    """

    def __init__(self, results: dict, source: str, folder: Path = Path()) -> None:
        self.results = results
        self.source = source
        self.folder = folder
        # What the page calls each domain, by its name: those that the payload passes, in that order, then others.
        self.domains = ratios.domains(results)
        self.path = ratios.path_of(results)
        ran = list(dict.fromkeys(run["config"] for run in results["runs"]))
        self.configs = [name for name in configs.ALL if name in ran] + [name for name in ran if name not in configs.ALL]

    def runs(self, config: str) -> list[dict]:
        return [run for run in self.results["runs"] if run["config"] == config]

    def values(self, config: str, *path: str) -> list[float]:
        """One number for each repeat that has the field."""
        return ratios.values(self.results, config, *path)

    def middle(self, config: str, *path: str) -> float | None:
        """Median over the repeats, None when no repeat has the field."""
        return ratios.middle(self.results, config, *path)

    def repeats(self, *path: str) -> dict[str, list[float]]:
        """values() of each configuration that has any."""
        return {name: found for name in self.configs if (found := self.values(name, *path))}

    def lacking(self, *path: str, guests_only: bool = False) -> list[str]:
        """Configurations that ran and have no such field in any repeat."""
        return [name for name in self.configs
                if not self.values(name, *path) and (has_guest(name) or not guests_only)]

    def part(self, *path: str) -> object:
        """A field beside the runs, None when it is not there."""
        record: object = self.results
        for name in path:
            record = record.get(name) if isinstance(record, dict) else None
        return record

    def rows(self, *path: str) -> list[dict]:
        """A list of objects beside the runs; empty when it is not there."""
        found = self.part(*path)
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def at(self, *fields: str) -> str:
        """The source of numbers: the file and the fields in it."""
        return f"{self.source}: {', '.join(fields)}"


def medians(repeats: dict[str, list[float]]) -> dict[str, float]:
    """Median over the repeats of each configuration."""
    return {name: median(found) for name, found in repeats.items()}


@dataclass(frozen=True)
class Figure:
    """A plot: `script` is what gnuplot runs, without terminal and output; `sees` says what to see in it."""

    name: str
    title: str
    sees: str
    source: str
    script: str
    size: tuple[int, int] = (1100, 400)


@dataclass(frozen=True)
class Cell:
    """A cell with a bar behind its number; `share` is the bar's length, 0 to 1."""

    text: str
    share: float


@dataclass(frozen=True)
class Table:
    """A table; the head may have several rows, of (text, columns). First column is text, the others numbers."""

    name: str
    title: str
    head: list[list[tuple[str, int]]]
    rows: list[list[str | Cell]]
    source: str
    notes: list[str] = field(default_factory=list)
    families: list[str | None] = field(default_factory=list)
    words: bool = False


@dataclass(frozen=True)
class Missing:
    """A sentence in place of a missing measurement."""

    sentence: str


Block = Figure | Table | Missing


@dataclass(frozen=True)
class Section:
    """A chapter of the report."""

    title: str
    intro: str
    blocks: list[Block]
