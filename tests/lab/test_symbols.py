# SPDX-License-Identifier: GPL-2.0-only
"""The profile of a run: symbols fetched from domains, shares turned into amounts, and the output of both."""

from __future__ import annotations

import gzip
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab import cli, configs, experiments, measure, symbols
from lab.insn.profile import SymbolTable
from lab.insn.reader import CATEGORIES, Snapshot
from lab.steps import LabError

KERNEL = "ffffffff81000000 T memcpy\nffffffff81000100 t tcp_rcv\nffffffffc0001000 t poll\t[r8169]\n"
XEN = "ffff82d040200000 T gnttab_copy\n"
BEGIN = ["0 10 0", "ffffffff81000000 100 50", "ffff82d040200008 0 0"]
END = ["0 10 100", "ffffffff81000000 400 350", "ffffffff81000104 100 0", "ffffffffc0001010 200 0",
       "ffff82d040200008 400 0"]


class FakeHost:
    """Answers every command with nothing and remembers it; /tmp/symbols holds what the last sender's `cat` read."""

    def __init__(self, name: str, files: dict[str, str], wire: dict[str, bytes]) -> None:
        self.name = name
        self.ran: list[str] = []
        self._files = files
        self._wire = wire

    def run(self, command: str, timeout: float = 30, check: bool = True) -> str:
        self.ran.append(command)
        for path, text in self._files.items():
            if f" {path} |" in command:
                self._wire["symbols"] = gzip.compress(text.encode())
        return ""

    def get(self, path: str, offset: int = 0) -> bytes:
        assert path == "/tmp/symbols", path
        return self._wire["symbols"][offset:]


class Fetching(unittest.TestCase):
    """Lists of symbols travel through the sender."""

    def setUp(self) -> None:
        self.wire: dict[str, bytes] = {}
        self.sender = FakeHost("sender", {}, self.wire)
        self.dom0 = FakeHost("dom0", {"/proc/kallsyms": KERNEL, "/proc/xen/xensyms": XEN}, self.wire)
        self.guest = FakeHost("guest", {"/proc/kallsyms": KERNEL.replace("poll", "xennet_poll")}, self.wire)

    def test_each_domain_has_its_own_and_the_hypervisor(self) -> None:
        found = symbols.tables({"driver": self.dom0, "guest": self.guest}, self.sender, "10.0.0.1", xen=True)
        self.assertEqual(found["driver"].find(0xffffffffc0001004), ("poll", "r8169"))
        self.assertEqual(found["guest"].find(0xffffffffc0001004), ("xennet_poll", "r8169"))
        for table in found.values():
            self.assertEqual(table.find(0xffff82d040200004), ("gnttab_copy", "xen"))
        self.assertTrue(all("10.0.0.1" in command for command in self.dom0.ran + self.guest.ran))

    def test_natively_there_is_no_hypervisor(self) -> None:
        symbols.tables({"driver": self.dom0}, self.sender, "10.0.0.1", xen=False)
        self.assertEqual(len(self.dom0.ran), 1)

    def test_damaged_list(self) -> None:
        self.sender.get = lambda path: gzip.compress(KERNEL.encode())[:-9]  # type: ignore[method-assign]
        with self.assertRaisesRegex(LabError, "symbols of dom0 did not arrive whole"):
            symbols.read(self.dom0, self.sender, "10.0.0.1")


