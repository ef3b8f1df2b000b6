# SPDX-License-Identifier: GPL-2.0-only
"""r8169_lro and br_linearize on a kernel that reports wrong use of memory, of locks and of DMA mappings."""

from __future__ import annotations

import unittest

from lab import configs, kernels

from . import test_boot, test_br_linearize


class Checked:
    """The checkers report their first finding only, which fails the test: at the end they have to be active."""

    def test_z_checkers_are_at_work(self):
        host = self.lab.nic_host
        self.assertIn("KernelAddressSanitizer initialized", host.run("dmesg"))
        self.assertRegex(host.run("cat /proc/lockdep_stats"), r"debug_locks: +1")


# All steps take several times as long.
class Driver(Checked, test_boot.OnTheNic, unittest.TestCase):
    series, chip = kernels.KASAN, "8169"
    size = 2 << 20
    switches = 20


class Shim(Checked, test_br_linearize.Rewriting, unittest.TestCase):
    series, nic_driver = kernels.KASAN, configs.STOCK_NIC
    size = 1 << 20


if __name__ == "__main__":
    unittest.main()
