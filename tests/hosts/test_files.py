# SPDX-License-Identifier: GPL-2.0-only
"""The file that names the hosts, and perf's output: mistakes give one clear sentence, never a number."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from lab import configs
from lab.hosts import inventory, job, perf
from lab.paths import ROOT
from lab.steps import EXIT_USAGE, LabError

SENDER = '[sender]\nssh = "root@a"\ninterface = "eth1"\naddress = "192.0.2.1"\n'
NATIVE = '[native]\nssh = "root@b"\ninterface = "eth1"\naddress = "192.0.2.2"\n'
DRIVER = '[driver]\nssh = "root@c"\ninterface = "eth1"\n'
GUEST = '[guest]\nssh = "root@d"\ninterface = "eth0"\naddress = "192.0.2.3"\n'


class Inventory(unittest.TestCase):
    """Reading the file."""

    def read(self, text: str) -> dict[str, inventory.HostEntry]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "hosts.toml"
            path.write_text(text)
            (Path(folder) / "key").write_text("")
            return inventory.read(path)

    def refused(self, text: str, *words: str) -> None:
        with self.assertRaises(LabError) as caught:
            self.read(text)
        said = str(caught.exception)
        self.assertEqual(caught.exception.code, EXIT_USAGE)
        self.assertNotIn("\n", said)
        for word in ("hosts.toml", *words):
            self.assertIn(word, said)

    def test_example(self) -> None:
        found = inventory.read(ROOT / "lab/hosts.example.toml")
        self.assertEqual(list(found), list(inventory.ROLES))
        self.assertEqual(found["native"].address, "192.0.2.2")

    def test_common_entries_hold_unless_a_host_says_otherwise(self) -> None:
        found = self.read('[ssh]\nport = 2222\nidentity = "key"\n' + SENDER + NATIVE + "port = 23\n")
        self.assertEqual((found["sender"].port, found["native"].port), (2222, 23))
        self.assertEqual(found["sender"].identity.name, "key")

    def test_mistakes(self) -> None:
        for text, *words in (
                ("", "lacks [sender]"),
                ("[sender", "not TOML"),
                (SENDER, "names no receiver"),
                (NATIVE, "lacks [sender]"),
                (SENDER + DRIVER, "[driver] and [guest] belong together"),
                (SENDER + GUEST, "[driver] and [guest] belong together"),
                (SENDER + NATIVE + "[gest]\n", "no role [gest]", "guest"),
                (SENDER + NATIVE + "nic = 1\n", "[native] has no entry 'nic'", "interface"),
                (SENDER + NATIVE + 'port = "22"\n', "[native] port has to be a number"),
                (SENDER + NATIVE + "port = 0\n", "[native] port = 0"),
                (SENDER + NATIVE + "port = true\n", "[native] port has to be a number"),
                (SENDER + NATIVE + 'identity = "none"\n', "[native] identity = 'none' is not a file"),
                ("sender = 1\n" + NATIVE, "[sender] has to be a table"),
                (SENDER.replace("address", "#") + NATIVE, "[sender] lacks address"),
                (SENDER.replace("interface", "#") + NATIVE, "[sender] lacks interface"),
                (SENDER + NATIVE.replace("192.0.2.2", "192.0.2"), "[native] address = '192.0.2'"),
                (SENDER + NATIVE.replace("192.0.2.2", "192.0.2.1"), "same address 192.0.2.1"),
                (SENDER + NATIVE.replace("root@b", "root@a"), "same host root@a"),
                (SENDER + NATIVE.replace("root@b", "-oProxyCommand=x"), "[native] ssh = '-oProxyCommand=x'"),
                (SENDER + NATIVE.replace("root@b", "b; reboot"), "[native] ssh = 'b; reboot'"),
                (SENDER + NATIVE.replace("eth1", "../x"), "[native] interface = '../x'"),
                (SENDER + NATIVE.replace("eth1", "$(reboot)"), "[native] interface")):
            with self.subTest(text=text):
                self.refused(text, *words)

    def test_no_file(self) -> None:
        self.assertRaisesRegex(LabError, "cannot be read", inventory.read, Path("/nonexistent/hosts.toml"))

    def test_configurations_need_their_hosts(self) -> None:
        native = self.read(SENDER + NATIVE)
        every = configs.select("")
        self.assertEqual([config.name for config in job.possible(every, native, False)], ["native", "native-gro"])
        self.assertRaisesRegex(LabError, r"guest0, .* no \[driver\] and \[guest\]", job.possible,
                               configs.select("native guest0"), native, True)
        xen = self.read(SENDER + DRIVER + GUEST)
        self.assertRaisesRegex(LabError, r"native, .* no \[native\]", job.possible, configs.select("native"), xen, True)
        self.assertRaisesRegex(LabError, "guest1-napi, and the back end of hosts stays", job.possible,
                               configs.select("guest1 guest1-napi"), xen, True)


COUNTED = """\
# started on Sun Nov 22 12:00:00 2026

