#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Fuzzes xen-netfront and netfront_lro with a back end that does anything at any moment.

The driver of each kernel, stock and grafted, is compiled in user space against a model of what it needs
(tests/ring/model), under AddressSanitizer; the input is what the back end and the interface's user do. In the kernel's
own drivers the faults that are known have to be found, each by a search for its kind; in the grafted ones nothing.
Starts from tests/ring/corpus/ and what earlier runs found. The last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from lab import cache, kernels, prereq, roots  # noqa: E402
from lab.paths import BUILD, LOGS, ROOT  # noqa: E402
from lab.steps import EXIT_FAILED, EXIT_OK, LabError, say, step  # noqa: E402

OUT = BUILD / "ring"
CORPUS = HERE / "corpus"
FINDINGS = OUT / "findings"
CPUS = 2
# Bytes of one input, and of all that the repository keeps.
MAX_LEN = 256
KEPT = 60_000
# Seconds that a search for a known fault may take.
SEARCH = 25
OLDER = "6.1-older"


@dataclass(frozen=True)
class Target:
    """A driver: of which kernel, and whether it is grafted. `6.1-older` is that of an earlier 6.1 kernel."""

    tree: str
    grafted: bool

    @property
    def name(self) -> str:
        return f"{'netfront_lro' if self.grafted else 'xen-netfront'}-{self.tree}"

    @property
    def series(self) -> str:
        return self.tree.partition("-")[0]

    @property
    def program(self) -> Path:
        return OUT / self.name / "fuzz"


TREES = (*kernels.SERIES, OLDER)
OURS = tuple(Target(tree, True) for tree in TREES)
TARGETS = {target.name: target for target in (*OURS, *(Target(tree, False) for tree in TREES))}
# What is wrong in the kernel's own drivers, as life.c and the model call it, and of which it is a sentence.
KNOWN = (
    *((f"xen-netfront-{series}", kind) for series in kernels.SERIES for kind in ("pool", "outside", "poll")),
    (f"xen-netfront-{OLDER}", "header"),
    (f"xen-netfront-{OLDER}", "leak"),
    ("xen-netfront-7.3", "slab"),
    ("xen-netfront-6.12", "granted"),
    ("xen-netfront-7.3", "endless"),
    ("xen-netfront-6.12", "xdp"),
    ("xen-netfront-6.12", "ids"),
    ("xen-netfront-6.1", "storm"),
    ("xen-netfront-6.12", "null"),
    ("xen-netfront-6.12", "race"),
    ("xen-netfront-6.12", "console"),
    ("xen-netfront-6.12", "filter"),
    ("xen-netfront-6.12", "program"),
    ("xen-netfront-6.1", "timer"),
)


def in_root(*command: str, log: Path | None, timeout: float, env: dict[str, str] | None = None) -> str:
    """Run a command in the lab's root with this checkout in its place. Raises LabError when it fails."""
    binds = {ROOT: str(ROOT), BUILD: str(BUILD)}
    return roots.chroot(command, binds=binds, cwd=str(ROOT), log=log, timeout=timeout, env=env)


def source_of(target: Target) -> Path:
    """The kernel tree that a target's driver is from."""
    source = kernels.kernel(target.series).source
    if target.tree != OLDER:
        return source
    tree = OUT / "trees" / OLDER
    driver, rules = source / "drivers/net/xen-netfront.c", HERE / "older.cocci"

    def make(fresh: Path) -> None:
        (fresh / "drivers/net").mkdir(parents=True)
        shutil.copy(source / "Makefile", fresh)
        to = fresh / "drivers/net/xen-netfront.c"
        in_root("spatch", "--very-quiet", "--no-includes", "--sp-file", str(rules), "-o", str(to), str(driver),
                log=LOGS / "ring-older.log", timeout=300)
        text = to.read_text()
        if "max(pull_to" in text or "__skb_queue_head(&tmpq, skb);\n\t\t\tgoto err" in text:
            raise LabError(f"{rules} does not match {driver}")

    return cache.keyed(tree, ("older", driver.read_bytes(), rules.read_bytes()), make)


