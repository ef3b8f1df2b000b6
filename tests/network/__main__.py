# SPDX-License-Identifier: GPL-2.0-only
"""Runs the tests of this folder, several at a time: each of them waits more than it works.

    python3 -m tests.network [MODULE.CLASS...]
"""

from __future__ import annotations

import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

from lab import steps
from lab.paths import ROOT

MODULES = ("test_keep", "test_back", "test_by_ssh", "test_owner", "test_refuse")
LANES = 6
LIMIT = 1500  # seconds for one test, on a machine that is busy


def names(suite: unittest.TestSuite) -> list[str]:
    found = []
    for entry in suite:
        found += names(entry) if isinstance(entry, unittest.TestSuite) else [entry.id()]
    return found


def one(test: str) -> bool:
    """Run one test in a process of its own, which makes namespaces of its own; whether it passed."""
    try:
        done = subprocess.run([sys.executable, "-m", "tests.kit", test], cwd=ROOT, capture_output=True, text=True,
                              check=False, timeout=LIMIT)
        told, passed = done.stdout + done.stderr, done.returncode == 0
    except subprocess.TimeoutExpired as error:
        told, passed = f"FAIL {test}: not done within {LIMIT} s\n{error.stdout or ''}", False
    lines = told.splitlines()
    steps.say("\n".join(line for line in lines if not line.endswith("1 failed") and not line.endswith("0 failed")))
    return passed


def main() -> int:
    wanted = [f"tests.network.{name}" for name in sys.argv[1:] or MODULES]
    tests = names(unittest.defaultTestLoader.loadTestsFromNames(wanted))
    with ThreadPoolExecutor(LANES) as lanes:
        results = list(lanes.map(one, tests))
    steps.say(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) and results else 1


if __name__ == "__main__":
    sys.exit(steps.main_guard(main, "network"))
