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
from lab.paths import BUILD, LOGS  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError  # noqa: E402

CORE = HERE.parents[1] / "lro_core"
PURE = ("flows", "match")
OUT = BUILD / "coverage"
LOG = LOGS / "coverage.log"
# Sanitizers and optimisation would add and remove branches.
CFLAGS = ("-std=gnu11", "-g", "-O0", "--coverage")


@dataclass
class Coverage:
    """Of one source file: lines and branches there are, and where those are that were never taken."""

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
        """Was all of it reached? A file without lines was not even looked at."""
        return bool(self.lines) and not self.missed_lines and not self.missed_branches


def percent(missed: list[int], count: int) -> str:
    """Such as '99.7 % of 308'; never rounded up to 100."""
    share = 1000 * (count - len(missed)) // count / 10 if count else 100.0
    return f"{share:.1f} % of {count}"


def measure() -> dict[str, Coverage]:
    """Build with counters, run the tests, read what was counted. Raises LabError."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    cache.remove(OUT)
    OUT.mkdir(parents=True)
    sources = [*sorted(HERE.glob("*.c")), *(CORE / f"{name}.c" for name in PURE)]
    compiler = os.environ.get("CC", "gcc")
    proc.run([compiler, *CFLAGS, f"-I{HERE / 'shim'}", f"-I{CORE}", *map(str, sources), "-lcmocka", "-o", "unit"],
             log=LOG, timeout=300, cwd=OUT)
    proc.run([str(OUT / "unit")], log=LOG, timeout=300, cwd=OUT)
    counts = [f"unit-{name}.gcda" for name in PURE]
    proc.run([os.environ.get("GCOV", "gcov"), "--json-format", "--branch-probabilities", "--stdout", *counts],
             log=OUT / "gcov.json", timeout=120, cwd=OUT)
    return read((OUT / "gcov.json").read_text())


def read(text: str) -> dict[str, Coverage]:
    """Coverage of each file of lro_core/ in gcov's output, one JSON object a line."""
    found = {f"{name}.c": Coverage() for name in PURE}
    lines: dict[tuple[str, int], dict] = {}
    reports = [json.loads(line) for line in text.splitlines() if line.strip()]
    for file in (file for report in reports for file in report["files"] if Path(file["file"]).parent == CORE):
        for line in file["lines"]:
            known = lines.setdefault((Path(file["file"]).name, line["line_number"]), line)
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
    print(f"{'lro_core/':12} {'lines':>18} {'branches':>18}")
    for name, coverage in sorted(found.items()):
        print(f"{name:12} {percent(coverage.missed_lines, coverage.lines):>18} "
              f"{percent(coverage.missed_branches, coverage.branches):>18}")
    for name, coverage in sorted(found.items()):
        for number in coverage.missed_lines:
            print(f"lro_core/{name}:{number}: no test reaches this line")
        for number in coverage.missed_branches:
            print(f"lro_core/{name}:{number}: no test takes one of the branches of this line")
    failed = sum(not coverage.whole for coverage in found.values())
    print(f"{len(found) - failed} passed, {failed} failed")
    return EXIT_FAILED if failed else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
