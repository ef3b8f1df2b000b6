# SPDX-License-Identifier: GPL-2.0-only
"""The measurements of a run, on invented snapshots and counters: arithmetic, interval, and discarded runs."""

from __future__ import annotations

import itertools
import tempfile
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from lab import cli, experiments, grants, hops, measure, results, steps, table, topology, traffic
from lab.grants import Copies
from lab.insn.errors import InsnError
from lab.insn.reader import CATEGORIES, Snapshot, delta
from lab.steps import LabError

COUNT = 1_000_000
PINNED = """\
Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)
Domain-0                             0     0    0   r--      14.2  0 / all
guest                                3     0    1   -b-       2.1  1 / all
"""


def snapshot(seq: int, seconds: float, *vcpus: dict[str, int], halted: float = 0.0) -> Snapshot:
    """`vcpus`: instructions by category, and `moved`, of each; all were halted for `halted` seconds."""
    def one(number: int, counts: dict[str, int]) -> dict:
        return {"vcpu": number, "insns": {part: counts.get(part, 0) for part in CATEGORIES},
                "waits": dict.fromkeys(CATEGORIES, 0),
                "movs": {part: counts.get("moved", 0) if part == "kernel" else 0 for part in CATEGORIES},
                "stos": dict.fromkeys(CATEGORIES, 0), "halted_ns": int(halted * 1e9), "halts": seq,
                "empty_wakes": 0, "empty_insns": 0}
    return Snapshot(label=f"s{seq}", by="control", seq=seq, monotonic_ns=int(seconds * 1e9), realtime_ns=0,
                    vcpus=tuple(one(number, counts) for number, counts in enumerate(vcpus)))


def transfer(segments: int = 10_000, again: int = 0, answers: int = 50) -> traffic.Transfer:
    source = {"Tcp OutSegs": segments, "Tcp RetransSegs": again, "Tcp InSegs": answers}
    return traffic.Transfer(COUNT, 1.0, source, {"Ip InReceives": 100})


def moments(begin: int = 250_000, end: int = 850_000, most: int | None = None) -> list[measure.Moment]:
    idle = {}
    return [measure.Moment(snapshot(1, 0, idle, idle), begin, begin),
            measure.Moment(snapshot(2, 4, {"xen": 1_200_000, "kernel": 600_000, "moved": 900_000}, {"user": 300_000},
                                    halted=1), end, end if most is None else most)]


def still(vcpus: int = 2, **counts: int) -> dict[int, dict]:
    """An interval of 2 s, 1.6 s of them halted, in which each vCPU executed `counts`."""
    return delta(snapshot(1, 0, *[{}] * vcpus), snapshot(2, 2, *[counts] * vcpus, halted=1.6))


class Arithmetic(unittest.TestCase):
    """Counters become figures per byte."""

    def test_instructions_per_byte(self) -> None:
        # 800 instructions in 1.6 s are 500 per second, and 1 s was halted.
        baseline = measure.Baseline({"driver": 0, "guest": 1}, still(xen=800))
        found = measure.instructions(moments(), baseline)
        self.assertEqual(found["insn_per_byte"]["driver"], {
            "total": round(1_799_500 / 600_000, 4), "xen": round(1_199_500 / 600_000, 4), "kernel": 1.0,
            "modules": 0.0, "user": 0.0})
        self.assertEqual(found["insn_per_byte"]["guest"],
                         {"total": 0.5, "xen": 0.0, "kernel": 0.0, "modules": 0.0, "user": 0.5})
        self.assertEqual(found["moved_per_byte"], {"driver": 1.5, "guest": 0.0})
        self.assertEqual(found["interval"],
                         {"bytes": 600_000, "seconds": 4.0, "busy": {"driver": 0.75, "guest": 0.75}})

    def test_domains_follow_the_pinning(self) -> None:
        found = measure.instructions(moments(), measure.Baseline({"driver": 1, "guest": 0}, still()))
        self.assertEqual((found["insn_per_byte"]["driver"]["total"], found["insn_per_byte"]["guest"]["total"]),
                         (0.5, 3.0))

    def test_native_has_no_guest(self) -> None:
        found = measure.instructions(moments(), measure.Baseline({"driver": 0}, still()))
        self.assertEqual(list(found["insn_per_byte"]), ["driver"])

    def test_payload_is_frames_without_headers(self) -> None:
        self.assertEqual(measure.payload({"rx_bytes": 10 * 1514, "rx_frames": 10}), 10 * 1448)

    def test_headers_of_another_length_are_told(self) -> None:
        frames = COUNT // 1460
        without_timestamps = measure.payload({"rx_bytes": frames * 1514, "rx_frames": frames})
        with self.assertRaisesRegex(InsnError, "990432 bytes of payload where 1000000 were sent"):
            measure.check_payload(without_timestamps, transfer())
        measure.check_payload(COUNT + 2500, transfer(again=2))

    def test_grants(self) -> None:
        line = '{"hypercalls":9,"to_guest":{"hypercalls":%d,"ops":%d,"bytes":%d},' \
               '"from_guest":{"hypercalls":7,"ops":7,"bytes":7}}\n'
        copies = grants.parse(line % (110, 1020, 2_000_100)) - grants.parse(line % (10, 20, 100))
        self.assertEqual(copies, Copies(100, 1000, 2_000_000))
        self.assertEqual(hops.copy_fields(copies, 100 * 65536),
                         {"grant_copies_per_64k": 10.0, "grant_hypercalls_per_64k": 1.0,
                          "grant_bytes_per_copy": 2000.0})
        self.assertNotIn("grant_bytes_per_copy", hops.copy_fields(Copies(0, 0, 0), COUNT))
        with self.assertRaisesRegex(LabError, "printed 'cat: no such file'"):
            grants.parse("cat: no such file\n")

    def test_acks(self) -> None:
        self.assertEqual(measure.acks_per_mb(transfer(answers=77)), 77.0)


