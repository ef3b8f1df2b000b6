# SPDX-License-Identifier: GPL-2.0-only
"""The plugin against a machine that executes a known number of instructions in every category."""

from __future__ import annotations

import socket
import subprocess
import time
import unittest
from pathlib import Path
from unittest import mock

from lab import topology, vm
from lab.insn.control import Control
from lab.insn.errors import InsnError
from lab.insn.profile import read_histogram
from lab.insn.reader import delta, header, plugin_argument, profile, snapshots, SymbolTable
from lab.paths import BUILD
from lab.steps import LabError

from . import machine

# Order and numbers of payload.S.
ORDER = ("user", "xen", "kernel", "modules")
LOOP_INSNS = 2 * 500000
MOVS_BYTES = 200000 + 8 * 3000
WAIT_INSNS = 3 * 3000
STOS_BYTES = 8 * 70000 + 2 * 11
CLOSE = 0.001


class Payload(unittest.TestCase):
    """One run per way of counting."""

    def measure(self, name: str, **options: bool):
        out = machine.OUT / f"{name}.jsonl"
        out.unlink(missing_ok=True)
        log = machine.OUT / f"{name}.log"
        code = machine.run(machine.BARE + plugin_argument(machine.PLUGIN, out, **options), log)
        self.assertEqual(code, machine.BARE_EXIT, log.read_text(errors="replace")[-500:])
        marks = {int(snap.label): snap for snap in snapshots(out) if snap.by == "marker"}
        for index, category in enumerate(ORDER):
            yield category, [marks[16 * index + i] for i in range(6)]

    def check(self, name: str, allowed: float, **options: bool) -> None:
        for category, (a, b, c, d, e, f) in self.measure(name, **options):
            with self.subTest(category=category):
                loop, moves, wait = delta(a, b)[0], delta(c, d)[0], delta(e, f)[0]
                self.assertAlmostEqual(loop["insns"][category], LOOP_INSNS, delta=allowed * LOOP_INSNS)
                self.assertEqual(loop["moved"]["total"], 0)
                self.assertEqual(moves["movs"], {"total": MOVS_BYTES, **only(category, MOVS_BYTES)})
                self.assertEqual(moves["stos"], {"total": STOS_BYTES, **only(category, STOS_BYTES)})
                self.assertEqual(loop["waits"]["total"] + moves["waits"]["total"], 0)
                # Only the wait, and the marker's own block.
                self.assertAlmostEqual(wait["waits"][category], WAIT_INSNS, delta=3)
                self.assertLess(wait["work"]["total"], 6)
                # A repeated instruction of any length is one; the translator re-enters it a few times.
                self.assertLess(moves["insns"][category], 40)

    def test_blocks(self) -> None:
        self.check("blocks", CLOSE)

    def test_every_instruction(self) -> None:
        self.check("exact", 6 / LOOP_INSNS, exact=True)

    def test_profile_costs_no_accuracy(self) -> None:
        self.check("profiled", CLOSE, profile=True)

    def test_profile_adds_up(self) -> None:
        """The addresses of a category sum up to its count, and the hot block is the loop."""
        list(self.measure("addresses", profile=True))
        last = snapshots(machine.OUT / "addresses.jsonl")[-1]
        assert last.histogram
        found = read_histogram(last.histogram)
        for category, base in (("user", 0), ("xen", 0xffff82d040000000), ("kernel", 0xffffffff80000000),
                               ("modules", 0xffffffffc0000000)):
            spent = {address: counts[0] for address, counts in found.items() if base <= address <= base + (1 << 24)}
            self.assertEqual(sum(spent.values()), last.vcpus[0]["insns"][category], category)
            self.assertGreater(max(spent.values()), 0.99 * LOOP_INSNS)


def only(category: str, value: int) -> dict[str, int]:
    """A split in which everything is in one category."""
    return {name: value if name == category else 0
            for name in ("xen", "kernel", "modules", "user", "other")}


