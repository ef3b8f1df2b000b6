# SPDX-License-Identifier: GPL-2.0-only
"""Runs all test suites, two at a time, those that need the machine for themselves last, and counts their tests.

Each suite is a command that ends with a line "N passed, N failed"; its output goes to build/check/SUITE.log.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from lab import guard, kernels, modules, prereq, proc, progress, provision, roots, steps
from lab.paths import BUILD, ROOT
from lab.steps import LabError
from lab.uml import uml

LOGS = BUILD / "check"
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
# Lines of a log that say nothing of a failure.
DULL = re.compile(r"ok   |\s*still running: ")
SHOWN_LINES, REPEATED_LINES = 40, 12
# Kernels of user-mode Linux: flavour and series.
FAST, FAST_73, CHECKED = ("bench", "6.12"), ("bench", "7.3"), ("debug", "6.12")


def on_machine(*command: str) -> Callable[[Path, float], None]:
    """A suite that runs on this machine."""
    def run(log: Path, limit: float) -> None:
        proc.run(command, log=log, timeout=limit, cwd=ROOT)
    return run


def python(*modules: str) -> Callable[[Path, float], None]:
    """A suite of unittest modules on this machine."""
    return on_machine(sys.executable, "-m", "tests.kit", *modules)


def in_root(*command: str) -> Callable[[Path, float], None]:
    """A suite that runs in the lab's root, with headers and driver sources of all kernels in their places.

    KSRC_6_12 and so on name the sources, STAGE_6_12 and so on what the laboratory's modules are built from.
    """
    def run(log: Path, limit: float) -> None:
        binds, trees = {ROOT: str(ROOT), BUILD: str(BUILD)}, {}
        for series in kernels.SERIES:
            kernel = kernels.kernel(series)
            binds |= kernel.binds() | kernels.real_time_binds(series)
            trees["KSRC_" + series.replace(".", "_")] = str(kernel.source)
            trees["STAGE_" + series.replace(".", "_")] = str(modules.build(series) / "src")
        roots.chroot(list(command), binds=binds, log=log, timeout=limit, cwd=str(ROOT), env=trees)
    return run


@dataclass(frozen=True)
class Suite:
    """A suite: `run(log, limit)` raises LabError when it fails; `limit` in seconds on an idle machine.

    longer: runs only when it is named. alone: measures times, or has machines that a busy host delays, so that no other
    suite runs meanwhile. uml: the kernels that are made before, as their minutes are not the suite's.
    """

    name: str
    about: str
    run: Callable[[Path, float], None]
    limit: float
    needs_lab: bool = False
    longer: bool = False
    alone: bool = False
    uml: tuple[tuple[str, str], ...] = ()


SUITES = (
    Suite("match", "the engine's rules in user space", on_machine("make", "-s", "-C", "tests/unit", "check"), 300),
    Suite("coverage", "lines and branches of the rules that those tests reach",
          on_machine(sys.executable, "tests/unit/coverage.py"), 300),
    Suite("fuzz", "the rules and the flow table with any bytes",
          on_machine(sys.executable, "tests/fuzz/run.py"), 1500),
    Suite("ring", "the guest's driver in user space, with a fuzzer as back end",
          on_machine(sys.executable, "tests/ring/run.py"), 1800),
    Suite("rtl8169d", "the emulated NIC against a scripted guest",
          on_machine("make", "-s", "-C", "tests/rtl8169d", "check"), 300),
    Suite("lab", "the laboratory's own parts",
          python("tests.lab.test_provision", "tests.lab.test_runtime", "tests.lab.test_measure",
                 "tests.lab.test_symbols", "tests.lab.test_attempts", "tests.lab.test_progress", "tests.lab.test_bench",
                 "tests.lab.test_scaling", "tests.lab.test_domains", "tests.lab.test_relay", "tests.bench.test_results", "tests.flow.test_flow",
                 "tests.soak.test_memory",
                 "tests.kunit.test_report"), 300),
    Suite("capture", "windows and retransmissions from captures",
          python("tests.capture.test_capture", "tests.capture.test_windows"), 120),
    Suite("tools", "the command xenlro on an imitated sysfs",
          python("tests.tools.test_xenlro", "tests.tools.test_status", "tests.tools.test_report",
                 "tests.tools.test_names", "tests.tools.test_parts"), 300),
    Suite("network", "the command xenlro on a network that is real, with drivers that are stand-ins",
          on_machine(sys.executable, "-m", "tests.network"), 1800),
    Suite("tree", "a further driver is a further folder, and a kernel gets the modules that it can have",
          python("tests.graft.test_tree"), 1200),
    Suite("graft", "the rules on three kernels", in_root("python3", "-m", "tests.kit", "tests.graft.test_graft"),
          1800, True),
    Suite("polls", "netback_lro in user space, with thread, polls, guest and hypervisor in each other's way",
          in_root("python3", "-m", "tests.kit", "tests.netback.test_model.Races"), 1200, True),
    Suite("spoiled", "netback_lro in user space again, with faults that have to show",
          in_root("python3", "-m", "tests.kit", "tests.netback.test_model.Noticed"), 1200, True, longer=True),
    Suite("kunit", "the engine under KASAN and lockdep in user-mode Linux",
          on_machine(sys.executable, "tests/kunit/run.py"), 2400, uml=(CHECKED,)),
    Suite("bench", "a few rows of the benchmark of the engine and of GRO",
          on_machine(sys.executable, "tests/bench/run.py", "--quick", "--sizes", "64,1514", "--flows", "1,64",
                     "--out", "build/bench/quick.json"), 1800, alone=True, uml=(FAST,)),
    Suite("differential", "GRO and the strict engine on the same packets, each difference with a reason",
          on_machine(sys.executable, "tests/differential/run.py"), 1800, uml=(FAST, FAST_73)),
    Suite("property", "a million packets through the engine in every mode, in user-mode Linux",
          on_machine(sys.executable, "tests/property/run.py"), 3000, uml=(FAST,)),
    Suite("kasan", "such packets, fewer of them, in a kernel that checks every access to memory",
          on_machine(sys.executable, "tests/property/run.py", "--flavour", "debug", "--packets", "200000"), 1500,
          uml=(CHECKED,)),
    Suite("time", "the time that packets wait in the engine, on a clock of the test's own",
          on_machine(sys.executable, "tests/time/run.py"), 1500, uml=(FAST,)),
    Suite("consumers", "aggregates of every layout through all their consumers, in user-mode Linux",
          python("tests.consumers.test_uml"), 1800, True, uml=(CHECKED,)),
    Suite("docs", "links, commands and names in the documentation",
          python("tests.docs.test_docs", "tests.docs.test_engine"), 60),
    Suite("matrix", "the modules on three kernels without a warning, and the kernel's own checkers",
          in_root("python3", "-m", "tests.kit", "tests.matrix.test_matrix.Built", "tests.matrix.test_matrix.Style"), 2400, True),
    Suite("realtime", "the modules without a warning for kernels with PREEMPT_RT",
          in_root("python3", "-m", "tests.kit", "tests.matrix.test_matrix.RealTime"), 1800, True, longer=True),
    Suite("report", "the report page from known results", python("tests.lab.test_report", "tests.lab.test_paths", "tests.lab.test_browser"),
          300, True),
    Suite("insn", "the instruction counter on programs of known length",
          on_machine("make", "-s", "-C", "tests/insn", "quick"), 300, True),
    Suite("hosts", "the lab on hosts reached by ssh, and that it restores them",
          python("tests.hosts.test_files", "tests.hosts.test_session"), 300, True),
    Suite("routes", "the scripts and rules of the chain's domains in network namespaces", python("tests.lab.test_routes"), 600,
          True),
    Suite("example", "the example driver in user-mode Linux, files through the engine",
          python("tests.example.test_example"), 1200, True, alone=True, uml=(FAST,)),
    Suite("boot", "stock r8169 and r8169_lro on the emulated NIC",
          python("tests.boot.test_boot"), 1500, True, alone=True),
    Suite("intel", "e1000e_lro and igb_lro on the NICs that QEMU emulates: load, traffic, lies, resets",
          python("tests.boot.test_intel_core"), 900, True, alone=True, longer=True),
    Suite("flows", "many flows at 1000 Mbit/s by the machine's own clock, and the waiting time of their packets",
          python("tests.boot.test_flows"), 1500, True, alone=True, longer=True),
    Suite("br_linearize", "aggregates of r8169 and e1000 rewritten in each mode",
          python("tests.boot.test_br_linearize"), 900, True, alone=True),
    Suite("package", "the packages: their contents, and Debian's checker", python("tests.package.test_package"), 900,
          True),
    Suite("backend", "a Xen guest's back end goes, comes back, changes and lies under traffic",
          python("tests.xen.test_backend.Netfront"), 2400, True, alone=True, longer=True),
    Suite("netback", "netback_lro under traffic, with disturbances by guest, hypervisor and administrator",
          python("tests.xen.test_netback.Netback"), 2400, True, alone=True, longer=True),
    Suite("deaths", "a Xen guest's back end dies fifty times, each time in another way, under traffic both ways",
          python("tests.xen.test_deaths.Default"), 1800, True, alone=True),
    Suite("topologies", "files and aggregates into PVH guests, through a driver domain, a chain of routers and Open vSwitch",
          python("tests.xen.test_topologies"), 3600, True, alone=True, longer=True),
    Suite("xen", "files through every configuration into a Xen guest", python("tests.xen.test_xen"), 1200, True, alone=True),
)


def run_suite(suite: Suite, shared: int) -> tuple[int, int]:
    """Run one suite of the `shared` that have the machine; return how many of its tests passed and failed.

    A suite that breaks counts as one failure.
    """
    log = LOGS / f"{suite.name}.log"
    log.unlink(missing_ok=True)
    trouble = None
    with steps.step(f"{suite.name}: {suite.about}") as step:
        try:
            suite.run(log, suite.limit * shared)
        except LabError as error:
            trouble = error
        text = log.read_text(errors="replace") if log.exists() else ""
        counts = COUNTS.findall(text)
        passed, failed = (int(counts[-1][0]), int(counts[-1][1])) if counts else (0, 0)
        if trouble or not passed:
            failed = max(failed, 1)
        step.title += f": {passed} passed, {failed} failed"
    if failed:
        if trouble:
            # A suite that is ended at its limit says nothing of it in its log.
            with log.open("a") as file:
                file.write(f"{trouble}\n")
        show(log, SHOWN_LINES)
    return passed, failed


def show(log: Path, count: int) -> None:
    """Print the last lines of a suite's log that tell of a failure."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    told = [line for line in lines if not DULL.match(line)][-count:] or ["no test ran"]
    steps.say("\n".join(f"    {line}" for line in told))
    steps.say(f"    the whole log: {log}")


