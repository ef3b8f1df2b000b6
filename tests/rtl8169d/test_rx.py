# SPDX-License-Identifier: GPL-2.0-only
"""Receive path: delivery, checksum status, VLAN, filters, empty ring, back-pressure, bad descriptors."""

import time

import frames as fr
from harness import EOR, FS, LS, OWN, Setup, balance

PROTO_TCP, PROTO_UDP, PROTO_IP = 1 << 17, 1 << 18, 3 << 17
IP_FAIL, UDP_FAIL, TCP_FAIL = 1 << 16, 1 << 15, 1 << 14
STATUS = PROTO_IP | IP_FAIL | UDP_FAIL | TCP_FAIL
CHIPS = ("8169", "8168")


def test_frames_arrive_in_order_and_intact(nic: str) -> None:
    """Sizes from the smallest to a jumbo frame; the ring wraps several times."""
    for chip in CHIPS:
        with Setup(nic, chip=chip, ring=16, buffer=0x3FFF) as s:
            sent = [fr.tcp_frame(size) for size in (60, 61, 1513, 1514, 9000, 16000) * 8]
            for frame in sent:
                s.send(frame)
                opts1, _, data = s.take()
                assert data == frame and opts1 & FS and opts1 & LS
                assert opts1 & 0x3FFF == len(frame) + 4, "the length counts the FCS"
            stats = s.stats()
            assert stats["rx_frames"] == len(sent) and stats["rx_bytes"] == sum(map(len, sent)) and balance(stats)


def test_short_frames_are_padded_runts_dropped(nic: str) -> None:
    """The wire carries frames below 60 bytes; frames shorter than an Ethernet header are dropped."""
    with Setup(nic) as s:
        s.send(b"x" * 13, fr.ether(b"abc", 0x9999))
        _, _, data = s.take()
        assert data == fr.ether(b"abc", 0x9999).ljust(60, b"\0")
        stats = s.stats()
        assert stats["rx_runt"] == 1 and stats["rx_padded"] == 1 and balance(stats)


def test_too_long_is_counted(nic: str) -> None:
    """RxMaxSize counts the FCS."""
    with Setup(nic) as s:
        s.write(0xDA, 2, 1518)
        s.send(fr.tcp_frame(1515), fr.tcp_frame(1514))
        assert len(s.take()[2]) == 1514
        assert s.stats()["rx_too_long"] == 1


def test_frame_over_several_descriptors(nic: str) -> None:
    """A frame larger than a buffer fills several descriptors."""
    with Setup(nic, buffer=512) as s:
        frame = fr.tcp_frame(1500)
        s.send(frame)
        s.until(lambda: not s.rx_desc(2)[0] & OWN, "third descriptor")
        first, middle, last = (s.rx_desc(i)[0] for i in range(3))
        assert first & FS and not first & LS and not middle & (FS | LS) and last & LS and not last & FS
        assert last & 0x3FFF == 1504
        data = b"".join(s.get(0x100000 + 16384 * i, 512) for i in range(3))
        assert data[:1500] == frame


def test_checksum_status(nic: str) -> None:
    """The protocol and failure bits for good, bad and unknown packets."""
    good_tcp = fr.ether(fr.ipv4(fr.tcp(b"hello" * 50), fr.TCP))
    good_udp = fr.ether(fr.ipv4(fr.udp(b"hello" * 50), fr.UDP))
    no_sum = fr.ether(fr.ipv4(fr.udp(b"hello" * 50), fr.UDP, fill=False))
    at = 14 + 10
    no_sum = no_sum[:at] + fr.checksum(no_sum[14:34]).to_bytes(2, "big") + no_sum[at + 2:]
    bad_ip = good_tcp[:22] + b"\x01" + good_tcp[23:]
    cases = [
        (good_tcp, PROTO_TCP), (good_udp, PROTO_UDP),
        (good_tcp[:-1] + b"!", PROTO_TCP | TCP_FAIL), (good_udp[:-1] + b"!", PROTO_UDP | UDP_FAIL),
        (no_sum, PROTO_UDP), (bad_ip, PROTO_IP | IP_FAIL),
        (fr.ether(fr.ipv4(b"x" * 40, 1)), PROTO_IP),
        (fr.ether(fr.ipv4(fr.tcp(b"x" * 40), fr.TCP, fragment=0x2000)), PROTO_IP),
        (fr.ether(fr.ipv4(fr.tcp(b"odd" * 33), fr.TCP, options=b"\x01" * 8)), PROTO_TCP),
        (fr.ether(fr.ipv4(fr.tcp(b""), fr.TCP)) + b"\0" * 6, PROTO_TCP),
        (fr.ether(b"y" * 60, 0x0806), 0),
    ]
    tcp6 = fr.ether(fr.ipv6(fr.tcp(b"six" * 70), fr.TCP), 0x86DD)
    for chip in CHIPS:
        both = cases + ([(tcp6, PROTO_TCP), (tcp6[:-1] + b"!", PROTO_TCP | TCP_FAIL)] if chip == "8168" else [(tcp6, 0)])
        with Setup(nic, chip=chip) as s:
            for i, (frame, want) in enumerate(both):
                s.send(frame)
                got = s.take()[0] & STATUS
                assert got == want, f"chip {chip} case {i}: {got:#x}, not {want:#x}"
            s.write(0xE0, 2, 0)
            s.send(good_tcp)
            assert not s.take()[0] & STATUS, "checksums are not checked when switched off"


