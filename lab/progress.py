# SPDX-License-Identifier: GPL-2.0-only
"""Progress of long work: the part that is done, and the estimated time of the rest.

The durations of earlier work are kept in a file. An estimate is corrected by the pace of the present run, since the
machine may be slower today than last time.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from . import steps
from .paths import BUILD

MEMORY = BUILD / "durations.json"


def minutes(seconds: float) -> str:
    """A duration in words."""
    count = round(seconds / 60)
    return "less than a minute" if count < 1 else "about 1 minute" if count == 1 else f"about {count} minutes"


class Progress:
    """Jobs that are done one after the other, but for those in `paired`, two of which are done at a time.

    `kind` is the word for one of them, such as "run". done() may be called from several threads.
    """

    def __init__(self, kind: str, names: Iterable[str], memory: Path | None = None,
                 clock: Callable[[], float] = time.monotonic, paired: Iterable[str] = ()) -> None:
        self._kind = kind
        self._left = Counter(names)
        self._count = self._left.total()
        self._memory = memory or MEMORY
        self._known = _read(self._memory)
        self._clock = clock
        self._paired = frozenset(paired)
        self._lock = threading.Lock()
        # Seconds of the jobs done, by name; and for jobs with an earlier duration, the expected seconds.
        self._took: dict[str, list[float]] = {}
        self._expected = self._real = 0.0
        self._begun = clock()

    def opening(self) -> str:
        """The jobs to do and the estimated time for them."""
        each = ", ".join(name if count == 1 else f"{name} x{count}" for name, count in self._left.items())
        seconds = self.left()
        told = "the time is not known before the first has ended" if seconds is None else minutes(seconds)
        return f"{self._count} {self._kind}{'s' if self._count != 1 else ''}, {told}: {each}"

    def position(self) -> str:
        """The present job and the time left: "run 7 of 27, about 9 minutes left"."""
        number = min(self._count - self._left.total() + 1, self._count)
        seconds = self.left()
        return f"{self._kind} {number} of {self._count}" + ("" if seconds is None else f", {minutes(seconds)} left")

    def begin(self) -> None:
        """The next job begins: print its position."""
        self._begun = self._clock()
        steps.status(self.position())

    def end(self, name: str, keep: bool = True) -> None:
        """The present job, `name`, has ended; `keep` its duration for later estimates unless it failed."""
        self.done(name, self._clock() - self._begun, keep)

    def done(self, name: str, seconds: float, keep: bool = True) -> None:
        """The job `name` has ended after `seconds`."""
        with self._lock:
            self._left -= Counter([name])
            if keep:
                if known := self._known.get(self._key(name)):
                    self._expected, self._real = self._expected + known, self._real + seconds
                self._took.setdefault(name, []).append(seconds)
                self._remember(name)
        if not self._left:
            steps.status("")

    def each(self, made: Iterable[dict], name: Callable[[dict], str]) -> Iterator[dict]:
        """Yield the records of jobs as these end, and print before each its position."""
        made = iter(made)
        while self._left:
            self.begin()
            try:
                record = next(made)
            except StopIteration:
                return
            self.end(name(record))
            yield record
        yield from made

    def left(self) -> float | None:
        """Estimated seconds of the remaining jobs; None when the duration of none is known."""
        pace = self._real / self._expected if self._expected else 1.0
        known = {name: self._estimate(name, pace) for name in self._left}
        found = [seconds for seconds in known.values() if seconds is not None]
        mine = [seconds for times in self._took.values() for seconds in times]
        usual = sum(mine) / len(mine) if mine else sum(found) / len(found) if found else None
        if usual is None:
            return None
        return sum(count * (usual if known[name] is None else known[name]) / (2 if name in self._paired else 1)
                   for name, count in self._left.items())

    def _estimate(self, name: str, pace: float) -> float | None:
        if times := self._took.get(name):
            return sum(times) / len(times)
        known = self._known.get(self._key(name))
        return None if known is None else known * pace

    def _key(self, name: str) -> str:
        return f"{self._kind} {name}"

    def _remember(self, name: str) -> None:
        times = self._took[name]
        kept = _read(self._memory) | {self._key(name): round(sum(times) / len(times), 1)}
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._memory.with_name(f".{self._memory.name}-{steps.unique()}")
            fresh.write_text(json.dumps(kept, indent=1) + "\n")
            os.replace(fresh, self._memory)
        except OSError:
            # A run must not fail because of an estimate.
            pass


def _read(path: Path) -> dict[str, float]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {name: float(value) for name, value in found.items()
            if isinstance(value, (int, float))} if isinstance(found, dict) else {}
