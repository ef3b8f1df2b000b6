# SPDX-License-Identifier: GPL-2.0-only
"""The capture reader against captures of which each number is known."""

from __future__ import annotations

import struct
import tempfile
import unittest
from pathlib import Path

from lab.capture import CaptureError, analyse, main_flow
from lab.capture_file import records

from .packets import (ACK, FIN, MS, RECEIVER, SENDER, SYN, TIMESTAMPS, Talk, ethernet, ipv4, mss, pcap, pcapng,
                      scale, tcp)

SCALED = mss(1460) + scale(7)


class Case(unittest.TestCase):
    """A folder for the captures."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "capture"

    def file(self, data: bytes) -> Path:
        self.path.write_bytes(data)
        return self.path

    def flow(self, talk: Talk):
        return main_flow(self.file(pcap(talk.packets)))


class Windows(Case):
    """The receiver's advertised windows."""

    def test_scale_of_the_receiver(self) -> None:
        talk = Talk()
        talk.handshake(mss(1460) + scale(2), mss(1460) + scale(7), window=65535)
        talk.data(1 * MS, 1000)
        talk.ack(2 * MS, 100)
        talk.ack(3 * MS, 0)
        self.assertEqual(self.flow(talk).windows(), [(2 * MS, 100 << 7), (3 * MS, 0)])

    def test_no_scaling_when_one_side_did_not_offer_it(self) -> None:
        for sender, receiver in ((mss(1460), SCALED), (SCALED, mss(1460))):
            talk = Talk()
            talk.handshake(sender, receiver)
            talk.data(1 * MS, 1000)
            talk.ack(2 * MS, 29200)
            self.assertEqual(self.flow(talk).windows(), [(2 * MS, 29200)])

    def test_scale_above_the_limit(self) -> None:
        talk = Talk()
        talk.handshake(SCALED, mss(1460) + scale(20))
        talk.data(1 * MS, 1000)
        talk.ack(2 * MS, 3)
        self.assertEqual(self.flow(talk).windows(), [(2 * MS, 3 << 14)])

    def test_mean_per_millisecond(self) -> None:
        talk = Talk()
        start = 1_700_000_000 * 10**9 + 999_500_000
        talk.handshake(SCALED, SCALED, start)
        talk.data(start, 1000)
        for offset, window in ((0, 10), (400_000, 20), (999_000, 60), (1_000_000, 7), (5_250_000, 8)):
            talk.ack(start + offset, window)
        self.assertEqual(self.flow(talk).window_per_ms(),
                         [(0, 30 * 128), (1, 7 * 128), (5, 8 * 128)])

    def test_without_handshake(self) -> None:
        whole = Talk()
        whole.handshake(SCALED, SCALED)
        whole.data(1 * MS, 1000)
        whole.ack(2 * MS, 100)
        for missing in (slice(3, None), slice(1, None), [0, 2, 3, 4]):
            talk = Talk()
            talk.packets = whole.packets[missing] if isinstance(missing, slice) else \
                [whole.packets[i] for i in missing]
            flow = self.flow(talk)
            self.assertFalse(flow.has_handshake)
            self.assertRaisesRegex(CaptureError, "no handshake of 10.0.0.1:40000 -> 10.0.0.3:5001", flow.windows)
            self.assertRaisesRegex(CaptureError, "no handshake", flow.segments_histogram)
            # Values that need no handshake are still there.
            self.assertEqual((flow.payload_bytes, flow.pure_acks), (1000, 1))

    def test_direction_is_by_payload(self) -> None:
        talk = Talk()
        talk.handshake(SCALED, SCALED)
        talk.data(1 * MS, 24)
        talk.raw(2 * MS, False, ACK, talk.answered, talk.sent, 300, 5000)
        talk.raw(3 * MS, True, ACK, talk.sent, talk.answered + 5000, 4)
        flow = self.flow(talk)
        self.assertEqual((str(flow), flow.ports), ("10.0.0.3:5001 -> 10.0.0.1:40000", (5001, 40000)))
        self.assertEqual(flow.windows(), [(0, 500 << 7), (1 * MS, 500 << 7), (3 * MS, 4 << 7)])


