# SPDX-License-Identifier: GPL-2.0-only
"""r8169_lro on a kernel that reports each wrong access to memory, each wrong use of a lock and of a DMA mapping."""

from __future__ import annotations

import unittest

from lab import kernels

from . import test_boot


class Checked(test_boot.OnTheNic, unittest.TestCase):
    """The checkers report their first finding only, which fails the test: at the end they have to be at work still."""

    series, chip = kernels.KASAN, "8169"
    # Everything takes several times as long.
    size = 2 << 20
    switches = 20

    def test_z_checkers_are_at_work(self):
        host = self.lab.nic_host
        self.assertIn("KernelAddressSanitizer initialized", host.run("dmesg"))
        self.assertRegex(host.run("cat /proc/lockdep_stats"), r"debug_locks: +1")


if __name__ == "__main__":
    unittest.main()
