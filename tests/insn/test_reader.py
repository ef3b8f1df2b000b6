# SPDX-License-Identifier: GPL-2.0-only
"""The reader against files made by hand."""

from __future__ import annotations

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from lab.insn import pinning, reader
from lab.insn.errors import InsnError
from lab.insn.profile import SymbolTable, profile

from . import machine

HEADER = {"type": "header", "schema": 2, "plugin_api": 7, "qemu_api_min": 7, "qemu_api": 7, "vcpus": 1,
          "exact": False, "profile": False}


def split(**known: int) -> dict[str, int]:
    return {**dict.fromkeys(reader.CATEGORIES, 0), **known}


def snap(seq: int, at_s: float, halted_s: float = 0.0, movs: int = 0, stos: int = 0, waits: int = 0, **insns: int):
    vcpu = {"vcpu": 0, "insns": split(**insns), "waits": split(xen=waits), "movs": split(kernel=movs), "stos": split(kernel=stos),
            "halted_ns": int(halted_s * 1e9), "halts": seq, "empty_wakes": 0, "empty_insns": 0}
    line = {"type": "snapshot", "seq": seq, "label": f"s{seq}", "by": "control",
            "monotonic_ns": int(at_s * 1e9), "realtime_ns": 0, "vcpus": [vcpu]}
    return line


