# SPDX-License-Identifier: GPL-2.0-only
"""DKMS with the packages on a Debian 13 system, for kernels that differ: none of these boots.

The tests are steps of one story, in the order of their names.
"""

from __future__ import annotations

import shutil
import unittest

from graft import tree
from lab import apt, kernels
from lab.paths import BUILD
from packaging import dist
from tests.kernels import further
from tests.package import debian, story

# DKMS gets a kernel of which only the headers exist.
AS_KERNEL = 'mkdir /lib/modules/$1 && ln -s "$(readlink -f /lib/modules/$2/build)" /lib/modules/$1/build'
BUILT = "[ ! -d /lib/modules/$1 ] || find /lib/modules/$1 -name '*.ko*' -printf '%f\\n'"
# A source of another series whose driver the rules do not match, and a stand-in for spatch that matches nothing.
STRANGE = """
mkdir -p /usr/src/linux-source-6.13/drivers/net/ethernet/realtek
printf 'VERSION = 6\\nPATCHLEVEL = 13\\nSUBLEVEL = 1\\n' >/usr/src/linux-source-6.13/Makefile
cd /usr/src/linux-source-6.13/drivers/net
touch xen-netfront.c
cd ethernet/realtek
touch r8169_main.c r8169_firmware.c r8169_phy_config.c r8169.h r8169_firmware.h
printf '#!/bin/sh\\n' >/usr/local/bin/spatch
chmod +x /usr/local/bin/spatch
"""


class Story(unittest.TestCase):
    """DKMS with kernels of several kinds."""

    folder = BUILD / "check" / "package-dkms"

    @classmethod
    def setUpClass(cls):
        cls.system = story.installed(cls.folder)
        cls.addClassCleanup(shutil.rmtree, cls.system.folder / "mounted", ignore_errors=True)

    def shell(self, script: str, *arguments: str) -> str:
        return self.system.run("sh", "-euc", script, "sh", *arguments)

    def built(self, kernel: str) -> set[str]:
        """The modules that DKMS has built for a kernel."""
        return {name.partition(".")[0] for name in self.shell(BUILT, f"{kernel}/updates").split()}

    def test_1_kernel_with_all(self):
        self.assertIn(f"{debian.release(debian.OLD)}, x86_64: installed", self.system.run("dkms", "status"))
        self.assertEqual(self.built(debian.release(debian.OLD)), set(tree.modules()))

    def test_2_cloud_kernel_gets_what_it_can_have(self):
        release = debian.release(debian.OLD).replace("-amd64", "-cloud-amd64")
        version = kernels.kernel(debian.OLD).version
        headers = apt.snapshot().download([apt.Package(f"linux-headers-{release}", version)], self.folder / "debs", debian.LOG)
        said = self.system.install(*headers)
        self.assertEqual(debian.complaints(said), [])
        self.assertIn(f"{release}, x86_64: installed", self.system.run("dkms", "status"))
        self.assertEqual(self.built(release), set(tree.modules()) - further.CLOUD_LACKS)
        log = f"/var/lib/dkms/xenlro/{dist.version()}/{release}/x86_64/log/make.log"
        self.assertIn("r8169_lro is not built: ", self.system.run("cat", log))

    def test_3_kernels_of_other_series_are_skipped(self):
        for kernel in ("6.13.0-other", "5.15.0-other"):
            self.shell(AS_KERNEL, kernel, debian.release(debian.OLD))
            said = self.system.run("dkms", "autoinstall", "-k", kernel)
            self.assertIn("skipped for module(s) xenlro", said)
            self.assertEqual(debian.complaints(said), [])

    def test_4_driver_that_the_rules_do_not_match_is_skipped(self):
        self.shell(STRANGE)
        said = self.system.run("dkms", "autoinstall", "-k", "6.13.0-other")
        self.assertIn("skipped for module(s) xenlro", said)
        self.assertEqual(debian.complaints(said), [])
        self.assertEqual(self.built("6.13.0-other"), set())

    def test_5_removal_takes_all_of_it(self):
        said = self.system.run("apt-get", "purge", "-y", "xenlro", "xenlro-dkms")
        self.assertEqual(debian.complaints(said), [])
        self.assertEqual(self.system.run("sh", "-c", debian.LEFT_OVER).strip(), "")
        self.assertNotIn(dist.version(), self.system.run("dkms", "status"))
