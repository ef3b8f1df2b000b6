# SPDX-License-Identifier: GPL-2.0-only
"""Transmit path: gathering, checksums, segmentation in both descriptor layouts, VLAN, errors."""

import struct
import time

import frames as fr
from harness import FS, LS, OWN, TX_RING, Setup

LSO_8169 = 1 << 27
GIANT4, GIANT6 = 1 << 26, 1 << 25
VLAN = 1 << 17


def offload(chip: str, frame: bytes, udp: bool = False, ipv6: bool = False) -> tuple[int, int]:
    """opts1, opts2 that ask for all checksums of a frame."""
    if chip == "8169":
        return 1 << 18 | (1 << 17 if udp else 1 << 16), 0
    offset = 54 if ipv6 else 14 + (frame[14] & 15) * 4
    return 0, (1 << 28 if ipv6 else 1 << 29) | (1 << 31 if udp else 1 << 30) | offset << 18


def test_plain_frames(nic: str) -> None:
    """One and several descriptors, padding to the minimum, ring wrap."""
    for chip in ("8169", "8168"):
        with Setup(nic, chip=chip) as s:
            for i in range(50):
                frame = fr.tcp_frame(60 + 29 * i)
                s.transmit(frame, parts=1 + i % 5)
                assert s.receive() == frame
            s.transmit(fr.ether(b"abc", 0x9999))
            assert s.receive() == fr.ether(b"abc", 0x9999).ljust(60, b"\0")
            s.until(s.tx_done, "descriptors given back")
            stats = s.stats()
            assert stats["tx_frames"] == 51 and stats["wire_tx_frames"] == 51 and not stats["tx_errors"]


def test_checksums(nic: str) -> None:
    """The NIC's checksums equal the reference, for TCP, UDP, IP options, odd lengths, VLAN in the frame, IPv6."""
    for chip in ("8169", "8168"):
        with Setup(nic, chip=chip) as s:
            for size in (0, 1, 2, 333, 1400):
                for proto, make in ((fr.TCP, fr.tcp), (fr.UDP, fr.udp)):
                    payload = bytes(i * 7 & 0xFF for i in range(size))
                    frame = fr.ether(fr.ipv4(make(payload), proto, fill=False, options=b"\x01" * 4))
                    want = fr.ether(fr.ipv4(make(payload), proto, options=b"\x01" * 4))
                    s.transmit(frame, *offload(chip, frame, proto == fr.UDP), parts=3)
                    assert s.receive() == want.ljust(60, b"\0"), f"chip {chip} protocol {proto} size {size}"
                    if chip == "8168":
                        frame = fr.ether(fr.ipv6(make(payload), proto, fill=False), 0x86DD)
                        s.transmit(frame, *offload(chip, frame, proto == fr.UDP, True))
                        assert s.receive() == fr.ether(fr.ipv6(make(payload), proto), 0x86DD)
            frame = fr.ether(fr.ipv4(fr.tcp(b"x" * 99), fr.TCP, fill=False), vlan=5)
            opts1, opts2 = offload("8169", frame) if chip == "8169" else (0, 1 << 29 | 1 << 30 | 38 << 18)
            s.transmit(frame, opts1, opts2)
            assert s.receive() == fr.ether(fr.ipv4(fr.tcp(b"x" * 99), fr.TCP), vlan=5)


def test_udp_zero_checksum(nic: str) -> None:
    """A UDP sum of zero is sent as 0xffff."""
    for filler in range(65536):
        payload = filler.to_bytes(2, "big") + b"z" * 30
        good = fr.ipv4(fr.udp(payload), fr.UDP)
        if good[26:28] == b"\xff\xff":
            break
    with Setup(nic) as s:
        frame = fr.ether(fr.ipv4(fr.udp(payload), fr.UDP, fill=False))
        s.transmit(frame, *offload("8169", frame, True))
        assert s.receive()[14:] == good