class Reader(unittest.TestCase):
    """Files, differences, idling."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "counts.jsonl"

    def write(self, *lines: dict, tail: str = "") -> Path:
        self.path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)
        return self.path

    def pair(self, first: dict, second: dict):
        return reader.snapshots(self.write(HEADER, first, second))

    def test_delta(self) -> None:
        a, b = self.pair(snap(1, 10, kernel=100, xen=50), snap(2, 12, 0.5, movs=3000, stos=96,
                                                               kernel=700, xen=90))
        change = reader.delta(a, b)[0]
        self.assertEqual(change["insns"], {"total": 640, **split(kernel=600, xen=40)})
        self.assertEqual(change["moved"]["total"], 3096)
        self.assertEqual((change["seconds"], change["busy"], change["halts"]), (2.0, 0.75, 1))

    def test_idle_is_charged_to_halted_time(self) -> None:
        quiet = reader.delta(*self.pair(snap(1, 0), snap(2, 10, 8.0, xen=800, kernel=1600)))[0]
        busy = reader.delta(*self.pair(snap(1, 0), snap(2, 4, 1.0, xen=5000, kernel=9000, movs=640)))[0]
        net = reader.without_idle(busy, quiet)
        self.assertEqual((net["xen"], net["kernel"], net["total"]), (4900, 8800, 13700))
        row = reader.per_byte(busy, 100, quiet)
        self.assertEqual(row["insn"]["total"], 137.0)
        self.assertEqual((row["moved"], row["idle"]), (6.4, 3.0))
        self.assertEqual(reader.per_byte(busy, 100)["insn"]["total"], 140.0)

    def test_waiting_is_not_work(self) -> None:
        quiet = reader.delta(*self.pair(snap(1, 0), snap(2, 10, 8.0, waits=400, xen=1200)))[0]
        self.assertEqual(reader.idle_rate(quiet)["xen"], 100)
        busy = reader.delta(*self.pair(snap(1, 0), snap(2, 4, 1.0, waits=3000, xen=5000, kernel=9000)))[0]
        self.assertEqual((busy["insns"]["total"], busy["work"]["total"]), (14000, 11000))
        row = reader.per_byte(busy, 100, quiet)
        self.assertEqual((row["insn"]["xen"], row["insn"]["total"], row["waited"], row["idle"]), (19, 109, 30, 1))

    def test_not_quiet(self) -> None:
        loud = reader.delta(*self.pair(snap(1, 0), snap(2, 10, 1.0, kernel=9)))[0]
        self.assertRaisesRegex(InsnError, "busy for 90%", reader.idle_rate, loud)

    def test_no_payload(self) -> None:
        change = reader.delta(*self.pair(snap(1, 0), snap(2, 1)))[0]
        self.assertRaisesRegex(InsnError, "no payload", reader.per_byte, change, 0)

    def test_wrong_order(self) -> None:
        a, b = self.pair(snap(1, 1), snap(2, 2))
        self.assertRaisesRegex(InsnError, "does not follow", reader.delta, b, a)

    def test_backwards(self) -> None:
        a, b = self.pair(snap(1, 1, kernel=10), snap(2, 2, kernel=9))
        self.assertRaisesRegex(InsnError, "went backwards", reader.delta, a, b)

    def test_damaged_files(self) -> None:
        self.assertRaisesRegex(InsnError, "did not load", reader.snapshots, self.path)
        for head, words in (({**HEADER, "qemu_api": 8}, "plugin API 8"),
                            ({**HEADER, "schema": 1}, "another version"), (snap(1, 1), "header line")):
            self.write(head)
            self.assertRaisesRegex(InsnError, words, reader.snapshots, self.path)
        self.write(HEADER, tail='{"type":"snap')
        self.assertRaisesRegex(InsnError, "middle of a line", reader.snapshots, self.path)
        self.write(HEADER, tail="garbage\n")
        self.assertRaisesRegex(InsnError, "line 2", reader.snapshots, self.path)


KALLSYMS = """\
ffffffff81000000 T _text
ffffffff81000100 T first
ffffffff81000100 T alias_of_first
ffffffff81000180 t second
ffffffff82000000 D data
ffffffffc0001000 t handler\t[r8169]
ffffffffc0002000 t bpf_prog_6deef7357e7b4530\t[bpf]
"""
XENSYMS = """\
ffff82d040200000 T do_grant_table_op
ffff82d040201000 t copy_page
"""


class Profile(unittest.TestCase):
    """Addresses to symbols."""

    def histogram(self, name: str, *rows: str, end: str = "end\n") -> Path:
        path = machine.OUT / name
        path.write_text("".join(f"{row}\n" for row in rows) + end)
        return path

    def test_attribution(self) -> None:
        a = self.histogram("h1", "0 5 0", "ffffffff81000100 100 7")
        b = self.histogram("h2", "0 105 0", "ffffffff81000100 150 9", "ffffffff8100017f 50 0",
                           "ffffffff81000180 100 0", "ffffffffc0001abc 200 0", "ffff82d040201004 500 3")
        table = SymbolTable().add_kallsyms(KALLSYMS).add_xen(XENSYMS)
        rows = profile(a, b, {0: table})
        self.assertEqual([(row.symbol, row.owner, row.instructions) for row in rows],
                         [("copy_page", "xen", 500), ("handler", "r8169", 200),
                          ("[user space]", "user", 100), ("first", "kernel", 100),
                          ("second", "kernel", 100)])
        self.assertEqual(rows[0].share, 0.5)
        self.assertEqual(rows[0].per(250), 2.0)
        other = profile(a, b, {1: table}, top=1)
        self.assertEqual([(row.vcpu, row.symbol, row.instructions, row.share) for row in other],
                         [(1, "copy_page", 3, 0.6)])

    def test_unknown_address_names_its_page(self) -> None:
        self.assertEqual(SymbolTable().add_kallsyms(KALLSYMS).find(0xffff82d040201004),
                         ("[xen 0xffff82d040201000]", "xen"))

    def test_hidden_addresses(self) -> None:
        hidden = "0000000000000000 T _text\n0000000000000000 t handler\t[r8169]\n"
        self.assertRaisesRegex(InsnError, "kptr_restrict", SymbolTable().add_kallsyms, hidden)
        self.assertRaisesRegex(InsnError, "xenfs", SymbolTable().add_xen, "")

    def test_damaged(self) -> None:
        whole = self.histogram("h3", "0 5")
        cut = self.histogram("h4", "0 5", end="")
        self.assertRaisesRegex(InsnError, "not a whole histogram", profile, whole, cut, {0: SymbolTable()})
        more = self.histogram("h5", "0 9")
        self.assertRaisesRegex(InsnError, "backwards", profile, more, whole, {0: SymbolTable()})


VCPU_LIST = """\
Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)
Domain-0                             0     0    0   r--       8.1  0 / all
guest                                1     0    1   -b-       0.6  1 / all
"""


class Pinning(unittest.TestCase):
    """One domain per pCPU, or no numbers."""

    def test_pinned(self) -> None:
        self.assertEqual(pinning.domain_pcpus(VCPU_LIST), {"Domain-0": 0, "guest": 1})

    def test_not_pinned(self) -> None:
        for text, words in ((VCPU_LIST.replace("1 / all", "all / all"), "guest is not pinned"),
                            (VCPU_LIST.replace("1 / all", "0-1 / all"), "guest is not pinned"),
                            (VCPU_LIST.replace("1 / all", "0 / all"), "share pCPU 0"),
                            (VCPU_LIST.splitlines()[0], "named no domain")):
            self.assertRaisesRegex(InsnError, words, pinning.domain_pcpus, text)


class Decoder(unittest.TestCase):
    """The C unit test."""

    def test_decode(self) -> None:
        done = subprocess.run([machine.OUT / "decode"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
