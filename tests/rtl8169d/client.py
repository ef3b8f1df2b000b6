# SPDX-License-Identifier: GPL-2.0-only
"""A vfio-user client: the part of QEMU and of a driver that the tests need."""

import array
import mmap
import os
import socket
import struct

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO = 1, 2, 3, 4, 5
GET_IRQ_INFO, SET_IRQS, REGION_READ, REGION_WRITE, RESET = 7, 8, 9, 10, 13
CONFIG = 7
NO_REPLY = 0x10


class Refused(Exception):
    """The NIC answered with an error; .args[0] is the errno value."""


class Client:
    """One connection. `size` bytes of guest memory appear to the NIC at address `base`."""

    def __init__(self, path: str, size: int = 16 << 20, base: int = 0x100000):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(path)
        self.ident = 0
        self.base = base
        self.fd = os.memfd_create("guest")
        os.ftruncate(self.fd, size)
        self.memory = mmap.mmap(self.fd, size)
        self.irq = [os.eventfd(0, os.EFD_NONBLOCK), os.eventfd(0, os.EFD_NONBLOCK)]

    def close(self) -> None:
        """Hang up, as a dying virtual machine does."""
        self.sock.close()
        for fd in (*self.irq, self.fd):
            os.close(fd)
        self.memory.close()

    def post(self, command: int, payload: bytes = b"", fds: tuple[int, ...] = (), flags: int = 0) -> None:
        """Send a message and do not wait."""
        self.ident = self.ident + 1 & 0xFFFF
        message = struct.pack("<HHIII", self.ident, command, 16 + len(payload), flags, 0) + payload
        self.raw(message, fds)

    def raw(self, message: bytes, fds: tuple[int, ...] = ()) -> None:
        """Send raw bytes."""
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sent = self.sock.sendmsg([message], extra)
        if sent < len(message):
            self.sock.sendall(message[sent:])

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if not part:
                raise EOFError("the NIC closed the connection")
            data += part
        return data

    def reply(self) -> bytes:
        """Payload of the next reply."""
        _ident, _command, size, _flags, error = struct.unpack("<HHIII", self._exactly(16))
        payload = self._exactly(size - 16)
        if error:
            raise Refused(error)
        return payload

    def call(self, command: int, payload: bytes = b"", fds: tuple[int, ...] = ()) -> bytes:
        """Send a message and return the payload of its reply."""
        self.post(command, payload, fds)
        return self.reply()

    def attach(self) -> None:
        """QEMU's first messages: version and guest memory."""
        self.call(VERSION, struct.pack("<HH", 0, 0) + b'{"capabilities":{}}\0')
        self.map(self.base, len(self.memory), self.fd)

    def map(self, iova: int, size: int, fd: int | None, offset: int = 0, flags: int = 3) -> None:
        """Announce guest memory; without fd it exists but cannot be accessed."""
        self.call(DMA_MAP, struct.pack("<IIQQQ", 32, flags, offset, iova, size), () if fd is None else (fd,))

    def unmap(self, iova: int, size: int) -> None:
        """Withdraw guest memory."""
        self.call(DMA_UNMAP, struct.pack("<IIQQ", 24, 0, iova, size))

    def trigger(self, index: int) -> None:
        """Connect the eventfd of one interrupt kind: 0 INTx, 1 MSI."""
        self.call(SET_IRQS, struct.pack("<IIIII", 20, 0x24, index, 0, 1), (self.irq[index],))

    def unmask(self) -> None:
        """End of INTx handling."""
        self.call(SET_IRQS, struct.pack("<IIIII", 20, 0x11, 0, 0, 1))

    def interrupts(self, index: int) -> int:
        """Number of signals of the eventfd since the last call."""
        try:
            return os.eventfd_read(self.irq[index])
        except BlockingIOError:
            return 0

    def region_read(self, region: int, offset: int, size: int) -> bytes:
        """Raw region access."""
        return self.call(REGION_READ, struct.pack("<QII", offset, region, size))[16:]

    def region_write(self, region: int, offset: int, data: bytes, posted: bool = False) -> None:
        """Raw region access, optionally without a reply."""
        payload = struct.pack("<QII", offset, region, len(data)) + data
        if posted:
            self.post(REGION_WRITE, payload, flags=NO_REPLY)
        else:
            self.call(REGION_WRITE, payload)
