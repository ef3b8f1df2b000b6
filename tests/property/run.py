#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Random packet streams through the engine in user-mode Linux, in every mode.

Strict: segmenting what was delivered gives back what was received, byte for byte. Relaxed: the payload is the same and
in order, and each header field that must be exact is. The last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import re
import secrets
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from lab import prereq  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError, step  # noqa: E402
from lab.uml.boot import Boot, Load, boot  # noqa: E402
from lab.uml.uml import build_modules, ensure  # noqa: E402

RUNS = 7
# The second half of the runs has these, so that aggregates are evicted and are full soon.
TIGHT = {"max_flows": 4, "max_segs": 5, "hold_us": 0}
RESULT = re.compile(r"property: (?P<ok>ok|not ok) (?P<number>\d+) - (?P<about>[^;\n]*).*")
FAULT = re.compile(r"property: fault: (.*)")

# A slow machine gets this far, packets a second.
SLOWEST = 20_000


def run(options: argparse.Namespace, seed: int, each: int) -> Boot:
    """Build, boot and run the streams. Raises LabError."""
    kernel = ensure(options.flavour)
    stage = build_modules(kernel, "property", ["include", "lro_core", "tests/property", "tests/netdev"])
    parameters = f"packets={each} seed={seed} only={options.only}"
    loads = [
        Load(stage / "lro_core" / "lro_core.ko", options.engine),
        Load(stage / "tests" / "property" / "lro_property.ko", parameters, unload=True),
    ]
    after = [*(f"echo {value} > /sys/module/lro_core/parameters/{name}" for name, value in TIGHT.items()),
             f'insmod /lro_property.ko {parameters} tight=1; echo "init: load lro_property $?"; rmmod lro_property']
    with step(f"Sending {options.packets} packets through the engine, SEED={seed}"):
        return boot(kernel, "property", loads, after="\n".join(after), timeout=300 + options.packets / SLOWEST)


def main() -> int:
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=1_000_000, help="of all runs together (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the streams; else by chance")
    parser.add_argument("--only", type=int, default=-1, choices=range(RUNS), help="only this run")
    parser.add_argument("--flavour", default="bench", choices=("bench", "debug"),
                        help="kernel: at native speed, or with KASAN and other checkers (%(default)s)")
    parser.add_argument("--engine", default="", metavar="PARAMETERS",
                        help='of lro_core in the first half, such as "hold_us=0"')
    options = parser.parse_args()
    seed = secrets.randbelow(1 << 31) if options.seed is None else options.seed
    wanted = 2 * (RUNS if options.only < 0 else 1)
    began = time.monotonic()
    try:
        prereq.ensure(tests=True)
        result = run(options, seed, -(-options.packets // wanted))
    except LabError as error:
        print(f"property: {error.sentence()}", file=sys.stderr)
        return error.code
    passed = 0
    for match in RESULT.finditer(result.text):
        good = match["ok"] == "ok"
        passed += good
        print(f"{'ok  ' if good else 'FAIL'} {match['about']}")
        if not good:
            fault = FAULT.search(result.text, match.end())
            print(f"     {fault[1] if fault else ''}")
            print(f"     again: make property SEED={seed} PACKETS={options.packets}")
    if result.fault:
        print(f"property: {result.fault.sentence()}")
    failed = max(wanted - passed, int(bool(result.fault)))
    print(f"SEED={seed}, {time.monotonic() - began:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return EXIT_FAILED if failed else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
