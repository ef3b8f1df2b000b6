# SPDX-License-Identifier: GPL-2.0-only
"""The packages on a Debian 13 system with Secure Boot, before and after DKMS's key is enrolled.

The tests are steps of one story, in the order of their names. In each the NIC works.
"""

from __future__ import annotations

from lab.paths import BUILD
from tests.package import debian, secure_boot, story

PASSWORD = "enrol"
CHOOSE = ("mkdir -p /etc/xenlro/devices && "
          "touch /etc/xenlro/devices/$(basename $(readlink -f /sys/class/net/lan0/device))")
# The command that docs/install.md and `xenlro use` name.
ENROL = "mokutil --import /var/lib/dkms/mok.pub"


class Story(story.OnSystem):
    """A key before and after it is enrolled."""

    make_system, make_lab = secure_boot.System, secure_boot.SecureLab
    folder = BUILD / "check" / "package-secure-boot"

    def test_1_unknown_key_is_refused_and_the_stock_driver_serves(self):
        self.assertEqual(debian.complaints(self.system.install(*self.packages)), [])
        self.boot()
        status = self.works(self.lab, "r8169")
        self.assertEqual(status["secure_boot"], "enabled, lockdown integrity, module signatures required")
        self.assertEqual({entry["enrolled"] for entry in status["modules"].values()}, {False})
        said = self.refused("xenlro use lan0 lro", 1)
        self.assertIn("r8169_lro cannot be loaded", said)
        self.assertIn(ENROL, said)
        self.works(self.lab, "r8169")

    def test_2_status_says_why_a_choice_is_not_in_force(self):
        host = self.lab.nic_host
        host.run(CHOOSE)
        said = host.run("xenlro status", timeout=120)
        self.assertRegex(said, rf"is served by r8169 although lro is chosen: r8169_lro cannot be loaded: .*`{ENROL}`")

    def test_3_enrolled_key_is_known_and_our_driver_serves(self):
        self.lab.nic_host.run(f"printf '{PASSWORD}\\n{PASSWORD}\\n' | {ENROL}", timeout=120)
        self.halt()
        secure_boot.confirm(self.system, PASSWORD)
        self.boot()
        status = self.works(self.lab, "r8169_lro")
        self.assertEqual(status["secure_boot"], "enabled, lockdown integrity, module signatures required")
        self.assertEqual({entry["enrolled"] for entry in status["modules"].values()}, {True})
        self.assertGreater(debian.device_of(status, "lan0")["lro_ratio"], 1)
        self.halt()