class Refusals(unittest.TestCase):
    """Unfit arguments and files are refused with a sentence, and nothing is counted."""

    def refused(self, argument: list[str], *words: str) -> None:
        log = machine.OUT / "refused.log"
        self.assertNotEqual(machine.run(machine.BARE + argument, log), machine.BARE_EXIT)
        text = log.read_text(errors="replace")
        for word in words:
            self.assertIn(word, text)

    def test_other_api(self) -> None:
        out = machine.OUT / "foreign.jsonl"
        out.unlink(missing_ok=True)
        self.refused(plugin_argument(machine.OUT / "foreign/insn.so", out), "API", "6", "7")
        self.assertRaisesRegex(InsnError, "did not load the plugin", header, out)

    def test_other_api_in_the_laboratory(self) -> None:
        """The machine does not start; the message names both versions and the log."""
        with mock.patch.object(vm, "INSN_PLUGIN", machine.OUT / "foreign/insn.so"):
            with self.assertRaises(LabError) as caught:
                topology.NativeLab(logs=BUILD / "check/insn-api", counted=True).__enter__()
        for words in ("native", "plugin requires API version 6", "minimum version of 7", "native.qemu.log"):
            self.assertIn(words, caught.exception.sentence())

    def test_unknown_argument(self) -> None:
        self.refused(["-plugin", f"{machine.PLUGIN},out={machine.OUT}/x.jsonl,histogram=on"],
                     "unknown argument histogram=on", "profile=on|off")

    def test_missing_out(self) -> None:
        self.refused(["-plugin", str(machine.PLUGIN)], "out=FILE is missing")

    def test_folder_missing(self) -> None:
        self.refused(["-plugin", f"{machine.PLUGIN},out={machine.OUT}/none/x.jsonl"], "cannot write",
                     "No such file")


class ControlSocket(unittest.TestCase):
    """Snapshots from outside, of a machine that only idles."""

    def setUp(self) -> None:
        self.out = machine.OUT / "control.jsonl"
        self.path = machine.OUT / "control.sock"
        self.out.unlink(missing_ok=True)
        # Without anything to boot the firmware ends in its idle loop.
        arguments = ["-cpu", "max", "-m", "64", "-smp", "2", "-boot", "n"]
        arguments += plugin_argument(machine.PLUGIN, self.out, self.path, profile=True)
        self.log = (machine.OUT / "control.log").open("wb")
        self.child = subprocess.Popen(machine.qemu() + arguments, stdin=subprocess.DEVNULL,
                                      stdout=self.log, stderr=subprocess.STDOUT)
        self.addCleanup(self.stop)
        limit = time.monotonic() + 20
        self.control = Control(self.path, machine.OUT)
        self.control.wait(20)
        while len(self.control.snapshot("start").vcpus) < 2 and time.monotonic() < limit:
            time.sleep(0.05)

    def stop(self) -> None:
        self.child.terminate()
        self.child.wait(20)
        self.log.close()

    def raw(self, request: bytes) -> str:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(10)
            sock.connect(str(self.path))
            sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
            return sock.makefile().read()

    def test_snapshots(self) -> None:
        time.sleep(1)       # the firmware starts and stops the second vCPU
        a = self.control.snapshot("a", histogram=True)
        time.sleep(0.5)
        b = self.control.snapshot("b", histogram=True)
        passed = delta(a, b)
        self.assertEqual(sorted(passed), [0, 1])
        self.assertGreater(passed[0]["seconds"], 0.5)
        # The second vCPU waits to be started again: halted all the time.
        self.assertLess(passed[1]["busy"], 0.02)
        self.assertGreater(passed[1]["halted_seconds"], 0.49)
        assert a.histogram and b.histogram
        self.assertIsInstance(profile(a.histogram, b.histogram, {0: SymbolTable()}), list)
        stored = {snap.label: snap for snap in snapshots(self.out)}
        self.assertEqual(stored["a"].vcpus, a.vcpus)
        self.stop()
        self.assertEqual(snapshots(self.out)[-1].by, "exit")
        self.assertFalse(self.path.exists())
        self.assertRaisesRegex(InsnError, "does not answer", self.control.snapshot, "late")

    def test_nonsense(self) -> None:
        for request in (b"\n", b"hello\n", b"snapshot\n", b"snapshot a b\n", b"x" * 1000 + b"\n", b"snapshot"):
            self.assertIn('"error"', self.raw(request), request)
        self.assertIn('"label":"_x_"', self.raw(b'snapshot "x"\n'))
        self.assertRaises(InsnError, self.control.snapshot, "two words")
        self.assertEqual(self.control.snapshot("still-there").label, "still-there")


if __name__ == "__main__":
    unittest.main()
