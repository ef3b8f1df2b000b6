# SPDX-License-Identifier: GPL-2.0-only
"""The grant copy counter against known copies in a Xen driver domain, and its cost."""

from __future__ import annotations

import json
import re
import unittest
from pathlib import Path

from lab.insn.reader import delta, plugin_argument, snapshots

from . import machine

HERE = Path(__file__).resolve().parent
COUNTERS = "/sys/module/grant_count/parameters/counters"
# Numbers of copies.c.
CALLS, TO_OPS, TO_BYTES, FROM_OPS, FROM_BYTES = 100, 3, 1000, 2, 50
# Instructions per hypercall; a call that carries an aggregate costs tens of thousands.
COST_LIMIT = 600

STEPS = ["load /copies.ko probed=0", "load /grant_count.ko", f"show {COUNTERS}", "load /copies.ko probed=1",
         f"show {COUNTERS}", f"write {COUNTERS} reset", f"show {COUNTERS}", "load /copies.ko probed=1",
         f"show {COUNTERS}"]


class GrantCount(unittest.TestCase):
    """One boot per kernel."""

    def test_known_copies(self) -> None:
        for kernel in machine.wanted():
            with self.subTest(kernel=kernel.series):
                self.check(kernel)

    def check(self, kernel) -> None:
        counter = machine.build_modules(HERE.parents[1] / "lab/grants", kernel, (), ("W=1",))
        copies = machine.build_modules(HERE / "copies", kernel, (HERE / "measured.h",))
        initrd = machine.initramfs("grants", kernel, [counter / "grant_count.ko", copies / "copies.ko"], STEPS)
        out, log = (machine.OUT / f"grants-{kernel.series}.{kind}" for kind in ("jsonl", "log"))
        out.unlink(missing_ok=True)
        machine.run(machine.xen(kernel, initrd) + ["-serial", f"file:{log}"] +
                    plugin_argument(machine.PLUGIN, out), machine.OUT / "grants.qemu.log", 240)
        console = log.read_text(errors="replace")
        self.assertIn("INSN-END", console, f"see {log}")
        for complaint in ("INSN-FAILED", "copies: operation", "WARNING", "BUG"):
            self.assertNotIn(complaint, console, f"see {log}")
        fresh, counted, reset, again = (json.loads(text) for text in re.findall(r"INSN-SHOWN (.*)", console))
        nothing = {"hypercalls": 0, "ops": 0, "bytes": 0}
        self.assertEqual(fresh, {"hypercalls": 0, "to_guest": nothing, "from_guest": nothing})
        known = {"hypercalls": CALLS,
                 "to_guest": {"hypercalls": CALLS, "ops": CALLS * TO_OPS, "bytes": CALLS * TO_OPS * TO_BYTES},
                 "from_guest": {"hypercalls": CALLS, "ops": CALLS * FROM_OPS,
                                "bytes": CALLS * FROM_OPS * FROM_BYTES}}
        self.assertEqual((counted, reset, again), (known, fresh, known))
        self.check_cost(kernel, out)

    def check_cost(self, kernel, out: Path) -> None:
        marks = {int(snap.label): snap for snap in snapshots(out) if snap.by == "marker"}
        plain, probed = (delta(marks[a], marks[a + 1])[0]["insns"] for a in (31, 33))
        cost = [(probed[part] - plain[part]) / CALLS for part in ("total", "kernel", "modules")]
        print(f"  {kernel.series}: counting costs {cost[0]:.0f} instructions per hypercall of {TO_OPS + FROM_OPS} "
              f"operations (kernel {cost[1]:.0f}, modules {cost[2]:.0f}); without it one takes "
              f"{plain['total'] / CALLS:.0f}")
        self.assertLess(cost[1] + cost[2], COST_LIMIT)
