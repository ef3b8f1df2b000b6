# SPDX-License-Identifier: GPL-2.0-only
"""Attempts that count, measurements apart from the transfer, and the output of iperf and the segment counter."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab import attempts, configs, console, experiments, latency, segments, topology
from lab.console import KernelComplaint, MachineGone
from lab.steps import LabError

REPORT = """\
------------------------------------------------------------
Client connecting to 10.0.0.3, TCP port 5003 with pid 77 (1/0 flows/load)
Bounceback test (req/reply size = 100 Byte/ 100 Byte) (server hold req=0 usecs & tcp_quickack)
Set bounceback histograms to bin-width=0.005 ms, bins=40000
------------------------------------------------------------
[  1] 0.0000-1.0020 sec  4.74 MBytes  39.7 Mbits/sec    100=0.9/0.7/1.1/0.2 ms    0   -(-)/-(-)    Tx=9 KByte RPS=100
[  1] 0.0000-1.0020 sec  BB8(f)-PDF: bin(w=5us):cnt(100)=100:50,110:40,180:9,1000:1 (5.00/95.00/99.7%=1/2/3,Outliers=1,\
obl/obu=0/0)
"""


class Sound(unittest.TestCase):
    """Attempts are repeated until one is sound, three times at most, and discarded ones are counted."""

    def run_with(self, *outcomes: str | Exception | None) -> tuple[dict, int, int]:
        """The record, the number of unused outcomes, and the number of further boots."""
        left = iter(enumerate(outcomes))
        restart = mock.Mock()

        def attempt() -> attempts.Attempt:
            number, outcome = next(left)
            if isinstance(outcome, Exception):
                raise outcome
            return attempts.Attempt({"mbps": number}, outcome, lambda: {"insn_per_byte": number})
        with mock.patch.object(attempts, "say"):
            return attempts.sound(attempt, restart), len(list(left)), restart.call_count

    def test_first_is_sound(self) -> None:
        self.assertEqual(self.run_with(None, None), ({"mbps": 0, "insn_per_byte": 0, "discarded": 0}, 1, 0))

    def test_third_is_sound(self) -> None:
        self.assertEqual(self.run_with("a", "b", None, None), (
            {"mbps": 2, "insn_per_byte": 2, "discarded": 2, "discard_reasons": ["a", "b"]}, 1, 0))

    def test_none_is_sound(self) -> None:
        self.assertEqual(self.run_with("a", "b", "c", "d", None), (
            {"mbps": 3, "discarded": 4, "discard_reasons": ["a", "b", "c", "d"]}, 1, 0))

    def test_machines_boot_anew_after_a_complaint(self) -> None:
        found = self.run_with(KernelComplaint("guest: its kernel complained:\nWARNING: CPU: 0\nmore"), None)
        self.assertEqual(found, ({"mbps": 1, "insn_per_byte": 1, "discarded": 1,
                                  "discard_reasons": ["guest: its kernel complained: WARNING: CPU: 0"]}, 0, 1))

    def test_machines_boot_anew_after_a_death(self) -> None:
        self.assertEqual(self.run_with(MachineGone("xen: its QEMU ended"), "a", None)[1:], (0, 1))

    def test_a_complaint_while_the_rest_is_measured_counts_too(self) -> None:
        fields = mock.Mock(side_effect=[KernelComplaint("late"), {"more": 1}])
        restart = mock.Mock()
        with mock.patch.object(attempts, "say"):
            found = attempts.sound(lambda: attempts.Attempt({}, None, fields), restart)
        self.assertEqual((found["discarded"], found["more"], restart.call_count), (1, 1, 1))

    def test_a_kernel_that_always_complains_fails_the_run(self) -> None:
        with self.assertRaisesRegex(KernelComplaint, "BUG 3"):
            self.run_with(*[KernelComplaint(f"BUG {number}") for number in range(5)])

    def test_other_failures_are_not_repeated(self) -> None:
        with self.assertRaisesRegex(LabError, "iperf"):
            self.run_with(LabError("iperf failed"), None)

    def test_a_warning_on_a_console_is_a_complaint(self) -> None:
        with self.assertRaises(console.MachineFault):
            console.Watch("dom0", mock.Mock()).judge("[ 9.1] WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 f+0x1\n")


class Turns(unittest.TestCase):
    """All configurations are measured once before any is measured again."""

    def test_order(self) -> None:
        bench, done = mock.Mock(), []
        bench.settle.side_effect = lambda config: done.append(f"drivers of {config.name}")
        bench.attempt.side_effect = lambda config, repeat: attempts.Attempt(
            {"config": config.name, "repeat": repeat, "mbps": 1.0, "lro_ratio": 1.0, "retransmits": 0}, None, dict)
        with mock.patch.object(experiments.steps, "say"), mock.patch.object(experiments.steps, "step"):
            for record in experiments.run_all(bench, configs.in_order(configs.select("guest1 gro1 guest0")), 2):
                done.append(f"{record['config']} {record['repeat']}")
        self.assertEqual(done, ["drivers of gro1", "gro1 0", "guest0 0", "drivers of guest1", "guest1 0",
                                "drivers of gro1", "gro1 1", "guest0 1", "drivers of guest1", "guest1 1"])


class Restart(unittest.TestCase):
    """Machines boot again and the logs of earlier ones stay."""

    def test_restart(self) -> None:
        class Booted(topology.XenLab):
            """Boots nothing, but records the call."""

            boots = 0

            def prepare(self) -> None:
                self._images = mock.Mock()

            def _boot(self) -> None:
                self.boots += 1
                self._stack.callback(lambda: None)
                (self.logs / "xen.log").write_text(f"boot {self.boots}\n")

            def check(self) -> None:
                """Nothing runs that could be checked."""

        with tempfile.TemporaryDirectory() as name:
            with Booted(logs=Path(name)) as lab:
                lab.nic_driver, lab.guest_driver = "r8169_lro", "netfront_lro"
                lab._parts.append(mock.Mock())
                for _ in range(2):
                    lab.restart()
                self.assertEqual((lab.boots, lab.nic_driver, lab.guest_driver, lab._parts), (3, None, None, []))
            kept = [(Path(name) / f"restart-{number}/xen.log").read_text() for number in (1, 2)]
        self.assertEqual(kept, ["boot 1\n", "boot 2\n"])


class Bounceback(unittest.TestCase):
    """Percentiles come only from iperf's histogram."""

    def test_percentiles(self) -> None:
        """50 answers within 495-500 us, 40 within 545-550, 9 within 895-900, one within 4995-5000."""
        found = latency.parse(REPORT)
        self.assertEqual((found.count, found.percentile(0.5), found.percentile(0.99)), (100, 500.0, 900.0))
        self.assertAlmostEqual(found.percentile(0.25), 497.5)
        self.assertAlmostEqual(found.percentile(0.94), 895 + 5 * 4 / 9)
        self.assertEqual(found.percentile(1.0), 5000.0)

    def test_answers_beyond_all_bins(self) -> None:
        found = latency.parse(REPORT.replace("cnt(100)", "cnt(103)").replace("obu=0/0", "obu=0/3"))
        self.assertEqual(found.percentile(0.5), 545 + 5 * 1.5 / 40)
        with self.assertRaisesRegex(LabError, "3 of 103 answers took longer than 200 ms: the 99th percentile"):
            found.percentile(0.99)
        self.assertEqual(list(latency.fields(found)), ["p50"])

    def test_kept_in_wider_bins(self) -> None:
        found = latency.parse(REPORT.replace("cnt(100)", "cnt(103)").replace("obu=0/0", "obu=0/3"))
        record = latency.kept(found)
        self.assertEqual(record, {"width": 50, "bins": {"500": 50, "550": 40, "900": 9, "5000": 1}, "slower": 3})
        back = latency.restored(record)
        self.assertEqual((back.count, back.percentile(0.95)), (103, 850 + 50 * (0.95 * 103 - 90) / 9))

    def test_no_histogram(self) -> None:
        for report in ("", "connect failed: Connection refused\n", REPORT.replace("PDF", "CDF")):
            with self.subTest(report), self.assertRaisesRegex(LabError, "no histogram"):
                latency.parse(report)

    def test_histogram_that_does_not_add_up(self) -> None:
        for report in (REPORT.replace("cnt(100)", "cnt(101)"), REPORT.replace("=0/0", "=1/0")):
            with self.subTest(report), self.assertRaisesRegex(LabError, "holds 100 of 10. answers"):
                latency.parse(report)


