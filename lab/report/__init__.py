# SPDX-License-Identifier: GPL-2.0-only
"""The report on a run of the lab: one HTML page with the study's tables and figure, ours beside them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from .. import nics, ratios, results as results_file, table
from ..paths import ROOT
from . import charts, curves, gnuplot, page, path, tables
from .data import Block, Data, Figure, Section
from .quality import Quality, judge
from .summary import sentences

__all__ = ["Quality", "compared", "judge", "sentences", "write"]

NAME = "report.html"
PLOTS = "plots"


def compared(results: dict) -> str:
    """The key ratios of results, in words; empty when there are none."""
    return sentences(ratios.of(results), len(ratios.domains(results)), nics.driver_of(results["nic"]))


def write(results: dict, folder: Path) -> Path:
    """Write report.html, and plots/ with a PNG file and a gnuplot script for each plot; return the page's path.

    `folder` is where results.json lies. Both are written whole or not at all. Raises LabError when the results are
    not valid or gnuplot fails.
    """
    results_file.validate(results)
    data = Data(results, _shown(folder / "results.json"), folder)
    verdict = judge(results)
    found = ratios.of(results)
    sections = _sections(data, found)
    figures = [block for section in sections for block in section.blocks if isinstance(block, Figure)]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".report-") as name:
        fresh = Path(name)
        (fresh / PLOTS).mkdir()
        elements = gnuplot.draw(figures, fresh / PLOTS)
        html = page.render("TCP receive on Xen, measured", [compared(results), _lead(data)],
                           (verdict.good, verdict.sentence), sections, elements, _shown(folder / PLOTS))
        (fresh / NAME).write_text(html)
        # Plots of an earlier run must not stand beside this page.
        shutil.rmtree(folder / PLOTS, ignore_errors=True)
        os.replace(fresh / PLOTS, folder / PLOTS)
        os.replace(fresh / NAME, folder / NAME)
    return folder / NAME


def _shown(path: Path) -> str:
    """A path as the page names it: from the checkout, when it lies there."""
    full = path.resolve()
    return str(full.relative_to(ROOT) if full.is_relative_to(ROOT) else full)


def _lead(data: Data) -> str:
    found = data.results
    runs = found["runs"]
    drawn = table.path(found)
    return (f"{len(runs)} run{'s' if len(runs) != 1 else ''} through {len(data.configs)} "
            f"configuration{'s' if len(data.configs) != 1 else ''}: Linux {found['kernel']}, Xen {found['xen']}, QEMU "
            f"{found['qemu']}, {found['nic']}. Numbers are medians over the repeats unless a line says otherwise."
            + (f" Domains: `{drawn}`." if drawn else ""))


def _sections(data: Data, found_ratios: dict) -> list[Section]:
    def there(*blocks: Block | None) -> list[Block]:
        return [block for block in blocks if block is not None]

    return [
        Section("Key ratios", "", there(path.drawing(data), tables.key_ratios(data, found_ratios))),
        Section("Throughput", "On an emulated machine throughput is noisy, and limited by the sender and the emulated "
                "NIC as much as by the domains: rank designs by instructions.",
                [tables.table_2(data), charts.one_bar(data, charts.THROUGHPUT),
                 charts.one_bar(data, charts.LRO_RATIO)]),
        Section("Instructions", "Guest instructions that each domain executed per byte of payload delivered.",
                _once([charts.instructions(data), tables.table_3(data), tables.table_4(data), tables.split(data)])),
        Section("Grant copies", f"What the {data.domains[data.path[0]]} asks the hypervisor to copy into the "
                f"{data.domains[data.path[1]]}.",
                there(charts.one_bar(data, charts.GRANTS), tables.grants(data), path.hops(data))),
        Section("Advertised window", "As a capture at the sender's end of the wire has it. The curves of the study's "
                "own figure 2 are not available as numbers and so are not drawn.",
                there(curves.window(data), tables.captured(data))),
        Section("Aggregates", "How many segments the receiver gets in one piece.", [curves.histogram(data)]),
        Section("Latency", "", there(charts.latency(data), tables.latency(data))),
        Section("Scaling", "Flows: what the driver domain does, on one machine without Xen that bridges frames which the "
                "emulated NIC makes. Guests: all run on one CPU, and their instructions are those of all together.",
                [curves.flows(data), curves.guests(data)]),
        Section("Top symbols", "Where the instructions of each domain go.", tables.symbols(data)),
        Section("Spread over repeats", "", [charts.spread(data), tables.spread(data)]),
        Section("Machine", "", [tables.machine(data)]),
    ]


def _once(blocks: list[Block]) -> list[Block]:
    """Each missing thing is said once."""
    return list({str(block): block for block in blocks}.values())
