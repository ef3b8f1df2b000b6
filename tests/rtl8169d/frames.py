# SPDX-License-Identifier: GPL-2.0-only
"""Ethernet frames with right (or deliberately wrong) checksums, and the reference checksum."""

import struct

SENDER = bytes.fromhex("525400000002")
STATION = bytes.fromhex("525400816901")
BROADCAST = b"\xff" * 6
TCP = 6
UDP = 17
PSH_ACK = 0x18


def checksum(data: bytes) -> int:
    """Internet checksum of data (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(source: bytes, destination: bytes, length: int, proto: int) -> bytes:
    """Pseudo header of TCP and UDP over IPv4 (4-byte addresses) or IPv6."""
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, proto, length)
    return source + destination + struct.pack("!IBBBB", length, 0, 0, 0, proto)


def tcp(payload: bytes, seq: int = 1000, flags: int = PSH_ACK, options: bytes = b"") -> bytes:
    """TCP header with zero checksum, and payload."""
    offset = (20 + len(options)) // 4 << 4
    return struct.pack("!HHIIBBHHH", 5001, 40000, seq, 77, offset, flags, 4096, 0, 0) + options + payload


def udp(payload: bytes) -> bytes:
    """UDP header with zero checksum, and payload."""
    return struct.pack("!HHHH", 5001, 40000, 8 + len(payload), 0) + payload


def put_checksum(l4: bytes, proto: int, source: bytes, destination: bytes) -> bytes:
    """The same TCP or UDP packet with its checksum filled in."""
    at = 16 if proto == TCP else 6
    value = checksum(pseudo(source, destination, len(l4), proto) + l4[:at] + b"\0\0" + l4[at + 2:])
    if proto == UDP and not value:
        value = 0xFFFF
    return l4[:at] + struct.pack("!H", value) + l4[at + 2:]


def ipv4(l4: bytes, proto: int, ident: int = 7, fragment: int = 0, fill: bool = True, options: bytes = b"") -> bytes:
    """IPv4 packet; with fill, all checksums are right."""
    source, destination = bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1])
    if fill and proto in (TCP, UDP):
        l4 = put_checksum(l4, proto, source, destination)
    header_len = 20 + len(options)
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | header_len // 4, 0, header_len + len(l4), ident, fragment, 64, proto, 0,
                         source, destination) + options
    if fill:
        header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return header + l4


def ipv6(l4: bytes, proto: int, fill: bool = True) -> bytes:
    """IPv6 packet; with fill, the checksum is right."""
    source, destination = bytes(15) + b"\x02", bytes(15) + b"\x01"
    if fill:
        l4 = put_checksum(l4, proto, source, destination)
    return struct.pack("!IHBB", 0x60000000, len(l4), proto, 64) + source + destination + l4


def ether(packet: bytes, ethertype: int = 0x0800, dst: bytes = STATION, vlan: int | None = None) -> bytes:
    """Ethernet frame without FCS."""
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    return dst + SENDER + tag + struct.pack("!H", ethertype) + packet


def tcp_frame(size: int, **more) -> bytes:
    """IPv4 TCP frame of exactly size bytes."""
    return ether(ipv4(tcp(bytes(i & 0xFF for i in range(size - 54))), TCP), **more)


def l4_valid(frame: bytes) -> bool:
    """Are the IP and TCP or UDP checksums of an IPv4 or IPv6 frame right?"""
    at = 18 if frame[12:14] == b"\x81\x00" else 14
    packet = frame[at:]
    if packet[0] >> 4 == 4:
        header_len = (packet[0] & 15) * 4
        total = struct.unpack_from("!H", packet, 2)[0]
        if checksum(packet[:header_len]):
            return False
        l4 = packet[header_len:total]
        return not checksum(pseudo(packet[12:16], packet[16:20], len(l4), packet[9]) + l4)
    l4 = packet[40:40 + struct.unpack_from("!H", packet, 4)[0]]
    return not checksum(pseudo(packet[8:24], packet[24:40], len(l4), packet[6]) + l4)


def multicast_bit(mac: bytes) -> int:
    """Number of the multicast filter bit of mac: the top six bits of Ethernet's CRC."""
    crc = 0xFFFFFFFF
    for byte in mac:
        for bit in range(8):
            top = crc >> 31 ^ byte >> bit & 1
            crc = crc << 1 & 0xFFFFFFFF
            if top:
                crc ^= 0x04C11DB7
    return crc >> 26
