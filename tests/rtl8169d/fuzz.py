# SPDX-License-Identifier: GPL-2.0-only
"""Hostile guests, clients and peers: random registers, descriptors, messages and wire bytes with a fixed seed."""

import random
import struct
import time

import frames as fr
from client import CONFIG, NO_REPLY, Refused
from harness import RX_RING, TX_RING, Setup

GUARD = b"\xa5" * 0x1000


def alive(s: Setup) -> None:
    """The process runs and answers."""
    assert s.process.poll() is None, s.stderr()
    assert s.ask("info")["ok"]


def wild_address(rng: random.Random, s: Setup) -> int:
    """An address, mostly near the edges of guest memory."""
    base, size = s.client.base, len(s.client.memory)
    return rng.choice((rng.randrange(base, base + size), base + size - rng.randrange(5000), base - rng.randrange(5000),
                       rng.getrandbits(64), (1 << 64) - rng.randrange(70000), base + 0x100000)) & (1 << 64) - 1


# Made once: Python builds a frame more slowly than the NIC judges it.
POOL = ([fr.tcp_frame(size) for size in range(60, 9000, 250)]
        + [fr.ether(fr.ipv6(fr.tcp(b"x" * size), fr.TCP), 0x86DD) for size in range(0, 9000, 400)]
        + [fr.ether(fr.ipv4(fr.udp(b"x" * size), fr.UDP), vlan=7) for size in range(0, 2000, 300)])


def random_frame(rng: random.Random) -> bytes:
    """A frame whose headers are nearly right."""
    frame = bytearray(rng.choice(POOL))
    for _ in range(rng.randrange(4)):
        frame[rng.randrange(min(len(frame), 70))] = rng.getrandbits(8)
    return bytes(frame[:rng.randrange(len(frame))] if rng.random() < 0.2 else frame)


def fuzz_guest(nic: str, seed: int, seconds: float) -> None:
    """Random descriptors, addresses and register writes while frames arrive; memory outside the map stays untouched."""
    for chip in ("8169", "8168"):
        rng = random.Random(seed)
        end = time.monotonic() + seconds / 2
        with Setup(nic, "--pause", "off", chip=chip) as s:
            s.client.unmap(s.client.base, len(s.client.memory))
            # The last page of the file is no guest memory: the NIC must not write there.
            s.client.map(s.client.base, len(s.client.memory) - len(GUARD), s.client.fd)
            s.put(len(s.client.memory) - len(GUARD), GUARD)
            s.wire.setblocking(False)
            while time.monotonic() < end:
                for i in range(32):
                    s.put(TX_RING + 16 * i, struct.pack("<IIQ", rng.getrandbits(32), rng.getrandbits(32), wild_address(rng, s)))
                    s.put(RX_RING + 16 * i, struct.pack("<IIQ", rng.getrandbits(32) | (rng.random() < 0.9) << 31, 0,
                                                        wild_address(rng, s)))
                    if rng.random() < 0.5:
                        frame = random_frame(rng)
                        s.put(0x100000, frame)
                        opts1 = 0xB0000000 | rng.getrandbits(28) & 0x0FFF0000 | len(frame)
                        s.put(TX_RING + 16 * i, struct.pack("<IIQ", opts1, rng.getrandbits(32), s.client.base + 0x100000))
                for _ in range(20):
                    size = rng.choice((1, 2, 4, 8, 3, 17))
                    at = rng.randrange(256 - size)
                    if rng.random() < 0.3:
                        s.client.region_write(s.bar, at, rng.randbytes(size), posted=True)
                    s.write(0x38, 1, 0x40, posted=True)
                if rng.random() < 0.7:
                    s.write(0x37, 1, 0x0C, posted=True)
                    s.write(0x44, 4, 0xF, posted=True)
                    s.write(0xDA, 2, 0x4000, posted=True)
                    s.write(0xE4, 4, s.client.base + RX_RING, posted=True)
                    s.write(0xE8, 4, 0, posted=True)
                    s.write(0x20, 4, s.client.base + TX_RING, posted=True)
                    s.write(0x24, 4, 0, posted=True)
                s.client.region_write(CONFIG, 4, b"\x07\0")
                try:
                    s.send(*(random_frame(rng) for _ in range(8)))
                except BlockingIOError:
                    pass
                try:
                    while s.wire.recv(1 << 20):
                        pass
                except BlockingIOError:
                    pass
                s.read(0x3E, 2)
            alive(s)
            assert s.get(len(s.client.memory) - len(GUARD), len(GUARD)) == GUARD, "a write outside guest memory"
            stats = s.stats()
            assert stats["dma_faults"] and stats["bad_descriptors"] and stats["tx_errors"] and stats["rx_errors"], stats


def fuzz_messages(nic: str, seed: int, seconds: float) -> None:
    """Random vfio-user messages; the NIC refuses, or closes the connection with a sentence, and takes the next client."""
    rng = random.Random(seed)
    end = time.monotonic() + seconds
    with Setup(nic, start=False, wire=False) as s:
        while time.monotonic() < end:
            command = rng.choice((1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13, rng.getrandbits(16)))
            payload = rng.randbytes(rng.choice((0, 3, 16, 20, 24, 32, 100)))
            if command in (5, 7, 8, 9, 10) and rng.random() < 0.8:
                payload = struct.pack("<QII", rng.randrange(300), rng.randrange(10), rng.randrange(9)) + payload
            fds = tuple(s.client.irq[:1] * rng.randrange(9)) if rng.random() < 0.2 else ()
            try:
                if rng.random() < 0.02:
                    s.client.raw(rng.randbytes(rng.randrange(1, 200)), fds)
                    raise EOFError
                if rng.random() < 0.3:
                    s.client.post(command, payload, fds, flags=NO_REPLY)
                else:
                    s.client.call(command, payload, fds)
            except Refused:
                pass
            except (EOFError, ConnectionError):
                s.client.close()
                s.until(lambda: s.ask("info")["vm"] == "down", "disconnect")
                s.attach()
        alive(s)


def fuzz_wire_and_control(nic: str, seed: int, seconds: float) -> None:
    """Random bytes on the wire and lines on the control socket."""
    rng = random.Random(seed)
    end = time.monotonic() + seconds
    with Setup(nic, "--pause", "off") as s:
        while time.monotonic() < end:
            try:
                if rng.random() < 0.1:
                    s.wire.sendall(rng.randbytes(rng.randrange(1, 5000)))
                else:
                    s.send(*(rng.randbytes(rng.randrange(0, 3000)) for _ in range(20)))
            except (ConnectionError, TimeoutError):
                s.wire.close()
                s.plug()
            line = bytes(rng.choice(b'{}[]":,\\ucmdstatlink019.-e \0') for _ in range(rng.randrange(60)))
            s.control.sendall(line + b"\n")
            assert s.answers.readline().startswith('{"ok":')
        alive(s)


RUNS = [("fuzz_guest", fuzz_guest), ("fuzz_messages", fuzz_messages), ("fuzz_wire_and_control", fuzz_wire_and_control)]
