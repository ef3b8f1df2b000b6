# SPDX-License-Identifier: GPL-2.0-only
"""A guest's back end goes, comes back, changes or lies while traffic flows of which each byte is checked.

    sender VM -- rtl8169d == Xen [ dom0: r8169_lro, br0, netback | guest: netfront_lro ]

Connections outlive all of it: each has to go on afterwards, with nothing lost, doubled or changed. `make check-backend`
runs the same with the kernel's own xen-netfront, which shows what can be asked for, and what takes longer.
"""

from __future__ import annotations

import time
import unittest

from lab import configs
from tests.soak import memory

from . import deaths, silence
from .bed import Bed, program
from .lies import Distrust, Peers

EXCHANGES = 3


class Backend(Bed):
    """What both front ends have to do, in the order of the names; each class below is one of them."""

    def merging(self, on: bool) -> None:
        """Switch merging by the driver domain's NIC."""
        if self.lab.nic_driver == configs.OUR_NIC:
            self.lab.set_module_parameter(self.lab.dom0, configs.OUR_NIC, "lro", int(on))
        else:
            self.lab.set_nic_gro(on)

    def test_1_vif_is_unplugged_and_plugged(self):
        self.expect_replacement()
        self.exchange()
        self.flowing()

    def test_1_netback_is_loaded_anew(self):
        self.reload()
        self.flowing()

    def test_1_mtu_changes(self):
        for mtu in (1280, 9000, 1500):
            self.lab.guest.run(f"ip link set eth0 mtu {mtu}")
            self.flowing()

    def test_2_xdp_comes_and_goes(self):
        guest = self.lab.guest
        guest.put(program("xdp"), "/tmp/xdp", 0o755)
        # netfront's XDP takes no packet of more than one page.
        self.merging(False)
        guest.run("for try in $(seq 4); do /tmp/xdp pass eth0 0.05; done")
        guest.run("setsid /tmp/xdp pass eth0 1000 >/tmp/xdp.said 2>&1 & "
                  "until grep -q attached /tmp/xdp.said; do usleep 50000; done")
        self.flowing()
        guest.run("killall xdp; sleep 1; setsid /tmp/xdp drop eth0 4 >/dev/null 2>&1 &")
        time.sleep(2.5)
        before = self.flows[1].bytes()
        time.sleep(1)
        self.assertEqual(self.flows[1].bytes(), before, "the program that drops is not in the way")
        self.flowing()
        self.merging(True)
        self.flowing()

    def test_3_two_queues(self):
        self.use_queues(2, 2)
        self.spread()

    def test_4_netback_of_two_queues_is_loaded_anew(self):
        self.reload("max_queues=2")
        self.spread()


class Restarts(Bed):
    """The part of it that every kernel's driver does in its own way."""

    test_1_vif_is_unplugged_and_plugged = Backend.test_1_vif_is_unplugged_and_plugged
    test_1_netback_is_loaded_anew = Backend.test_1_netback_is_loaded_anew


class NoPages(Bed):
    """Nothing is left of an interface that is gone."""

    def test_1_vifs_that_are_gone_leave_no_pages(self):
        """The kernel's own driver loses the pages of the ring, each time more than 1 MiB."""
        def pages() -> int:
            self.lab.guest.run("sh /tmp/look", timeout=60)
            return memory.parse(self.lab.guest.get("/tmp/looked").decode()).pages

        self.lab.guest.put(memory.looking("/tmp/looked").encode(), "/tmp/look")
        before = pages()
        for _ in range(EXCHANGES):
            self.expect_replacement()
            self.exchange()
            self.lab.guest.wait(60)
        self.flowing()
        # Half of that for what waits in sockets at the moment.
        self.assertLess(pages() - before, EXCHANGES * 512)


class Front(Backend, NoPages, Distrust, Peers):
    """All of it."""

    driver, config = configs.OUR_GUEST, "guest12"


class Netfront(Front, silence.Silence, deaths.Deaths, unittest.TestCase):
    pass


class Newest(Restarts, NoPages, Distrust, Peers, silence.Silence, deaths.Deaths, unittest.TestCase):
    """Where the kernels' drivers differ: the newest kernel, and the oldest."""

    driver, config, series = configs.OUR_GUEST, "guest12", "7.3"


class Oldest(Restarts, NoPages, Distrust, Peers, silence.Silence, unittest.TestCase):
    driver, config, series = configs.OUR_GUEST, "guest12", "6.1"


if __name__ == "__main__":
    unittest.main()
