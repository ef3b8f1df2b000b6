# SPDX-License-Identifier: GPL-2.0-only
"""Running a program to its own end, which is not that of the programs that it starts."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Mapping, Sequence


def run(command: Sequence[str], text: str | None, environment: Mapping[str, str],
        limit: float) -> subprocess.CompletedProcess[str]:
    """Run a program with `text` as its input; FileNotFoundError or subprocess.TimeoutExpired when that does not work.

    The program has a session of its own: a key that ends this command does not end the program.
    """
    # A daemon that a hook starts holds the output open for ever: a file, unlike a pipe, is read without it.
    said, complained = _memory(), _memory()
    try:
        done = subprocess.run(command, stdout=said, stderr=complained, timeout=limit, check=False, start_new_session=True,
                              env=environment, **({"stdin": subprocess.DEVNULL} if text is None else {"input": text.encode()}))
        return subprocess.CompletedProcess(command, done.returncode, _read(said), _read(complained))
    finally:
        for file in (said, complained):
            # What a daemon says later takes no memory.
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
            os.close(file)


def _memory() -> int:
    return os.memfd_create("xenlro", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def _read(file: int) -> str:
    return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")