2000000,,cycles,2000000000,100.00,,
3000000,,instructions,2000000000,100.00,1.50,insn per cycle
400000,,instructions:u,2000000000,100.00,,
payload 1000000 10.25 12.75
"""


class Perf(unittest.TestCase):
    """Reading perf's output."""

    def test_counts(self) -> None:
        found = perf.interval(COUNTED)
        self.assertEqual(found.counts, perf.Counts(
            {"cycles": 2000000, "instructions": 3000000, "instructions:u": 400000}, {}))
        self.assertEqual((found.payload, found.seconds, found.counts.why), (1000000, 2.5, None))

    def test_kinds_of_cores_are_added(self) -> None:
        found = perf.parse("5,,cpu_core/cycles/,9,100.00,,\n7,,cpu_atom/cycles/,9,100.00,,\n"
                           "1,,cpu_core/instructions/,9,100.00,,\n2,,cpu_atom/instructions/,9,100.00,,\n"
                           "1,,cpu_core/instructions/u,9,100.00,,\n1,,cpu_atom/instructions:u/,9,100.00,,\n")
        self.assertEqual(found.events, {"cycles": 12, "instructions": 3, "instructions:u": 2})

    def test_one_kind_without_count_spoils_the_sum(self) -> None:
        found = perf.parse("5,,cpu_core/cycles/,9,100.00,,\n<not counted>,,cpu_atom/cycles/,0,100.00,,\n")
        self.assertNotIn("cycles", found.events)
        self.assertIn("<not counted>", found.reasons["cycles"])

    def test_without_pmu(self) -> None:
        found = perf.parse("<not supported>,,cycles,0,100.00,,\n<not supported>,,instructions,0,100.00,,\n"
                           "<not supported>,,instructions:u,0,100.00,,\n")
        self.assertEqual(found.events, {})
        self.assertEqual(found.why, "perf says <not supported> of cycles, instructions, instructions:u")

    def test_estimates_are_no_counts(self) -> None:
        found = perf.parse(COUNTED.replace("cycles,2000000000,100.00", "cycles,2000000000,49.97"))
        self.assertNotIn("cycles", found.events)
        self.assertIn("50 % of the time", found.why)
        self.assertEqual(found.events["instructions"], 3000000)

    def test_nonsense(self) -> None:
        for text in ("", "perf: Permission denied", "1,2", ",,,,,", "1.5,,cycles,1,100.00", "3,,cycles,1,x"):
            with self.subTest(text=text):
                self.assertEqual(perf.parse(text).events, {})
                self.assertIn("cycles", perf.parse(text).reasons)

    def test_no_interval_without_payload(self) -> None:
        for text in ("", COUNTED.replace("payload 1000000", "payload 0"), COUNTED.replace("payload", "paid"),
                     COUNTED.replace("12.75", "10.25")):
            self.assertIsNone(perf.interval(text))

    def test_probe_says_why(self) -> None:
        class Machine:
            def __init__(self, said: str):
                self.said = said

            def run(self, command: str, timeout: float = 30, check: bool = True) -> str:
                return self.said

        self.assertIn("not installed", perf.probe(Machine("sh: 1: perf: not found\n")))
        self.assertIn("not installed", perf.probe(Machine("sh: perf: not found\n")))
        self.assertIn("<not supported> of cycles", perf.probe(Machine("<not supported>,,cycles,0,100.00,,\n")))
        self.assertIn("No permission", perf.probe(Machine("Error:\nNo permission to enable cycles event.\n")))
        self.assertIsNone(perf.probe(Machine(COUNTED)))


if __name__ == "__main__":
    unittest.main()