class Amounts(unittest.TestCase):
    """Histograms become rows of the results."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def moment(self, seq: int, lines: list[str], payload: int, spent: tuple[int, int]) -> measure.Moment:
        path = self.folder / f"hist.{seq}"
        path.write_text("".join(f"{line}\n" for line in [*lines, "end"]))
        nothing = dict.fromkeys(CATEGORIES, 0)
        vcpus = tuple({"vcpu": number, "insns": nothing | {"kernel": count}, "waits": nothing, "movs": nothing,
                       "stos": nothing, "halted_ns": 0, "halts": 0, "empty_wakes": 0, "empty_insns": 0}
                      for number, count in enumerate(spent))
        counted = Snapshot("counted", "control", 2 * seq, seq * 10**9, 0, vcpus)
        return measure.Moment(counted, payload, payload,
                              Snapshot("profile", "control", 2 * seq + 1, seq * 10**9, 0, vcpus, path))

    def test_rows(self) -> None:
        table = SymbolTable().add_kallsyms(KERNEL).add_xen(XEN)
        baseline = measure.Baseline({"driver": 0, "guest": 1}, {}, {"driver": table, "guest": table})
        moments = [self.moment(1, BEGIN, 10_000, (0, 0)), self.moment(2, END, 11_000, (1_000, 800))]
        found = measure.profile(moments, baseline, 1 / 500)
        # vCPU 0 spent 1 per byte, so 500 for each of 500 bytes; 400 of 1000 were the hypervisor's.
        self.assertEqual(found["driver"][0], {"symbol": "gnttab_copy", "owner": "xen", "share": 0.4,
                                              "insn_per_packet": 200.0, "insn_per_byte": 0.4})
        self.assertEqual([(row["symbol"], row["owner"], row["share"]) for row in found["driver"][1:]],
                         [("memcpy", "kernel", 0.3), ("poll", "r8169", 0.2), ("tcp_rcv", "kernel", 0.1)])
        self.assertEqual([(row["symbol"], row["insn_per_packet"]) for row in found["guest"]],
                         [("memcpy", 300.0), ("[user space]", 100.0)])
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_without_histogram(self) -> None:
        moment = self.moment(1, BEGIN, 0, (0, 0)).snapshot
        with self.assertRaisesRegex(LabError, "profile=on"):
            symbols.rows(moment, moment, {"driver": 0}, {"driver": SymbolTable()}, symbols.Interval({"driver": 1}, 1))


class Results(unittest.TestCase):
    """From the runs into the results and onto the terminal."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_one_profile_per_configuration(self) -> None:
        def run_all(bench: object, group: list[configs.Config], repeats: int) -> list[dict]:
            return [{"config": config.name, "repeat": repeat, "mbps": 1.0, "lro_ratio": 1.0, "retransmits": 0,
                     "profile": {"driver": [{"symbol": f"{config.name}{repeat}"}]}}
                    for config in group for repeat in range(repeats)]

        with mock.patch.object(experiments, "NativeLab") as lab, \
                mock.patch.object(experiments, "run_all", run_all), \
                mock.patch.object(experiments.progress, "MEMORY", self.folder / "durations.json"), \
                mock.patch.multiple(experiments.roots, xen_version=lambda: "4", qemu_version=lambda: "11"), \
                mock.patch.object(experiments.kernels, "kernel"):
            experiments.kernels.kernel.return_value.release = "6.12"
            lab.return_value = mock.MagicMock()
            lab.return_value.name = "native"
            found = experiments.run(configs.select("native native-gro"), "6.12", 1 << 20, 2, profiled=True)
        self.assertTrue(lab.call_args.kwargs["profiled"])
        self.assertEqual(found["profile"], {name: {"driver": [{"symbol": f"{name}1"}]}
                                            for name in ("native", "native-gro")})
        self.assertFalse(any("profile" in run for run in found["runs"]))

    def test_terminal(self) -> None:
        row = {"symbol": "memcpy", "owner": "kernel", "share": 0.25, "insn_per_packet": 361.5, "insn_per_byte": 0.25}
        text = symbols.render({"gro1": {"driver": [row] * 20, "guest": [row]}}, count=3)
        self.assertEqual(text.count("25.0%     361.5  memcpy [kernel]"), 4)
        self.assertIn("gro1, guest", text)

    def test_switch(self) -> None:
        for text, wanted in (("", False), ("0", False), ("1", True)):
            with self.subTest(PROFILE=text), mock.patch.dict(os.environ, {"PROFILE": text}):
                self.assertEqual(cli.parser().parse_args(["run"]).profile, wanted)
        self.assertTrue(cli.parser().parse_args(["run", "--profile"]).profile)


if __name__ == "__main__":
    unittest.main()
