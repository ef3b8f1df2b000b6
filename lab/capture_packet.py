# SPDX-License-Identifier: GPL-2.0-only
"""TCP segments of captured packets: Ethernet, VLAN, Linux cooked, IPv4, IPv6."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .capture_file import COOKED, COOKED2, ETHERNET, RAW_IP, RAW_IPV4, RAW_IPV6, Record

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

_IPV4, _IPV6, _VLANS = 0x0800, 0x86dd, (0x8100, 0x88a8)
_TCP = 6
_IPV6_EXTENSIONS = (0, 43, 60)
_MAX_SCALE = 14         # RFC 7323: larger ones count as this one


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP packet; `payload` is its length in bytes, `window` as sent."""

    source: tuple[bytes, int]
    target: tuple[bytes, int]
    sequence: int
    acknowledged: int
    flags: int
    window: int
    payload: int
    mss: int
    scale: int | None
    timestamps: bool


def parse(record: Record) -> Segment | None:
    """The TCP segment in a captured packet; None for other packets and for headers that are cut."""
    try:
        kind, at = _network(record)
        if kind == _IPV4:
            return _ipv4(record, at)
        if kind == _IPV6:
            return _ipv6(record, at)
    except (struct.error, IndexError):
        pass
    return None


def _network(record: Record) -> tuple[int, int]:
    """(EtherType, offset of the network header)."""
    data = record.data
    if record.link == ETHERNET:
        at = 14
        kind = struct.unpack_from("!H", data, 12)[0]
        while kind in _VLANS:
            kind = struct.unpack_from("!H", data, at + 2)[0]
            at += 4
        return kind, at
    if record.link == COOKED:
        return struct.unpack_from("!H", data, 14)[0], 16
    if record.link == COOKED2:
        return struct.unpack_from("!H", data)[0], 20
    if record.link in (RAW_IP, RAW_IPV4, RAW_IPV6):
        return (_IPV6 if data[0] >> 4 == 6 else _IPV4), 0
    return 0, 0


def _ipv4(record: Record, at: int) -> Segment | None:
    data = record.data
    first, _, length, _, fragment = struct.unpack_from("!BBHHH", data, at)
    if data[at + 9] != _TCP or fragment & 0x3fff:
        return None
    # Aggregates that the kernel shows before it segments them may carry no length.
    length = length or record.length - at
    header = (first & 15) * 4
    return _tcp(data, at + header, length - header, data[at + 12:at + 16], data[at + 16:at + 20])


def _ipv6(record: Record, at: int) -> Segment | None:
    data = record.data
    length, following = struct.unpack_from("!HB", data, at + 4)
    length = length or record.length - at - 40
    source, target = data[at + 8:at + 24], data[at + 24:at + 40]
    at += 40
    while following in _IPV6_EXTENSIONS:
        size = (data[at + 1] + 1) * 8
        following = data[at]
        at += size
        length -= size
    if following != _TCP:
        return None
    return _tcp(data, at, length, source, target)


def _tcp(data: bytes, at: int, length: int, source: bytes, target: bytes) -> Segment:
    from_port, to_port, sequence, acknowledged, offset, flags, window = struct.unpack_from("!HHIIBBH", data, at)
    header = (offset >> 4) * 4
    mss, scale, timestamps = _options(data[at + 20:at + header])
    return Segment((source, from_port), (target, to_port), sequence, acknowledged, flags, window,
                   max(length - header, 0), mss, scale, timestamps)


def _options(options: bytes) -> tuple[int, int | None, bool]:
    """(MSS or 0, window scale or None, whether there is a timestamp)."""
    mss, scale, timestamps = 0, None, False
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        size = options[at + 1]
        if size < 2:
            break
        if kind == 2 and size == 4:
            mss = struct.unpack_from("!H", options, at + 2)[0]
        elif kind == 3 and size == 3:
            scale = min(options[at + 2], _MAX_SCALE)
        elif kind == 8 and size == 10:
            timestamps = True
        at += size
    return mss, scale, timestamps
