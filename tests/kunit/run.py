#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""KUnit tests of the engine in user-mode Linux with KASAN, lockdep and leak detection.

The last line is `N passed, N failed`; exits with 1 when a test failed or the kernel complained.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from lab import prereq  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError, step  # noqa: E402
from lab.uml.boot import Boot, Load, boot, own_clock  # noqa: E402
from lab.uml.uml import build_modules, ensure  # noqa: E402
from tests.kunit import ktap  # noqa: E402


def parameters() -> str:
    """Parameters of lro_core that the cases require."""
    found = re.findall(r"^#define PARAMETER_(\w+)\s+(\d+)$", (HERE / "cases.h").read_text(), re.MULTILINE)
    return " ".join(f"{name.lower()}={value}" for name, value in found)


def run() -> Boot:
    """Build, boot and run all tests."""
    kernel = ensure("debug")
    stage = build_modules(kernel, "kunit", ["include", "lro_core", "tests/kunit", "tests/netdev"])
    loads = [
        Load(stage / "lro_core" / "lro_core.ko", parameters()),
        Load(stage / "tests" / "kunit" / "lro_kunit.ko"),
    ]
    with step("Running the KUnit tests"):
        return boot(kernel, "kunit", loads, timeout=300, kernel_args=("kunit.enable=1", *own_clock(kernel)))


def main() -> int:
    """Run the tests; return the exit status."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    try:
        prereq.ensure(tests=True)
        result = run()
    except LabError as error:
        print(f"kunit: {error.sentence()}", file=sys.stderr)
        return error.code
    report = ktap.parse(result.text)
    for name in report.failed:
        print(f"FAILED {name}")
        for line in report.details[name]:
            print(f"    {line.strip()}")
    complaint = result.fault.sentence() if result.fault else report.broken
    if complaint:
        print(f"kunit: {complaint}")
    for name in report.skipped:
        print(f"SKIPPED {name}, and no test may be")
    failed = len(report.failed) + len(report.skipped) + bool(complaint)
    print(f"{len(report.passed)} passed, {failed} failed")
    return EXIT_FAILED if failed else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
