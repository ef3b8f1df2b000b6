#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""How long packets wait in the engine, in user-mode Linux on a clock of the test's own.

Random arrivals and polls; each packet must be delivered in time. The last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import re
import secrets
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from lab import prereq  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError, step  # noqa: E402
from lab.uml.boot import Boot, Load, boot, own_clock  # noqa: E402
from lab.uml.uml import build_modules, ensure  # noqa: E402

# The shipped time, a short and a long one; with the kernel's own delay, shorter and longer; and flights beside a bulk flow.
RUNS = ("hold_us=100", "hold_us=20", "hold_us=2000", "hold_us=100 flush_us=20", "hold_us=100 flush_us=1000",
        "hold_us=100 paced=1")
RESULT = re.compile(r"time: (ok|not ok): (.*)")
FAULT = re.compile(r"time: fault: .*")


def run(packets: int, seed: int) -> list[Boot]:
    """Build, then boot once for each run. Raises LabError."""
    kernel = ensure("bench")
    stage = build_modules(kernel, "time", ["include", "lro_core", "tests/time", "tests/netdev"])
    boots = []
    for number, run_of in enumerate(RUNS):
        # The engine learns of a few hundred flights.
        each = packets // len(RUNS) * (4 if "paced" in run_of else 1)
        loads = [Load(stage / "lro_core" / "lro_core.ko", run_of.split()[0]),
                 Load(stage / "tests" / "time" / "lro_time.ko", f"packets={each} seed={seed} {run_of}",
                      unload=True)]
        with step(f"Sending {each} packets with {run_of}, SEED={seed}"):
            boots.append(boot(kernel, f"time-{number}", loads, timeout=300, kernel_args=own_clock(kernel)))
    return boots


def main() -> int:
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=1_000_000, help="of all runs together (%(default)s)")
    parser.add_argument("--seed", type=int, help="of arrivals and polls; else by chance")
    options = parser.parse_args()
    seed = secrets.randbelow(1 << 31) if options.seed is None else options.seed
    try:
        prereq.ensure(tests=True)
        boots = run(options.packets, seed)
    except LabError as error:
        print(f"time: {error.sentence()}", file=sys.stderr)
        return error.code
    passed = 0
    for run_of, result in zip(RUNS, boots):
        found = RESULT.search(result.text)
        good = bool(found and found[1] == "ok" and not result.fault)
        passed += good
        print(f"{'ok  ' if good else 'FAIL'} {run_of}: {found[2] if found else 'no result'}")
        for line in FAULT.findall(result.text):
            print(f"     {line}")
        if result.fault:
            print(f"     {result.fault.sentence()}")
    failed = len(RUNS) - passed
    if failed:
        print(f"     again: python3 tests/time/run.py --seed {seed} --packets {options.packets}")
    print(f"{passed} passed, {failed} failed")
    return EXIT_FAILED if failed else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
