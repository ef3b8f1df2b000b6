# SPDX-License-Identifier: GPL-2.0-only
"""Runs unittest modules so that each test is one line when it ends, and the last line counts them all.

    python3 -m tests.kit tests.boot.test_boot [...]
"""

from __future__ import annotations

import sys
import time
import unittest

from lab import proc, steps


class LineResult(unittest.TestResult):
    """Prints each test's result when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0
        self._begun = time.monotonic()
        self._clean = True

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._begun = time.monotonic()
        self._clean = True

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.passed += self._clean
        self._say("ok  " if self._clean else "FAIL", test)

    def _say(self, verdict: str, test: unittest.TestCase) -> None:
        steps.say(f"{verdict} {test.id()} ({time.monotonic() - self._begun:.1f} s)")

    def _bad(self, test: unittest.TestCase, told: str) -> None:
        self._clean = False
        for line in f"{test.id()}:\n{told}".rstrip().splitlines():
            steps.say(f"     {line}")

    def addFailure(self, test, err) -> None:  # noqa: N802 - unittest's names
        super().addFailure(test, err)
        self._bad(test, self.failures[-1][1])

    def addError(self, test, err) -> None:  # noqa: N802
        super().addError(test, err)
        self._bad(test, self.errors[-1][1])

    def addSubTest(self, test, subtest, err) -> None:  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err:
            self._bad(subtest, (self.failures if issubclass(err[0], test.failureException) else self.errors)[-1][1])

    def addSkip(self, test, reason: str) -> None:  # noqa: N802
        super().addSkip(test, reason)
        self._bad(test, f"skipped, and no test may be: {reason}")

    @property
    def failed(self) -> int:
        return self.testsRun - self.passed + sum(1 for test, _ in self.errors if not hasattr(test, "_testMethodName"))


def main() -> int:
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
    result = LineResult()
    with proc.supervised():
        suite.run(result)
    steps.say(f"{result.passed} passed, {result.failed} failed")
    return 0 if result.passed and not result.failed else 1


if __name__ == "__main__":
    sys.exit(main())
