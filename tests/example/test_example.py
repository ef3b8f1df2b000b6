# SPDX-License-Identifier: GPL-2.0-only
"""The example driver in user-mode Linux: TCP through the engine, and changes of all kinds meanwhile.

There is one boot; each test checks a part of its output. A complaint of the kernel fails all tests. The kernel has no
KASAN, which takes user-mode Linux's own switch to its interrupt stack for a fault under this load.
"""

from __future__ import annotations

import re
import unittest
from pathlib import Path

from lab import kernels, roots
from lab.paths import BUILD, LOGS, ROOT
from lab.uml.boot import Load, boot
from lab.uml.uml import build_modules, ensure

SCRIPT = Path(__file__).with_name("script.sh")


class Builds(unittest.TestCase):
    """`make example` on every supported kernel."""

    def test_builds(self):
        for series in kernels.SERIES:
            with self.subTest(series):
                kernel = kernels.kernel(series)
                out = BUILD / "check/example" / series
                log = LOGS / f"example-{series}.log"
                log.unlink(missing_ok=True)
                roots.chroot(["make", "-j2", "example", f"KVER={kernel.release}", f"OUT={out}",
                              f"KDIR=/usr/src/linux-headers-{kernel.release}"],
                             binds={path: str(path) for path in (ROOT, BUILD)} | kernel.binds(),
                             log=log, timeout=300, cwd=str(ROOT))
                self.assertNotIn("warning:", log.read_text())
                self.assertTrue((out / "example/examples/lro_pair/lro_pair.ko").is_file())


class Example(unittest.TestCase):
    said: dict[str, list[str]]

    @classmethod
    def setUpClass(cls):
        kernel = ensure("bench")
        stage = build_modules(kernel, "example", ["include", "lro_core", "examples/lro_pair"])
        loads = [
            Load(stage / "lro_core/lro_core.ko", "hold_us=10000"),
            Load(stage / "examples/lro_pair/lro_pair.ko"),
        ]
        # The init ends by itself: the script's output has to be complete by then.
        text = boot(kernel, "example", loads, after=SCRIPT.read_text(), timeout=300).checked()
        cls.said = {}
        for name, value in re.findall(r"check: ([^:]+): (.*?)\r?$", text, re.MULTILINE):
            cls.said.setdefault(name, []).append(value.strip())

    def only(self, name: str) -> str:
        self.assertEqual(len(self.said.get(name, [])), 1, f"{name}: {self.said.get(name)}")
        return self.said[name][0]

    def test_files_arrive_merged(self):
        for way in ("copy mode", "page mode", "skb mode", "IPv6", "tag in the data",
                    "tag in the data, page mode", "tag in the data, skb mode"):
            with self.subTest(way):
                self.assertEqual(self.only(way), "intact")
                self.assertGreaterEqual(int(self.only(f"{way} segs")), 10)

    def test_off_is_off(self):
        self.assertEqual(self.only("off"), "intact")
        self.assertEqual(self.only("off segs"), "")

    def test_tracepoints(self):
        self.assertEqual(self.only("events").split(), ["lro_flush", "lro_merge", "lro_pass", "lro_start"])
        reasons = set(self.only("reasons").split())
        self.assertLessEqual({"flush_psh", "pass_syn", "pass_pure_ack", "gro_not_ip"}, reasons)

    def test_dump(self):
        self.assertGreaterEqual(int(self.only("dump header")), 50)
        self.assertRegex(self.only("dump flow"), r"^10\.9\.0\.2:8080 > 10\.9\.0\.1:\d+ vlan 0000:000 seq \d+ "
                                                 r"segs \d+ bytes \d+ layout copy( bulk)? age_us \d+$")

    def test_wrong_values_are_refused(self):
        refused = {name: values for name, values in self.said.items() if name.startswith("refused ")}
        self.assertEqual(len(refused), 6)
        self.assertEqual({value for values in refused.values() for value in values}, {"yes"})
        self.assertEqual(self.only("message"), "3")

    def test_tables_are_resized_under_traffic(self):
        self.assertEqual(set(self.said["resize"]), {"intact"})
        self.assertEqual(self.only("resized"), "2")

    def test_down_and_up_under_traffic(self):
        self.assertEqual(self.only("down and up"), "intact")
        self.assertEqual(self.only("stopped"), "1")

    def test_namespace_move_under_traffic(self):
        self.assertEqual(self.only("moved"), "intact")

    def test_engine_stays_while_in_use(self):
        self.assertRegex(self.only("core in use"), "(?i)busy|in use|temporarily unavailable")

    def test_unloaded_under_traffic(self):
        self.assertEqual(self.only("driver unloaded"), "yes")
        self.assertEqual(self.only("core unloaded"), "yes")


if __name__ == "__main__":
    unittest.main()