def write_headers(target: Target) -> Path:
    """The headers that the drivers ask for: all lead to the model, but for those that say what a ring looks like."""
    kernel, include = kernels.kernel(target.series), OUT / "include" / target.series
    interface = next(kernel.headers.glob("usr/src/linux-headers-*/include/xen/interface/io/ring.h")).parent
    sources = [kernel.source / "drivers/net/xen-netfront.c", ROOT / "include/lro.h",
               *(ROOT / "netfront_lro").glob("*.[ch]")]
    wanted = {name for path in sources for name in re.findall(r"^#include <(\S+)>", path.read_text(), re.M)}
    texts = {name: '#include "model.h"\n' for name in wanted - {"lro.h", "compat.h"}}
    texts["xen/interface/grant_table.h"] = '#include "model.h"\n'
    texts |= {f"xen/interface/io/{name}": (interface / name).read_text() for name in ("ring.h", "netif.h")}
    for name, text in texts.items():
        path = include / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    return include


def build(target: Target) -> None:
    """Graft and compile one target. Raises LabError."""
    log = LOGS / f"ring-build-{target.name}.log"
    log.unlink(missing_ok=True)
    source, include = source_of(target), write_headers(target)
    driver = source / "drivers/net"
    if target.grafted:
        out = OUT / "grafted" / target.tree
        in_root("python3", "graft/graft.py", "--kver", f"{target.series}.0-ring", "--ksrc", str(source), "--out",
                str(out), "--cache", str(BUILD / "source"), "netfront_lro", log=log, timeout=900)
        driver = out / "netfront_lro"
    major, minor = map(int, target.series.split("."))
    in_root("make", "-s", "-C", str(HERE), f"OUT={OUT / target.name}", f"KERNEL={major << 16 | minor << 8}",
            f"INCLUDE={include}", f"DRIVER={driver}", *(["GRAFTED=y"] if target.grafted else []), log=log, timeout=300)


def run(target: Target, seconds: int, *folders: Path, log: Path, env: dict[str, str] | None = None) -> str:
    """Let the fuzzer run; return what it said. A finding is no failure here."""
    log.unlink(missing_ok=True)
    try:
        in_root(str(target.program), f"-max_total_time={seconds}", f"-max_len={MAX_LEN}", "-len_control=0", "-timeout=20",
                "-print_final_stats=1", f"-artifact_prefix={FINDINGS}/{target.name}-", *map(str, folders), log=log,
                timeout=seconds + 120, env=env)
    except LabError:
        pass
    return log.read_text(errors="replace") if log.exists() else ""


def found(text: str) -> str | None:
    """What the fuzzer has found: a kind and a sentence, or the sanitizer's."""
    match = re.search(r"^finding: (.*)$|^(SUMMARY: .*)$|^.*(runtime error: .*)$", text, re.M)
    return next(filter(None, match.groups())) if match else None


def search(target: Target, kind: str) -> bool:
    """Look for a known fault in the kernel's own driver; report and return whether it was found in time."""
    begun, scratch = time.monotonic(), OUT / "search" / f"{target.name}-{kind}"
    cache.remove(scratch)
    scratch.mkdir(parents=True)
    text = run(target, SEARCH, scratch, CORPUS, log=LOGS / f"ring-{target.name}-{kind}.log", env={"RING_SOUGHT": kind})
    what = found(text)
    good = bool(what and what.startswith(f"{kind}:"))
    say(f"{'ok  ' if good else 'FAIL'} {target.name}: {what or f'no {kind} found'} ({time.monotonic() - begun:.1f} s)")
    return good


