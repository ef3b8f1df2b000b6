# SPDX-License-Identifier: GPL-2.0-only
"""The clock of the wire: a kernel module of the machine that owns the NIC, and its reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..agent import Host
from ..steps import LabError

MODULE = "wire_clock"
# The emulated NIC.
MBIT = 1000
_WAITS = f"/sys/module/{MODULE}/parameters/waits"


@dataclass
class Waits:
    """Time of the first frame of each packet from its arrival to the sink, in microseconds by the machine's clock;
    filled when `ticking` ends."""

    packets: int = 0
    mean: float = 0.0
    longest: float = 0.0


def parse(line: str) -> Waits:
    """From the module's line, which has nanoseconds."""
    found = re.fullmatch(r"(\d+) (\d+) (\d+)\s*", line)
    if not found:
        raise LabError(f"the clock of the wire printed {line.strip()[:100]!r}, not what it measured")
    return Waits(int(found[1]), int(found[2]) / 1000, int(found[3]) / 1000)


@contextmanager
def ticking(host: Host, sink: str) -> Iterator[Waits]:
    """Meanwhile the NIC learns the machine's time, and packets that reach the interface `sink` are timed."""
    host.run(f"modprobe {MODULE} sink={sink}")
    found = Waits()
    try:
        yield found
        vars(found).update(vars(parse(host.run(f"cat {_WAITS}"))))
    finally:
        host.run(f"rmmod {MODULE}", check=False)
