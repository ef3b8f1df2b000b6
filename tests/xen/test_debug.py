# SPDX-License-Identifier: GPL-2.0-only
"""netfront_lro on a guest's kernel that reports wrong use of locks, of lists, and of memory that was freed.

    sender VM -- rtl8169d == Xen [ dom0: Debian's kernel, r8169_lro, br0, netback | guest: lab/debug, netfront_lro ]

All that `test_backend` does to the driver is done here, and its modes change. Any report on the guest's console fails the
test during which it came up.
"""

from __future__ import annotations

import unittest

from lab import console, kernels, topology
from tests import engine

from . import test_backend

SWITCHES = 100
# Pages are poisoned when they are freed; and reading a register that there is none of in a guest is not reported.
ARGUMENTS = "page_poison=1 xen_msr_safe=1"
DEBUGFS = "/sys/kernel/debug"
# The kernel's own driver reads xenstore, which may sleep, within the condition of wait_event(), and the graft leaves it
# so: when a device goes, in xennet_bus_close(), which is inlined, and when XDP comes or goes. With xen-netfront both
# warnings came on this kernel, too. Whether the first one comes depends on how soon the back end answers.
STOCK_MISTAKES = tuple(
    console.Excuse("do not call blocking ops when !TASK_RUNNING", ("xenbus_read_driver_state", function))
    for function in ("xennet_remove", "xennet_xdp"))


class Lab(topology.XenLab):
    """The guest has a kernel of its own."""

    guest_series, guest_arguments, guest_excuses = kernels.PV_DEBUG, ARGUMENTS, STOCK_MISTAKES


class Checked(test_backend.Front, unittest.TestCase):
    """Most checkers report their first finding only: at the end they have to be at work still."""

    lab_type = Lab
    # Everything takes several times as long.
    rate = 10

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.guest.run(f"mount -t debugfs none {DEBUGFS}")

    def tearDown(self):
        super().tearDown()
        # The next warning that is like an excused one has to be seen as well.
        self.lab.guest.run(f"echo 1 >{DEBUGFS}/clear_warn_once")

    def test_0_each_mode(self):
        guest = self.lab.guest
        # The guest's engine has something to merge where the driver domain's does not.
        self.merging(False)
        for mode in (0, 2, 1):
            with self.subTest(lro=mode):
                self.lab.set_module_parameter(guest, self.driver, "lro", mode)
                before = engine.counters(guest)
                self.flowing()
                merged = engine.counters(guest)["rx0_lro_merged"] - before["rx0_lro_merged"]
                self.assertEqual(merged > 0, mode > 0)

    def test_0_mode_is_switched(self):
        for on in (False, True):
            with self.subTest(driver_domain_merges=on):
                self.merging(on)
                engine.switch(self.lab.guest, self.driver, SWITCHES)
                self.flowing()

    def test_y_checkers_are_at_work(self):
        guest = self.lab.guest
        # Redzones and poison of all that is in use or was freed.
        guest.run("for cache in /sys/kernel/slab/*; do echo 1 >$cache/validate; done")
        self.assertRegex(guest.run("cat /proc/lockdep_stats"), r"debug_locks: +1")
        self.assertRegex(guest.run(f"cat {DEBUGFS}/kfence/stats"), r"enabled: 1\n")
        slab = "/sys/kernel/slab/kmalloc-1k"
        self.assertEqual(guest.run(f"cat {slab}/poison {slab}/red_zone").split(), ["1", "1"])
        self.assertIn("page_poison=1", guest.run("cat /proc/cmdline"))


if __name__ == "__main__":
    unittest.main()