def fuzz(target: Target, seconds: int) -> bool:
    """Fuzz a grafted driver; report and return whether nothing was found."""
    own = OUT / "corpus" / target.name
    own.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"ring-{target.name}.log"
    text = run(target, seconds, own, CORPUS, log=log)
    runs = re.findall(r"stat::number_of_executed_units:\s+(\d+)", text)
    what = found(text)
    good = not what and bool(runs) and int(runs[-1]) > 0
    say(f"{'ok  ' if good else 'FAIL'} {target.name}: {what or f'{runs[-1] if runs else 0} lives, nothing found'}")
    for path in map(Path, re.findall(r"Test unit written to (\S+)", text)):
        shown = path.relative_to(ROOT) if ROOT in path.parents else path
        say(f"     replay: python3 tests/ring/run.py --replay {shown} {target.name}")
    if not good:
        say(f"     the whole log: {log}")
    return good


def replay(target: Target, path: Path) -> bool:
    """Run one input and show what it does; return whether nothing was found."""
    copy = OUT / "replay"
    shutil.copy(path, copy)
    log = LOGS / "ring-replay.log"
    text = run(target, 60, copy, log=log)
    say(text)
    return not found(text)


def minimise() -> None:
    """Replace the repository's inputs by the smallest set that reaches as much, as far as it fits."""
    target, merged = OURS[1], OUT / "merged"
    cache.remove(merged)
    merged.mkdir(parents=True)
    in_root(str(target.program), "-merge=1", f"-max_len={MAX_LEN}", str(merged),
            *(str(path) for path in (CORPUS, *(OUT / "corpus").iterdir()) if path.exists()),
            log=LOGS / "ring-merge.log", timeout=900)
    cache.remove(CORPUS)
    CORPUS.mkdir()
    left = KEPT
    for path in sorted(merged.iterdir(), key=lambda path: path.stat().st_size):
        left -= path.stat().st_size
        if left >= 0:
            shutil.copy(path, CORPUS / path.name[:12])


def check(targets: list[Target], seconds: int) -> list[bool]:
    """Build, search for what is known, and fuzz the grafted drivers for `seconds` together."""
    known = [(TARGETS[name], kind) for name, kind in KNOWN if TARGETS[name] in targets]
    ours = [target for target in targets if target.grafted]
    with ThreadPoolExecutor(CPUS) as pool:
        with step(f"Building {len(targets)} drivers in user space"):
            # One after another where they share a tree or headers.
            for group in ([t for t in targets if not t.grafted], ours):
                list(pool.map(build, group))
        results = []
        if known:
            with step(f"Searching the kernels' own drivers for {len(known)} known faults"):
                results += pool.map(lambda pair: search(*pair), known)
        if ours:
            each = max(1, seconds * CPUS // len(ours))
            with step(f"Fuzzing {len(ours)} grafted drivers for {seconds} s"):
                results += pool.map(lambda target: fuzz(target, each), ours)
    return results


def main() -> int:
    """Fuzz, replay or minimise; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", choices=[[], *TARGETS],
                        help=f"only these: {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for all grafted drivers together (%(default)s)")
    parser.add_argument("--replay", type=Path, metavar="INPUT", help="run this one input of the one target named")
    parser.add_argument("--minimise", action="store_true", help="renew tests/ring/corpus/ from what was found")
    options = parser.parse_args()
    targets = [TARGETS[name] for name in options.targets or TARGETS]
    if options.replay and (len(targets) != 1 or not options.replay.is_file()):
        parser.error("--replay takes an input that exists and the one target it is for")
    try:
        prereq.ensure(tests=True, machines=False)
        FINDINGS.mkdir(parents=True, exist_ok=True)
        if options.minimise:
            build(OURS[1])
            minimise()
            return EXIT_OK
        if options.replay:
            build(targets[0])
            results = [replay(targets[0], options.replay)]
        else:
            results = check(targets, options.seconds)
    except LabError as error:
        print(f"ring: {error.sentence()}", file=sys.stderr)
        return error.code
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return EXIT_OK if all(results) else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
