# SPDX-License-Identifier: GPL-2.0-only
"""The packages on a Debian 13 system with two Realtek NICs, one of which carries the traffic.

    sender VM -- rtl8169d == Debian 13 [ lan0: RTL8169, spare0: RTL8168 ]

The tests are steps of one story, in the order of their names: install, choose, reboot, a module that does not load, one
that the kernel refuses, upgrade the kernel, remove, purge. In each the NIC works.
"""

from __future__ import annotations

import json
import re
import shutil
import unittest
from contextlib import ExitStack
from pathlib import Path

from lab.agent import CommandFailed
from lab.paths import BUILD, ROOT
from packaging import deb
from tests.package import debian

FILE = 4 << 20
DASHBOARD = ROOT / "docs/dashboards/xenlro.json"
SHOWN_BY_STATUS = {"device", "bus", "interface", "driver", "chosen", "lro_ratio", "parameters"}


class Story(unittest.TestCase):
    """A life of the packages on one system."""

    running = ExitStack()
    lab: debian.DebianLab | None = None

    @classmethod
    def setUpClass(cls):
        cls.packages = deb.make()
        cls.system = debian.System(BUILD / "check" / "package")
        cls.addClassCleanup(shutil.rmtree, cls.system.folder / "mounted", ignore_errors=True)
        cls.addClassCleanup(cls.running.close)

    def boot(self, arguments: str = "") -> debian.DebianLab:
        """Boot the system with more kernel arguments; the tests after this one find it running as `lab`."""
        Story.lab = self.running.enter_context(debian.DebianLab(self.system, arguments))
        return Story.lab

    def halt(self) -> None:
        """Shut the system down."""
        lab, Story.lab = self.lab, None
        try:
            if lab:
                lab.shut_down()
        finally:
            self.running.close()

    def works(self, lab: debian.DebianLab, driver: str) -> dict:
        """Assert that the driver serves lan0 and that traffic flows; return what status says, if it is installed."""
        found = lab.nic_host.run("readlink /sys/class/net/lan0/device/driver").strip()
        self.assertEqual(Path(found).name, driver)
        lab.wait_for_ping()
        lab.send_file(FILE)
        if not lab.nic_host.run("command -v xenlro || true").strip():
            return {}
        return json.loads(lab.nic_host.run("xenlro status --json", timeout=120))

    def refused(self, command: str, code: int) -> str:
        """What a command says that has to fail with that exit code."""
        with self.assertRaises(CommandFailed) as failed:
            self.lab.nic_host.run(command, timeout=120)
        self.assertEqual(failed.exception.status, code, failed.exception.output)
        return failed.exception.output

    def test_1_installing_changes_no_driver(self):
        said = self.system.install(*self.packages)
        self.assertEqual(debian.complaints(said), [])
        self.assertIn(f"{debian.release(debian.OLD)}, x86_64: installed", self.system.run("dkms", "status"))
        status = self.works(self.boot(), "r8169")
        self.assertEqual(set(status["devices"][0]), SHOWN_BY_STATUS)
        self.assertEqual([entry["driver"] for entry in status["devices"]], ["r8169", "r8169"])
        self.assertTrue(all(entry["signer"] and not entry["loaded"] for entry in status["modules"].values()))

    def test_2_choice_holds_at_once(self):
        host = self.lab.nic_host
        self.assertIn("eth7", self.refused("xenlro use eth7 lro", 2))
        self.assertIn("is served by r8169_lro", host.run("xenlro use lan0 lro", timeout=120))
        self.works(self.lab, "r8169_lro")
        self.assertIn("is served by r8169,", host.run("xenlro use lan0 stock", timeout=120))
        self.works(self.lab, "r8169")
        host.run("xenlro use lan0 lro", timeout=120)
        self.halt()

    def test_3_choice_holds_over_a_reboot(self):
        host = self.boot().nic_host
        status = self.works(self.lab, "r8169_lro")
        self.assertEqual(debian.device_of(status, "lan0")["chosen"], "lro")
        # The other NIC of the same make was not chosen.
        self.assertEqual(debian.device_of(status, "spare0")["driver"], "r8169")
        self.assertGreater(debian.device_of(status, "lan0")["lro_ratio"], 1)
        lines = host.run("xenlro watch --interval 0.2 --count 2 --json", timeout=60).splitlines()
        self.assertEqual([json.loads(line)["interface"] for line in lines], ["lan0", "lan0"])
        self.assertIn("lan0", host.run("xenlro status", timeout=120))
        self.exported(self.lab)
        self.assertTrue(host.run("man -w xenlro 2>/dev/null || ls /usr/share/man/man8/xenlro.8.gz"))

    def test_4_module_that_cannot_load_leaves_the_stock_driver(self):
        host = self.lab.nic_host
        host.run("xenlro use lan0 stock && rmmod r8169_lro && "
                 "echo 'options r8169_lro lro=banana' >/etc/modprobe.d/typo.conf", timeout=120)
        self.assertIn("r8169_lro cannot be loaded", self.refused("xenlro use lan0 lro", 1))
        self.works(self.lab, "r8169")
        host.run("rm /etc/modprobe.d/typo.conf && xenlro use lan0 lro", timeout=120)
        self.halt()

    def test_5_kernel_that_refuses_the_module_boots_with_the_stock_driver(self):
        # DKMS has signed the modules with its own key, which is not enrolled.
        host = self.boot("module.sig_enforce=1").nic_host
        status = self.works(self.lab, "r8169")
        self.assertIn("module signatures required", status["secure_boot"])
        self.assertEqual(debian.device_of(status, "lan0")["chosen"], "lro")
        self.assertTrue(all(entry["signer"] and not entry["loaded"] for entry in status["modules"].values()))
        self.assertIn("although lro is chosen", host.run("xenlro status", timeout=120))
        self.assertIn("mokutil --import /var/lib/dkms/mok.pub", self.refused("xenlro use lan0 lro", 1))
        self.works(self.lab, "r8169")
        self.halt()

    def test_6_newer_kernel_keeps_the_choice(self):
        said = self.system.install("-t", "trixie-backports", f"linux-image-{debian.release(debian.NEW)}",
                                   f"linux-headers-{debian.release(debian.NEW)}")
        self.assertEqual(debian.complaints(said), [])
        host = self.boot().nic_host
        self.assertEqual(host.run("uname -r").strip(), debian.release(debian.NEW))
        self.works(self.lab, "r8169_lro")
        self.halt()

    def test_7_removal_and_purge_give_the_stock_driver(self):
        self.system.run("apt-get", "remove", "-y", "xenlro", "xenlro-dkms")
        host = self.boot().nic_host
        self.works(self.lab, "r8169")
        host.run("test -d /etc/xenlro/devices")
        host.run("apt-get purge -y xenlro xenlro-dkms", timeout=300)
        self.works(self.lab, "r8169")
        self.halt()
        left = self.system.run("find", "/etc", "/usr", "/lib/modules", "/var/lib/dkms", "-name", "*xenlro*", "-o",
                               "-name", "*_lro.ko*", "-o", "-name", "lro_core*")
        self.assertEqual(left.strip(), "")

    def exported(self, lab: debian.DebianLab) -> None:
        """Assert that node_exporter shows what each query of the dashboard asks for."""
        lab.nic_host.run("setsid prometheus-node-exporter --collector.disable-defaults --collector.ethtool "
                         "--collector.ethtool.metrics-include='^rx[0-9]+_lro_' "
                         "--web.listen-address=127.0.0.1:9100 >/dev/null 2>&1 &")
        read = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9100/metrics').read().decode())"
        metrics = lab.nic_host.run(f'until python3 -c "{read}" 2>/dev/null; do sleep 0.5; done', timeout=60)
        names = set(re.findall(r'^(node_ethtool_\w+)\{device="lan0"\}', metrics, re.M))
        for selector in re.findall(r'__name__=~"([^"]+)"', DASHBOARD.read_text().replace('\\"', '"')):
            self.assertTrue(any(re.fullmatch(selector, name) for name in names), f"no metric is {selector}")
