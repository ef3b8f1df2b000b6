#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Aggregates of every layout through everybody who takes them, in user-mode Linux with KASAN.

The rows are those of table.py. The last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from lab import prereq  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError, step  # noqa: E402
from lab.uml.boot import Boot, Load, boot  # noqa: E402
from lab.uml.uml import build_modules, ensure  # noqa: E402
from tests.consumers import script  # noqa: E402
from tests.consumers.table import CONSUMERS, PROGRAMS  # noqa: E402

SOURCES = ("include", "lro_core", "br_linearize", "tests/consumers")


# Each row has one flight of EVERY; the number shares no factor with those of flights and their kinds.
EVERY = 29


def run(only: str = "", every: int = EVERY) -> Boot:
    """Build, boot and test the rows whose names have `only` in them. Raises LabError."""
    kernel = ensure("debug")
    stage = build_modules(kernel, "consumers", SOURCES, ["tests/property"])
    files = {"/lib/consumers/lro_consumers.ko": stage / "tests/consumers/lro_consumers.ko",
             "/lib/consumers/br_linearize.ko": stage / "br_linearize/br_linearize.ko",
             "/bin/helper": script.helper()}
    rows = [consumer for consumer in CONSUMERS if only in consumer.name]
    with step("Sending aggregates to their consumers"):
        return boot(kernel, "consumers", [Load(stage / "lro_core/lro_core.ko")], after=script.text(rows, only, every),
                    timeout=900, tools=PROGRAMS, files=files)


def main() -> int:
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows with this in their names")
    parser.add_argument("--every", type=int, default=EVERY, metavar="N",
                        help="one flight of N for each row; 1: all of them (%(default)s)")
    options = parser.parse_args()
    try:
        prereq.ensure(tests=True)
        result = run(options.only, options.every)
    except LabError as error:
        print(f"consumers: {error.sentence()}", file=sys.stderr)
        return error.code
    report = script.parse(result.text)
    print(report.text)
    if result.fault:
        print(f"consumers: {result.fault.sentence()}")
    wanted = script.count([consumer for consumer in CONSUMERS if options.only in consumer.name], options.only)
    failed = max(wanted - len(report.passed), int(bool(result.fault)))
    print(f"{len(report.passed)} passed, {failed} failed")
    return EXIT_FAILED if failed else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
