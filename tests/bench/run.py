#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Benchmark of the engine against the kernel's GRO, at native speed in user-mode Linux.

Writes build/bench/results.json and prints a table. Exits with 1 when a row fails.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from lab import prereq  # noqa: E402
from lab.paths import BUILD  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError, step  # noqa: E402
from lab.uml.boot import Load, boot  # noqa: E402
from lab.uml.uml import build_modules, ensure  # noqa: E402
from tests.bench import pmu, results, worst  # noqa: E402

MODES = {"strict": 1, "relaxed": 2}

# Costs that a sender can cause are measured with the highest max_flows and hold_us, and with a max_segs that is low
# enough for the memory.
WORST = {1024: 64, 8192: 2, 65536: 2}
WORST_QUICK = (1024,)
WORST_ROUNDS = 5
PARAMETERS = "/sys/module/lro_core/parameters"
# MiB; 65,536 aggregates of two pages are a third of it.
MEMORY = 1536

# One softirq may then run for a whole round: a change of thread within it would be measured with the packets.
LONG_SOFTIRQ = "echo 1000000 > /proc/sys/net/core/netdev_budget; echo 1000000 > /proc/sys/net/core/netdev_budget_usecs"


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds of few packets: shows that it works")
    parser.add_argument("--mode", choices=MODES, default="strict", help="promise of the engine (%(default)s)")
    parser.add_argument("--sizes", default="64,128,256,512,1024,1514", help="frame sizes (%(default)s)")
    parser.add_argument("--flows", default="1,4,64,1024", help="interleaved flows (%(default)s)")
    parser.add_argument("--out", type=Path, default=BUILD / "bench" / "results.json", help="result (%(default)s)")
    return parser.parse_args()


def processor() -> str:
    """Name of the processor in /proc/cpuinfo."""
    found = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.processor()


def worst_loads(module: Path, parameters: str, quick: bool) -> list[Load]:
    """The benchmark's module again for each size of the flow table."""
    return [Load(module, f"{parameters} rounds={WORST_ROUNDS} worst={max_flows} quick={int(quick)}", unload=True,
                 first=f"echo {max_flows} >{PARAMETERS}/max_flows; echo {max_segs} >{PARAMETERS}/max_segs; "
                       f"echo 10000 >{PARAMETERS}/hold_us")
            for max_flows, max_segs in WORST.items() if max_flows in WORST_QUICK or not quick]


def measure(options: argparse.Namespace) -> tuple[results.Run, str]:
    """Build and boot; return the run, and why it has no processor cycles if it has none."""
    kernel = ensure("bench")
    stage = build_modules(kernel, "bench", ["include", "lro_core", "tests/bench", "tests/netdev"])
    without_pmu = pmu.absence()
    amount = "rounds=5 packets=16384" if options.quick else "rounds=9 packets=65536"
    parameters = f"{amount} mode={MODES[options.mode]}"
    if not without_pmu:
        parameters += f" pmu_fd={pmu.FD}"
    module = stage / "tests" / "bench" / "lro_bench.ko"
    loads = [
        Load(stage / "lro_core" / "lro_core.ko"),
        Load(module, f"{parameters} sizes={options.sizes} flows={options.flows}", unload=True),
        *worst_loads(module, parameters, options.quick),
    ]
    with step("Measuring"):
        wrap = () if without_pmu else (sys.executable, str(HERE / "pmu.py"))
        result = boot(kernel, "bench", loads, before=LONG_SOFTIRQ, memory=MEMORY, timeout=1800, wrap=wrap)
    return results.parse(result.checked()), without_pmu


def main() -> int:
    """Run the benchmark; return the exit status."""
    options = arguments()
    try:
        prereq.ensure(tests=True)
        run, without_pmu = measure(options)
    except LabError as error:
        print(f"bench: {error.sentence()}", file=sys.stderr)
        return error.code
    except results.NoResults as error:
        print(f"bench: {error}; see the console in {BUILD / 'logs'}", file=sys.stderr)
        return EXIT_FAILED
    rows = results.rows(run)
    dear = worst.rows(run)
    failures = (results.loop_failures(run) + results.row_failures(rows, timing=not options.quick)
                + worst.failures(dear))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({
        "schema": 1, "mode": options.mode, "processor": processor(), "tsc_khz": run.about["tsc_khz"],
        "cycles_absent_because": without_pmu or None, "rows": rows, "worst": dear,
    }, indent=1) + "\n")
    print(results.table(rows), "", worst.table(dear), sep="\n")
    if not options.quick:
        print("", *results.judgement(rows), sep="\n")
    for failure in failures:
        print(f"FAILED: {failure}")
    if without_pmu:
        print(f"No processor cycles: {without_pmu}; tsc_cycles are ticks of the constant-rate time stamp counter.")
    print(f"Written to {options.out}")
    print(f"{len(rows) + len(dear) - len(failures)} passed, {len(failures)} failed")
    return EXIT_FAILED if failures else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
