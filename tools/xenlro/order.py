# SPDX-License-Identifier: GPL-2.0-only
"""The present switch, as a file that outlives the processes that work at it.

    starting   ordered, nothing is touched yet
    switching  from here on the network is the switch's to put back
    waiting    done, and all goes back unless the user confirms in time
    done       kept
    back       did not succeed, or was not confirmed: the old driver and the old configuration serve
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .errors import EXIT_ENVIRONMENT, XenlroError
from .system import System

OPEN, ENDED = ("starting", "switching", "waiting"), ("done", "back")
# Seconds for the process of a change that has ended to let go: it holds the lock a little longer than its user waits.
LETS_GO_WITHIN = 10.0
# Bytes by which an order may grow: its last words, and what a file system needs besides.
ROOM = 16384


@dataclass
class Order:
    """device is the address on the bus, wanted and former are names of drivers, bus is that of our driver for the device.
    before is the configuration that was.

    owner is the configuration's, by the words that make an owner.Owner; one that has let go does not tell of itself again.
    confirm: whether the user has to confirm. deadline is a reading of the monotonic clock. guard is the process that
    sees it through, and front the one that ordered it; code and said are what the user is told in the end.
    """

    device: str
    wanted: str
    former: str | None
    ours: bool
    confirm: bool
    interface: str | None = None
    bus: str = ""
    phase: str = "starting"
    before: dict | None = None
    owner: list[str] | None = None
    answered: list[list[str]] = field(default_factory=list)
    deadline: float = 0.0
    guard: str = ""
    front: str = ""
    code: int = 0
    said: str = ""

    @property
    def open(self) -> bool:
        return self.phase in OPEN

    def alive(self) -> bool:
        """Whether the process that sees it through is there; one that was killed leaves an order that is open."""
        return _is_there(self.guard)

    def on_machine(self, system: System) -> bool:
        """Whether the device is there still; a card may have been pulled."""
        return any(system.sys.glob(f"bus/*/devices/{self.device}"))

    @property
    def busy(self) -> bool:
        """Whether it is open, and a process works at it or is about to: the one that ordered it waits for that."""
        return self.open and (self.alive() or self.phase == "starting" and _is_there(self.front))


def _is_there(known: str) -> bool:
    return bool(known) and process(int(known.partition(" ")[0])) == known


def process(pid: int) -> str:
    """A process by its number and when it began, since numbers are given again; empty when it has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return f"{pid} {words[19]}" if words[0] not in "ZX" else ""


def read(system: System) -> Order | None:
    """The last order since the machine was started, without the configuration for users other than root; None when there
    is none."""
    for path in (_path(system), _public(system)):
        try:
            return Order(**json.loads(path.read_text()))
        except PermissionError:
            continue
        except (OSError, ValueError, TypeError):
            break
    return None


def write(system: System, order: Order) -> None:
    """Replace the file at once: one who reads sees the old one or the new one."""
    path = _path(system)
    fresh = path.with_suffix(".new")
    text = json.dumps(asdict(order))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        reserved = _reserve(system).exists()
        try:
            _write(fresh, text)
        except OSError as error:
            if error.errno != errno.ENOSPC or not reserved:
                raise
            _reserve(system).unlink()
            _write(fresh, text)
        os.replace(fresh, path)
        _publish(system, order)
        if reserved and order.open:
            # The room of the old file is free now.
            with suppress(XenlroError):
                reserve(system)
        elif reserved:
            _reserve(system).unlink(missing_ok=True)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    """Without a mode for root alone: the configuration has secrets, of which IPv6 addresses are made."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)


def _publish(system: System, order: Order) -> None:
    """Write what `xenlro status` tells to all users; a file system without room for that does not matter."""
    path, fresh = _public(system), _public(system).with_suffix(".new")
    try:
        _write(fresh, json.dumps(asdict(order) | {"before": None}), 0o644)
        os.replace(fresh, path)
    except OSError:
        for file in (fresh, path):
            file.unlink(missing_ok=True)


def reserve(system: System) -> None:
    """Keep the room that later writes of the order take: a file system that gets full must not end a switch that is
    under way."""
    try:
        with _reserve(system).open("wb") as room:
            os.posix_fallocate(room.fileno(), 0, _path(system).stat().st_size + ROOM)
    except OSError as error:
        _reserve(system).unlink(missing_ok=True)
        raise _unwritable(_reserve(system), error) from error


def _unwritable(path: Path, error: OSError) -> XenlroError:
    what = ("make room there, then run the same command" if error.errno == errno.ENOSPC else
            "run the command as root, on a system with /run")
    return XenlroError(f"{path} cannot be written ({error.strerror}): {what}", EXIT_ENVIRONMENT)


def _reserve(system: System) -> Path:
    return system.run_folder / "reserve"


def log(system: System) -> Path:
    """Messages of the processes that work at the switch."""
    return system.run_folder / "log"


@contextmanager
def locked(system: System, within: float = LETS_GO_WITHIN) -> Iterator[None]:
    """Only one process at a time changes drivers; XenlroError when another one does, after that many seconds."""
    try:
        system.run_folder.mkdir(parents=True, exist_ok=True, mode=0o755)
        held = os.open(system.run_folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise XenlroError(f"{system.run_folder} cannot be used ({error.strerror}): run the command as root",
                          EXIT_ENVIRONMENT) from error
    try:
        deadline = time.monotonic() + within
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise XenlroError("another change of drivers is under way: run the same command when it has ended") \
                        from error
                time.sleep(0.05)
        yield
    finally:
        os.close(held)


def worked_at(system: System) -> bool:
    """Whether a process changes drivers at this moment."""
    try:
        with locked(system, 0.0):
            return False
    except XenlroError:
        return True


def _path(system: System) -> Path:
    return system.run_folder / "switch.json"


def _public(system: System) -> Path:
    return system.run_folder / "state.json"
