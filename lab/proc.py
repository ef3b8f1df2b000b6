# SPDX-License-Identifier: GPL-2.0-only
"""Processes of the lab: bounded commands and long-running children, none of which outlives the lab.

Each process leads a session of its own. The lab ends them when it ends. If the lab is killed, a guard process sees its
end of a pipe close and kills their process groups.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .steps import EnvironmentFault, LabError

# Lines of output that an error message repeats, and the most that run() returns of it, in bytes.
TAIL_LINES = 5
OUTPUT_MAX = 4 << 20

# Seconds between TERM and KILL when the lab ends.
PATIENCE = 3.0

Command = Sequence[str | os.PathLike[str]]

_GUARD = r"""
trap '' INT TERM HUP
groups=' '
while read -r verb group; do
	case $verb in
	add) groups="$groups$group " ;;
	drop) groups="${groups%% $group *} ${groups#* $group }" ;;
	esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
"""


class _Registry:
    """The running process groups, here and in the guard."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._groups: set[int] = set()
        self._guard: subprocess.Popen[bytes] | None = None
        self.closing = False
        self._main_spawns = False
        self._interrupted = False

    def spawn(self, command: Command, **options: object) -> subprocess.Popen[bytes]:
        """Start a process as the leader of a new session and register it."""
        in_main = threading.current_thread() is threading.main_thread()
        try:
            self._main_spawns = in_main or self._main_spawns
            return self._spawn(command, **options)
        finally:
            if in_main:
                self._main_spawns = False
                if self._interrupted:
                    self._interrupted = False
                    raise KeyboardInterrupt

    def interrupt(self, number: int, frame: object) -> None:
        """Signal handler. A process that is being started gets registered before the lab unwinds."""
        if self._main_spawns:
            self._interrupted = True
        else:
            raise KeyboardInterrupt

    def _spawn(self, command: Command, **options: object) -> subprocess.Popen[bytes]:
        # Under the lock, so that stop_all() never misses a process that is just starting.
        with self._lock:
            if self.closing:
                raise LabError("the lab is ending; nothing more is started")
            if not self._guard:
                self._guard = subprocess.Popen(["/bin/sh", "-c", _GUARD], stdin=subprocess.PIPE,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                               start_new_session=True, cwd="/")
            process = subprocess.Popen(command, start_new_session=True, **options)  # type: ignore[call-overload]
            self._groups.add(process.pid)
            self._tell("add", process.pid)
            return process

    def drop(self, group: int) -> None:
        with self._lock:
            if group in self._groups:
                self._groups.discard(group)
                self._tell("drop", group)

    def _tell(self, verb: str, group: int) -> None:
        assert self._guard and self._guard.stdin
        with suppress(BrokenPipeError):
            self._guard.stdin.write(b"%s %d\n" % (verb.encode(), group))
            self._guard.stdin.flush()

    def stop_all(self) -> None:
        """End every group: TERM, and KILL for groups that are left after PATIENCE seconds."""
        with self._lock:
            groups = set(self._groups)
            _end_groups(groups, PATIENCE)
            for group in groups:
                self.drop(group)

    def stop_guard(self) -> None:
        with self._lock:
            if self._guard and self._guard.stdin:
                self._guard.stdin.close()
                self._guard.wait()
                self._guard = None