class Fault(unittest.TestCase):
    """A measured interval without a steady transfer is refused."""

    def test_sound(self) -> None:
        self.assertIsNone(measure.fault(moments(), transfer(again=25)))

    def test_retransmissions(self) -> None:
        self.assertIn("26 of 10000 segments were sent again", measure.fault(moments(), transfer(again=26)))

    def test_interval_that_did_not_end_in_time(self) -> None:
        for found in ([], moments()[:1], moments(most=980_001)):
            with self.subTest(len(found)):
                self.assertIn("ended before", measure.fault(found, transfer()))


class FakeLab(topology.XenLab):
    """Counters that advance by `step` frames each time they are read."""

    def __init__(self, step: int, stop_after: int = 10_000) -> None:  # pylint: disable=super-init-not-called
        self.looks = 0
        self.profiled = False
        self.nic = mock.Mock()
        self.nic.stats.side_effect = lambda: self.stats(step, stop_after)
        self.control = mock.Mock()
        numbers = itertools.count(1)
        self.control.snapshot.side_effect = lambda label: snapshot(
            next(numbers), self.looks, {"kernel": 1000 * self.looks}, {"user": 500 * self.looks})
        self.dom0 = mock.Mock()
        reads = itertools.count()
        self.dom0.run.side_effect = lambda command: (
            '{"to_guest":{"hypercalls":%d,"ops":%d,"bytes":%d}}' % ((next(reads),) * 3) if "counters" in command
            else "%d\n%d\n" % (self.looks, 1514 * self.looks))
        self.hosts = {"driver": self.dom0}

    def stats(self, step: int, stop_after: int) -> dict[str, int]:
        self.looks += 1
        frames = 70 + step * min(self.looks, stop_after)
        return {"rx_frames": frames, "rx_bytes": frames * 1514}


