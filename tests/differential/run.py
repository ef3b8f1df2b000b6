#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The same random packets through GRO and through the engine's strict mode, in user-mode Linux of two kernel series.

GRO may not merge what the engine does not, unless it loses bits or the order by that, as the kernel's own segmentation
shows. What only the engine merges needs one of the reasons listed in reasons.c.
The last line is `N passed, N failed`.
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
from lab.uml.boot import Boot, Load, boot  # noqa: E402
from lab.uml.uml import SERIES, build_modules, ensure  # noqa: E402

RESULT = re.compile(r"differential: (ok|not ok): (.*)")
LINES = re.compile(r"differential: (?:reason|fault|before|packet): .*")


def run(options: argparse.Namespace, series: str, seed: int) -> Boot:
    """Build for a series, boot and compare. Raises LabError."""
    kernel = ensure(options.flavour, series)
    stage = build_modules(kernel, "differential", ["include", "lro_core", "tests/property", "tests/differential", "tests/netdev"])
    loads = [
        Load(stage / "lro_core" / "lro_core.ko", "hold_us=0"),
        Load(stage / "tests" / "differential" / "lro_differential.ko", f"packets={options.packets} seed={seed}",
             unload=True),
    ]
    with step(f"Sending {options.packets} packets through GRO of Linux {series} and through the engine, seed {seed}"):
        return boot(kernel, "differential", loads, timeout=300 + options.packets / 10_000)


def judge(options: argparse.Namespace, series: str, seed: int) -> bool:
    """Run on a series and report; return whether all differences are meant. Raises LabError."""
    result = run(options, series, seed)
    for line in LINES.findall(result.text):
        print(f"{series} {line.partition(': ')[2]}")
    found = RESULT.search(result.text)
    if result.fault:
        print(f"differential: {result.fault.sentence()}")
    if found:
        print(f"{series} {found[2]}")
    good = bool(found and found[1] == "ok" and not result.fault)
    if not good:
        print(f"again: {sys.executable} tests/differential/run.py --series {series} --seed {seed} "
              f"--packets {options.packets}")
    return good


def main() -> int:
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=500_000, help="how many, with each kernel (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the stream; else by chance")
    parser.add_argument("--series", choices=SERIES, help="only this kernel")
    parser.add_argument("--flavour", default="bench", choices=("bench", "debug"),
                        help="kernel: at native speed, or with KASAN and other checkers (%(default)s)")
    options = parser.parse_args()
    seed = secrets.randbelow(1 << 31) if options.seed is None else options.seed
    try:
        prereq.ensure(tests=True)
        good = [judge(options, series, seed) for series in ([options.series] if options.series else SERIES)]
    except LabError as error:
        print(f"differential: {error.sentence()}", file=sys.stderr)
        return error.code
    print(f"{sum(good)} passed, {len(good) - sum(good)} failed")
    return EXIT_OK if all(good) else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
