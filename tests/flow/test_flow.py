# SPDX-License-Identifier: GPL-2.0-only
"""The traffic program notices each kind of damage, which a proxy on this machine does."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import unittest
from collections.abc import Callable

from . import KINDS, program

# Place at which the proxy changes bytes: behind the greeting.
PLACE = 200_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Damage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.enterClassContext(contextlib.ExitStack()).callback(cls.end_sink)
        cls.sink = subprocess.Popen([program(), "sink", str(cls.port)], stdout=subprocess.DEVNULL)

    @classmethod
    def end_sink(cls):
        cls.sink.kill()
        cls.sink.wait()

    def source(self, kind: str, port: int, seconds: float = 0.5) -> tuple[int, str]:
        for _ in range(50):
            done = subprocess.run([program(), kind, "127.0.0.1", str(port), str(seconds)], stdout=subprocess.PIPE,
                                  text=True, timeout=60, check=False)
            if "refused" not in done.stdout:
                break
        return done.returncode, done.stdout

    def through(self, change: Callable[[bytes], bytes], kind: str = "bulk") -> tuple[int, str]:
        """Send through a proxy that changes bytes at PLACE on their way to the sink."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            thread = threading.Thread(target=self.forward, args=(listener, change), daemon=True)
            thread.start()
            result = self.source(kind, listener.getsockname()[1])
            thread.join(30)
            return result

    def forward(self, listener: socket.socket, change: Callable[[bytes], bytes]) -> None:
        near = listener.accept()[0]
        far = socket.create_connection(("127.0.0.1", self.port))

        def back() -> None:
            with contextlib.suppress(OSError):
                while data := far.recv(65536):
                    near.sendall(data)
                near.shutdown(socket.SHUT_WR)

        backward = threading.Thread(target=back, daemon=True)
        backward.start()
        with near, far, contextlib.suppress(OSError):
            left = PLACE
            while data := near.recv(65536):
                if 0 <= left < len(data):
                    data = data[:left] + change(data[left:])
                    left = -1
                elif left >= 0:
                    left -= len(data)
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)
            backward.join(30)

    def test_undamaged(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.assertEqual(self.source(kind, self.port)[0], 0)
        self.assertEqual(self.through(lambda part: part)[0], 0)

    def test_damaged(self):
        for name, change in (("changed", lambda part: bytes([part[0] ^ 1]) + part[1:]), ("lost", lambda part: part[8:]),
                             ("doubled", lambda part: part[:8] + part),
                             ("swapped", lambda part: part[1:] + part[:1])):
            with self.subTest(name):
                status, said = self.through(change)
                self.assertEqual(status, 1, said)

    def test_damaged_echo(self):
        status, said = self.through(lambda part: bytes([part[0] ^ 1]) + part[1:], "echo")
        self.assertEqual(status, 1, said)

    def test_nobody_listens(self):
        self.assertEqual(self.source("bulk", free_port())[0], 2)


if __name__ == "__main__":
    unittest.main()