class Counts(Case):
    """ACKs, retransmissions, round trips, segments."""

    def test_acks_per_megabyte(self) -> None:
        talk = Talk()
        talk.handshake(SCALED, SCALED)
        for i in range(500):
            talk.data(i * MS, 1000)
            if i % 2:
                talk.ack(i * MS, 100)
        talk.raw(600 * MS, False, FIN | ACK, talk.answered, talk.sent, 100)
        flow = self.flow(talk)
        self.assertEqual((flow.payload_bytes, flow.data_packets, flow.pure_acks), (500_000, 500, 250))
        self.assertEqual(flow.acks_per_mb(), 500)

    def test_retransmissions(self) -> None:
        talk = Talk()
        talk.handshake(SCALED, SCALED)
        talk.data(1 * MS, 1000)
        talk.data(2 * MS, 1000)
        talk.data(3 * MS, 1000, back=2000)
        talk.data(4 * MS, 1000, back=400)
        flow = self.flow(talk)
        self.assertEqual((flow.retransmitted_packets, flow.retransmitted_bytes), (2, 1000 + 400))
        self.assertEqual((flow.data_packets, flow.payload_bytes), (4, 2600))

    def test_sequence_numbers_wrap(self) -> None:
        talk = Talk(sender_isn=2**32 - 1500, receiver_isn=2**32 - 1)
        talk.handshake(SCALED, SCALED)
        for i in range(4):
            talk.data(10 * i * MS, 1000)
            talk.ack((10 * i + 3) * MS, 100)
        talk.data(50 * MS, 1000, back=4000)
        flow = self.flow(talk)
        self.assertEqual((flow.payload_bytes, flow.retransmitted_packets, flow.retransmitted_bytes), (4000, 1, 1000))
        self.assertEqual(flow.round_trips_ns(), [3 * MS] * 4)

    def test_round_trips(self) -> None:
        talk = Talk()
        talk.handshake(SCALED, SCALED)
        talk.data(1 * MS, 1000)
        talk.data(2 * MS, 1000)
        talk.ack(5 * MS, 100, missing=1000)
        talk.ack(9 * MS, 100)
        talk.data(10 * MS, 1000)
        talk.data(20 * MS, 1000, back=1000)
        talk.ack(21 * MS, 100)
        self.assertEqual(self.flow(talk).round_trips_ns(), [4 * MS, 7 * MS])

    def test_segments_per_packet(self) -> None:
        talk = Talk()
        talk.handshake(mss(1460) + TIMESTAMPS, mss(1400) + TIMESTAMPS)
        for payload in (1388, 10, 1389, 2 * 1388, 45 * 1388):
            talk.data(1 * MS, payload)
        flow = self.flow(talk)
        self.assertEqual(flow.segment_bytes, 1400 - 12)
        self.assertEqual(flow.segments_histogram(), {1: 2, 2: 2, 45: 1})
        self.assertEqual(flow.segments_per_packet(), (1 + 1 + 2 + 2 + 45) / 5)

    def test_no_timestamps_no_mss(self) -> None:
        talk = Talk()
        talk.handshake(mss(1460) + TIMESTAMPS, mss(1460))
        talk.data(1 * MS, 1460)
        self.assertEqual(self.flow(talk).segment_bytes, 1460)
        talk = Talk()
        talk.handshake(b"", b"")
        talk.data(1 * MS, 1072)
        self.assertEqual(self.flow(talk).segments_histogram(), {2: 1})


class Flows(Case):
    """The connection of a packet."""

    def test_ports_used_again(self) -> None:
        first, second = Talk(), Talk(sender_isn=700000)
        first.handshake(SCALED, SCALED)
        first.data(1 * MS, 1000)
        second.handshake(SCALED, mss(1460) + scale(3), 10 * MS)
        second.data(11 * MS, 2000)
        second.ack(12 * MS, 100)
        path = self.file(pcap(first.packets + second.packets))
        self.assertEqual([flow.payload_bytes for flow in analyse(path)], [1000, 2000])
        self.assertEqual(main_flow(path).windows(), [(12 * MS, 800)])

    def test_repeated_syn_is_the_same_connection(self) -> None:
        talk = Talk()
        talk.raw(0, True, SYN, 1000, 0, 64000, options=SCALED)
        talk.handshake(SCALED, SCALED, 1 * MS)
        talk.data(2 * MS, 1000)
        self.assertEqual(len(analyse(self.file(pcap(talk.packets)))), 1)

    def test_others_are_left_out(self) -> None:
        talk = Talk()
        talk.handshake(SCALED, SCALED)
        talk.data(1 * MS, 1000)
        udp = ethernet(ipv4(SENDER, RECEIVER, bytes(100), protocol=17))
        fragment = ethernet(ipv4(SENDER, RECEIVER, tcp(SENDER, RECEIVER, ACK, 0, 0, 0, 99), fragment=0x2000))
        arp, stub = ethernet(bytes(28), 0x0806), b"short"
        cut = talk.packets[-1][1][:40]
        path = self.file(pcap(talk.packets + [(2 * MS, frame) for frame in (udp, fragment, arp, stub, cut)]))
        self.assertEqual([flow.payload_bytes for flow in analyse(path)], [1000])
        self.assertEqual(analyse(path, port=5002), [])
        self.assertRaisesRegex(CaptureError, "no TCP connection with port 5002", main_flow, path, 5002)

    def test_nothing_carried(self) -> None:
        talk = Talk()
        talk.handshake(SCALED, SCALED)
        path = self.file(pcap(talk.packets))
        self.assertRaisesRegex(CaptureError, "no TCP connection that carried", main_flow, path)
        self.assertRaisesRegex(CaptureError, "no payload", analyse(path)[0].acks_per_mb)