class Segments(unittest.TestCase):
    """The counter's line becomes a histogram."""

    def receiver(self, line: str) -> mock.Mock:
        host = mock.Mock()
        host.run.side_effect = lambda command, **_: line if command.startswith("cat") else ""
        return host

    def test_counts(self) -> None:
        host = self.receiver("1:4 23:50\n")
        with segments.counted(host, 5001) as found:
            self.assertEqual(found.packets, {})
        self.assertEqual((found.packets, found.segments()), ({1: 4, 23: 50}, 1154))
        self.assertIn("echo 0", host.run.call_args.args[0])

    def test_histogram_has_to_hold_what_was_sent(self) -> None:
        found = segments.Histogram()
        found.packets = {1: 10, 33: 30}
        segments.check(found, 1003, 0)
        segments.check(found, 1025, 20)
        for sent, again in ((1020, 0), (980, 0), (1046, 20)):
            with self.subTest(sent), self.assertRaisesRegex(LabError, f"holds 1000 segments where {sent} were sent"):
                segments.check(found, sent, again)

    def test_short_transfer_has_as_many_control_segments(self) -> None:
        found = segments.Histogram()
        found.packets = {28: 26}
        segments.check(found, 732, 0)
        with self.assertRaisesRegex(LabError, "holds 728 segments where 742 were sent"):
            segments.check(found, 742, 0)

    def test_nothing_arrived(self) -> None:
        self.assertEqual(segments.parse("\n"), {})

    def test_other_output_is_told(self) -> None:
        for line in ("cat: no such file\n", "1:4 2", "1:x"):
            with self.subTest(line), self.assertRaisesRegex(LabError, "not its histogram"):
                segments.parse(line)

    def test_counting_ends_when_the_transfer_fails(self) -> None:
        host = self.receiver("1:1\n")
        with self.assertRaises(LabError), segments.counted(host, 5001):
            raise LabError("iperf failed")
        self.assertIn("echo 0", host.run.call_args.args[0])


if __name__ == "__main__":
    unittest.main()
