# SPDX-License-Identifier: GPL-2.0-only
"""The packages on a Debian 13 system that is a Xen guest, whose vif carries the traffic.

    sender VM -- rtl8169d == Xen [ dom0: r8169, br0, netback | Debian 13: vif-0, later vif-1 ]

The tests are steps of one story, in the order of their names. In each the vif works.
"""

from __future__ import annotations

import json
import shutil
import unittest
from pathlib import Path

from lab.paths import BUILD
from tests.package import debian, guest, story

FILE = 4 << 20
STOCK, OURS = "vif", "netfront_lro"


class Story(unittest.TestCase):
    """A life of the packages in one guest."""

    @classmethod
    def setUpClass(cls):
        cls.system = guest.System(BUILD / "check" / "package-guest")
        cls.packages = story.packages(cls.system.folder)
        cls.addClassCleanup(shutil.rmtree, cls.system.folder / "mounted", ignore_errors=True)

    def works(self, lab: guest.GuestLab, driver: str) -> None:
        """Assert that the driver serves the vif and that traffic flows."""
        found = lab.guest.run(f"readlink {guest.VIF}/driver", timeout=60).strip()
        self.assertEqual(Path(found).name, driver)
        lab.wait_for_ping()
        lab.send_file(FILE)

    def use(self, lab: guest.GuestLab, wanted: str, driver: str) -> None:
        """Choose a driver by a command that comes in over the interface that it changes."""
        name = lab.guest.run(f"ls {guest.VIF}/net", timeout=60).strip()
        said = lab.guest.run(f"xenlro use {name} {wanted}", timeout=240)
        self.assertIn(f"vif-0 ({name}) is served by {driver},", said)
        self.works(lab, driver)

    def status(self, lab: guest.GuestLab) -> dict[str, dict]:
        """The state of each vif in `xenlro status`."""
        report = json.loads(lab.guest.run("xenlro status --json", timeout=300))
        return {entry["device"]: entry for entry in report["devices"]}

    def merges(self, lab: guest.GuestLab) -> None:
        """Assert that ours serves the vif, that packets were merged, and that status knows both and the choice."""
        self.works(lab, OURS)
        entry = self.status(lab)["vif-0"]
        self.assertEqual((entry["bus"], entry["driver"], entry["chosen"]), ("xen", OURS, "lro"))
        self.assertGreater(entry["lro_ratio"], 1)

    def second_vif_goes_to_stock(self, lab: guest.GuestLab) -> None:
        """Assert that a vif that was not chosen goes to the stock driver, although only ours is loaded."""
        lab.guest.run("modprobe -r xen-netfront", timeout=60)
        lab.dom0.run("xl network-attach guest bridge=br0 script=vif-lab", timeout=60)
        lab.guest.run("until [ -e /sys/bus/xen/devices/vif-1/driver ]; do usleep 100000; done; udevadm settle",
                      timeout=240)
        found = self.status(lab)
        self.assertEqual((found["vif-1"]["driver"], found["vif-1"]["chosen"]), (STOCK, "stock"))
        self.assertEqual(found["vif-0"]["driver"], OURS)
        lab.dom0.run("xl network-detach guest 1", timeout=60)

    def test_1_choice_holds_at_once_and_over_a_reboot(self):
        self.assertEqual(debian.complaints(self.system.install(*self.packages)), [])
        with guest.GuestLab(self.system, debian.OLD) as lab:
            self.works(lab, STOCK)
            self.use(lab, "lro", OURS)
            self.merges(lab)
            self.use(lab, "stock", STOCK)
            self.use(lab, "lro", OURS)
            lab.reboot_guest()
            self.merges(lab)
            self.second_vif_goes_to_stock(lab)
            self.works(lab, OURS)
            lab.shut_down()

    def test_2_newer_kernel_keeps_the_choice(self):
        said = self.system.install("-t", "trixie-backports", f"linux-image-{debian.release(debian.NEW)}",
                                   f"linux-headers-{debian.release(debian.NEW)}")
        self.assertEqual(debian.complaints(said), [])
        with guest.GuestLab(self.system, debian.NEW) as lab:
            self.assertEqual(lab.guest.run("uname -r", timeout=60).strip(), debian.release(debian.NEW))
            self.merges(lab)
            lab.shut_down()

    def test_3_removal_and_purge_give_the_stock_driver(self):
        # From outside: depmod for two kernels takes ten minutes in the guest.
        self.system.run("apt-get", "remove", "-y", "xenlro", "xenlro-dkms")
        choice = "/etc/xenlro/devices/vif-0"
        with guest.GuestLab(self.system, debian.NEW) as lab:
            self.works(lab, STOCK)
            lab.guest.run(f"test -e {choice}", timeout=60)
            lab.guest.run(f"apt-get purge -y xenlro xenlro-dkms && test ! -e {choice}", timeout=600)
            self.works(lab, STOCK)
            lab.shut_down()
        left = self.system.run("sh", "-c", debian.LEFT_OVER)
        self.assertEqual(left.strip(), "")