def check_segments(s: Setup, frame: bytes, mss: int, headers: int, options: bytes, vlan: int | None, v6: bool) -> None:
    """Read the segments of a large send and compare every field with a stack's own segments."""
    payload = frame[headers:]
    pieces = [payload[i:i + mss] for i in range(0, len(payload), mss)]
    for i, piece in enumerate(pieces):
        flags = 0x19 | 0x80 if len(pieces) == 1 else 0x10 | (0x80 if i == 0 else 0) | (0x09 if i == len(pieces) - 1 else 0)
        l4 = fr.tcp(piece, seq=0xFFFFF000 + i * mss & 0xFFFFFFFF, flags=flags, options=options)
        if v6:
            want = fr.ether(fr.ipv6(l4, fr.TCP), 0x86DD, vlan=vlan)
        else:
            want = fr.ether(fr.ipv4(l4, fr.TCP, ident=0xFFFE + i & 0xFFFF), vlan=vlan)
        got = s.receive()
        assert got == want.ljust(60, b"\0"), f"segment {i} of {len(pieces)}"
        assert fr.l4_valid(got)


def test_segmentation(nic: str) -> None:
    """Segment by segment: lengths, IP ids, sequence numbers across the wrap, flags, all checksums."""
    for chip in ("8169", "8168"):
        with Setup(nic, chip=chip) as s:
            for v6 in (False, True) if chip == "8168" else (False,):
                for size, mss, options, tag in ((60000, 1448, b"\x01\x01\x08\x0a" + b"t" * 8, None),
                                                (2896, 1448, b"", None), (2897, 1448, b"", 0x0064),
                                                (100, 536, b"", None), (1, 1, b"", None), (50, 7, b"", None),
                                                (63000, 64, b"", None)):
                    l4 = fr.tcp(bytes(i * 13 & 0xFF for i in range(size)), seq=0xFFFFF000, flags=0x99, options=options)
                    if v6:
                        frame = fr.ether(fr.ipv6(l4, fr.TCP, fill=False), 0x86DD)
                        frame = frame[:18] + b"\0\0" + frame[20:]
                    else:
                        frame = fr.ether(fr.ipv4(l4, fr.TCP, ident=0xFFFE, fill=False))
                    headers = (54 if v6 else 34) + 20 + len(options)
                    opts2 = 0 if tag is None else VLAN | tag >> 8 | (tag & 0xFF) << 8
                    if chip == "8169":
                        opts1 = LSO_8169 | mss << 16
                    else:
                        opts1 = (GIANT6 if v6 else GIANT4) | (54 if v6 else 34) << 18
                        opts2 |= mss << 18
                    s.transmit(frame, opts1, opts2, parts=4 if size > 4 else 1)
                    check_segments(s, frame, mss, headers, options, tag, v6)
            stats = s.stats()
            runs = 2 if chip == "8168" else 1
            assert stats["tx_tso_packets"] == 7 * runs and stats["tx_errors"] == 0
            assert stats["tx_tso_segments"] == stats["tx_frames"]


def test_vlan_insert(nic: str) -> None:
    """The tag of opts2 goes behind the addresses."""
    for chip in ("8169", "8168"):
        with Setup(nic, chip=chip) as s:
            frame = fr.ether(fr.ipv4(fr.tcp(b"v" * 100), fr.TCP, fill=False))
            opts1, opts2 = offload(chip, frame)
            s.transmit(frame, opts1, opts2 | VLAN | 0x2361)
            assert s.receive() == fr.ether(fr.ipv4(fr.tcp(b"v" * 100), fr.TCP), vlan=0x6123)
            assert s.stats()["tx_vlan_inserted"] == 1


def test_refused_packets(nic: str) -> None:
    """Requests that do not fit the headers, bad addresses and fragments are refused and counted; sending goes on."""
    with Setup(nic, chip="8168") as s:
        tcp = fr.tcp_frame(200)
        bad = [
            (tcp, GIANT4 | 34 << 18, 0),                         # no MSS
            (tcp, GIANT4 | 127 << 18, 100 << 18),                # TCP header there?
            (tcp, GIANT6 | 54 << 18, 100 << 18),                 # not IPv6
            (tcp[:40], GIANT4 | 34 << 18, 100 << 18),            # header cut off
            (tcp, 0, 1 << 29 | 1 << 31 | 34 << 18),              # not UDP
            (tcp, 0, 1 << 29 | 1 << 30 | 1023 << 18),            # behind the end
            (fr.ether(b"q" * 60, 0x9999), 0, 1 << 29 | 1 << 30 | 34 << 18),
            (fr.tcp_frame(60000), GIANT4 | 34 << 18, 1 << 18),   # 60000 segments
            (b"short", 0, 0),
            (bytes(20000), 0, 0),                                # longer than any frame
        ]
        for frame, opts1, opts2 in bad:
            s.transmit(frame, opts1, opts2)
        s.until_count("tx_errors", len(bad))
        s.transmit(tcp)
        assert s.receive() == tcp
        assert s.read(0x3E, 2) & 0x08, "transmit error"
        assert s.stats()["tx_errors"] == len(bad)