def test_vlan_strip(nic: str) -> None:
    """With RxVlan the tag moves to opts2, byte-swapped; without it the tag stays."""
    frame = fr.tcp_frame(200, vlan=0x6123)
    for chip in CHIPS:
        with Setup(nic, chip=chip) as s:
            s.send(frame)
            assert s.take()[2] == frame
            s.write(0xE0, 2, 0x60)
            s.send(frame, fr.tcp_frame(200))
            opts1, opts2, data = s.take()
            assert data == fr.tcp_frame(200)[:len(frame) - 4] and opts2 & 0x1FFFF == 0x10000 | 0x2361
            assert opts1 & STATUS == PROTO_TCP
            assert not s.take()[1] & 0x10000
            assert s.stats()["rx_vlan_stripped"] == 1


def test_filters(nic: str) -> None:
    """Own address, other address, broadcast, multicast hash, promiscuous; each accept bit alone."""
    group, other = bytes.fromhex("01005e7f0102"), bytes.fromhex("525400999999")
    bit = fr.multicast_bit(group)
    for chip in CHIPS:
        with Setup(nic, chip=chip) as s:
            kinds = [fr.tcp_frame(100, dst=dst) for dst in (fr.STATION, other, fr.BROADCAST, group)]
            byte = bit // 8 if chip == "8169" else 7 - bit // 8
            hits = (1 << bit % 8) << 8 * byte
            for accept, table, want in ((0, 0, ""), (2, 0, "0"), (8, 0, "2"), (4, 0, ""), (4, hits, "3"),
                                        (4, ~hits & (1 << 64) - 1, ""), (1, 0, "01"), (0xF, (1 << 64) - 1, "0123")):
                s.write(0x44, 4, accept)
                s.write(0x08, 8, table)
                before = s.stats()
                s.send(*kinds)
                s.until_count("wire_rx_frames", before["wire_rx_frames"] + 4)
                for index in want:
                    assert s.take()[2] == kinds[int(index)], f"accept {accept:#x}"
                after = s.stats()
                assert after["rx_frames"] - before["rx_frames"] == len(want), f"accept {accept:#x} table {table:#x}"
                assert after["rx_filtered"] - before["rx_filtered"] == 4 - len(want)


def test_overflow_is_counted(nic: str) -> None:
    """Without pause, frames beyond the ring are missed; counters and status tell."""
    with Setup(nic, "--pause", "off", ring=8) as s:
        s.send(*(fr.tcp_frame(100 + i) for i in range(20)))
        s.until_count("wire_rx_frames", 20)
        stats = s.stats()
        assert stats["rx_frames"] == 8 and stats["rx_missed"] == 12 and balance(stats)
        assert s.read(0x3E, 2) & 0x10, "receive descriptor unavailable"
        assert s.read(0x4C, 4) == 12
        for i in range(8):
            assert len(s.take()[2]) == 100 + i
        s.send(fr.tcp_frame(500))
        assert len(s.take()[2]) == 500, "reception goes on after the overflow"


def test_pause_loses_nothing(nic: str) -> None:
    """With pause, 3000 frames go through a ring of 8 although the driver is slow."""
    with Setup(nic, ring=8) as s:
        s.wire.setblocking(False)
        stream = b"".join(len(f).to_bytes(4, "big") + f for f in (fr.tcp_frame(60 + i % 1400) for i in range(3000)))
        sent = got = 0
        end = time.monotonic() + 60
        while got < 3000:
            assert time.monotonic() < end, f"stuck after {got} frames; {s.stats()}"
            try:
                sent += s.wire.send(stream[sent:sent + 65536])
            except BlockingIOError:
                pass
            while got < 3000 and not s.rx_desc(s.rx_next)[0] & OWN:
                opts1, _, data = s.take()
                assert len(data) == max(60 + got % 1400, 60), f"frame {got} lost or out of order"
                got += 1
                if got % 500 == 0:
                    time.sleep(0.02)
        stats = s.stats()
        assert stats["rx_missed"] == 0 and stats["rx_frames"] == 3000 and balance(stats)
        assert stats["wire_pauses"] > 0 and stats["wire_paused_ns"] > 10_000_000