class Meter(unittest.TestCase):
    """The interval begins and ends by the NIC's counters, and its watcher ends with the traffic."""

    baseline = measure.Baseline({"driver": 0, "guest": 1}, still())

    def measured(self, lab: FakeLab, until: int = 1000) -> measure.Meter:
        """Traffic that ends after a number of readings of the NIC, or when the watcher is done."""
        meter = measure.Meter(lab, self.baseline, COUNT)
        with mock.patch.object(measure, "POLL", 0.0001), meter:
            while lab.looks < until and not meter._watcher.done():
                meter._ended.wait(0.001)
        return meter

    def test_begin_and_end(self) -> None:
        # 14,480 bytes a look. 250,000 are passed with the 18th look after the first, 850,000 with the 59th; each
        # snapshot lies between two looks and takes the one in between.
        meter = self.measured(FakeLab(10))
        self.assertEqual([moment.payload for moment in meter._moments], [18.5 * 14480, 59.5 * 14480])
        self.assertIsNone(meter.fault(transfer()))
        meter._base, meter._passed = {"rx_frames": 0, "rx_bytes": 0}, {"rx_frames": 0, "rx_bytes": COUNT}
        found = meter.fields(transfer())
        self.assertEqual(found["interval"]["bytes"], 41 * 14480)
        self.assertEqual(found["insn_per_byte"]["driver"]["total"], round(1000 / 14480, 4))
        self.assertEqual(found["grant_copies_per_64k"], round(65536 / COUNT, 4))
        self.assertEqual(found["acks_per_mb"], 50.0)
        self.assertEqual(found["hops"], [{"back": "driver", "front": "guest", "mean_bytes": 1514,
                                          "grant_copies_per_64k": round(65536 / COUNT, 4),
                                          "grant_hypercalls_per_64k": round(65536 / COUNT, 4),
                                          "grant_bytes_per_copy": 1.0}])

    def test_traffic_that_ends_early(self) -> None:
        meter = self.measured(FakeLab(10, stop_after=30), 50)
        self.assertEqual(len(meter._moments), 1)
        self.assertIn("ended before", meter.fault(transfer()))

    def test_traffic_too_fast_for_the_watcher(self) -> None:
        meter = self.measured(FakeLab(500))
        self.assertIn("ended before", meter.fault(transfer()))

    def test_failure_of_the_counter_is_told(self) -> None:
        lab = FakeLab(100)
        lab.control.snapshot.side_effect = InsnError("the instruction plugin does not answer")
        with self.assertRaisesRegex(InsnError, "does not answer"):
            self.measured(lab)

    def test_failure_of_the_traffic_goes_first(self) -> None:
        lab = FakeLab(100)
        lab.control.snapshot.side_effect = InsnError("late")
        with self.assertRaisesRegex(LabError, "iperf"), measure.Meter(lab, self.baseline, COUNT):
            raise LabError("iperf failed")


@mock.patch.object(measure, "SETTLE", 0.0)
@mock.patch.object(measure, "QUIET", 0.0)
class AtRest(unittest.TestCase):
    """Pinning and idling are checked before the measurements."""

    def lab(self, listing: str, *halted: float) -> FakeLab:
        lab = FakeLab(0)
        lab.dom0.run.side_effect = lambda command: listing
        shots = [shot for share in halted
                 for shot in (snapshot(1, 0, {}, {}), snapshot(2, 1, {"xen": 10}, {}, halted=share))]
        lab.control.snapshot.side_effect = shots
        return lab

    def test_pinned_and_quiet(self) -> None:
        found = measure.at_rest(self.lab(PINNED, 0.9))
        self.assertEqual(found.domains, {"driver": 0, "guest": 1})
        self.assertEqual(found.idle[0]["insns"]["xen"], 10)

    def test_waits_for_quiet(self) -> None:
        self.assertAlmostEqual(measure.at_rest(self.lab(PINNED, 0.2, 0.1, 0.8)).idle[0]["halted_seconds"], 0.8)

    def test_never_quiet(self) -> None:
        with self.assertRaisesRegex(InsnError, "meant to be quiet"):
            measure.at_rest(self.lab(PINNED, *[0.2] * measure.ATTEMPTS))

    def test_waits_until_a_destroyed_domain_is_gone(self) -> None:
        lab = self.lab(PINNED, 0.9)
        listings = iter([PINNED + "(null)  2  0  1  --p  9.9  1 / all\n", PINNED])
        lab.dom0.run.side_effect = lambda command: next(listings)
        self.assertEqual(measure.at_rest(lab).domains, {"driver": 0, "guest": 1})

    def test_not_pinned(self) -> None:
        with self.assertRaisesRegex(InsnError, "not pinned"):
            measure.at_rest(self.lab(PINNED.replace("1 / all", "all / all"), 0.9))

    def test_guest_is_missing(self) -> None:
        with self.assertRaisesRegex(InsnError, "runs the domains Domain-0 where"):
            measure.at_rest(self.lab("".join(PINNED.splitlines(True)[:2]), 0.9))


class Order(unittest.TestCase):
    """Only the sender gets commands while the meter runs, and a failure in it is reported unchanged."""

    def stream(self, failing: bool = False) -> list[str]:
        told: list[str] = []

        class Fake:
            scratch = "/tmp"

            def __init__(self, name: str) -> None:
                self.name = name

            def run(self, command: str, timeout: float = 30, check: bool = True) -> str:
                told.append(self.name)
                if command == "cat /tmp/sink.report":
                    return f"20261122130735,b,5001,a,33498,1,0.0-1.0,{COUNT},8000000\n"
                return "Tcp: OutSegs\nTcp: 5\n"

        @contextmanager
        def around() -> Iterator[None]:
            told.append("begin")
            yield
            told.append("end")
            if failing:
                raise InsnError("no counts")
        traffic.stream(Fake("a"), Fake("b"), "10.0.0.3", COUNT, around())
        return told

    def test_only_the_sender(self) -> None:
        self.assertEqual(self.stream()[:4], ["b", "begin", "a", "end"])

    def test_failure_of_the_meter(self) -> None:
        with self.assertRaisesRegex(InsnError, "no counts"):
            self.stream(failing=True)