def _group_alive(group: int) -> bool:
    """Whether a process of the group runs; a zombie does not count."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return any(_group_of(entry) == group for entry in os.listdir("/proc") if entry.isdigit())


def _group_of(pid: str) -> int | None:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            state, _, group = stat.read().rpartition(")")[2].split()[:3]
    except OSError:
        return None
    return None if state in "ZX" else int(group)


def _end_groups(groups: set[int], patience: float) -> None:
    left = set(groups)
    for number, limit in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        for group in left:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
        deadline = time.monotonic() + limit
        pause = 0.005
        while left := {group for group in left if _group_alive(group)}:
            if time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(pause * 2, 0.1)


_registry = _Registry()


def stop_all() -> None:
    """End all processes that the lab started, with their descendants in the same process groups."""
    _registry.stop_all()


@atexit.register
def _at_exit() -> None:
    _registry.closing = True
    _registry.stop_all()
    _registry.stop_guard()


@contextmanager
def supervised() -> Iterator[None]:
    """Within this context TERM and HUP interrupt the lab as Ctrl-C does; at its end all children are gone."""
    former = {}
    if threading.current_thread() is threading.main_thread():
        former = {number: signal.signal(number, _registry.interrupt)
                  for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        # A second Ctrl-C must not interrupt the cleaning.
        for number in former:
            signal.signal(number, signal.SIG_IGN)
        stop_all()
        for number, handler in former.items():
            signal.signal(number, handler)


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log that are not empty, joined by ` / `."""
    try:
        with open(path, "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    # Progress bars rewrite their line; only its last state is of interest.
    said = [line.rpartition("\r")[2].strip() for line in text.replace("\r\n", "\n").split("\n")]
    return " / ".join([line for line in said if line][-lines:])


def run(cmd: Command, *, log: Path | None, timeout: float, cwd: Path | str | None = None,
        env: Mapping[str, str] | None = None, input: str | bytes | None = None) -> str:
    """Run a command to its end and return its output (at most the last 4 MiB of it).

    With `log` both streams are appended to that file, live, and the output is the appended part; without it the output
    is stdout alone. `timeout` is in seconds. Raises LabError when the command fails, takes too long or does not exist;
    all its processes are gone then.
    """
    given = input.encode() if isinstance(input, str) else input
    return _run(cmd, log, timeout, cwd, env, given, OUTPUT_MAX).decode(errors="replace")


def filtered(cmd: Command, data: bytes, *, timeout: float) -> bytes:
    """The whole stdout of a command with `data` as stdin; fails as run() does."""
    return _run(cmd, None, timeout, None, None, data, None)


def _run(cmd: Command, log: Path | None, timeout: float, cwd: Path | str | None, env: Mapping[str, str] | None,
         data: bytes | None, most: int | None) -> bytes:
    name = os.path.basename(os.fspath(cmd[0]))
    with _sink(log) as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        if data is not None:
            given.write(data)
            given.seek(0)
        begin = out.seek(0, os.SEEK_END)
        try:
            process = _registry.spawn(cmd, stdin=given, stdout=out, stderr=out if log else err, cwd=cwd,
                                      env=None if env is None else dict(env))
        except FileNotFoundError as error:
            raise EnvironmentFault(f"{error.filename} does not exist; is the tool installed?") from error
        failure = None
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            failure = f"{name} did not end within {timeout:.0f} s"
        finally:
            # Also processes that the command left in the background.
            _end_groups({process.pid}, PATIENCE)
            process.wait()
            _registry.drop(process.pid)
        if failure is None and status:
            failure = (f"{name} failed with status {status}" if status > 0
                       else f"{name} was killed by signal {-status}")
        if failure is None:
            return _read(out, begin, most)
        said_bytes = _read(out, begin, OUTPUT_MAX)
        text = (said_bytes if log else _read(err, 0, OUTPUT_MAX) or said_bytes).decode(errors="replace")
        said = [line.strip() for line in text.splitlines() if line.strip()][-TAIL_LINES:]
        if "No space left on device" in text:
            raise EnvironmentFault("disk full: free some space and run the same command again", log)
        raise LabError(failure + (f": {' / '.join(said)}" if said else ""), log)


@contextmanager
def _sink(log: Path | None) -> Iterator[IO[bytes]]:
    if log is None:
        with tempfile.TemporaryFile() as out:
            yield out
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        # Append: several writers of one log never overwrite each other.
        with open(log, "a+b", buffering=0) as out:
            yield out


def _read(stream: IO[bytes], begin: int, most: int | None) -> bytes:
    end = stream.seek(0, os.SEEK_END)
    stream.seek(begin if most is None else max(begin, end - most))
    return stream.read()


class Child:
    """A long-running process with its own session and log file; it ends with the lab at the latest."""

    def __init__(self, cmd: Command, *, log: Path, name: str | None = None, cwd: Path | str | None = None,
                 env: Mapping[str, str] | None = None, pass_fds: Sequence[int] = (),
                 stdin: int | IO[bytes] = subprocess.DEVNULL):
        self.name = name or os.path.basename(os.fspath(cmd[0]))
        self.log = log
        self._forgotten = False
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as out:
            try:
                self.process = _registry.spawn(cmd, stdin=stdin, stdout=out, stderr=out, cwd=cwd,
                                               env=None if env is None else dict(env), pass_fds=pass_fds)
            except FileNotFoundError as error:
                raise EnvironmentFault(f"{error.filename} does not exist; is the tool installed?") from error

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its group and session."""
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        status = self.process.poll()
        if status is not None:
            self._forget()
        return status

    def _forget(self) -> None:
        # At once, before the kernel can give the id to another group.
        if not self._forgotten:
            self._forgotten = True
            _end_groups({self.pid}, PATIENCE)
            _registry.drop(self.pid)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.returncode is None

    def check(self) -> None:
        """Raise LabError, with the last lines of the log, when the process has ended."""
        status = self.returncode
        if status is not None:
            said = tail(self.log)
            raise LabError(f"{self.name} ended unexpectedly with status {status}" + (f": {said}" if said else ""),
                           self.log)

    def wait(self, timeout: float) -> int:
        """Exit status; raises LabError when it still runs after `timeout` seconds."""
        try:
            status = self.process.wait(timeout)
            self._forget()
            return status
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name} did not end within {timeout:.0f} s", self.log) from None

    def stop(self, timeout: float = PATIENCE) -> int:
        """End the whole group, by TERM and after `timeout` seconds by KILL; return the exit status."""
        if not self._forgotten:
            _end_groups({self.pid}, timeout)
        status = self.process.wait()
        self._forget()
        return status

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
