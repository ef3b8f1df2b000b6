# SPDX-License-Identifier: GPL-2.0-only
"""A NIC process with a driver, a wire peer and a control client, for one test."""

import json
import socket
import struct
import subprocess
import tempfile
import time

from client import CONFIG, Client

OWN, EOR, FS, LS = 1 << 31, 1 << 30, 1 << 29, 1 << 28
RX_RING, TX_RING, RX_BUFFERS, TX_BUFFERS, DUMP = 0x1000, 0x6000, 0x100000, 0x400000, 0xB000
RX_SLOT = 16384


class Setup:
    """All parts that one test needs. `ring`: receive descriptors; `buffer`: bytes of each."""

    def __init__(self, nic: str, *options: str, chip: str = "8169", ring: int = 64, buffer: int = 2048,
                 start: bool = True, wire: bool = True, attach: bool = True):
        self.dir = tempfile.TemporaryDirectory(prefix="rtl8169d-")
        self.path = self.dir.name
        self.chip, self.ring, self.buffer = chip, ring, buffer
        self.bar = 2 if chip == "8168" else 1
        command = [nic, "--vfio", self.path + "/vfio", "--ctl", self.path + "/ctl", "--chip", chip,
                   "--link-delay", "1", *options]
        if wire:
            command += ["--wire", f"unix:{self.path}/wire", "--wire-listen"]
        self.errors = open(self.path + "/stderr", "w+b")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors)
        line = self.process.stdout.readline()
        if line != b"rtl8169d: ready\n":
            raise RuntimeError(f"the NIC said {line!r} and {self.stderr()!r}")
        self.control = socket.socket(socket.AF_UNIX)
        self.control.settimeout(10)
        self.control.connect(self.path + "/ctl")
        self.answers = self.control.makefile("r")
        self.client: Client | None = None
        self.wire: socket.socket | None = None
        self.rx_next = self.tx_next = 0
        if attach:
            self.attach()
            if start:
                self.start()
        if wire:
            self.plug()

    def __enter__(self) -> "Setup":
        return self

    def __exit__(self, *_exc) -> None:
        for what in (self.client, self.wire, self.control):
            if what:
                what.close()
        alive = self.process.poll() is None
        self.process.terminate()
        code = self.process.wait(10)
        text = self.stderr()
        self.process.stdout.close()
        self.errors.close()
        self.dir.cleanup()
        if "Sanitizer" in text or "runtime error" in text or (alive and code):
            raise AssertionError(f"the NIC ended with {code}: {text}")

    def stderr(self) -> str:
        """The NIC's stderr so far."""
        self.errors.seek(0)
        return self.errors.read().decode()

    # Control socket

    def ask(self, cmd: str, **more) -> dict:
        """Send a command, return the answer."""
        self.control.sendall(json.dumps({"cmd": cmd, **more}).encode() + b"\n")
        return json.loads(self.answers.readline())

    def stats(self) -> dict:
        """All counters."""
        return self.ask("stats")["stats"]

    def until(self, condition, what: str, seconds: float = 5) -> None:
        """Wait until condition() holds; otherwise raise AssertionError, which names `what`."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not happen within {seconds} s; {self.stats()}")
            time.sleep(0.002)

    def until_count(self, name: str, value: int, seconds: float = 5) -> None:
        """Wait until a counter reaches value."""
        self.until(lambda: self.stats()[name] >= value, f"{name} >= {value}", seconds)

    # Wire

    def plug(self) -> None:
        """Connect the wire peer."""
        before = self.stats()["wire_connects"]
        self.wire = socket.socket(socket.AF_UNIX)
        self.wire.settimeout(10)
        self.wire.connect(self.path + "/wire")
        self.until_count("wire_connects", before + 1)

    def send(self, *frames: bytes) -> None:
        """Put frames on the wire."""
        self.wire.sendall(b"".join(struct.pack("!I", len(f)) + f for f in frames))

    def receive(self) -> bytes:
        """Next frame from the wire."""
        length = struct.unpack("!I", self._exactly(4))[0]
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.wire.recv(count - len(data))
            if not part:
                raise EOFError("the NIC closed the wire")
            data += part
        return data

    # Registers and memory

    def attach(self) -> None:
        """Connect a virtual machine."""
        self.client = Client(self.path + "/vfio")
        self.client.attach()
        self.client.trigger(1 if self.chip == "8168" else 0)

    def read(self, reg: int, size: int) -> int:
        """Register."""
        return int.from_bytes(self.client.region_read(self.bar, reg, size), "little")

    def write(self, reg: int, size: int, value: int, posted: bool = False) -> None:
        """Register."""
        self.client.region_write(self.bar, reg, value.to_bytes(size, "little"), posted)

    def put(self, at: int, data: bytes) -> None:
        """Guest memory."""
        self.client.memory[at:at + len(data)] = data

    def get(self, at: int, size: int) -> bytes:
        """Guest memory."""
        return self.client.memory[at:at + size]

    def mii(self, reg: int) -> int:
        """PHY register."""
        self.write(0x60, 4, reg << 16)
        value = self.read(0x60, 4)
        assert value >> 31, "PHYAR bit 31 must be set when a read is done"
        return value & 0xFFFF

    def mii_write(self, reg: int, value: int) -> None:
        """PHY register."""
        self.write(0x60, 4, 1 << 31 | reg << 16 | value)
        assert not self.read(0x60, 4) >> 31, "PHYAR bit 31 must be clear when a write is done"

    # Driver

    def start(self, accept: int = 0x0F, cplus: int = 0x20, mask: int = 0xC17F) -> None:
        """Bring the device up as a driver does, with all receive descriptors owned by the NIC."""
        self.client.region_write(CONFIG, 4, struct.pack("<H", 0x0007))
        self.write(0x37, 1, 0x10)
        assert not self.read(0x37, 1) & 0x10, "reset must clear itself"
        base = self.client.base
        self.write(0xE0, 2, cplus)
        self.write(0xDA, 2, 0x4000)
        self.write(0xE4, 4, base + RX_RING)
        self.write(0xE8, 4, 0)
        self.write(0x20, 4, base + TX_RING)
        self.write(0x24, 4, 0)
        for i in range(self.ring):
            self.give(i)
        self.put(TX_RING, bytes(256 * 16))
        self.write(0x08, 8, 0xFFFFFFFFFFFFFFFF)
        self.write(0x37, 1, 0x0C)
        self.write(0x44, 4, 0xE700 | accept)
        self.rx_next = self.tx_next = 0
        self.until(lambda: self.ask("info")["link"] == "up", "link")
        self.write(0x3E, 2, 0xFFFF)
        self.write(0x3C, 2, mask)

    def rx_desc(self, index: int) -> tuple[int, int, int]:
        """opts1, opts2, address of a receive descriptor."""
        return struct.unpack("<IIQ", self.get(RX_RING + 16 * index, 16))

    def give(self, index: int, size: int | None = None, address: int | None = None) -> None:
        """Hand a receive descriptor to the NIC."""
        end = EOR if index == self.ring - 1 else 0
        where = self.client.base + RX_BUFFERS + RX_SLOT * index if address is None else address
        opts1 = OWN | end | (self.buffer if size is None else size)
        self.put(RX_RING + 16 * index, struct.pack("<IIQ", 0, 0, where))
        self.put(RX_RING + 16 * index, struct.pack("<I", opts1))

    def take(self, give_back: bool = True) -> tuple[int, int, bytes]:
        """Wait for the next received frame: opts1, opts2, data without FCS."""
        index = self.rx_next
        self.until(lambda: not self.rx_desc(index)[0] & OWN, f"receive descriptor {index}")
        opts1, opts2, _ = self.rx_desc(index)
        data = self.get(RX_BUFFERS + RX_SLOT * index, max((opts1 & 0x3FFF) - 4, 0))
        self.rx_next = (index + 1) % self.ring
        if give_back:
            self.give(index)
        return opts1, opts2, data

    def transmit(self, frame: bytes, opts1: int = 0, opts2: int = 0, parts: int = 1) -> None:
        """Queue a frame in `parts` descriptors and ring the doorbell."""
        size = -(-len(frame) // parts)
        for i in range(parts):
            piece = frame[i * size:(i + 1) * size]
            index = self.tx_next
            where = TX_BUFFERS + 65536 * index
            flags = OWN | (FS if i == 0 else 0) | (LS if i == parts - 1 else 0) | (EOR if index == 31 else 0)
            self.put(where, piece)
            self.put(TX_RING + 16 * index + 4, struct.pack("<IQ", opts2, self.client.base + where))
            self.put(TX_RING + 16 * index, struct.pack("<I", opts1 | flags | len(piece)))
            self.tx_next = (index + 1) % 32
        self.write(0x38, 1, 0x40, posted=True)

    def tx_done(self) -> bool:
        """Were all transmit descriptors returned?"""
        return not any(struct.unpack("<I", self.get(TX_RING + 16 * i, 4))[0] & OWN for i in range(32))


def balance(stats: dict) -> bool:
    """Is every frame from the wire accounted for?"""
    fates = ("rx_frames", "rx_missed", "rx_filtered", "rx_disabled", "rx_link_down", "rx_runt", "rx_too_long", "rx_errors")
    return stats["wire_rx_frames"] + stats["rx_replayed"] + stats["rx_generated"] == sum(stats[name] for name in fates)


def write_pcap(path: str, frames: list[bytes], nanoseconds: bool = False) -> None:
    """Classic pcap file."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHIIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames):
            file.write(struct.pack("<IIII", 1000, i, len(frame), len(frame)) + frame)


def read_pcap(path: str) -> list[bytes]:
    """Frames of a classic pcap file."""
    with open(path, "rb") as file:
        data = file.read()
    frames, at = [], 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames
