# SPDX-License-Identifier: GPL-2.0-only
"""The command as a copy of the test's process, in a network namespace: starting Python for each costs more than the test."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEWNS, _NEWNET = 0x00020000, 0x40000000
_SLAVE, _RECURSIVE, _DETACH = 1 << 19, 1 << 14, 2


def enter(space: str) -> None:
    """Move this process to a namespace of `ip netns`, with the /sys that belongs to it."""
    known = os.open(f"/run/netns/{space}", os.O_RDONLY)
    _checked(_LIBC.setns(known, _NEWNET))
    os.close(known)
    _checked(_LIBC.unshare(_NEWNS))
    _checked(_LIBC.mount(b"", b"/", b"none", _SLAVE | _RECURSIVE, None))
    _checked(_LIBC.umount2(b"/sys", _DETACH))
    _checked(_LIBC.mount(space.encode(), b"/sys", b"sysfs", 0, None))


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Copy:
    """A copy of this process that does `work` in a namespace and ends with its result. As subprocess.Popen has them:
    pid, returncode, communicate(), and the end of a `with`."""

    def __init__(self, space: str, folder: Path, work: Callable[[], int], start_new_session: bool = False) -> None:
        sys.stdout.flush()
        self.returncode: int | None = None
        self._said, said = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(said)
            return
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for number in (1, 2):
                os.dup2(said, number)
            os.closerange(3, 256)
            if start_new_session:
                os.setsid()
            enter(space)
            os.chdir(folder)
            code = work()
            sys.stdout.flush()
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # noqa: B036 - what the command would print
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)

    def communicate(self, timeout: float) -> tuple[str, None]:
        """What it says until its end."""
        deadline, found = time.monotonic() + timeout, b""
        while True:
            ready, _, _ = select.select([self._said], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"not done within {timeout:.0f} s: {found.decode(errors='replace')}")
            part = os.read(self._said, 65536)
            if not part:
                break
            found += part
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._said)
        return found.decode(errors="replace"), None

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, *_: object) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
