# SPDX-License-Identifier: GPL-2.0-only
"""Programs of BPF that are attached to an interface itself, and that neither `ip` nor `tc` shows."""

from __future__ import annotations

import ctypes
import os
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)
# The system call, by machine, its question for attached programs, and the places that tcx has since Linux 6.6.
_CALL, _QUERY, _PLACES = {"x86_64": 321, "aarch64": 280}, 16, (46, 47)
# Interface, place, two words of flags, room for numbers of programs, and how many there are.
_QUESTION, _COUNT_AT = struct.Struct("=IIIIQI36x"), 24


def attached(index: int) -> int:
    """How many programs tcx has on the interface of a number; 0 where the kernel does not tell."""
    number, count = _CALL.get(os.uname().machine), 0
    for place in _PLACES if number else ():
        question = ctypes.create_string_buffer(_QUESTION.pack(index, place, 0, 0, 0, 0))
        if _LIBC.syscall(number, _QUERY, question, _QUESTION.size) == 0:
            count += struct.unpack_from("=I", question, _COUNT_AT)[0]
    return count
