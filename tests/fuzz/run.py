#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Fuzzes the engine's pure parts with libFuzzer, in the lab's root under AddressSanitizer and UBSan.

frame: any bytes as frames, judged by an oracle; flows: a packet stream through the flow table, beside a model.
Starts from tests/fuzz/corpus/ and what earlier runs found (build/fuzz/corpus/). An input that breaks something is kept
in build/fuzz/findings/ and named together with the command that replays it. The last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from lab import cache, prereq, roots  # noqa: E402
from lab.paths import BUILD, LOGS, ROOT  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError, step  # noqa: E402

TARGETS = ("frame", "flows")
OUT = BUILD / "fuzz"
CORPUS = HERE / "corpus"
FINDINGS = OUT / "findings"

# Bytes of one input; longer ones only slow the search down.
MAX_LEN = 256
# Most of an input set that minimising keeps for the repository, bytes.
KEPT = 90_000


def in_root(*command: str, log: Path | None, timeout: float) -> str:
    """Run a command in the lab's root with this checkout in its place. Raises LabError when it fails."""
    return roots.chroot(command, binds={ROOT: str(ROOT), BUILD: str(BUILD)}, cwd=str(ROOT), log=log, timeout=timeout)


def build() -> None:
    """Build the targets. Raises LabError."""
    log = LOGS / "fuzz-build.log"
    log.unlink(missing_ok=True)
    in_root("make", "-s", "-C", str(HERE), f"OUT={OUT}", log=log, timeout=300)


def fuzz(target: str, seconds: int) -> bool:
    """Fuzz one target; report and return whether nothing broke."""
    own, known = OUT / "corpus" / target, CORPUS / target
    for folder in (own, FINDINGS):
        folder.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"fuzz-{target}.log"
    log.unlink(missing_ok=True)
    trouble = None
    with step(f"Fuzzing {target} for {seconds} s") as progress:
        try:
            in_root(str(OUT / target), f"-max_total_time={seconds}", f"-max_len={MAX_LEN}", "-len_control=0",
                    "-timeout=10", "-print_final_stats=1", f"-artifact_prefix={FINDINGS}/{target}-", str(own),
                    *([str(known)] if known.exists() else []), log=log, timeout=seconds + 300)
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


def replay(target: str, path: Path) -> bool:
    """Run one input and show what it does; return whether it breaks nothing."""
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
    """Replace the repository's inputs by the smallest set that reaches as much, as far as it fits."""
    merged = OUT / "merged" / target
    cache.remove(merged)
    merged.mkdir(parents=True)
    log = LOGS / f"fuzz-merge-{target}.log"
    log.unlink(missing_ok=True)
    sources = [str(path) for path in (CORPUS / target, OUT / "corpus" / target) if path.exists()]
    in_root(str(OUT / target), "-merge=1", f"-max_len={MAX_LEN}", str(merged), *sources, log=log, timeout=600)
    cache.remove(CORPUS / target)
    (CORPUS / target).mkdir(parents=True)
    left = KEPT
    for path in sorted(merged.iterdir(), key=lambda path: path.stat().st_size):
        left -= path.stat().st_size
        if left >= 0:
            shutil.copy(path, CORPUS / target / path.name[:12])


def main() -> int:
    """Fuzz, replay or minimise; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", choices=[[], *TARGETS],
                        help=f"only these: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together (%(default)s)")
    parser.add_argument("--replay", type=Path, metavar="INPUT", help="run this one input of the one target named")
    parser.add_argument("--minimise", action="store_true", help="renew tests/fuzz/corpus/ from what was found")
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
            results = [fuzz(target, max(1, options.seconds // len(targets))) for target in targets]
    except LabError as error:
        print(f"fuzz: {error.sentence()}", file=sys.stderr)
        return error.code
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return EXIT_OK if all(results) else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