def run_waiting(waiting: deque[Suite], counts: dict[str, tuple[int, int]], where: progress.Progress,
                shared: int = 1) -> None:
    """Run the suites that wait, one after the other, as long as there are any. `shared` threads do so."""
    while True:
        try:
            suite = waiting.popleft()
        except IndexError:
            return
        steps.status(where.position())
        begun = time.monotonic()
        counts[suite.name] = run_suite(suite, shared)
        where.done(suite.name, time.monotonic() - begun, keep=not counts[suite.name][1])


def check(names: Sequence[str], longer: bool) -> int:
    chosen = [suite for suite in SUITES if (suite.name in names if names else longer or not suite.longer)]
    prereq.ensure(tests=True)
    LOGS.mkdir(exist_ok=True)
    if any(suite.needs_lab for suite in chosen):
        provision.setup(list(kernels.SERIES))
    for flavour, series in dict.fromkeys(kernel for suite in chosen for kernel in suite.uml):
        uml.ensure(flavour, series)
    together, alone = ([suite for suite in chosen if suite.alone == kind] for kind in (False, True))
    where = progress.Progress("suite", [suite.name for suite in chosen], paired=[suite.name for suite in together])
    steps.say(where.opening())
    counts: dict[str, tuple[int, int]] = {}
    waiting = deque(together)
    other = Thread(target=run_waiting, args=(waiting, counts, where, 2), daemon=True)
    other.start()
    run_waiting(waiting, counts, where, 2)
    other.join()
    run_waiting(deque(alone), counts, where)
    for suite in chosen:
        # Its thread has ended with an error of its own.
        counts.setdefault(suite.name, (0, 1))
    passed, failed = (sum(column) for column in zip(*counts.values()))
    for name, (_, wrong) in counts.items():
        if wrong:
            # Far from the end of a long output nobody sees it.
            steps.say(f"failed: {name}, {wrong} of its tests")
            show(LOGS / f"{name}.log", REPEATED_LINES)
    steps.say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make check", description=__doc__.split("\n\n")[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", choices=[[], *(s.name for s in SUITES)],
                        help="only these: " + ", ".join(f"{s.name} ({s.about})" for s in SUITES))
    parser.add_argument("--all", action="store_true",
                        help="also those that take long: " + ", ".join(s.name for s in SUITES if s.longer))
    options = parser.parse_args()
    return check(options.suites, options.all)


if __name__ == "__main__":
    sys.exit(guard.main_guard(main))
