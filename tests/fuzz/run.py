#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Fuzzes the engine's pure parts with libFuzzer, in the lab's root under AddressSanitizer and UBSan.

frame: any bytes as frames, judged by an oracle; flows: a packet stream through the flow table, beside a model. Starts
from tests/fuzz/corpus/ and the inputs of earlier runs (build/fuzz/corpus/). A finding is kept in build/fuzz/findings/
and named together with the command that replays it.

The most expensive input of each target is named: the engine executes the most basic blocks by packet or poll for it
(tests/fuzz/cost.h), a number that depends only on the input and the compiler. The most expensive known inputs are kept
in tests/fuzz/dearest/. An input far above the median fails. The last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from lab import cache, prereq, roots  # noqa: E402
from lab.paths import BUILD, LOGS, ROOT  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError, step  # noqa: E402

TARGETS = ("frame", "flows")
OUT = BUILD / "fuzz"
CORPUS = HERE / "corpus"
DEAREST = HERE / "dearest"
FINDINGS = OUT / "findings"

# The highest cost of an input, as a multiple of the median of all inputs.
COST_BOUND = 5.0
# Number of the most expensive inputs that the repository keeps of each target.
COST_KEPT = 8

# Bytes of one input; longer ones only slow the search down.
MAX_LEN = 256
# Limit of an input set that minimising keeps for the repository, bytes.
KEPT = 90_000


def in_root(*command: str, log: Path | None, timeout: float, env: dict[str, str] | None = None) -> str:
    """Run a command in the lab's root with this checkout in its place. Raises LabError when it fails."""
    return roots.chroot(command, binds={ROOT: str(ROOT), BUILD: str(BUILD)}, cwd=str(ROOT), log=log, timeout=timeout,
                        env=env or {})


def folders(target: str) -> list[Path]:
    """Folders with inputs of a target. That of earlier runs comes first, because libFuzzer writes there."""
    return [path for path in (OUT / "corpus" / target, CORPUS / target, DEAREST / target) if path.exists()]


def build() -> None:
    """Build the targets. Raises LabError."""
    log = LOGS / "fuzz-build.log"
    log.unlink(missing_ok=True)
    in_root("make", "-s", "-C", str(HERE), f"OUT={OUT}", log=log, timeout=300)


def fuzz(target: str, seconds: int) -> bool:
    """Fuzz one target; report findings, and return whether there are none."""
    for folder in (OUT / "corpus" / target, FINDINGS):
        folder.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"fuzz-{target}.log"
    log.unlink(missing_ok=True)
    trouble = None
    with step(f"Fuzzing {target} for {seconds} s") as progress:
        try:
            in_root(str(OUT / target), f"-max_total_time={seconds}", f"-max_len={MAX_LEN}", "-len_control=0",
                    "-timeout=10", "-print_final_stats=1", f"-artifact_prefix={FINDINGS}/{target}-",
                    *map(str, folders(target)), log=log, timeout=seconds + 300)
        except LabError as error:
            trouble = error
        text = log.read_text(errors="replace") if log.exists() else ""
        runs = re.findall(r"stat::number_of_executed_units:\s+(\d+)", text)
        edges = re.findall(r" cov: (\d+)", text)
        progress.title += f": {runs[-1] if runs else 0} inputs, {edges[-1] if edges else 0} edges"
    if not trouble and runs and int(runs[-1]):
        return True
    for line in re.findall(r"^(?:.*does not hold.*|SUMMARY:.*|.*runtime error.*)$", text, re.MULTILINE)[:5]:
        print(f"    {line}")
    for path in map(Path, re.findall(r"Test unit written to (\S+)", text)):
        shown = path.relative_to(ROOT) if ROOT in path.parents else path
        print(f"    replay: python3 tests/fuzz/run.py --replay {shown} {target}")
    print(f"    the whole log: {log}" + ("" if trouble else "; no input ran"))
    return False


