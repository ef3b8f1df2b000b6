# SPDX-License-Identifier: GPL-2.0-only
"""Traffic of each hop of the payload: grant copies and packets, as the domain with the back end counts them.

`hops` of a run is a list in the order of the path, each with the domains `back` and `front`, the grant copies of
lab/measure.py (`grant_copies_per_64k` and so on) and `mean_bytes`, the mean size of the packets that went to the front end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import grants
from .agent import Host
from .domains import Hop
from .steps import LabError

_64K = 1 << 16
_DIGITS = 4
# A domain has one vif on the path.
_SENT = "cat /sys/class/net/vif*/statistics/tx_packets /sys/class/net/vif*/statistics/tx_bytes"


@dataclass(frozen=True)
class Passed:
    """Grant copies towards the front end, and packets and bytes sent to it."""

    copies: grants.Copies
    packets: int
    bytes: int

    def __sub__(self, earlier: Passed) -> Passed:
        return Passed(self.copies - earlier.copies, self.packets - earlier.packets, self.bytes - earlier.bytes)


def read(hops: Sequence[Hop], hosts: Mapping[str, Host]) -> list[Passed]:
    """Traffic of each hop since its domains were made."""
    return [_read(hosts[hop.back]) for hop in hops]


def _read(host: Host) -> Passed:
    copies = grants.read(host)
    said = host.run(_SENT).split()
    if len(said) != 2 or not all(number.isdigit() for number in said):
        raise LabError(f"{host.name} has not one vif whose packets can be counted: {' '.join(said)[:100]!r}")
    return Passed(copies, int(said[0]), int(said[1]))


def copy_fields(copies: grants.Copies, count: int) -> dict[str, float]:
    """Grant copies per 64 KiB of `count` bytes of payload."""
    found = {"grant_copies_per_64k": round(copies.ops * _64K / count, _DIGITS),
             "grant_hypercalls_per_64k": round(copies.hypercalls * _64K / count, _DIGITS)}
    if copies.ops:
        found["grant_bytes_per_copy"] = round(copies.bytes / copies.ops, 1)
    return found


def fields(hops: Sequence[Hop], before: Sequence[Passed], after: Sequence[Passed], count: int) -> dict:
    """The results of a transfer of `count` bytes of payload: each hop, and the copies of the first one."""
    passed = [late - early for early, late in zip(before, after)]
    rows = []
    for hop, one in zip(hops, passed):
        size = {"mean_bytes": round(one.bytes / one.packets)} if one.packets else {}
        rows.append({"back": hop.back, "front": hop.front} | copy_fields(one.copies, count) | size)
    return copy_fields(passed[0].copies, count) | {"hops": rows}
