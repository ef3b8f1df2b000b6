# SPDX-License-Identifier: GPL-2.0-only
"""Hosts of the lab: machines on which commands run and files are put and fetched.

`Host` is the interface for the rest of the lab. `AgentHost` speaks to the agent inside a VM over its second serial
port; `ForwardedHost` reaches a machine behind such a VM, such as the Xen guest behind its driver domain.
lab/guest/frame.h has the layout of the frames.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, Protocol

from .steps import LabError

MAGIC = 0x474F524C
FRAME_MAX = 64 * 1024
# A serial port has no flow control towards the guest: keep one request below the buffer of its line discipline.
PUT_CHUNK = 2048
GET_CHUNK = 32 * 1024
PING, RUN, PUT, GET, FORWARD = 1, 2, 3, 4, 5
OUTPUT, DONE = 0x81, 0x82
EXITED, SIGNALLED, TIMED_OUT, FAILED = 0, 1, 2, 3
AGENT_PORT = 2323
# Seconds an answer may take beyond the command's own limit, on a busy machine under emulation.
GRACE = 30.0

HEADER = struct.Struct("<IIII")
DONE_BODY = struct.Struct("<II")
FILE_REQUEST = struct.Struct("<QIHH")


class CommandFailed(LabError):
    """A command on a host ended with a status other than 0.

    `status` is its exit status (128 + signal when killed, 124 when out of time), `output` its output.
    """

    def __init__(self, host: str, command: str, status: int, output: str, why: str):
        self.status = status
        self.output = output
        tail = output.strip()[-400:]
        super().__init__(f"{host}: `{command}` {why}" + (f": {tail}" if tail else ""))


class Host(Protocol):
    """A machine that the lab drives; `scratch` is its folder for files of an experiment."""

    name: str
    scratch: str

    def run(self, command: str, timeout: float = 30, check: bool = True) -> str:
        """Run a shell command; return stdout and stderr; raise CommandFailed unless it exits with 0.

        With check=False any exit status is accepted. `timeout` is in seconds, after which it is killed.
        """

    def put(self, data: bytes, path: str, mode: int = 0o644) -> None:
        """Write `data` to a file."""

    def get(self, path: str, offset: int = 0) -> bytes:
        """Read a file from `offset` to its end."""


class Link:
    """One stream to an agent: sends a request and collects its replies, one request at a time.

    `alive` is called at least twice a second while waiting; it raises when the machine is known to be lost. `log` is
    the machine's console, for error messages.
    """

    def __init__(self, name: str, stream: socket.socket, alive: Callable[[], None] = lambda: None,
                 log: Path | None = None):
        self.name = name
        self._stream = stream
        self.alive = alive
        self._log = log
        self._buffer = bytearray()
        self._id = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()

    def request(self, kind: int, payload: bytes, timeout: float) -> tuple[int, int, bytes]:
        """Return (how it ended, value, output); raise LabError without an answer after `timeout` seconds."""
        with self._lock:
            self._id += 1
            deadline = time.monotonic() + timeout
            self._stream.settimeout(max(timeout, 0.1))
            try:
                self._stream.sendall(HEADER.pack(MAGIC, kind, self._id, len(payload)) + payload)
            except OSError as error:
                self._lost(f"its control port does not take requests ({error})")
            output = bytearray()
            for reply, body in self._replies(self._id, deadline):
                if reply == OUTPUT:
                    output += body
                elif reply == DONE:
                    ended, value = DONE_BODY.unpack(body)
                    return ended, value, bytes(output)
            raise LabError(f"{self.name}: no answer on its control port for {timeout:.0f} s; it hangs or died",
                           self._log)

    def _lost(self, why: str) -> NoReturn:
        """Raise LabError with the machine's fault if it shows within a second, otherwise with `why`."""
        for _ in range(10):
            self.alive()
            time.sleep(0.1)
        raise LabError(f"{self.name}: {why}", self._log)

    def _replies(self, wanted: int, deadline: float) -> Iterator[tuple[int, bytes]]:
        while True:
            frame = self._frame(deadline)
            if frame is None:
                return
            reply, request, body = frame
            if request == wanted:
                yield reply, body

    def _frame(self, deadline: float) -> tuple[int, int, bytes] | None:
        while True:
            start = self._buffer.find(struct.pack("<I", MAGIC))
            if start > 0:
                del self._buffer[:start]
            if start >= 0 and len(self._buffer) >= HEADER.size:
                _, reply, request, length = HEADER.unpack_from(self._buffer)
                if length > FRAME_MAX:
                    del self._buffer[0]
                    continue
                if len(self._buffer) >= HEADER.size + length:
                    body = bytes(self._buffer[HEADER.size:HEADER.size + length])
                    del self._buffer[:HEADER.size + length]
                    return reply, request, body
            if not self._fill(deadline):
                return None

    def _fill(self, deadline: float) -> bool:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._stream.settimeout(min(left, 0.5))
            try:
                data = self._stream.recv(65536)
            except TimeoutError:
                self.alive()
                continue
            except OSError:
                data = b""
            if not data:
                self._lost("its control port was closed")
            self._buffer += data
            return True


