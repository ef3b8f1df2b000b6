# SPDX-License-Identifier: GPL-2.0-only
"""The plugin under real kernels: natively, with and without KASLR, and as a Xen driver domain."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

from lab import kernels
from lab.insn.reader import delta, idle_rate, plugin_argument, snapshots
from lab.kernel import Kernel

from . import machine

HERE = Path(__file__).resolve().parent
LOOP_INSNS = 2 * 5000000
COPY_BYTES = 1 << 20
CLOSE = 0.001


def initramfs(kernel: Kernel) -> Path:
    """The test program and the module that it loads."""
    built = machine.build_modules(HERE / "probe", kernel, (HERE / "measured.h",))
    return machine.initramfs("probe", kernel, [built / "probe.ko"], ["load /probe.ko"])


class Kernels(unittest.TestCase):
    """One boot per kernel and way of running it."""

    def check(self, name: str, arguments: list[str], timeout: float, xen: bool) -> None:
        out, log = machine.OUT / f"{name}.jsonl", machine.OUT / f"{name}.log"
        out.unlink(missing_ok=True)
        machine.run(arguments + ["-serial", f"file:{log}"] + plugin_argument(machine.PLUGIN, out),
                    machine.OUT / f"{name}.qemu.log", timeout)
        console = log.read_text(errors="replace")
        self.assertIn("INSN-END", console, f"see {log}")
        self.assertNotIn("INSN-FAILED", console, f"see {log}")
        self.assertIn("INSN-LOADED", console, f"see {log}")
        self.check_ranges(console)
        marks = {int(snap.label): snap for snap in snapshots(out) if snap.by == "marker"}
        part = {(a, b): delta(marks[a], marks[b])[0]
                for a, b in ((1, 2), (2, 3), (11, 12), (12, 13), (13, 14), (4, 5))}
        # Timer ticks interrupt the loop, more of them on a slow machine, and belong to other categories.
        self.assertAlmostEqual(part[1, 2]["insns"]["user"], LOOP_INSNS, delta=CLOSE * LOOP_INSNS)
        self.assertEqual(part[2, 3]["movs"]["user"], COPY_BYTES)
        self.assertAlmostEqual(part[11, 12]["insns"]["modules"], LOOP_INSNS, delta=CLOSE * LOOP_INSNS)
        self.assertEqual(part[12, 13]["movs"]["modules"], COPY_BYTES)
        # The kernel's memcpy is a string instruction or a loop, depending on the processor's features.
        copied = part[13, 14]
        if copied["movs"]["kernel"] < COPY_BYTES:
            self.assertGreater(copied["insns"]["kernel"], COPY_BYTES // 16)
        self.assertGreater(part[4, 5]["halted_seconds"], 1.0)
        self.assertEqual(part[1, 2]["insns"]["xen"] > 0, xen)
        print(f"  {name}: loop user {part[1, 2]['insns']['user']} module {part[11, 12]['insns']['modules']} "
              f"of {LOOP_INSNS}; kernel memcpy {copied['movs']['kernel']} B by string, "
              f"{copied['insns']['kernel']} insns; idle {idle_rate(part[4, 5])['total'] / 1e3:.0f} k/s "
              f"(empty wakes {part[4, 5]['empty_insns'] / part[4, 5]['seconds'] / 1e3:.0f} k/s), "
              f"halted {1 - part[4, 5]['busy']:.1%}")

    def check_ranges(self, console: str) -> None:
        """The boundary between kernel and modules is the one that the plugin assumes."""
        found = re.search(r"INSN-RANGES text-end (\w+) modules (\w+) (\w+)", console)
        assert found
        text_end, low, high = (int(text, 16) for text in found.groups())
        self.assertTrue(0xffffffff80000000 < text_end < 0xffffffffc0000000, found[0])
        self.assertTrue(0xffffffffc0000000 <= low <= high < 0xffffffffff000000, found[0])
        print(f"  {found[0]}")

    def test_native(self) -> None:
        for kernel in machine.wanted():
            for argument in ("nokaslr", "kaslr"):
                with self.subTest(kernel=kernel.series, argument=argument):
                    self.check(f"linux-{kernel.series}-{argument}", [
                        "-cpu", "max", "-m", "256", "-kernel", str(kernel.vmlinuz), "-initrd",
                        str(initramfs(kernel)), "-append", f"console=ttyS0 quiet panic=-1 {argument}"], 120, False)

    def test_xen(self) -> None:
        for kernel in machine.wanted():
            with self.subTest(kernel=kernel.series):
                self.check(f"xen-{kernel.series}", machine.xen(kernel, initramfs(kernel)), 240, True)