class Formats(Case):
    """The same packets in every kind of file."""

    def talk(self) -> Talk:
        talk = Talk()
        talk.handshake(SCALED, SCALED)
        talk.data(1 * MS, 1000)
        talk.ack(2 * MS + 1000, 100)
        return talk

    def same(self, data: bytes) -> None:
        flow = main_flow(self.file(data))
        self.assertEqual((flow.payload_bytes, flow.windows()), (1000, [(2 * MS + 1000, 12800)]))

    def test_pcap(self) -> None:
        packets = self.talk().packets
        for order in "<>":
            for nano in (False, True):
                self.same(pcap(packets, order, nano))

    def test_pcapng(self) -> None:
        for order in "<>":
            self.same(pcapng(self.talk().packets, order))

    def test_headers_only(self) -> None:
        self.same(pcap(self.talk().packets, snap=80))

    def test_links(self) -> None:
        packets = [(time, frame[14:]) for time, frame in self.talk().packets]
        self.same(pcap(packets, link=101))
        self.same(pcap([(time, bytes(14) + b"\x08\x00" + data) for time, data in packets], link=113))
        self.same(pcap([(time, b"\x08\x00" + bytes(18) + data) for time, data in packets], link=276))
        self.same(pcap([(time, ethernet(data, vlans=(5, 7))) for time, data in packets]))

    def test_ipv6(self) -> None:
        def packet(frame: bytes, extension: bytes) -> bytes:
            data, kind = frame[34:], 0 if extension else 6
            head = struct.pack("!IHBB", 6 << 28, len(extension) + len(data), kind, 64)
            sender = frame[26:30] == bytes((10, 0, 0, 1))
            ends = [b"\xfd" + bytes(14) + bytes([last]) for last in ((1, 3) if sender else (3, 1))]
            return ethernet(head + ends[0] + ends[1] + extension + data, 0x86dd)
        for extension in (b"", struct.pack("!BB6x", 6, 0)):
            self.same(pcap([(time, packet(frame, extension)) for time, frame in self.talk().packets]))

    def test_padding_is_no_payload(self) -> None:
        self.same(pcap([(time, frame + bytes(10)) for time, frame in self.talk().packets]))

    def test_aggregate_without_length(self) -> None:
        talk = self.talk()
        segment = tcp(SENDER, RECEIVER, ACK, talk.sent, talk.answered, 500, 70000)
        talk.packets.append((3 * MS, ethernet(ipv4(SENDER, RECEIVER, segment, length=0))))
        self.assertEqual(self.flow(talk).payload_bytes, 71000)

    def test_damage(self) -> None:
        good = pcap(self.talk().packets)
        for data, words in ((good[:-3], "middle of a packet"), (good[:30], "middle of a packet"),
                            (b"", "not a capture file"), (b"GIF89a", "not a capture file"),
                            (good[:24] + struct.pack("<IIII", 0, 0, 2**31, 2**31), "damaged"),
                            (pcapng(self.talk().packets)[:-5], "middle of a packet")):
            self.assertRaisesRegex(CaptureError, words, analyse, self.file(data))
        self.assertRaisesRegex(CaptureError, "cannot be read", analyse, self.path / "none")

    def test_one_packet_at_a_time(self) -> None:
        stream = records(self.file(pcap(self.talk().packets) + b"damage"))
        self.assertEqual(next(stream).time_ns, 0)
