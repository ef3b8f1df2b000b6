# SPDX-License-Identifier: GPL-2.0-only
"""Faults on request: each kind lies the requested number of times, and then no more."""

import frames as fr
from harness import FS, LS, OWN, Setup, balance

COUNT = 12
LENGTH, ERRORS = 0x3FFF, 0xF << 19
PROTO_TCP, PROTO = 1 << 17, 3 << 17
# Whether the first word of a descriptor, for a UDP frame of 100 bytes, is a lie of each kind.
LIES = {
    "short": lambda opts1: opts1 & LENGTH < 18,
    "long": lambda opts1: opts1 & LENGTH > 0x2FFF,
    "fragment": lambda opts1: opts1 & (FS | LS) != FS | LS,
    "status": lambda opts1: bool(opts1 & ERRORS),
    "checksum": lambda opts1: opts1 & PROTO == PROTO_TCP,
}


def test_lies_about_frames(nic: str) -> None:
    """Each kind, the number of lies, and the first frame after them."""
    frame = fr.ether(fr.ipv4(fr.udp(b"x" * 58), fr.UDP))
    for kind, lie in LIES.items():
        with Setup(nic) as s:
            assert s.ask("fault", kind=kind, count=COUNT)["ok"]
            seen = set()
            for _ in range(COUNT):
                s.send(frame)
                opts1 = s.take()[0]
                assert lie(opts1), (kind, hex(opts1))
                seen.add(opts1)
            assert kind == "checksum" or len(seen) > 2, (kind, seen)
            s.send(frame)
            opts1, _, data = s.take()
            assert not lie(opts1) and data == frame, (kind, hex(opts1))
            stats = s.stats()
            assert stats["faults"] == COUNT and balance(stats)


def test_lies_about_owners(nic: str) -> None:
    """In turn: a descriptor behind one that is still the NIC's, which gets the next frame; and one without a frame."""
    first, second, third = (fr.ether(fr.ipv4(fr.udp(letter * 58), fr.UDP)) for letter in (b"1", b"2", b"3"))
    with Setup(nic, buffer=LENGTH) as s:
        def owned() -> list[bool]:
            return [bool(s.rx_desc(index)[0] & OWN) for index in range(4)]
        assert s.ask("fault", kind="owner", count=2)["ok"]
        s.send(first)
        s.until_count("faults", 1)
        s.until(lambda: owned() == [False, False, True, True], "a descriptor without a frame")
        assert s.take()[2] == first
        opts1, _, data = s.take()
        assert opts1 & LENGTH == len(first) + 4 and data != first
        s.send(second)
        s.until(lambda: owned()[2:] == [True, False], "a descriptor out of turn")
        s.send(third)
        assert s.take()[2] == third and s.take()[2] == second
        s.send(first)
        assert s.take()[2] == first
        stats = s.stats()
        assert stats["faults"] == 2 and stats["rx_frames"] == 4 and balance(stats)


def test_storm(nic: str) -> None:
    """Interrupts come without a frame, the requested number, and none after them."""
    with Setup(nic) as s:
        s.write(0x3C, 2, 0xFFFF)
        assert s.ask("fault", kind="storm", count=50)["ok"]
        s.until(lambda: s.stats()["faults"] == 50, "the storm's end")
        assert s.read(0x3E, 2) & 1, "receive interrupt pending"
        assert s.stats()["rx_frames"] == 0


def test_truth_at_once(nic: str) -> None:
    """A count of 0 ends the lies; wrong orders are refused."""
    with Setup(nic) as s:
        assert s.ask("fault", kind="short", count=1000)["ok"] and s.ask("fault", kind="short", count=0)["ok"]
        s.send(fr.tcp_frame(200))
        assert s.take()[2] == fr.tcp_frame(200)
        for line in (b'{"cmd":"fault"}', b'{"cmd":"fault","kind":"short"}', b'{"cmd":"fault","kind":"tall","count":1}',
                     b'{"cmd":"fault","kind":"short","count":-1}'):
            s.control.sendall(line + b"\n")
            assert '"ok":false' in s.answers.readline(), line
