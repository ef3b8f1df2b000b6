# SPDX-License-Identifier: GPL-2.0-only
"""Counts processor cycles of a program, where the machine exposes a performance monitoring unit.

As a program (`pmu.py COMMAND...`) it opens the counter for itself as file descriptor FD and becomes the command.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

FD = 9
PERF_EVENT_OPEN = 298  # number of the system call on x86-64
HARDWARE, CPU_CYCLES = 0, 0
ATTR_SIZE = 64
# exclude_kernel and exclude_hv: the code measured runs as a process.
ATTR_FLAGS = 1 << 5 | 1 << 6


def open_counter() -> int:
    """File descriptor of a counter of this process's cycles; raises OSError without a PMU."""
    attr = struct.pack("=IIQQQQQIIQ", HARDWARE, ATTR_SIZE, CPU_CYCLES, 0, 0, 0, ATTR_FLAGS, 0, 0, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(ctypes.c_long(PERF_EVENT_OPEN), ctypes.create_string_buffer(attr, ATTR_SIZE),
                      ctypes.c_int(0), ctypes.c_int(-1), ctypes.c_int(-1), ctypes.c_ulong(0))
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def absence() -> str:
    """Why cycles cannot be counted here; empty when they can."""
    try:
        fd = open_counter()
    except OSError as error:
        return f"this machine exposes no performance monitoring unit ({error.strerror})"
    os.close(fd)
    return ""


if __name__ == "__main__":
    os.dup2(open_counter(), FD, inheritable=True)
    os.execvp(sys.argv[1], sys.argv[1:])