def test_bad_transmit_descriptors(nic: str) -> None:
    """A middle without beginning, zero lengths and wild addresses."""
    with Setup(nic) as s:
        end = s.client.base + len(s.client.memory)
        wild = [(LS | 100, s.client.base), (FS | LS, s.client.base), (FS | LS | 100, 0), (FS | LS | 100, end - 10),
                (FS | LS | 65535, (1 << 64) - 10)]
        for opts1, address in wild:
            s.put(TX_RING + 16 * s.tx_next, struct.pack("<IIQ", OWN | opts1, 0, address))
            s.tx_next += 1
        s.write(0x38, 1, 0x40)
        s.until_count("tx_errors", 5)
        stats = s.stats()
        assert stats["dma_faults"] == 3 and stats["bad_descriptors"] == 2
        s.transmit(fr.tcp_frame(99))
        assert s.receive() == fr.tcp_frame(99)
        s.until(s.tx_done, "descriptors given back")


def test_endless_ring_of_fragments(nic: str) -> None:
    """A packet that never ends must neither overflow anything nor hang the NIC."""
    with Setup(nic) as s:
        for _ in range(20):
            for i in range(32):
                s.put(TX_RING + 16 * i, struct.pack("<IIQ", OWN | (FS if i == 0 else 0) | (1 << 30 if i == 31 else 0) | 65535,
                                                    0, s.client.base))
            s.write(0x38, 1, 0x40)
            s.until(s.tx_done, "descriptors given back")
        assert s.stats()["bad_descriptors"] > 0


def test_congested_wire_waits(nic: str) -> None:
    """A peer that does not read stops the transmitter, which loses no frame and uses no processor time."""
    with Setup(nic) as s:
        total = 0
        while total < 2000 and s.tx_done():
            for _ in range(31):
                s.transmit(fr.tcp_frame(1514))
            total += 31
            time.sleep(0.01)
        assert not s.tx_done(), "the transmitter must wait"
        for _ in range(total):
            assert s.receive() == fr.tcp_frame(1514)
        s.until(s.tx_done, "the rest")
        assert s.stats()["tx_frames"] == total


def test_link_down_and_no_peer(nic: str) -> None:
    """Frames without link or peer are lost and counted, and their descriptors return."""
    with Setup(nic) as s:
        s.ask("link", state="down")
        s.transmit(fr.tcp_frame(100))
        s.until_count("tx_link_down", 1)
        s.ask("link", state="up")
        s.until(lambda: s.ask("info")["link"] == "up", "link")
        s.wire.close()
        s.until(lambda: s.ask("info")["wire"] == "down", "wire down")
        s.transmit(fr.tcp_frame(100))
        s.until_count("tx_no_peer", 1)
        s.until(s.tx_done, "descriptors given back")
        s.plug()
        s.transmit(fr.tcp_frame(101))
        assert s.receive() == fr.tcp_frame(101)


def test_rate_limit(nic: str) -> None:
    """30 intervals of 1538 bytes take 369 ms at 1 Mbit/s, less 1 ms of credit, and far less without a limit."""
    with Setup(nic) as s:
        for mbit, least, most in ((1, 0.365, 5), (0, 0, 0.36)):
            s.ask("rate", mbit=mbit)
            begin = time.monotonic()
            for _ in range(31):
                s.transmit(fr.tcp_frame(1514))
            for _ in range(31):
                s.receive()
            taken = time.monotonic() - begin
            assert least <= taken <= most, f"{taken:.3f} s at {mbit} Mbit/s"
            s.until(s.tx_done, "descriptors given back")