def test_paused_nic_sleeps(nic: str) -> None:
    """A NIC that waits for descriptors uses next to no processor time."""
    with Setup(nic, ring=8) as s:
        s.send(*(fr.tcp_frame(100) for _ in range(20)))
        s.until_count("wire_pauses", 1)
        with open(f"/proc/{s.process.pid}/stat", encoding="ascii") as stat:
            before = sum(map(int, stat.read().split()[13:15]))
        time.sleep(1)
        with open(f"/proc/{s.process.pid}/stat", encoding="ascii") as stat:
            after = sum(map(int, stat.read().split()[13:15]))
        assert after - before < 40, f"{after - before} of 100 ticks"
        s.ask("pause", state="off")
        s.until_count("wire_rx_frames", 20)
        assert s.stats()["rx_missed"] == 12


def test_receiver_off_and_link_down(nic: str) -> None:
    """Frames that cannot be received are counted by reason."""
    with Setup(nic) as s:
        s.write(0x37, 1, 0x04)
        s.send(fr.tcp_frame(100))
        s.until_count("rx_disabled", 1)
        s.write(0x37, 1, 0x0C)
        s.ask("link", state="down")
        s.send(fr.tcp_frame(100))
        s.until_count("rx_link_down", 1)
        assert balance(s.stats())


def test_bad_receive_descriptors(nic: str) -> None:
    """Bad addresses and sizes are refused, counted and returned as errors; the ring goes on."""
    with Setup(nic, ring=8) as s:
        end = s.client.base + len(s.client.memory)
        bad = [(2048, 0), (2048, end), (2048, end - 100), (2048, (1 << 64) - 50), (2048, 1 << 63), (0, None), (1, None)]
        for i, (size, address) in enumerate(bad):
            s.give(i, size, address)
        if bad[-1][0] == 1:
            s.give(7, 2048)
        for i in range(6):
            s.send(fr.tcp_frame(100))
            opts1 = s.take(give_back=False)[0]
            assert opts1 & 1 << 21, f"descriptor {i} must come back as an error"
        stats = s.stats()
        assert stats["rx_errors"] == 6 and stats["dma_faults"] == 5 and stats["bad_descriptors"] == 1
        for i in range(7):
            s.give(i)
        s.send(fr.tcp_frame(300))
        s.until_count("wire_rx_frames", 7)
        assert s.take()[2] == fr.tcp_frame(300) and balance(s.stats())


def test_tiny_buffers_are_refused(nic: str) -> None:
    """A ring of one-byte buffers must not block a frame for ever."""
    with Setup(nic, ring=256, buffer=1) as s:
        s.send(fr.tcp_frame(100))
        s.until_count("rx_errors", 1)
        assert s.stats()["bad_descriptors"] == 1


def test_ring_outside_memory(nic: str) -> None:
    """A ring base outside guest memory loses frames, counted, and reports a system error."""
    with Setup(nic) as s:
        s.write(0xE8, 4, 0x7F)
        s.send(fr.tcp_frame(100))
        s.until_count("rx_errors", 1)
        assert s.stats()["dma_faults"] == 1 and s.read(0x3E, 2) & 0x8000


def test_memory_without_file_and_unmap(nic: str) -> None:
    """Ranges announced without a file, and withdrawn ones, are faults."""
    with Setup(nic, ring=8) as s:
        s.client.map(1 << 32, 0x10000, None)
        s.give(0, 2048, 1 << 32)
        s.send(fr.tcp_frame(100))
        s.until_count("dma_faults", 1)
        s.client.unmap(s.client.base, len(s.client.memory))
        s.send(fr.tcp_frame(100))
        s.until_count("dma_faults", 2)
        assert s.stats()["dma_maps_nofd"] == 1


def test_buffer_across_two_maps(nic: str) -> None:
    """The NIC treats adjacent ranges of guest memory as one; read-only ones are not written."""
    with Setup(nic, ring=8) as s:
        size = len(s.client.memory)
        end = s.client.base + size
        s.client.map(end, 0x1000, s.client.fd, 0)
        s.give(0, 2048, end - 100)
        frame = fr.tcp_frame(1000)
        s.send(frame)
        s.until(lambda: not s.rx_desc(0)[0] & OWN, "delivery")
        assert s.get(size - 100, 100) + s.get(0, 900) == frame
        s.client.map(1 << 33, 0x1000, s.client.fd, 0x8000, flags=1)
        s.give(1, 2048, 1 << 33)
        s.send(frame)
        s.until_count("rx_errors", 1)
        assert s.get(0x8000, 100) == bytes(100)


def test_ring_end_bit(nic: str) -> None:
    """The end-of-ring bit survives delivery."""
    with Setup(nic, ring=4) as s:
        for _ in range(4):
            s.send(fr.tcp_frame(100))
            s.take(give_back=False)
        assert s.rx_desc(3)[0] & EOR
