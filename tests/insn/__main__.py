# SPDX-License-Identifier: GPL-2.0-only
"""Runs all tests of this folder; ends with "N passed, N failed"."""

import sys
import unittest
from pathlib import Path


class Result(unittest.TextTestResult):
    """Counts what passed."""

    passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1


def main() -> int:
    here = Path(__file__).resolve().parent
    top = str(here.parent.parent)
    if len(sys.argv) > 1:
        suite = unittest.defaultTestLoader.loadTestsFromNames(f"tests.insn.{name}" for name in sys.argv[1:])
    else:
        suite = unittest.defaultTestLoader.discover(str(here), top_level_dir=top)
    result = unittest.TextTestRunner(resultclass=Result, verbosity=2, warnings="error").run(suite)
    failed = len(result.failures) + len(result.errors)
    skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
    print(f"{getattr(result, 'passed', 0)} passed, {failed} failed{skipped}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
