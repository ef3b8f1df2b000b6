# SPDX-License-Identifier: GPL-2.0-only
"""Output for the user: steps with their duration, a sign of life while they run, one sentence on failure."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

EXIT_OK = 0
EXIT_FAILED = 1  # a measurement or a test failed
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3  # no root, no network, a missing tool, a full disk, a busy port
EXIT_INTERRUPTED = 130

# Seconds without a line after which a running step says that it still runs.
HEARTBEAT = 10.0


# Back to the beginning of the line, and clear it.
_CLEAR = "\r\x1b[K"


class LabError(Exception):
    """A failure told in one sentence that says what to do.

    `log` is a file with the details, `code` the exit code.
    """

    def __init__(self, message: str, log: Path | None = None, code: int = EXIT_FAILED):
        super().__init__(message)
        self.log = log
        self.code = code

    def sentence(self) -> str:
        """The message and the place of the details."""
        return f"{self}" + (f" (log: {self.log})" if self.log else "")


class EnvironmentFault(LabError):
    """The machine lacks a requirement: the user can mend that and run the same command again."""

    def __init__(self, message: str, log: Path | None = None):
        super().__init__(message, log, EXIT_ENVIRONMENT)


class Step:
    """A running step; `detail` is appended to its signs of life and may be changed from any thread."""

    def __init__(self, title: str, depth: int):
        self.title = title
        self.depth = depth
        self.detail = ""
        self.started = time.monotonic()

    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started


class _Board:
    """The running steps of all threads, and the thread that prints their signs of life."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._running: dict[int, list[Step]] = {}
        self._spoke = time.monotonic()
        self._thread: threading.Thread | None = None
        # The last line on a terminal, and the heartbeat's addition to it.
        self._status = self._beats = ""

    def say(self, line: str) -> None:
        with self._lock:
            self._say(line)

    def _say(self, line: str) -> None:
        # The stream is looked up each time, as it may be replaced. A reader that has gone must not stop the lab's
        # cleaning.
        try:
            if self._status and sys.stdout.isatty():
                self._beats = ""
                print(f"{_CLEAR}{line}\n{self._shown()}", end="", file=sys.stdout, flush=True)
            else:
                print(line, file=sys.stdout, flush=True)
        except (BrokenPipeError, ValueError):
            pass
        self._spoke = time.monotonic()

    def status(self, text: str) -> None:
        """Show `text` below all other lines; without a terminal, print it as a normal line. Empty: show none."""
        with self._lock:
            if not sys.stdout.isatty():
                self._status = ""
                if text:
                    self._say(text)
                return
            self._status, self._beats = text, ""
            self._rewrite()

    def _rewrite(self) -> None:
        try:
            print(f"{_CLEAR}{self._shown()}", end="", file=sys.stdout, flush=True)
        except (BrokenPipeError, ValueError):
            pass
        self._spoke = time.monotonic()

    def _shown(self) -> str:
        # A line that wraps could not be rewritten.
        width = shutil.get_terminal_size().columns - 1
        return f"{self._status}{self._beats}"[:width]

    def begin(self, title: str) -> Step:
        with self._lock:
            mine = self._running.setdefault(threading.get_ident(), [])
            step = Step(title, len(mine))
            mine.append(step)
            self._say(f"{'  ' * step.depth}{title} ...")
            if not self._thread or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return step

    def end(self, step: Step, outcome: str) -> None:
        with self._lock:
            mine = self._running[threading.get_ident()]
            mine.remove(step)
            if not mine:
                del self._running[threading.get_ident()]
            self._say(f"{'  ' * step.depth}{step.title}: {outcome} {step.elapsed():.1f} s")

    def _beat(self) -> None:
        with self._lock:
            while True:
                if not self._running:
                    self._changed.wait()
                    self._spoke = time.monotonic()
                    continue
                left = self._spoke + HEARTBEAT - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                innermost = [steps[-1] for steps in self._running.values()]
                told = "; ".join(f"{step.title} ({step.elapsed():.0f} s{', ' if step.detail else ''}{step.detail})"
                                 for step in innermost)
                if self._status and sys.stdout.isatty():
                    self._beats = f": {told}"
                    self._rewrite()
                else:
                    self._say(f"    still running: {told}")


_board = _Board()


def say(line: str) -> None:
    """Print one line, not mixed with lines of other threads."""
    _board.say(line)


def status(text: str) -> None:
    """Tell the progress of long work: on a terminal in one line that is rewritten, elsewhere in a new line."""
    _board.status(text)


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Print a title and, at the end, the duration; a sign of life every HEARTBEAT seconds.

    Steps may nest and may run in several threads at once.
    """
    running = _board.begin(title)
    outcome = "failed after"
    try:
        yield running
        outcome = "done in"
    finally:
        _board.end(running, outcome)


def parallel(*tasks: Callable[[], object], on_failure: Callable[[], None] = lambda: None) -> list[object]:
    """Run tasks in threads of their own; return their results in order.

    When one fails, or on Ctrl-C, `on_failure` is called once, to make the others fail soon. The first failure is raised
    when all have ended.
    """
    results: list[object] = [None] * len(tasks)
    failures: list[BaseException] = []
    # Thread.join() does not serve here: after an interrupt it takes a running thread for an ended one.
    changed = threading.Condition()
    running, left, closed = 0, len(tasks), False

    def work(index: int, task: Callable[[], object]) -> None:
        nonlocal running, left
        with changed:
            if closed:
                return
            running += 1
        try:
            results[index] = task()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failures.append(error)
        finally:
            with changed:
                running, left = running - 1, left - 1
                changed.notify_all()

    threads = [threading.Thread(target=work, args=pair, daemon=True) for pair in enumerate(tasks)]
    while left and not (closed and not running):
        # A signal may interrupt start(); a thread that is only half started then finds this closed.
        try:
            while threads and not failures:
                threads.pop(0).start()
            with changed:
                stop = bool(failures) and not closed
                closed = closed or stop
                if not stop and left and not (closed and not running):
                    changed.wait(0.1)
            if stop:
                on_failure()
        except KeyboardInterrupt as error:
            failures.insert(0, error)
    if failures:
        raise failures[0]
    return results


_serial = itertools.count()


def unique() -> str:
    """A name part that no other run or thread uses at the same time."""
    return f"{os.getpid()}-{next(_serial)}"
