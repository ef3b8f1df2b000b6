# SPDX-License-Identifier: GPL-2.0-only
"""The file of a run that holds its advertised windows, from captures made by hand."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab import windows
from lab.capture import CaptureError
from lab.steps import LabError

from .packets import MS, TIMESTAMPS, Talk, mss, pcap, scale

OPTIONS = mss(1460) + scale(7)


def talk(handshake: bool = True) -> Talk:
    """Windows of 100 and 300 in millisecond 1, none in 2, 50 in 3, all scaled by 128; one segment sent twice."""
    made = Talk()
    if handshake:
        made.handshake(OPTIONS, OPTIONS)
    for time, size in ((1 * MS, 1000), (1 * MS + 5, 1000)):
        made.data(time, size)
    made.data(2 * MS, 1000, back=1000)
    made.ack(1 * MS + 10, 100)
    made.ack(1 * MS + 20, 300)
    made.ack(3 * MS, 50)
    made.packets.sort(key=lambda packet: packet[0])
    return made


class Windows(unittest.TestCase):
    """The evaluation has the numbers of the capture, or a sentence says why not."""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def extracted(self, packets: list[tuple[int, bytes]], count: int = 2000) -> dict:
        path = self.folder / "x.pcap"
        path.write_bytes(pcap(packets, nano=True, snap=windows.HEADERS))
        return windows.extract(path, count)

    def test_extracted(self) -> None:
        self.assertEqual(self.extracted(talk().packets), {
            "unit_ms": 1, "bytes": [None, 200 * 128, None, 50 * 128], "mean": 125 * 128, "acks_per_mb": 1500.0,
            "retransmitted_packets": 1, "longest_silence_ms": 1.0, "silence_ended_by": "sender"})

    def test_a_stall_and_who_ended_it(self) -> None:
        made = Talk()
        made.handshake(OPTIONS, OPTIONS)
        made.data(MS, 1000)
        made.ack(3 * MS, 10)
        made.data(4 * MS, 1000)
        # There is no answer until the sender tries again.
        made.data(6404 * MS, 1000, back=1000)
        made.ack(6405 * MS, 10)
        found = self.extracted(made.packets)
        self.assertEqual((found["longest_silence_ms"], found["silence_ended_by"]), (6400.0, "sender"))

    def test_capture_without_handshake(self) -> None:
        with self.assertRaisesRegex(CaptureError, "no handshake"):
            self.extracted(talk(handshake=False).packets)

    def test_capture_of_something_else(self) -> None:
        with self.assertRaisesRegex(CaptureError, "no TCP connection with port 5001"):
            self.extracted([])

    def test_capture_that_lacks_packets(self) -> None:
        with self.assertRaisesRegex(CaptureError, "holds 2000 of 3000 bytes of payload"):
            self.extracted(talk().packets, 3000)

    def test_headers_with_all_options_are_enough(self) -> None:
        made = Talk()
        made.handshake(OPTIONS + TIMESTAMPS * 2, OPTIONS + TIMESTAMPS * 2)
        made.data(MS, 1448)
        made.ack(2 * MS, 10)
        self.assertEqual(self.extracted(made.packets, 1448)["bytes"], [None, None, 1280])

    def test_saved_and_found_again(self) -> None:
        found = self.extracted(talk().packets)
        told = windows.save(found, "guest2", 0, self.folder / "windows")
        self.assertEqual(told, {"unit_ms": 1, "file": "windows/guest2-1.json", "mean": 125 * 128,
                                "acks_per_mb": 1500.0, "retransmitted_packets": 1, "longest_silence_ms": 1.0,
                                "silence_ended_by": "sender"})
        self.assertEqual(json.loads((self.folder / told["file"]).read_text()), found)
        self.assertEqual(windows.curve(told, self.folder), found["bytes"])

    def test_curves_that_are_not_there(self) -> None:
        self.assertIsNone(windows.curve(None, self.folder))
        self.assertEqual(windows.curve({"bytes": [1]}, self.folder), [1])
        with self.assertRaisesRegex(LabError, "gone or damaged"):
            windows.curve({"file": "windows/guest2-1.json"}, self.folder)

    def test_recorder_takes_headers_only_and_always_ends(self) -> None:
        nic = mock.Mock()
        with self.assertRaises(LabError), windows.Recorder(nic, self.folder / "deep" / "p"):
            raise LabError("iperf failed")
        self.assertEqual([call.kwargs["action"] for call in nic.ctl.call_args_list], ["start", "stop"])
        self.assertEqual(nic.ctl.call_args_list[0].kwargs["snaplen"], windows.HEADERS)
        self.assertTrue((self.folder / "deep").is_dir())


if __name__ == "__main__":
    unittest.main()
