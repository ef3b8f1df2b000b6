# SPDX-License-Identifier: GPL-2.0-only
"""netback_lro under traffic of which each byte is checked, in a driver domain with two CPUs.

    sender VM -- rtl8169d == Xen [ dom0: r8169_lro, br0, netback_lro | guest: netfront_lro ]

What test_backend.py does to netback in general, and what is this module's own: packets are copied in softirq or by the
thread, and never out of order, whatever the guest, the hypervisor or the administrator does meanwhile.
"""

from __future__ import annotations

import time
import unittest
from pathlib import Path

from lab import configs, experiments, modules, topology

from .bed import Bed, program
from .test_backend import Backend, Restarts

# Seconds, given to the module: until a packet without slots is dropped, and until its guest counts as stalled.
DRAIN, STALL = 1, 3
TIMES = f"max_queues=2 rx_drain_timeout_msecs={DRAIN * 1000} rx_stall_timeout_msecs={STALL * 1000}"


class NetbackLab(topology.XenLab):
    """Thread and softirq can be at work at the same time."""

    dom0_cpus = 2


class Softirq(Bed):
    """The module's own; each class below is one kernel."""

    driver, config, lab_type = configs.OUR_GUEST, "guest12-napi", NetbackLab

    @property
    def vif(self) -> str:
        return f"vif{self.lab.dom0.run('xl domid guest').strip()}.0"

    def counted(self, name: str) -> int:
        """A counter of the guest's interface in the driver domain."""
        return experiments.driver_counters(self.lab.dom0, self.vif)[name]

    def switch(self, napi: int) -> None:
        self.lab.set_module_parameter(self.lab.dom0, configs.OUR_BACK, "napi", napi)

    def test_0_packets_are_copied_in_softirq(self):
        self.assertIn("driver: netback_lro", self.lab.dom0.run(f"ethtool -i {self.vif}"))
        before = self.counted("rx_polled")
        self.flowing()
        self.assertGreater(self.counted("rx_polled") - before, 20)

    def test_0_thread_copies_while_the_parameter_says_so(self):
        self.switch(0)
        self.flowing()
        before = self.counted("rx_polled")
        self.flowing()
        self.assertEqual(self.counted("rx_polled"), before)
        self.switch(1)
        self.flowing()
        self.assertGreater(self.counted("rx_polled"), before)

    def test_0_parameter_changes_under_traffic(self):
        switch = f"/sys/module/{configs.OUR_BACK}/parameters/napi"
        for _ in range(3):
            self.lab.dom0.run(f"for i in $(seq 100); do echo $((i % 2)) >{switch}; usleep 10000; done; echo 1 >{switch}",
                              timeout=60)
            self.flowing()

    def test_1_interface_goes_down_and_up(self):
        for pause in (0, 30000, 400000):
            self.lab.dom0.run(f"for try in $(seq 5); do ip link set {self.vif} down; usleep {pause}; "
                              f"ip link set {self.vif} up; usleep 100000; done")
            self.flowing()

    def test_5_copies_are_made_again(self):
        """The hypervisor asks for it, and the thread does it; the guest sees nothing of that."""
        module = modules.single(self.series, Path("tests/xen/again"), "grant_again") / "grant_again.ko"
        dom0, before = self.lab.dom0, self.counted("rx_postponed")
        dom0.put(module.read_bytes(), "/tmp/again.ko")
        dom0.run("insmod /tmp/again.ko")
        try:
            for every in (3, 1):
                self.lab.set_module_parameter(dom0, "grant_again", "every", every)
                self.flowing()
            self.assertGreater(self.counted("rx_postponed") - before, 100)
            # With copies that wait.
            self.expect_replacement()
            self.exchange()
            self.flowing()
        finally:
            dom0.run("rmmod grant_again")
        self.flowing()

    def flood(self, seconds: float) -> None:
        """More datagrams for the guest than it has slots for."""
        # A port that is closed would tell the sender so, which would stop.
        self.lab.guest.run("pidof iperf >/dev/null || setsid iperf -s -u -p 5009 >/dev/null 2>&1 &")
        self.lab.sender.run(f"setsid iperf -u -c {topology.GUEST_ADDRESS} -p 5009 -b 20M -t {seconds} >/dev/null 2>&1 &")

    def test_6_guest_has_no_slots_for_a_while(self):
        before = self.counted("rx_waits")
        for _ in range(3):
            self.flood(1)
            self.lab.dom0.run("sleep 0.3; xl pause guest; usleep 500000; xl unpause guest")
            self.flowing()
        self.assertGreater(self.counted("rx_waits"), before)

    def test_7_guest_gives_no_slots(self):
        """Its packets are dropped in time, its carrier goes, and both come back."""
        self.reload(TIMES)
        self.flowing()
        dom0, vif = self.lab.dom0, self.vif
        carrier = f"cat /sys/class/net/{vif}/carrier"
        dropped = f"cat /sys/class/net/{vif}/statistics/rx_dropped"
        self.flood(STALL + 4)
        dom0.run("sleep 0.3; xl pause guest")
        try:
            dom0.run(f"until [ $({carrier}) = 0 ]; do usleep 100000; done", timeout=STALL + 20)
            self.assertGreater(int(dom0.run(dropped)), 10)
        finally:
            dom0.run("xl unpause guest")
        dom0.run(f"until [ $({carrier}) = 1 ]; do usleep 100000; done", timeout=20)
        self.flowing()

    def test_8_front_end_writes_to_the_ring_at_any_moment(self):
        dom0 = self.lab.dom0
        dom0.put(program("scribble"), "/tmp/scribble", 0o755)
        number = dom0.run("xl domid guest").strip()
        self.expect_replacement()
        ring = dom0.run(f"xenstore-read /local/domain/{number}/device/vif/0/queue-0/rx-ring-ref || "
                        f"xenstore-read /local/domain/{number}/device/vif/0/rx-ring-ref").split()[-1]
        dom0.run(f"/tmp/scribble {number} {ring} 4000", timeout=60)
        # The guest may have given up its back end, and gets another one.
        self.exchange()
        self.lab.guest.wait(60)
        self.flowing()

    def test_8_front_end_wants_a_page_of_room(self):
        """Room for XDP in each slot: as much as a guest wants would leave a slot no byte for the packet."""
        dom0 = self.lab.dom0
        node = f"/local/domain/{dom0.run('xl domid guest').strip()}/device/vif/0"
        self.expect_replacement()
        self.flood(3)
        # States: Reconfiguring, at which netback reads what the guest wants, and Connected.
        dom0.run(f"sleep 0.3; xl pause guest; xenstore-write {node}/xdp-headroom 4096 {node}/state 7; usleep 500000")
        before = self.counted("rx_polled")
        dom0.run(f"xl unpause guest; usleep 500000; xenstore-write {node}/state 4")
        self.assertGreater(self.counted("rx_polled"), before)
        self.exchange()
        self.lab.guest.wait(60)
        self.flowing()

    def test_8_load_of_the_driver_domain_is_no_more_than_traffic(self):
        """No poll goes on for ever: with nothing to send the domain is idle."""
        for one in self.flows:
            one.stop()
        self.flows.clear()
        time.sleep(1)
        idle = "sed -n 's/^cpu  *\\S* \\S* \\S* \\(\\S*\\).*/\\1/p' /proc/stat"
        before, begun = int(self.lab.dom0.run(idle)), time.monotonic()
        time.sleep(3)
        spent = (int(self.lab.dom0.run(idle)) - before) / 100 / (time.monotonic() - begun)
        self.assertGreater(spent, 1)
        self.flows[:] = [self.inward("bulk")]
        self.flowing()


class Netback(Softirq, Backend, unittest.TestCase):
    pass


class Newest(Softirq, Restarts, unittest.TestCase):
    series = "7.3"


class Oldest(Softirq, Restarts, unittest.TestCase):
    series = "6.1"


if __name__ == "__main__":
    unittest.main()
