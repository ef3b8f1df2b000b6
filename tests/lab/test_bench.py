# SPDX-License-Identifier: GPL-2.0-only
"""One run of a configuration on an imitated laboratory: its measurements, their order, and the engine's mode."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from lab import configs, experiments, measure, segments, traffic
from lab.console import KernelComplaint
from lab.latency import Latency
from lab.steps import LabError


class FakeLab:
    """Records its calls; `lro` is the mode of each engine."""

    receiver_address = "10.0.0.3"

    def __init__(self) -> None:
        self.told: list[str] = []
        self.lro: dict[str, int] = {}
        self.failure: Exception | None = None
        self.complaint: Exception | None = None
        self.nic, self.sender, self.nic_host, self.receiver = (mock.Mock() for _ in range(4))
        # The payload passes one on its way to the receiver.
        self.between = mock.Mock()
        self.fronts = {"firewall": self.between, "app": self.receiver}
        self.nic.stats.return_value = {"rx_frames": 1}
        self.nic_host.run.return_value = self.receiver.run.return_value = "merged: 7\n"
        self.between.run.return_value = "merged: 5\n"

    def transfer(self, count: int, around: object = None) -> traffic.Transfer:
        self.told.append(f"transfer {count}{' metered' if around else ''}")
        if self.failure:
            raise self.failure
        return traffic.Transfer(count, 1.0, {"Tcp OutSegs": 100, "Tcp RetransSegs": 0}, {"Ip InReceives": 10})

    def check(self) -> None:
        if self.complaint:
            raise self.complaint

    def set_module_parameter(self, host: object, module: str, _name: str, value: int) -> None:
        self.lro[module + (" between" if host is self.between else "")] = value


class Failure(unittest.TestCase):
    """A transfer that fails because a machine died is that machine's fault, also if it looked like another at first."""

    def attempted(self, complaint: Exception | None) -> None:
        lab = FakeLab()
        lab.failure, lab.complaint = LabError("iperf failed"), complaint
        bench = experiments._Bench(lab, 64 << 20)
        bench._baseline = mock.Mock()
        with mock.patch.object(measure, "Meter"):
            bench.attempt(configs.ALL["gro1"], 0)

    def test_a_machine_is_to_blame(self) -> None:
        with self.assertRaisesRegex(KernelComplaint, "panic"):
            self.attempted(KernelComplaint("guest: panic"))

    def test_no_machine_is_to_blame(self) -> None:
        with self.assertRaisesRegex(LabError, "iperf failed"):
            self.attempted(None)

    def test_traffic_does_not_hide_a_complaint(self) -> None:
        source = mock.Mock(scratch="/tmp")
        source.run.side_effect = [KernelComplaint("guest: panic"), "what iperf said"]
        with self.assertRaises(KernelComplaint):
            traffic.stream(source, mock.Mock(scratch="/tmp"), "10.0.0.3", 1 << 20)


class Bench(unittest.TestCase):
    """The fields of a sound run."""

    def run_of(self, name: str, fault: str | None = None, packets: dict[int, int] | None = None) -> dict:
        self.lab = FakeLab()
        bench = experiments._Bench(self.lab, 64 << 20)
        bench._baseline = mock.Mock()

        def bounce(_source: object, _sink: object, _address: str, seconds: int) -> Latency:
            self.lab.told.append(f"bounce {seconds} {sorted(self.lab.lro.values())}")
            return Latency({1000 if 0 in self.lab.lro.values() else 500: 100}, 5)

        @contextmanager
        def counted(_receiver: object, _port: int) -> Iterator[segments.Histogram]:
            found = segments.Histogram()
            self.lab.told.append("count")
            yield found
            found.packets = packets or {20: 4, 10: 2}
        meter = mock.MagicMock(**{"fault.return_value": fault, "fields.return_value": {"acks_per_mb": 9.0}})
        with mock.patch.object(measure, "Meter", return_value=meter), \
                mock.patch.object(experiments.latency, "bounce", bounce), \
                mock.patch.object(experiments.segments, "counted", counted), \
                mock.patch.object(experiments.windows, "save",
                                  lambda found, config, repeat: {"file": f"{config}{repeat}"}):
            made = bench.attempt(configs.ALL[name], 2)
            return made.record | ({} if made.fault else made.fields())

    def test_stock(self) -> None:
        found = self.run_of("gro1")
        self.assertEqual(self.lab.told, ["transfer 67108864 metered", f"bounce {experiments.LATENCY_SECONDS} []",
                                         "count", "transfer 16777216"])
        self.assertEqual({name: found[name] for name in ("latency_us", "latency_count", "segs_histogram", "window",
                                                         "acks_per_mb")},
                         {"latency_us": {"p50": 497.5, "p99": 499.9}, "latency_count": 100,
                          "segs_histogram": {"10": 2, "20": 4}, "window": {"file": "gro12"}, "acks_per_mb": 9.0})
        self.assertNotIn("latency_off_us", found)

    def test_both_engines_take_turns_with_nothing(self) -> None:
        found = self.run_of("guest12")
        turns = [line.partition("[")[2][:7] for line in self.lab.told if line.startswith("bounce")]
        self.assertEqual(turns, ["1, 1, 1", "0, 0, 0", "0, 0, 0", "1, 1, 1"] * experiments.LATENCY_TURNS)
        self.assertEqual((found["latency_us"]["p50"], found["latency_off_us"]["p50"]), (497.5, 997.5))
        answers = 200 * experiments.LATENCY_TURNS
        self.assertEqual((found["latency_histogram"], found["latency_off_histogram"]),
                         ({"width": 50, "bins": {"500": answers}, "slower": 0},
                          {"width": 50, "bins": {"1000": answers}, "slower": 0}))
        self.assertEqual(found["latency_count"], found["latency_off_count"])
        self.assertLess({"r8169_lro", "netfront_lro", "netfront_lro (firewall)"}, set(found["counters"]))
        # The engines are on again for the later measurements.
        self.assertEqual(self.lab.lro, {"r8169_lro": 1, "netfront_lro": 1, "netfront_lro between": 1})

    def test_engines_are_on_again_after_a_failure(self) -> None:
        lab = FakeLab()
        with mock.patch.object(experiments.latency, "bounce", side_effect=[Latency({500: 1}, 5), LabError("no")]), \
                self.assertRaises(LabError):
            experiments._Bench(lab, 1)._latency(configs.ALL["guest12"])
        self.assertEqual(lab.lro, {"r8169_lro": 1, "netfront_lro": 1, "netfront_lro between": 1})

    def test_a_bad_attempt_measures_nothing_more(self) -> None:
        self.assertNotIn("latency_us", self.run_of("gro1", fault="a storm"))
        self.assertEqual(self.lab.told, ["transfer 67108864 metered"])

    def test_histogram_that_lacks_segments_fails_the_run(self) -> None:
        with self.assertRaisesRegex(LabError, "holds 80 segments where 100 were sent"):
            self.run_of("gro1", packets={20: 4})


if __name__ == "__main__":
    unittest.main()
