# SPDX-License-Identifier: GPL-2.0-only
"""`xenlro report`: the contents of the file, which must not name the host; and the table made of such files."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from tests.tools.test_status import Said  # noqa: E402  (needs that path)
from tests.tools.test_xenlro import CARD  # noqa: E402
from xenlro import report  # noqa: E402

HOST = "filer7.example.org"
SECRETS = (HOST, "filer7", "192.0.2.17", "2001:db8::17", "fe80::1ff:fe23:4567:890a", "00:16:3e:5e:6c:01",
           "0123456789abcdef0123456789abcdef", "wan-office", CARD)
LOG = f"""\
[    1.0] r8169_lro {CARD} eth0: RTL8168h/8111h, 00:16:3e:5e:6c:01, XID 541, IRQ 127
[    2.0] r8169_lro {CARD} wan-office: renamed from eth0
[    3.0] lro_core: peer 192.0.2.17 and 2001:db8::17 at filer7, fe80::1ff:fe23:4567:890a, 12:30:45
[    4.0] usb 1-1: a stick
"""


class Reported(Said):
    """A machine with many names and addresses in its files."""

    def setUp(self):
        super().setUp()
        card = self.machine.sys / "bus/pci/devices" / CARD
        (card / "interface").write_text("wan-office")
        (card / "net/eth0").rename(card / "net/wan-office")
        self.write("etc/hostname", HOST + "\n")
        self.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        self.write("etc/os-release", 'NAME="Debian"\nID=debian\nVERSION_ID="13"\n')
        self.write("proc/stat", "cpu 100 0 50 800 0 0 0 0 0 0\n")
        self.write("proc/cpuinfo", "model name\t: Some CPU 3000\nmodel name\t: Some CPU 3000\n")
        self.write("sys/hypervisor/type", "xen\n")
        for part, value in (("major", "4"), ("minor", "20"), ("extra", ".4\n")):
            self.write(f"sys/hypervisor/version/{part}", value)
        self.write("proc/xen/capabilities", "control_d\n")
        for name, value in (("vendor", "0x10ec"), ("device", "0x8168")):
            (card / name).write_text(value + "\n")
        self.machine.log = LOG
        # Names and addresses of the machine in all places.
        self.machine.signer = f"{HOST} Secure Boot Module Signature key"
        self.xenlro("use", CARD, "lro")
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = self.folder / "report.json"

    def asked(self, *arguments: str, answers: str = "", code: int = 0) -> str:
        with mock.patch.object(sys, "stdin", io.StringIO(answers)):
            return self.xenlro("report", *arguments, code=code)


class Report(Reported):
    def test_it_tells_of_the_device_and_of_no_host(self):
        self.write("sys/class/net/wan-office/mtu", "1500\n")
        said = self.asked(str(self.file), "--yes")
        text = self.file.read_text()
        self.assertIn(text, said)
        for secret in SECRETS:
            with self.subTest(secret=secret):
                self.assertNotIn(secret, text)
        found = json.loads(text)
        first = found["devices"][0]
        self.assertEqual((first["chip"], first["ids"], first["driver"], first["lro_ratio"], first["link"]["mtu"]),
                         ("RTL8168h/8111h, XID 541", {"vendor": "0x10ec", "device": "0x8168"}, "r8169_lro", 20.0, "1500"))
        self.assertEqual(found["xen"], {"version": "4.20.4", "guest_type": "", "control_domain": True})
        self.assertEqual(found["distribution"], "debian 13")
        self.assertEqual(found["cpu"], {"model": "Some CPU 3000", "processors": 2})
        # Of the log only the messages of these modules; the time of day is no address.
        self.assertEqual(len(found["log"]), 3)
        self.assertIn("12:30:45", found["log"][2])
        self.assertEqual(found["measured"], None)

    def test_nothing_is_written_before_the_user_has_seen_and_agreed(self):
        said = self.asked(str(self.file), answers="n\nn\n", code=1)
        self.assertIn('"devices"', said)
        self.assertIn("nothing was written", said)
        self.assertFalse(self.file.exists())
        self.asked(str(self.file), code=1)
        self.assertFalse(self.file.exists())
        self.asked(str(self.file), answers="n\ny\n")
        self.assertTrue(self.file.exists())
        self.assertIn('"schema"', self.asked("-"))
        self.assertIn("name another file", self.asked(str(self.folder / "no/such"), "--yes", code=3))

    def test_measured_transfer(self):
        statistics = self.machine.sys / "class/net/wan-office/statistics/rx_bytes"
        statistics.parent.mkdir(parents=True)
        statistics.write_text("1000\n")
        self.machine.growing = True

        def transfer(_seconds: float) -> None:
            statistics.write_text("1001000\n")
            self.write("proc/stat", "cpu 150 0 75 825 0 0 0 0 0 0\n")

        with mock.patch.object(report.time, "sleep", transfer):
            self.asked(str(self.file), answers="y\ny\n")
        measured = json.loads(self.file.read_text())["measured"]
        self.assertEqual(measured["busy"], 0.75)
        self.assertEqual(measured["interfaces"][0]["lro_ratio"], 20.0)
        self.assertGreater(measured["interfaces"][0]["mbit_per_second"], 0)
        self.xenlro("use", CARD, "stock")
        self.assertIn("nothing can be measured", self.asked(str(self.file), "--measure", code=1))


class Table(Reported):
    """The output of tools/hardware.py for a folder of reports."""

    def table(self, folder: Path, page: Path, code: int = 0) -> str:
        done = subprocess.run([sys.executable, str(TOP / "tools/hardware.py"), str(folder), "--page", str(page)],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def test_folder_of_reports_becomes_rows(self):
        self.machine.base = "6.12.107"
        self.asked(str(self.folder / "a.json"), "--yes")
        page = self.folder / "hardware.md"
        page.write_text((TOP / "docs/hardware.md").read_text())
        before = page.read_text()
        for _ in range(2):
            self.assertIn("1 rows from 1 reports", self.table(self.folder, page))
            added = [line for line in page.read_text().splitlines() if line not in before.splitlines()]
            self.assertEqual(added, ["| RTL8168h/8111h, XID 541 10ec:8168 | r8169_lro | 6.12.0-test | 6.12.107 | Xen 4.20.4, dom0 "
                                     "| 20.0 | - | - |"])
        (self.folder / "b.json").write_text('{"schema": 1}')
        self.assertIn("b.json is no report", self.table(self.folder, page, code=1))
        self.assertIn("name a folder", self.table(self.folder / "none", page, code=2))
        page.write_text("# A page\n")
        self.assertIn("no place for the table", self.table(self.folder, page, code=1))
