# SPDX-License-Identifier: GPL-2.0-only
"""The command `xenlro report`: shows the report, asks, and writes it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import report
from .errors import XenlroError
from .system import System

FILE = "xenlro-report.json"


def add(commands) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser("report", help="one file to send: chips, kernel, modules, counters; nothing that names "
                                                "the host")
    parser.add_argument("file", nargs="?", type=Path, default=Path(FILE), metavar="FILE", help=f"default: {FILE}; -: print only")
    parser.add_argument("--measure", action="store_true",
                        help=f"watch what is received for {report.SECONDS:.0f} seconds as well, without asking")
    parser.add_argument("--yes", action="store_true", help="write the file without asking, and measure only with --measure")
    parser.set_defaults(run=run)


def run(system: System, options: argparse.Namespace) -> None:
    """Show the report, ask, write it."""
    printed = str(options.file) == "-"
    measuring = options.measure or not (options.yes or printed) and _agrees(
        f"Measure for {report.SECONDS:.0f} seconds while this machine receives something large? Start that first.")
    measured = None
    if measuring:
        print(f"Measuring for {report.SECONDS:.0f} seconds ...", file=sys.stderr, flush=True)
        measured = report.measure(system)
    text = report.make(system, measured)
    print(text, end="", flush=True)
    if printed:
        return
    if not options.yes and not _agrees(f"Write this to {options.file}?"):
        raise XenlroError("nothing was written")
    report.write(options.file, text)
    print(f"{options.file} is written; docs/hardware.md says where to send it", file=sys.stderr)


def _agrees(question: str) -> bool:
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
