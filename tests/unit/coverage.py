#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Lines and branches of the engine's pure parts that the unit tests reach, as gcov counts them.

Fails below 100 %. Each line or branch not reached is named. The last line is `N passed, N failed`, in source files.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from lab import cache, prereq, proc  # noqa: E402
from lab.paths import BUILD, LOGS, ROOT  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError  # noqa: E402

OUT = BUILD / "coverage"
LOG = LOGS / "coverage.log"
# Sanitizers and optimisation would add and remove branches.
CFLAGS = "-std=gnu11 -g -O0 --coverage"


@dataclass
class Coverage:
    """Lines and branches of a source file: their numbers, and the places of those never taken."""

    lines: int = 0
    branches: int = 0
    missed_lines: list[int] = field(default_factory=list)
    missed_branches: list[int] = field(default_factory=list)

    def add(self, line: dict) -> None:
        """Count a line of gcov's report."""
        self.lines += 1
        if not line["count"]:
            self.missed_lines.append(line["line_number"])
        for branch in line["branches"]:
            self.branches += 1
            if not branch["count"]:
                self.missed_branches.append(line["line_number"])

    @property
    def whole(self) -> bool:
        """Was all of it reached? A file without lines was not measured."""
        return bool(self.lines) and not self.missed_lines and not self.missed_branches


def percent(missed: list[int], count: int) -> str:
    """Such as '99.7 % of 308'; never rounded up to 100."""
    share = 1000 * (count - len(missed)) // count / 10 if count else 100.0
    return f"{share:.1f} % of {count}"


def measure() -> dict[str, Coverage]:
    """Build with counters, run the tests, read the counters. Raises LabError."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    cache.remove(OUT)
    proc.run(["make", "-s", "-C", str(HERE), "check", f"OUT={OUT}", f"CFLAGS={CFLAGS}"], log=LOG, timeout=300)
    counts = sorted(path.name for path in OUT.glob("*.gcda"))
    proc.run([os.environ.get("GCOV", "gcov"), "--json-format", "--branch-probabilities", "--stdout", *counts],
             log=OUT / "gcov.json", timeout=120, cwd=OUT)
    return read((OUT / "gcov.json").read_text())


def read(text: str) -> dict[str, Coverage]:
    """Coverage of each file of this project but the tests in gcov's output, one JSON object a line."""
    found: dict[str, Coverage] = {}
    lines: dict[tuple[str, int], dict] = {}
    reports = [json.loads(line) for line in text.splitlines() if line.strip()]
    for file in (file for report in reports for file in report["files"]):
        path = Path(file["file"])
        if ROOT not in path.parents or ROOT / "tests" in path.parents:
            continue
        for line in file["lines"]:
            known = lines.setdefault((str(path.relative_to(ROOT)), line["line_number"]), line)
            if known is not line:
                # An inline function of a header is in several objects.
                known["count"] += line["count"]
                for one, other in zip(known["branches"], line["branches"]):
                    one["count"] += other["count"]
    for (name, _), line in sorted(lines.items()):
        found.setdefault(name, Coverage()).add(line)
    return found


def main() -> int:
    """Measure and print; return the exit status."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    try:
        prereq.ensure(tests=True)
        found = measure()
    except LabError as error:
        print(f"coverage: {error.sentence()}", file=sys.stderr)
        return error.code
    print(f"{'':24} {'lines':>18} {'branches':>18}")
    for name, coverage in sorted(found.items()):
        print(f"{name:24} {percent(coverage.missed_lines, coverage.lines):>18} "
              f"{percent(coverage.missed_branches, coverage.branches):>18}")
    for name, coverage in sorted(found.items()):
        for number in coverage.missed_lines:
            print(f"{name}:{number}: no test reaches this line")
        for number in coverage.missed_branches:
            print(f"{name}:{number}: no test takes one of the branches of this line")
    failed = sum(not coverage.whole for coverage in found.values()) if found else 1
    print(f"{max(len(found) - failed, 0)} passed, {failed} failed")
    return EXIT_FAILED if failed else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
