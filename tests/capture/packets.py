# SPDX-License-Identifier: GPL-2.0-only
"""Builds captures byte by byte."""

from __future__ import annotations

import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SENDER, RECEIVER = ("10.0.0.1", 40000), ("10.0.0.3", 5001)
MS = 1_000_000


def mss(value: int) -> bytes:
    """Option 2."""
    return struct.pack("!BBH", 2, 4, value)


def scale(value: int) -> bytes:
    """Option 3, padded."""
    return struct.pack("!BBBB", 1, 3, 3, value)


TIMESTAMPS = struct.pack("!BBBBII", 1, 1, 8, 10, 1, 1)


def tcp(source: tuple[str, int], target: tuple[str, int], flags: int, seq: int, ack: int, window: int,
        payload: int = 0, options: bytes = b"") -> bytes:
    """TCP header, options and zeroes as payload."""
    assert len(options) % 4 == 0
    head = struct.pack("!HHIIBBHHH", source[1], target[1], seq, ack, (20 + len(options)) << 2, flags, window, 0, 0)
    return head + options + bytes(payload)


def address4(text: str) -> bytes:
    return bytes(int(part) for part in text.split("."))


def ipv4(source: tuple[str, int], target: tuple[str, int], segment: bytes, length: int | None = None,
         protocol: int = 6, fragment: int = 0) -> bytes:
    """An IPv4 packet; `length` overrides the one in the header."""
    total = 20 + len(segment) if length is None else length
    return struct.pack("!BBHHHBBH", 0x45, 0, total, 0, fragment, 64, protocol, 0) + \
        address4(source[0]) + address4(target[0]) + segment


def ethernet(packet: bytes, kind: int = 0x0800, vlans: tuple[int, ...] = ()) -> bytes:
    """An Ethernet frame, with VLAN tags if wanted."""
    tags = b"".join(struct.pack("!HH", 0x8100, vlan) for vlan in vlans)
    return bytes(12) + tags + struct.pack("!H", kind) + packet


def pcap(packets: list[tuple[int, bytes]], order: str = "<", nano: bool = False, link: int = 1,
         snap: int = 65535) -> bytes:
    """A pcap file of (time in ns, frame)."""
    out = struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, snap, link)
    for time, frame in packets:
        part = time % 10**9 // (1 if nano else 1000)
        out += struct.pack(order + "IIII", time // 10**9, part, min(len(frame), snap), len(frame)) + frame[:snap]
    return out


def pcapng_block(kind: int, body: bytes, order: str = "<") -> bytes:
    """One block of a pcapng file."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def pcapng(packets: list[tuple[int, bytes]], order: str = "<") -> bytes:
    """A pcapng file with one interface that counts nanoseconds, and a block of an unknown kind."""
    out = pcapng_block(0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1), order)
    out += pcapng_block(1, struct.pack(order + "HHI", 1, 0, 0) + struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0), order)
    out += pcapng_block(0xbad, b"unknown", order)
    for time, frame in packets:
        head = struct.pack(order + "IIIII", 0, time >> 32, time & 0xffffffff, len(frame), len(frame))
        out += pcapng_block(6, head + frame, order)
    return out


class Talk:
    """A connection under construction: packets with their times."""

    def __init__(self, sender_isn: int = 1000, receiver_isn: int = 9000) -> None:
        self.packets: list[tuple[int, bytes]] = []
        self.sent, self.answered = sender_isn, receiver_isn

    def raw(self, time: int, from_sender: bool, flags: int, seq: int, ack: int, window: int, payload: int = 0,
            options: bytes = b"") -> None:
        """Any packet."""
        ends = (SENDER, RECEIVER) if from_sender else (RECEIVER, SENDER)
        segment = tcp(*ends, flags, seq % 2**32, ack % 2**32, window, payload, options)
        self.packets.append((time, ethernet(ipv4(*ends, segment))))

    def handshake(self, sender_options: bytes, receiver_options: bytes, time: int = 0, window: int = 64000) -> None:
        """SYN, SYN-ACK, ACK, all at one time."""
        self.raw(time, True, SYN, self.sent, 0, 64000, options=sender_options)
        self.raw(time, False, SYN | ACK, self.answered, self.sent + 1, window, options=receiver_options)
        self.sent, self.answered = self.sent + 1, self.answered + 1
        self.raw(time, True, ACK, self.sent, self.answered, 500)

    def data(self, time: int, payload: int, back: int = 0) -> None:
        """Payload from the sender; it begins `back` bytes before the next one's place."""
        self.raw(time, True, ACK, self.sent - back, self.answered, 500, payload)
        self.sent = max(self.sent, self.sent - back + payload)

    def ack(self, time: int, window: int, missing: int = 0) -> None:
        """A pure ACK from the receiver of all but the last `missing` bytes."""
        self.raw(time, False, ACK, self.answered, self.sent - missing, window)
