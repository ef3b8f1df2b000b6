# SPDX-License-Identifier: GPL-2.0-only
"""The reading of a console of user-mode Linux."""

from __future__ import annotations

import unittest
from pathlib import Path

from lab.uml import boot
from tests.kunit import ktap

GOOD = """\
[    0.1] KTAP version 1
[    0.1] 1..1
[    0.1]     KTAP version 1
[    0.1]     # Subtest: lro_core
[    0.1]     1..2
[    0.1]         KTAP version 1
[    0.1]         # Subtest: test_case
[    0.1]         ok 1 merge: one poll
[    0.1]         ok 2 end: PSH
[    0.1]     # test_case: pass:2 fail:0 skip:0 total:2
[    0.1]     ok 1 test_case
[    0.1]     ok 2 test_off
[    0.1] # lro_core: pass:2 fail:0 skip:0 total:2
[    0.1] ok 1 lro_core
"""


class Ktap(unittest.TestCase):
    """Counting of results."""

    def test_innermost_results_count(self) -> None:
        report = ktap.parse(GOOD)
        self.assertEqual(report.passed, ["merge: one poll", "end: PSH", "test_off"])
        self.assertEqual((report.failed, report.broken), ([], ""))

    def test_failure_and_its_lines(self) -> None:
        bad = GOOD.replace("        ok 2 end: PSH", "    # test_case: EXPECTATION FAILED at suite.c:9\n"
                           "[    0.1]         not ok 2 end: PSH").replace("ok 1 test_case", "not ok 1 test_case")
        report = ktap.parse(bad)
        self.assertEqual(report.failed, ["end: PSH"])
        self.assertIn("EXPECTATION FAILED", "".join(report.details["end: PSH"]))

    def test_cut_off(self) -> None:
        self.assertTrue(ktap.parse(GOOD[:GOOD.index("[    0.1]     ok 2 test_off")]).broken)

    def test_parameters_cut_off(self) -> None:
        self.assertTrue(ktap.parse(GOOD[:GOOD.index("[    0.1]     # test_case: pass")]).broken)

    def test_nothing_ran(self) -> None:
        self.assertTrue(ktap.parse("[    0.1] Linux version 6.12\n").broken)


class Complaints(unittest.TestCase):
    """Lines of the console that make a boot fail."""

    def complaint(self, line: str) -> str:
        fault = boot.complaint(f"[    0.1] Linux version\n{boot.BEGIN}\n[    0.2] {line}\n", Path("console"))
        return str(fault) if fault else ""

    def test_what_fails(self) -> None:
        for line in (
            "BUG: KASAN: slab-use-after-free in lro_flush+0x10/0x20",
            "WARNING: CPU: 0 PID: 1 at net/core/skbuff.c:1 skb_release+0x1/0x2",
            "WARNING: possible circular locking dependency detected",
            "unreferenced object 0x0000000062a5b000 (size 256):",
            "Kernel panic - not syncing: Attempted to kill init!",
            "ODEBUG: free active (active state 0) object: hrtimer",
            "init: load lro_core 1",
        ):
            with self.subTest(line):
                self.assertTrue(self.complaint(line))

    def test_the_boot_itself_does_not_count(self) -> None:
        before = f"[    0.1] BUG: sleeping function called from invalid context\n{boot.BEGIN}\n"
        leak = 'unreferenced object 0x752cd878 (size 8):\n  comm "swapper", pid 1, jiffies 4294937340\n'
        self.assertIsNone(boot.complaint(before + leak, Path("console")))
        self.assertIsNotNone(boot.complaint(before + leak.replace("swapper", "insmod"), Path("console")))

    def test_what_does_not(self) -> None:
        for line in ("KernelAddressSanitizer initialized", "init: load lro_core 0", "kunit: lro_core passed",
                     "kmemleak: Kernel memory leak detector initialized (mem pool available: 15000)"):
            with self.subTest(line):
                self.assertFalse(self.complaint(line))


if __name__ == "__main__":
    unittest.main()
