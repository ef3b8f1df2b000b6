# SPDX-License-Identifier: GPL-2.0-only
"""TCP behaviour from a capture: advertised windows, acknowledgements, retransmissions, round trips.

`analyse()` reads a file once, keeps no packets, and returns one Flow per connection. Captures may be cut to the
headers (tcpdump -s 128). Byte counts are TCP payload, times nanoseconds since 1970.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from .capture_file import CaptureError, records
from .capture_packet import ACK, FIN, RST, SYN, Segment, parse

__all__ = ["CaptureError", "Flow", "analyse", "main_flow"]

MEGABYTE = 10**6
_MILLISECOND = 10**6
_WRAP = 1 << 32


@dataclass
class _Side:
    """The packets that one end sent."""

    address: bytes
    port: int
    saw_syn: bool = False
    scale: int | None = None            # None: no window scaling offered
    mss: int = 0
    timestamps: bool = False
    last_sequence: int = 0              # unwrapped, to place the next one
    top: int | None = None              # end of the highest byte sent
    payload: int = 0                    # bytes, retransmitted ones included
    data_packets: int = 0
    pure_acks: int = 0
    retransmitted_packets: int = 0
    retransmitted_bytes: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    window_times: array = field(default_factory=lambda: array("q"))
    window_values: array = field(default_factory=lambda: array("q"))    # as sent, not scaled
    unacknowledged: deque[tuple[int, int]] = field(default_factory=deque)   # (end of bytes, time sent)
    round_trips: array = field(default_factory=lambda: array("q"))

    def unwrap(self, sequence: int) -> int:
        """Sequence number without the 32-bit wrap, near the last one seen."""
        base = self.last_sequence
        value = base - base % _WRAP + sequence
        return value + _WRAP * ((value < base - _WRAP // 2) - (value > base + _WRAP // 2))


class Flow:
    """One connection; the side that sent more payload is the sender, the other the receiver."""

    def __init__(self, a: _Side, b: _Side, first_ns: int) -> None:
        self._sides = (a, b)
        self.first_ns = first_ns
        self.last_ns = first_ns
        # How long no packet passed at most, and who sent the one that ended it.
        self.silence_ns = 0
        self._broke_silence: _Side | None = None

    @property
    def _sender(self) -> _Side:
        return max(self._sides, key=lambda side: side.payload)

    @property
    def _receiver(self) -> _Side:
        sender = self._sender
        return next(side for side in self._sides if side is not sender)

    def __str__(self) -> str:
        def name(side: _Side) -> str:
            return f"{ip_address(side.address)}:{side.port}"
        return f"{name(self._sender)} -> {name(self._receiver)}"

    @property
    def ports(self) -> tuple[int, int]:
        """Ports of sender and receiver."""
        return self._sender.port, self._receiver.port

    @property
    def has_handshake(self) -> bool:
        """Whether the SYNs of both sides are in the capture."""
        return all(side.saw_syn for side in self._sides)

    def _handshake(self, what: str) -> None:
        if not self.has_handshake:
            raise CaptureError(f"the capture has no handshake of {self}, without which {what} cannot be known: "
                               "start tcpdump before the connection")

    @property
    def payload_bytes(self) -> int:
        """Payload that the sender sent, each byte once."""
        return self._sender.payload - self._sender.retransmitted_bytes

    def windows(self) -> list[tuple[int, int]]:
        """(time, bytes) of each window that the receiver advertised after its SYN, scaled."""
        self._handshake("the window scale")
        side = self._receiver
        # Scaling is used only when both ends offered it.
        scale = side.scale if None not in (side.scale, self._sender.scale) else 0
        assert scale is not None
        return [(time, value << scale) for time, value in zip(side.window_times, side.window_values)]

    def window_per_ms(self) -> list[tuple[int, float]]:
        """(millisecond since the flow's first packet, mean window in bytes); silent milliseconds are left out."""
        sums: dict[int, list[int]] = {}
        for time, window in self.windows():
            cell = sums.setdefault((time - self.first_ns) // _MILLISECOND, [0, 0])
            cell[0] += window
            cell[1] += 1
        return [(at, total / count) for at, (total, count) in sorted(sums.items())]

    @property
    def pure_acks(self) -> int:
        """Packets of the receiver that acknowledge and carry nothing."""
        return self._receiver.pure_acks

    def acks_per_mb(self) -> float:
        """Pure ACKs of the receiver per 10^6 bytes of payload."""
        if not self.payload_bytes:
            raise CaptureError(f"{self} carried no payload: there is nothing to count acknowledgements for")
        return self.pure_acks * MEGABYTE / self.payload_bytes

    def heard(self, side: _Side, time: int) -> None:
        """A packet of a side passed."""
        if time - self.last_ns > self.silence_ns:
            self.silence_ns, self._broke_silence = time - self.last_ns, side
        self.last_ns = time

    @property
    def silence_ended_by(self) -> str:
        """The side whose packet ended the longest silence: if it is the sender, no answer had come."""
        return "sender" if self._broke_silence is self._sender else "receiver"

    @property
    def data_packets(self) -> int:
        """Packets with payload that the sender sent, as captured: an aggregate counts as one."""
        return self._sender.data_packets

    @property
    def retransmitted_packets(self) -> int:
        """Packets of the sender with at least one byte seen before."""
        return self._sender.retransmitted_packets

    @property
    def retransmitted_bytes(self) -> int:
        """Payload bytes that were sent before, counted each time."""
        return self._sender.retransmitted_bytes

    def round_trips_ns(self) -> list[int]:
        """Time from each packet of the sender to the ACK that covers it; retransmitted ones are left out.

        Meaningful in a capture made at the sender.
        """
        return list(self._sender.round_trips)

    @property
    def segment_bytes(self) -> int:
        """Payload of a full-sized segment: the MSS of the handshake less the timestamp option."""
        self._handshake("the segment size")
        both = all(side.timestamps for side in self._sides)
        return min(side.mss or 536 for side in self._sides) - (12 if both else 0)

    def segments_histogram(self) -> dict[int, int]:
        """Segments per captured packet -> packets; meaningful in a capture made at a receiver."""
        size = self.segment_bytes
        result: Counter[int] = Counter()
        for length, count in self._sender.lengths.items():
            result[-(-length // size)] += count
        return dict(sorted(result.items()))

    def segments_per_packet(self) -> float:
        """Mean of the histogram: the aggregation ratio as the receiving stack saw it."""
        histogram = self.segments_histogram()
        packets = sum(histogram.values())
        if not packets:
            raise CaptureError(f"{self} carried no payload: there are no segments to count")
        return sum(segments * count for segments, count in histogram.items()) / packets


def _take(flow: Flow, side: _Side, other: _Side, segment: Segment, time: int) -> None:
    """Accounts one packet that `side` sent."""
    flow.heard(side, time)
    if segment.flags & SYN:
        _take_syn(side, segment)
        return
    if segment.flags & RST:
        return
    if segment.flags & ACK:
        # A window in a SYN is never scaled; all later ones are.
        side.window_times.append(time)
        side.window_values.append(segment.window)
        _acknowledge(other, other.unwrap(segment.acknowledged), time)
    if segment.payload:
        _take_payload(side, segment, time)
    elif segment.flags & ACK and not segment.flags & FIN:
        side.pure_acks += 1


def _take_syn(side: _Side, segment: Segment) -> None:
    side.saw_syn = True
    side.scale, side.mss, side.timestamps = segment.scale, segment.mss, segment.timestamps
    side.last_sequence = segment.sequence + 1
    side.top = segment.sequence + 1


def _take_payload(side: _Side, segment: Segment, time: int) -> None:
    if side.top is None:
        side.last_sequence = side.top = segment.sequence
    start = side.unwrap(segment.sequence)
    end = start + segment.payload
    side.last_sequence = start
    side.payload += segment.payload
    side.data_packets += 1
    side.lengths[segment.payload] += 1
    again = min(max(side.top - start, 0), segment.payload)
    if again:
        side.retransmitted_packets += 1
        side.retransmitted_bytes += again
        # A later ACK may answer either transmission, of this packet and of all before it.
        side.unacknowledged.clear()
    else:
        side.unacknowledged.append((end, time))
    side.top = max(side.top, end)


def _acknowledge(side: _Side, acknowledged: int, time: int) -> None:
    pending = side.unacknowledged
    while pending and pending[0][0] <= acknowledged:
        side.round_trips.append(time - pending.popleft()[1])


def analyse(path: Path, port: int | None = None) -> list[Flow]:
    """All TCP connections in the capture, or those with `port` at either end, in order of appearance."""
    flows: dict[tuple[tuple[bytes, int], tuple[bytes, int]], Flow] = {}
    order: list[Flow] = []
    for record in records(path):
        segment = parse(record)
        if segment is None or (port is not None and port not in (segment.source[1], segment.target[1])):
            continue
        key = min(segment.source, segment.target), max(segment.source, segment.target)
        flow = flows.get(key)
        if flow is None or _starts_anew(flow, segment):
            sides = _Side(*segment.source), _Side(*segment.target)
            flow = flows[key] = Flow(*sides, record.time_ns)
            order.append(flow)
        a, b = flow._sides
        side, other = (a, b) if (a.address, a.port) == segment.source else (b, a)
        _take(flow, side, other, segment, record.time_ns)
    return order


def _starts_anew(flow: Flow, segment: Segment) -> bool:
    """A SYN on a pair of ports that carried a connection before."""
    if segment.flags & (SYN | ACK) != SYN:
        return False
    return any(side.payload or side.window_times for side in flow._sides)


def main_flow(path: Path, port: int | None = None) -> Flow:
    """The connection with most payload; CaptureError when there is none."""
    flows = analyse(path, port)
    best = max(flows, key=lambda flow: flow.payload_bytes, default=None)
    if best is None or not best.payload_bytes:
        wanted = f" with port {port}" if port is not None else ""
        raise CaptureError(f"the capture {path} has no TCP connection{wanted} that carried payload: was tcpdump "
                           "listening on the right interface?")
    return best
