# SPDX-License-Identifier: GPL-2.0-only
"""Generated frames: streams of right packets, interleaved as requested, none lost to an empty ring."""

import struct
import time
from collections import defaultdict

import frames as fr
from harness import Setup, balance

# Checksum failed, in a receive descriptor: of IP, UDP, TCP.
FAILURES = 1 << 16 | 1 << 15 | 1 << 14
PAYLOAD = 1448


def take(s: Setup, count: int, **asked: object) -> list[bytes]:
    """Request `count` generated frames; return the frames that arrive."""
    answer = s.ask("generate", frames=count, **asked)
    assert answer["ok"], answer
    got = []
    for _ in range(count):
        opts1, _, frame = s.take()
        assert not opts1 & FAILURES
        got.append(frame)
    s.until(lambda: not s.ask("info")["generating"], "end of generating")
    return got


def port(frame: bytes) -> int:
    """Source port, which tells the flow."""
    return struct.unpack_from("!H", frame, 34)[0]


def check_streams(frames: list[bytes], flows: int) -> None:
    """In each flow a frame continues the one before it, and differs in nothing else."""
    members = defaultdict(list)
    for frame in frames:
        members[port(frame)].append(frame)
    assert len(members) == flows
    for flow in members.values():
        for before, after in zip(flow, flow[1:]):
            ident, sequence = (struct.unpack_from(kind, after, at)[0] - struct.unpack_from(kind, before, at)[0]
                               for kind, at in (("!H", 18), ("!I", 38)))
            assert ident % 65536 == 1 and sequence % (1 << 32) == PAYLOAD
            # All but these and the checksums.
            for begin, end in ((0, 18), (20, 24), (26, 38), (42, 50), (52, 66 + PAYLOAD)):
                assert before[begin:end] == after[begin:end], (begin, end)


def test_generated_frames_are_streams(nic: str) -> None:
    """In each flow full segments follow one another, with right checksums and nothing but ACK set."""
    with Setup(nic, ring=16) as s:
        got = take(s, 120, flows=8, mac="52:54:00:81:69:77")
        for frame in got:
            assert len(frame) == 66 + PAYLOAD and fr.l4_valid(frame)
            assert frame[:6] == bytes.fromhex("525400816977") and frame[46:48] == b"\x80\x10"
        check_streams(got, 8)
        stats = s.stats()
        assert stats["rx_generated"] == 120 and stats["rx_missed"] == 0 and stats["wire_pauses"] > 0 and balance(stats)


def test_generated_flows_take_turns(nic: str) -> None:
    """One packet of each flow, or a burst of each."""
    with Setup(nic) as s:
        for burst in (1, 3):
            got = take(s, 60, flows=5, burst=burst)
            ports = [port(frame) for frame in got]
            assert ports == [1024 + number // burst % 5 for number in range(60)], (burst, ports)
            check_streams(got, 5)
        assert {frame[:6] for frame in take(s, 2)} == {fr.STATION}


def test_generate_refuses_wrong_numbers(nic: str) -> None:
    """Each wrong member is named; a second request is refused until the first one has ended."""
    with Setup(nic, ring=4) as s:
        for wrong, named in (({}, "frames"), ({"frames": 0}, "frames"), ({"frames": 1, "flows": 0}, "flows"),
                             ({"frames": 1, "flows": 32769}, "flows"), ({"frames": 1, "burst": 1025}, "burst"),
                             ({"frames": 1, "mac": "ff:ff:ff:ff:ff:ff"}, "mac"), ({"frames": 1, "mac": "x"}, "mac")):
            answer = s.ask("generate", **wrong)
            assert not answer["ok"] and f'"{named}"' in answer["error"], (wrong, answer)
        assert s.ask("generate", frames=100)["ok"] and s.ask("info")["generating"]
        assert not s.ask("generate", frames=1)["ok"], "one at a time"


def test_generated_frames_go_by_the_guests_clock(nic: str) -> None:
    """At 1000 Mbit/s a full frame takes 12.304 us; frames come by the guest's clock, and carry its time."""
    with Setup(nic) as s:
        answer = s.ask("generate", frames=10, clock="guest")
        assert not answer["ok"] and "rate" in answer["error"], answer
        assert s.ask("rate", mbit=1000)["ok"]
        assert not s.ask("generate", frames=10, clock="sun")["ok"]
        assert s.ask("generate", frames=10, clock="guest")["ok"]
        time.sleep(0.05)
        assert s.stats()["rx_generated"] == 0, "before the guest has told the time"
        begin = 0xffffa000
        for told, frames in ((0, 1), (12_303, 0), (12_304, 1), (5 * 12_304, 4), (5 * 12_304 + 1, 0), (100_000_000, 4)):
            now = (begin + told) % (1 << 32)
            s.write(0xF8, 4, now)
            assert s.read(0xF8, 4) == now
            for _ in range(frames):
                _, _, frame = s.take()
                assert struct.unpack_from("!I", frame, 66)[0] == now and fr.l4_valid(frame)
            time.sleep(0.02)
            assert s.ask("info")["generating"] == (told < 100_000_000)
        assert s.stats()["rx_generated"] == 10