class AgentHost:
    """A machine behind an agent. Programs to any object with Link's request()."""

    scratch = "/tmp"

    def __init__(self, name: str, link: Link):
        self.name = name
        self.link = link

    def _request(self, kind: int, payload: bytes, timeout: float) -> tuple[int, int, bytes]:
        return self.link.request(kind, payload, timeout + GRACE)

    def wait(self, timeout: float) -> None:
        """Return when the agent answers; raise LabError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            with contextlib.suppress(LabError):
                if self.link.request(PING, b"", max(min(1.0, left), 0.1))[0] == EXITED:
                    return
            # Silence alone is expected until the machine has booted; a dead machine is not.
            self.link.alive()
            if left <= 0:
                raise LabError(f"{self.name}: did not come up within {timeout:.0f} s")
            time.sleep(0.1)

    def run(self, command: str, timeout: float = 30, check: bool = True) -> str:
        payload = struct.pack("<I", int(timeout * 1000)) + command.encode()
        ended, value, raw = self._request(RUN, payload, timeout)
        output = raw.decode(errors="replace")
        if ended == EXITED and (value == 0 or not check):
            return output
        if ended == TIMED_OUT:
            raise CommandFailed(self.name, command, 124, output, f"did not end within {timeout:.0f} s")
        if ended == SIGNALLED:
            raise CommandFailed(self.name, command, 128 + value, output, f"was killed by signal {value}")
        if ended == FAILED:
            raise LabError(f"{self.name}: cannot be reached or cannot run a shell (errno {value})")
        raise CommandFailed(self.name, command, value, output, f"failed with status {value}")

    def put(self, data: bytes, path: str, mode: int = 0o644) -> None:
        name = path.encode()
        for offset in range(0, max(len(data), 1), PUT_CHUNK):
            chunk = data[offset:offset + PUT_CHUNK]
            request = FILE_REQUEST.pack(offset, len(chunk), mode, len(name)) + name + chunk
            self._file(PUT, request, path, "written")

    def get(self, path: str, offset: int = 0) -> bytes:
        name = path.encode()
        whole = bytearray()
        while True:
            request = FILE_REQUEST.pack(offset + len(whole), GET_CHUNK, 0, len(name)) + name
            chunk = self._file(GET, request, path, "read")
            whole += chunk
            if len(chunk) < GET_CHUNK:
                return bytes(whole)

    def _file(self, kind: int, request: bytes, path: str, verb: str) -> bytes:
        ended, value, output = self._request(kind, request, GRACE)
        if ended != EXITED:
            raise LabError(f"{self.name}: {path} could not be {verb} (errno {value})")
        return output


class ForwardedHost(AgentHost):
    """A machine that another one reaches by TCP: every request goes through that one's agent.

    That one may be such a machine itself.
    """

    def __init__(self, name: str, through: AgentHost, address: str, port: int = AGENT_PORT):
        super().__init__(name, through.link)
        self._through = through
        self._address = ipaddress.IPv4Address(address).packed
        self._port = port

    def _request(self, kind: int, payload: bytes, timeout: float) -> tuple[int, int, bytes]:
        inner = HEADER.pack(MAGIC, kind, 1, len(payload)) + payload
        patience = int(timeout + GRACE / 2)
        request = self._address + struct.pack("<HH", self._port, patience) + inner
        return self._through._request(FORWARD, request, timeout)

    def wait(self, timeout: float) -> None:
        """Return when the agent behind the other machine answers; raise LabError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self._request(PING, b"", 5)[0] != EXITED:
            if time.monotonic() > deadline:
                raise LabError(f"{self.name}: did not come up within {timeout:.0f} s")
            time.sleep(0.3)


def connect(name: str, path: Path, alive: Callable[[], None], log: Path, timeout: float = 15) -> Link:
    """Open the control port of a VM, a unix socket that its QEMU makes; wait for it up to `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stream.connect(str(path))
            return Link(name, stream, alive, log)
        except OSError as error:
            stream.close()
            alive()
            if time.monotonic() > deadline:
                raise LabError(f"{name}: QEMU did not open its control port ({error})") from error
            time.sleep(0.05)