class Command(unittest.TestCase):
    """`python3 -m lab report` writes the page beside the results."""

    def test_report(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "results.json"
            results.write({"schema": 1, "kernel": "k", "xen": "x", "qemu": "q", "nic": "n", "bytes": 1, "runs": []},
                          path)
            with mock.patch.object(cli, "RESULTS", path), mock.patch.object(cli.prereq, "ensure"), \
                    mock.patch.object(cli.report, "write", return_value=path) as write, \
                    mock.patch.object(cli.steps, "say") as say:
                self.assertEqual(cli.main(["report"]), 0)
        self.assertEqual(write.call_args.args[1], Path(name))
        self.assertIn("no instructions were counted", say.call_args.args[0])

    def test_what_an_interrupted_run_measured_is_kept(self) -> None:
        record = {"config": "native", "repeat": 0, "mbps": 7.0, "lro_ratio": 1.0, "retransmits": 0}
        head = {"schema": 1, "kernel": "k", "xen": "x", "qemu": "q", "nic": "n", "bytes": 1}

        def ended(*_: object, save: Callable[[dict], None], **__: object) -> dict:
            save(experiments.complete(head, [record]))
            return experiments.complete(head, [record, record | {"repeat": 1}])

        def interrupted(*arguments: object, save: Callable[[dict], None], **_: object) -> dict:
            ended(*arguments, save=save)
            raise KeyboardInterrupt

        with tempfile.TemporaryDirectory() as name:
            whole, partial = Path(name) / "results.json", Path(name) / "results.partial.json"
            with mock.patch.multiple(cli, RESULTS=whole, PARTIAL=partial, _setup=mock.Mock()), \
                    mock.patch.object(cli.steps, "say") as say:
                with mock.patch.object(cli.experiments, "run", interrupted):
                    self.assertEqual(cli.main(["run", "--configs", "native"]), steps.EXIT_INTERRUPTED)
                self.assertIn(str(partial), say.call_args.args[0])
                self.assertFalse(whole.exists())
                self.assertEqual(cli.main(["table", "--results", str(partial)]), 0)
                self.assertIn("7.0", say.call_args.args[0])
                with mock.patch.object(cli.experiments, "run", ended):
                    self.assertEqual(cli.main(["run", "--configs", "native"]), 0)
            self.assertEqual(len(results.read(whole)["runs"]), 2)
            self.assertFalse(partial.exists())


class Machine(unittest.TestCase):
    """The machine is described."""

    def test_fields(self) -> None:
        found = measure.machine()
        self.assertGreater(found["cores"], 0)
        self.assertTrue(found["cpu_model"] and found["emulated_cpu"])


class Columns(unittest.TestCase):
    """The table on the terminal shows the measured columns only."""

    def rows(self, *extra: dict) -> dict[str, list[str]]:
        runs = [{"config": name, "repeat": 0, "mbps": 9.0, "lro_ratio": 1.0, "retransmits": 0, **fields}
                for name, fields in zip(("native", "gro1"), extra)]
        text = table.render({"bytes": 1, "kernel": "k", "xen": "x", "qemu": "q", "nic": "n", "runs": runs})
        return {line.split()[0]: line.split() for line in text.splitlines() if line}

    def test_measured(self) -> None:
        rows = self.rows({"insn_per_byte": {"driver": {"total": 3.949}}},
                         {"insn_per_byte": {"driver": {"total": 1.234}, "guest": {"total": 1.5}},
                          "grant_copies_per_64k": 17.54})
        self.assertEqual(rows["native"][7:], ["3.95", "-", "-"])
        self.assertEqual(rows["gro1"][7:], ["1.23", "1.50", "17.5"])
        self.assertEqual(rows["configuration"][-6:], ["runs", "insn/B", "insn/B", "/", "64", "KiB"])

    def test_not_measured(self) -> None:
        self.assertEqual(len(self.rows({}, {})["gro1"]), 7)


if __name__ == "__main__":
    unittest.main()
