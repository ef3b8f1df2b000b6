# SPDX-License-Identifier: GPL-2.0-only
"""Reads capture files as tcpdump writes them (pcap, pcapng), packet by packet."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .steps import LabError

ETHERNET, RAW_IP, COOKED, RAW_IPV4, RAW_IPV6, COOKED2 = 1, 101, 113, 228, 229, 276

_PCAP_TICKS = {0xa1b2c3d4: 10**6, 0xa1b23c4d: 10**9}
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0a0d0d0a, 1, 3, 6
_BYTE_ORDER = 0x1a2b3c4d
_TSRESOL, _END_OF_OPTIONS = 9, 0
# More than any packet: a length above it is damage, not data.
_LIMIT = 1 << 20


class CaptureError(LabError):
    """A capture that would give a wrong number."""


@dataclass(frozen=True, slots=True)
class Record:
    """One captured packet: `time_ns` since 1970, `data` from the link layer on, `length` on the wire."""

    time_ns: int
    link: int
    length: int
    data: bytes


def records(path: Path) -> Iterator[Record]:
    """Every packet of a capture file, in the file's order; holds one packet in memory at a time."""
    path = Path(path)
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
            if len(magic) == 4 and struct.unpack("<I", magic)[0] == _SECTION:
                yield from _pcapng(stream, path)
            else:
                yield from _pcap(stream, path, magic)
    except OSError as error:
        raise CaptureError(f"the capture {path} cannot be read ({error.strerror})") from None


def _cut(path: Path) -> CaptureError:
    return CaptureError(f"the capture {path} ends in the middle of a packet: end tcpdump with SIGINT and let it "
                        "write the rest before the file is read")


def _exactly(stream: BinaryIO, count: int, path: Path) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise _cut(path)
    return data


def _pcap(stream: BinaryIO, path: Path, magic: bytes) -> Iterator[Record]:
    for order in "<>":
        ticks = _PCAP_TICKS.get(struct.unpack(order + "I", magic)[0]) if len(magic) == 4 else None
        if ticks:
            break
    else:
        raise CaptureError(f"{path} is not a capture file of tcpdump (pcap or pcapng)")
    link = struct.unpack(order + "HHiIII", _exactly(stream, 20, path))[5] & 0x0fffffff
    head = struct.Struct(order + "IIII")
    while raw := stream.read(head.size):
        if len(raw) != head.size:
            raise _cut(path)
        seconds, part, captured, length = head.unpack(raw)
        if captured > _LIMIT:
            raise CaptureError(f"the capture {path} is damaged: a packet of {captured} bytes")
        yield Record(seconds * 10**9 + part * (10**9 // ticks), link, length, _exactly(stream, captured, path))


def _pcapng(stream: BinaryIO, path: Path) -> Iterator[Record]:
    order = "<"
    interfaces: list[tuple[int, int]] = []
    kind = _SECTION
    while True:
        if kind == _SECTION:
            # The length precedes the byte order that it is written in.
            raw_length, raw_order = _exactly(stream, 4, path), _exactly(stream, 4, path)
            order = "<" if struct.unpack("<I", raw_order)[0] == _BYTE_ORDER else ">"
            interfaces = []
            body_length = struct.unpack(order + "I", raw_length)[0] - 12
        else:
            body_length = struct.unpack(order + "I", _exactly(stream, 4, path))[0] - 8
        if not 4 <= body_length <= 2 * _LIMIT:
            raise CaptureError(f"the capture {path} is damaged: a block of {body_length + 8} bytes")
        body = _exactly(stream, body_length, path)[:-4]
        if kind == _INTERFACE:
            interfaces.append((struct.unpack_from(order + "H", body)[0], _ticks(body[8:], order)))
        elif kind == _ENHANCED:
            which, high, low, captured, length = struct.unpack_from(order + "IIIII", body)
            if which >= len(interfaces) or captured > len(body) - 20:
                raise CaptureError(f"the capture {path} is damaged: a packet of no known interface")
            link, ticks = interfaces[which]
            yield Record(((high << 32) + low) * 10**9 // ticks, link, length, body[20:20 + captured])
        elif kind == _SIMPLE:
            raise CaptureError(f"the capture {path} has packets without a time; capture again with tcpdump -w")
        raw = stream.read(4)
        if not raw:
            return
        if len(raw) != 4:
            raise _cut(path)
        # A section's type reads the same in both byte orders.
        kind = struct.unpack(order + "I", raw)[0]


def _ticks(options: bytes, order: str) -> int:
    """Ticks per second of an interface, from its description's options."""
    at = 0
    while at + 4 <= len(options):
        code, length = struct.unpack_from(order + "HH", options, at)
        if code == _END_OF_OPTIONS:
            break
        if code == _TSRESOL and length == 1:
            value = options[at + 4]
            return 2 ** (value & 0x7f) if value & 0x80 else 10 ** value
        at += 4 + length + -length % 4
    return 10**6
