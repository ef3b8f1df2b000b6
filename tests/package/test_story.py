# SPDX-License-Identifier: GPL-2.0-only
"""The packages on a Debian 13 system with two Realtek NICs, one of which carries the traffic.

    sender VM -- rtl8169d == Debian 13 [ lan0: RTL8169, spare0: RTL8168 ]

The tests are steps of one story, in the order of their names: install, choose, reboot, a module that does not load, a
newer kernel without headers and with them, newer packages, remove, purge. In each the NIC works.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from lab.paths import BUILD, ROOT
from packaging import deb, dist
from tests.package import debian, story

DASHBOARD = ROOT / "docs/dashboards/xenlro.json"
# The steps of DKMS when a kernel is installed, here with one of another series.
OTHER_SERIES = """
headers=$(echo /lib/modules/*/build)
mkdir /lib/modules/6.13.0-other
ln -s "$headers" /lib/modules/6.13.0-other
dkms autoinstall -k 6.13.0-other
rm -r /lib/modules/6.13.0-other
"""
NEWER = "0.9.9"    # a next version of the packages
SHOWN_BY_STATUS = {"device", "bus", "interface", "driver", "ours", "chosen", "override", "lro_ratio", "counters", "parameters"}


class Story(story.OnSystem):
    """A life of the packages on one system."""

    make_system, make_lab = debian.System, debian.DebianLab
    folder = BUILD / "check" / "package"

    def test_1_installing_changes_no_driver(self):
        said = self.system.install(*self.packages)
        self.assertEqual(debian.complaints(said), [])
        self.assertIn(f"{debian.release(debian.OLD)}, x86_64: installed", self.system.run("dkms", "status"))
        said = self.system.run("sh", "-euc", OTHER_SERIES)
        self.assertIn("skipped for module(s) xenlro", said)
        self.assertEqual(debian.complaints(said), [])
        status = self.works(self.boot(), "r8169")
        self.assertEqual(set(status["devices"][0]), SHOWN_BY_STATUS)
        self.assertEqual([entry["driver"] for entry in status["devices"]], ["r8169", "r8169"])
        self.assertTrue(all(entry["signer"] and not entry["loaded"] for entry in status["modules"].values()))
        self.assertEqual({entry["version"] for entry in status["modules"].values()}, {dist.version()})

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

    def test_5_kernel_without_headers_boots_with_the_stock_driver(self):
        self.system.install("-t", "trixie-backports", f"linux-image-{debian.release(debian.NEW)}")
        host = self.boot().nic_host
        status = self.works(self.lab, "r8169")
        self.assertEqual(status["kernel"], debian.release(debian.NEW))
        self.assertEqual(debian.device_of(status, "lan0")["chosen"], "lro")
        told = (f"r8169_lro is not built for Linux {debian.release(debian.NEW)}: install the headers of this kernel "
                f"(linux-headers-{debian.release(debian.NEW)}) and run `dkms autoinstall`")
        self.assertIn(f"is served by r8169 although lro is chosen: {told}", host.run("xenlro status", timeout=120))
        self.assertIn(told, self.refused("xenlro use lan0 lro", 1))
        self.works(self.lab, "r8169")
        self.halt()

    def test_6_newer_kernel_with_headers_and_newer_package_keep_the_choice(self):
        said = self.system.install("-t", "trixie-backports", f"linux-headers-{debian.release(debian.NEW)}")
        self.assertEqual(debian.complaints(said), [])
        self.assertEqual(self.built(), {dist.version()})
        said = self.system.install(*self.newer())
        self.assertEqual(debian.complaints(said), [])
        self.assertEqual(self.built(), {NEWER})
        status = self.works(self.boot(), "r8169_lro")
        self.assertEqual(status["kernel"], debian.release(debian.NEW))
        self.assertEqual(debian.device_of(status, "lan0")["chosen"], "lro")
        self.assertEqual({entry["version"] for entry in status["modules"].values()}, {NEWER})
        self.halt()

    def built(self) -> set[str]:
        """The versions of the modules that DKMS has installed, for both kernels."""
        found = re.findall(r"^xenlro/(\S+), (\S+), x86_64: installed", self.system.run("dkms", "status"), re.M)
        self.assertEqual({kernel for _, kernel in found}, {debian.release(debian.OLD), debian.release(debian.NEW)})
        return {version for version, _ in found}

    def newer(self) -> list[Path]:
        """The packages of a next release, whose sources are the same."""
        tree = self.system.folder / "newer" / "source"
        shutil.copytree(self.folder / "source", tree)
        for name in ("dkms.conf", "debian/changelog"):
            file = tree / name
            file.write_text(file.read_text().replace(dist.version(), NEWER, 1))
        return deb.build(tree)

    def test_7_removal_and_purge_give_the_stock_driver(self):
        self.system.run("apt-get", "remove", "-y", "xenlro", "xenlro-dkms")
        host = self.boot().nic_host
        self.works(self.lab, "r8169")
        host.run("test -d /etc/xenlro/devices")
        host.run("apt-get purge -y xenlro xenlro-dkms", timeout=300)
        self.works(self.lab, "r8169")
        self.halt()
        left = self.system.run("sh", "-c", debian.LEFT_OVER)
        self.assertEqual(left.strip(), "")

    def exported(self, lab: debian.DebianLab) -> None:
        """Assert that node_exporter has metrics for each query of the dashboard."""
        lab.nic_host.run("setsid prometheus-node-exporter --collector.disable-defaults --collector.ethtool "
                         "--collector.ethtool.metrics-include='^rx[0-9]+_lro_' "
                         "--web.listen-address=127.0.0.1:9100 >/dev/null 2>&1 &")
        read = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9100/metrics').read().decode())"
        metrics = lab.nic_host.run(f'until python3 -c "{read}" 2>/dev/null; do sleep 0.5; done', timeout=60)
        names = set(re.findall(r'^(node_ethtool_\w+)\{device="lan0"\}', metrics, re.M))
        for selector in re.findall(r'__name__=~"([^"]+)"', DASHBOARD.read_text().replace('\\"', '"')):
            self.assertTrue(any(re.fullmatch(selector, name) for name in names), f"no metric is {selector}")
