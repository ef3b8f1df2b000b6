# SPDX-License-Identifier: GPL-2.0-only
"""What is run inside a machine, whichever it is, and what it said."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab import cache, roots
from lab.paths import BUILD, LOGS

from .table import CONSUMERS, Consumer

HERE = Path(__file__).resolve().parent
# Tests of script.sh that are no rows.
OTHERS = {"sockets": "sockets", "a choice that is overridden": "said", "pages that go back": "go_back"}
LINE = re.compile(r"consumers: (ok|not ok|fault:) ?([^\r\n]*)")


@dataclass
class Report:
    """What was said of each row, and of those that failed what was wrong."""

    lines: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def helper() -> Path:
    """The consumers in user space, linked so that they run anywhere."""
    source = HERE / "helper.c"

    def make(folder: Path) -> None:
        log = LOGS / "consumers-helper.log"
        log.unlink(missing_ok=True)
        roots.chroot(["gcc-14", "-O2", "-Wall", "-Werror", "-static", "-o", "/mnt/out/helper", "/mnt/source/helper.c"],
                     binds={folder: "/mnt/out", HERE: "/mnt/source"}, log=log, timeout=120)

    return cache.keyed(BUILD / "check/consumers-helper", (source, cache.recipe(make)), make) / "helper"


def functions() -> str:
    """The functions that rows are written with."""
    return ("export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
            "mkdir -p /tmp /dev /run; [ -c /dev/net/tun ] || mount -t devtmpfs devtmpfs /dev 2>/dev/null\n"
            + (HERE / "script.sh").read_text())


def row(consumer: Consumer, every: int) -> str:
    """The command that tests a row with one flight of `every`; another row has others of them."""
    words = f"{consumer.words} every={every} first={CONSUMERS.index(consumer) % every}"
    return " ".join(["row", *map(shlex.quote, (consumer.label, consumer.setup, words, " ".join(consumer.needs)))])


def others(only: str = "") -> list[str]:
    """The commands for what else is tested."""
    return [command for name, command in OTHERS.items() if only in name]


def text(rows: Iterable[Consumer], only: str, every: int) -> str:
    """All of it in one script."""
    return "\n".join([functions(), *(row(consumer, every) for consumer in rows), *others(only)]) + "\n"


def count(rows: Sequence[Consumer], only: str) -> int:
    """How many results such a script has."""
    return len(rows) + len(others(only))


def parse(console: str) -> Report:
    """Read what the script said; the faults of a row come before its result."""
    report, faults = Report(), []
    for kind, said in LINE.findall(console):
        if kind == "fault:":
            faults.append(f"     {said}")
            continue
        label = said.partition(":")[0]
        name = next((consumer.name for consumer in CONSUMERS if consumer.label == label), label)
        if kind == "ok" and not faults:
            report.passed.append(name)
            report.lines.append(f"ok   {said}")
        else:
            report.faults[name] = "\n".join([said, *faults])
            report.lines += [f"FAIL {said}", *faults]
        faults = []
    report.lines += faults
    return report
