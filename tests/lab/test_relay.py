# SPDX-License-Identifier: GPL-2.0-only
"""The relay between a sender and a NIC of QEMU: all frames pass, in order, and each is counted and captured once."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from lab.paths import ROOT

FRAMES, LENGTHS = 1000, (60, 1514, 14, 9014, 65000)
SNAPLEN = 66


class Relay(unittest.TestCase):
    """The process itself, built for the test, with both ends held by it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.program = cls.folder / "relay"
        subprocess.run(["make", "-s", "-C", str(ROOT / "lab/relay"), f"OUT={cls.program}"], check=True, timeout=120)

    def setUp(self):
        self.paths = [self.folder / name for name in ("wire", "nic", "ctl")]
        for path in self.paths:
            path.unlink(missing_ok=True)
        self.process = subprocess.Popen([str(self.program), "--wire", str(self.paths[0]), "--nic", str(self.paths[1]),
                                         "--ctl", str(self.paths[2])], stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        deadline = time.monotonic() + 10
        while not all(path.exists() for path in self.paths):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        self.sender, self.nic = (self.connect(path) for path in self.paths[:2])

    def end(self):
        self.process.kill()
        self.process.communicate(timeout=10)

    def connect(self, path: Path) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(stream.close)
        stream.settimeout(30)
        deadline = time.monotonic() + 10
        while True:
            try:
                stream.connect(str(path))
                return stream
            except ConnectionRefusedError:  # the file is there before the program listens
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)

    def ctl(self, **command: object) -> dict:
        with self.connect(self.paths[2]) as stream, stream.makefile("rb") as lines:
            stream.sendall(json.dumps(command).encode() + b"\n")
            return json.loads(lines.readline())

    def test_frames_pass_and_are_counted(self):
        capture = self.folder / "capture.pcap"
        self.assertTrue(self.ctl(cmd="pcap", action="start", file=str(capture), snaplen=SNAPLEN)["ok"])
        sent = [bytes([number % 256]) * LENGTHS[number % len(LENGTHS)] for number in range(FRAMES)]
        data = b"".join(struct.pack("!I", len(frame)) + frame for frame in sent)
        thread = threading.Thread(target=self.sender.sendall, args=(data,))
        thread.start()
        received = bytearray()
        while len(received) < len(data):
            received += self.nic.recv(1 << 20)
        thread.join()
        self.assertEqual(bytes(received), data)
        self.nic.sendall(struct.pack("!I", 60) + bytes(60))
        self.assertEqual(len(self.sender.recv(64)), 64)
        self.assertEqual(self.ctl(cmd="stats")["stats"], {"rx_frames": FRAMES, "rx_bytes": len(data) - 4 * FRAMES,
                                                          "tx_frames": 1, "tx_bytes": 60})
        self.assertTrue(self.ctl(cmd="pcap", action="stop")["ok"])
        kept = [min(len(frame), SNAPLEN) for frame in sent] + [60]
        self.assertEqual(capture.stat().st_size, 24 + sum(16 + length for length in kept))

    def test_receiver_that_waits_holds_the_sender_back(self):
        self.sender.setblocking(False)
        frame, taken = struct.pack("!I", 1514) + bytes(1514), 0
        with self.assertRaises(BlockingIOError):
            for _ in range(1 << 16):
                taken += self.sender.send(frame)
                time.sleep(0)
            self.fail("all was taken")
        self.assertLess(taken, 4 << 20)

    def test_rate_is_kept(self):
        self.assertTrue(self.ctl(cmd="rate", mbit=80)["ok"])
        data, received, begun = (struct.pack("!I", 1514) + bytes(1514)) * 2000, 0, time.monotonic()
        thread = threading.Thread(target=self.sender.sendall, args=(data,))
        thread.start()
        while received < len(data):
            received += len(self.nic.recv(1 << 16))
        thread.join()
        # 3 MB take 0.3 s.
        self.assertGreater(time.monotonic() - begun, 0.25)
        self.assertTrue(self.ctl(cmd="rate", mbit=0)["ok"])

    def test_wrong_commands_are_refused(self):
        for command in ({"cmd": "quit"}, {"cmd": "rate"}, {"cmd": "rate", "mbit": -1}, {"cmd": "pcap"}, {"cmd": "pcap", "action": "start"}, {"what": 1}):
            self.assertFalse(self.ctl(**command)["ok"])

    def test_end_of_one_side_is_the_end(self):
        self.nic.close()
        self.assertIn("the NIC is gone", self.process.communicate(timeout=10)[1])
        self.assertEqual(self.process.returncode, 0)

    def test_wrong_usage(self):
        done = subprocess.run([str(self.program), "--wire", "x"], capture_output=True, text=True, timeout=10, check=False)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))


if __name__ == "__main__":
    unittest.main()