def costs(target: str) -> dict[Path, float]:
    """Known input -> basic blocks of the engine by packet or poll, the most expensive first."""
    inputs = [path for folder in folders(target) for path in sorted(folder.iterdir())]
    log = LOGS / f"fuzz-cost-{target}.log"
    log.unlink(missing_ok=True)
    in_root(str(OUT / target), *map(str, inputs), log=log, timeout=600, env={"FUZZ_COST": "1"})
    found = re.findall(r"^Running: (\S+)\ncost: (\d+) blocks, (\d+) events$", log.read_text(errors="replace"),
                       re.MULTILINE)
    if len(found) != len(inputs):
        raise LabError(f"{len(inputs) - len(found)} of {len(inputs)} inputs of {target} did not tell their cost", log)
    measured = {Path(path): int(blocks) / int(events) for path, blocks, events in found if int(events)}
    return dict(sorted(measured.items(), key=lambda item: -item[1]))


def judge_cost(target: str) -> bool:
    """Name the most expensive input of a target; return whether it is within the bound."""
    try:
        measured = costs(target)
    except LabError as error:
        print(f"    {error.sentence()}")
        return False
    middle, (path, most) = median(measured.values()), next(iter(measured.items()))
    within = most <= COST_BOUND * middle
    shown = path.relative_to(ROOT) if ROOT in path.parents else path
    print(f"    dearest input of {target}: {most:.0f} basic blocks by packet or poll, {most / middle:.1f} times the "
          f"median of {len(measured)}; at most {COST_BOUND:g} times are wanted: {shown}")
    return within


def replay(target: str, path: Path) -> bool:
    """Run one input and show its output; return whether it is no finding."""
    copy = OUT / "replay"
    shutil.copy(path, copy)
    log = LOGS / f"fuzz-replay-{target}.log"
    log.unlink(missing_ok=True)
    try:
        in_root(str(OUT / target), str(copy), log=log, timeout=60)
    except LabError:
        print(log.read_text(errors="replace"))
        return False
    return True


def minimise(target: str) -> None:
    """Replace the repository's inputs by the smallest set with the same coverage, as far as it fits."""
    merged = OUT / "merged" / target
    cache.remove(merged)
    merged.mkdir(parents=True)
    log = LOGS / f"fuzz-merge-{target}.log"
    log.unlink(missing_ok=True)
    in_root(str(OUT / target), "-merge=1", f"-max_len={MAX_LEN}", str(merged), *map(str, folders(target)), log=log,
            timeout=600)
    keep_dearest(target)
    cache.remove(CORPUS / target)
    (CORPUS / target).mkdir(parents=True)
    left = KEPT
    for path in sorted(merged.iterdir(), key=lambda path: path.stat().st_size):
        left -= path.stat().st_size
        if left >= 0:
            shutil.copy(path, CORPUS / target / path.name[:12])


def keep_dearest(target: str) -> None:
    """Replace the repository's most expensive inputs by the present ones."""
    kept = {path.name[:12]: path.read_bytes() for path in list(costs(target))[:COST_KEPT]}
    cache.remove(DEAREST / target)
    (DEAREST / target).mkdir(parents=True)
    for name, data in kept.items():
        (DEAREST / target / name).write_bytes(data)


def main() -> int:
    """Fuzz, replay or minimise; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", choices=[[], *TARGETS],
                        help=f"only these: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together (%(default)s)")
    parser.add_argument("--replay", type=Path, metavar="INPUT", help="run this one input of the one target named")
    parser.add_argument("--minimise", action="store_true", help="renew tests/fuzz/corpus/ and tests/fuzz/dearest/ from what was found")
    options = parser.parse_args()
    targets = options.targets or list(TARGETS)
    if options.replay and (len(targets) != 1 or not options.replay.is_file()):
        parser.error("--replay takes an input that exists and the one target it is for")
    try:
        prereq.ensure(tests=True)
        build()
        if options.minimise:
            for target in targets:
                minimise(target)
            return EXIT_OK
        if options.replay:
            results = [replay(targets[0], options.replay)]
        else:
            results = [judge(target) for target in targets
                       for judge in (lambda name: fuzz(name, max(1, options.seconds // len(targets))), judge_cost)]
    except LabError as error:
        print(f"fuzz: {error.sentence()}", file=sys.stderr)
        return error.code
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return EXIT_OK if all(results) else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
