# SPDX-License-Identifier: GPL-2.0-only
"""Runs the stories of the packages, two at a time, and counts their tests: a system that boots keeps one core busy.

    python3 -m tests.package
"""

from __future__ import annotations

import re
import sys
import time

from lab import guard, proc, steps
from lab.paths import BUILD, ROOT

# The stories of a lane are told one after the other.
LANES = {
    "package-system": ("tests.package.test_dkms", "tests.package.test_story", "tests.package.test_secure_boot"),
    "package-xen": ("tests.package.test_guest", "tests.package.test_network"),
}
LOGS = BUILD / "check"
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
LOOK = 1.0


def main() -> int:
    """Show the output of both as it comes; return 1 when a test failed."""
    logs = {lane: LOGS / f"{lane}.log" for lane in LANES}
    shown = dict.fromkeys(LANES, 0)
    for log in logs.values():
        log.unlink(missing_ok=True)
    told = [proc.Child([sys.executable, "-m", "tests.kit", *stories], log=logs[lane], cwd=ROOT)
            for lane, stories in LANES.items()]
    going = True
    while going:
        time.sleep(LOOK)
        going = any([child.alive() for child in told])
        for lane, log in logs.items():
            whole, _, _ = log.read_text(errors="replace").rpartition("\n")
            lines = whole.splitlines()[shown[lane]:]
            shown[lane] += len(lines)
            for line in lines:
                if not COUNTS.match(line) and "still running" not in line:
                    steps.say(f"{lane}: {line}")
    passed = failed = 0
    for log in logs.values():
        counts = COUNTS.findall(log.read_text(errors="replace"))
        # A lane that did not reach its end counts as a failure.
        passed, failed = (passed + int(counts[-1][0]), failed + int(counts[-1][1])) if counts else (passed, failed + 1)
    steps.say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(guard.main_guard(main, "check-package"))
