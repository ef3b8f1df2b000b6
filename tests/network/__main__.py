# SPDX-License-Identifier: GPL-2.0-only
"""Runs the tests of this folder, several at a time: each of them waits more than it works.

    python3 -m tests.network [MODULE.CLASS...]
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import unittest
from typing import BinaryIO

from lab import guard, steps
from tests import kit

# Those with long tests first, so that none of them is left for the end.
MODULES = ("test_back", "test_odd", "test_by_ssh", "test_owner", "test_keep", "test_refuse")
LANES = 6
LIMIT = 300  # seconds for one test, on a machine that is busy
# Where no process of the session that the tests are started in is seen: it may be one by ssh, as sessions in the tests are.
# Names of network namespaces are numbers of processes, and those are the same in another run at the same time.
APART = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "env", "--unset=SSH_CONNECTION", "sh", "-euc",
         'mkdir -p /run/netns; mount -t tmpfs netns /run/netns; exec "$@"', "sh")


def names(suite: unittest.TestSuite) -> list[str]:
    found = []
    for entry in suite:
        found += names(entry) if isinstance(entry, unittest.TestSuite) else [entry.id()]
    return found


def start(test: str, said: BinaryIO) -> int:
    """Run one test in a copy of this process, which makes namespaces of its own; the copy's number."""
    if copy := os.fork():
        return copy
    passed = False
    try:
        # What its programs say, too.
        for number in (1, 2):
            os.dup2(said.fileno(), number)
        signal.signal(signal.SIGALRM, _late)
        signal.alarm(LIMIT)
        result = kit.LineResult()
        unittest.defaultTestLoader.loadTestsFromName(test).run(result)
        passed = bool(result.passed) and not result.failed
        sys.stdout.flush()
    finally:
        os._exit(0 if passed else 1)


def _late(number: int, frame: object) -> None:
    raise TimeoutError(f"not done within {LIMIT} s")


def ended(test: str, said: BinaryIO, passed: bool) -> None:
    """Say how a test went; of one that passed, a line."""
    said.seek(0)
    lines = said.read().decode(errors="replace").splitlines()
    verdict = f"{'ok  ' if passed else 'FAIL'} {test}"
    if not any(line.startswith(verdict) for line in lines):
        lines.append(verdict)
    steps.say("\n".join(line for line in lines if not passed or line.startswith(verdict)))


def main() -> int:
    if os.getpid() != 1:
        os.execvp(APART[0], [*APART, sys.executable, "-m", "tests.network", *sys.argv[1:]])
    wanted = [f"tests.network.{name}" for name in sys.argv[1:] or MODULES]
    waiting = names(unittest.defaultTestLoader.loadTestsFromNames(wanted))
    running: dict[int, tuple[str, BinaryIO]] = {}
    counts = {True: 0, False: 0}
    while waiting or running:
        if waiting and len(running) < LANES:
            test, said = waiting.pop(0), tempfile.TemporaryFile()
            running[start(test, said)] = test, said
            continue
        copy, status = os.wait()
        if copy not in running:
            continue    # the first process has the children of those that ended
        test, said = running.pop(copy)
        with said:
            ended(test, said, status == 0)
        counts[status == 0] += 1
    steps.say(f"{counts[True]} passed, {counts[False]} failed")
    return 0 if counts[True] and not counts[False] else 1


if __name__ == "__main__":
    sys.exit(guard.main_guard(main, "network"))
