# SPDX-License-Identifier: GPL-2.0-only
"""The counter of segments per received packet: a kernel module of the receiver, and its reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ..agent import Host
from ..steps import LabError

MODULE = "seg_count"
# Packets without payload are not counted: those of handshake and end of a connection, at most this number...
CONTROL_SEGMENTS = 8
# ... and acknowledgments and window updates of a long one, as a share of all.
TOLERANCE = 0.005
_PARAMETERS = f"/sys/module/{MODULE}/parameters"


def parse(line: str) -> dict[int, int]:
    """Segments -> packets, from the module's line."""
    if not re.fullmatch(r"(\d+:\d+( \d+:\d+)*)?\s*", line):
        raise LabError(f"the counter of segments printed {line.strip()[:100]!r}, not its histogram")
    return {int(segments): int(packets) for segments, packets in (pair.split(":") for pair in line.split())}


class Histogram:
    """The counts; `packets` is filled when counting ends."""

    def __init__(self) -> None:
        self.packets: dict[int, int] = {}

    def segments(self) -> int:
        """Segments in all packets together."""
        return sum(segments * packets for segments, packets in self.packets.items())


def check(found: Histogram, sent: int, again: int) -> None:
    """Raise LabError when the histogram lacks segments that were sent; `again` of them were sent more than once."""
    if abs(found.segments() - sent) > again + CONTROL_SEGMENTS + TOLERANCE * sent:
        raise LabError(f"the histogram of segments per packet holds {found.segments()} segments where {sent} were sent: "
                       "packets were lost, or took another path than TCP's")


@contextmanager
def counted(receiver: Host, port: int) -> Iterator[Histogram]:
    """Count the packets that TCP receives on a port meanwhile. The probe costs some hundred instructions per packet."""
    receiver.run(f"modprobe {MODULE} && echo {port} >{_PARAMETERS}/port && echo 1 >{_PARAMETERS}/counting")
    found = Histogram()
    try:
        yield found
        found.packets = parse(receiver.run(f"cat {_PARAMETERS}/histogram"))
    finally:
        receiver.run(f"echo 0 >{_PARAMETERS}/counting", check=False)
