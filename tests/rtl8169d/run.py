# SPDX-License-Identifier: GPL-2.0-only
"""Runs all tests of the NIC process; prints TAP lines and "N passed, N failed"."""

import argparse
import sys
import time
import traceback

import fuzz
import test_control
import test_fault
import test_generate
import test_protocol
import test_rx
import test_tx


def tests() -> list:
    """All test functions, in file order."""
    found = []
    for module in (test_protocol, test_rx, test_tx, test_control, test_generate, test_fault):
        found += [value for name, value in vars(module).items() if name.startswith("test_")]
    return found


def main() -> int:
    """Run all tests twice: as built for use, and under the sanitizers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nic", required=True, help="executable to test")
    parser.add_argument("--sanitized", help="the same, built with SANITIZE=1")
    parser.add_argument("--seed", type=int, default=8169, help="of the fuzz")
    parser.add_argument("--fuzz-seconds", type=float, default=10, help="bound on the fuzz")
    parser.add_argument("--only", default="", help="run tests whose name contains this")
    options = parser.parse_args()

    jobs = [(test.__name__, lambda test=test: test(options.nic)) for test in tests()]
    if options.sanitized:
        jobs += [(test.__name__ + " sanitized", lambda test=test: test(options.sanitized)) for test in tests()]
    target = options.sanitized or options.nic
    jobs += [(f"{name} seed {options.seed}", lambda run=run: run(target, options.seed, options.fuzz_seconds / 3))
             for name, run in fuzz.RUNS]
    jobs = [job for job in jobs if options.only in job[0]]
    failed = 0
    for number, (name, run) in enumerate(jobs, 1):
        begin = time.monotonic()
        try:
            run()
            print(f"ok {number} - {name} ({time.monotonic() - begin:.2f} s)", flush=True)
        except Exception:  # a test may fail in any way; the others still run
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    print(f"1..{len(jobs)}")
    print(f"{len(jobs) - failed} passed, {failed} failed")
    return 1 if failed or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
