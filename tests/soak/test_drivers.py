# SPDX-License-Identifier: GPL-2.0-only
"""Mixed traffic through the NIC's driver and netfront_lro for a given time: nothing damaged, nothing leaked.

    sender VM -- rtl8169d == Xen [ dom0: r8169_lro, br0, br_linearize, netback | guest: netfront_lro ]

The environment variable SOAK_MINUTES is the time, and NIC one of lab/nics.py. Bulk, small messages, requests and
datagrams run in many flows that come and go, while modes are switched and the link goes down. At the end memory and
counters have to be at their first values.
"""

from __future__ import annotations

import itertools
import os
import time
import unittest

from lab import configs, nics, steps, topology
from lab.agent import Host
from lab.paths import BUILD
from tests import engine, flow
from tests.boot.abuse import switched_under_traffic
from tests.xen.bed import expect_replacement, plug, unplug

from . import memory

MINUTES = float(os.environ.get("SOAK_MINUTES") or 30)
MODEL = nics.select(os.environ.get("NIC") or nics.DEFAULT)
SWITCHES = 1000
# Changes of either driver's mode within one round of traffic.
SWITCHES_A_ROUND = 20
INWARD = ("bulk", "bulk", "small", "echo", "udp")
OUTWARD = ("bulk", "udp")
REWRITING = (None, "inphase", "auto", "linearize", "segment")
# Seconds of traffic before the link goes down and after it is up again, and seconds that it is down.
BEFORE, AFTER, LINK_DOWN = 3, 8, 0.7
# Mbit/s: less than the guest can take, because netback would also drop packets of the lab's own connections.
RATE = 60
# Rounds that fill the kernels' memory for reuse.
WARMING = 2
# On the hosts: the script that reads their memory, and its output.
LOOK, LOOKED = "/tmp/look", "/tmp/looked"


class Switching(unittest.TestCase):
    """The NIC's driver without Xen."""

    def test_lro_is_switched_a_thousand_times(self):
        with topology.NativeLab("6.12", with_ours=True, logs=BUILD / "check/soak-native", chip=MODEL.name) as lab:
            lab.use_nic_driver(MODEL.ours)
            lab.wait_for_ping()
            switched_under_traffic(self, lab, SWITCHES)


class Mixed(unittest.TestCase):
    """Both drivers in a Xen host."""

    looks = 0

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(topology.XenLab("6.12", with_ours=True, logs=BUILD / "check/soak-xen",
                                                        chip=MODEL.name))
        cls.begin()
        cls.ours = {cls.lab.dom0: MODEL.ours, cls.lab.guest: configs.OUR_GUEST}
        for host in (cls.lab.sender, cls.lab.guest):
            flow.install(host)

    @classmethod
    def begin(cls) -> None:
        cls.lab.apply(configs.ALL["guest12"].on(MODEL))
        cls.lab.nic.ctl("rate", mbit=RATE)

    def traffic(self) -> int:
        """One round: all kinds of traffic, and disturbances meanwhile. Returns the bytes that arrived intact."""
        lab = self.lab
        flows = [flow.start(lab.sender, topology.GUEST_ADDRESS, kind) for kind in INWARD]
        flows += [flow.start(lab.guest, topology.SENDER_ADDRESS, kind) for kind in OUTWARD]
        for host, driver in self.ours.items():
            engine.switch(host, driver, SWITCHES_A_ROUND)
        time.sleep(BEFORE)
        lab.nic.ctl("link", state="down")
        time.sleep(LINK_DOWN)
        lab.nic.ctl("link", state="up")
        lab.wait_for_link()
        time.sleep(AFTER)
        arrived = sum(one.stop() for one in flows)
        lab.check()
        return arrived

    def at_rest(self) -> dict[Host, memory.Memory]:
        """Memory in use without traffic and without the drivers' devices, when all packets are accounted for.

        All memory that the drivers and the kernel keep for these devices goes with them: the ring's buffers, pages for
        reuse, packets to be sent. The guest cannot be reached meanwhile: it tells on its console when it is done.
        """
        lab = self.lab
        time.sleep(3)
        for host in self.ours:
            self.assertEqual(engine.unbalanced(engine.counters(host)), [], host.name)
            lost = [name for name in ("rx_errors", "rx_missed_errors")
                    if int(host.run(f"cat /sys/class/net/eth0/statistics/{name}"))]
            self.assertEqual(lost, [], host.name)
            # Wait for data of closed connections and for fragments whose rest the link lost (30 s), and remove the
            # sources' files.
            host.run("until grep -q '^TCP:.* orphan 0 ' /proc/net/sockstat && grep -q '^FRAG: inuse 0 ' "
                     "/proc/net/sockstat; do usleep 100000; done; "
                     f"rm -f /tmp/flow.[0-9]* {LOOKED}", timeout=120)
            host.put(memory.looking(LOOKED).encode(), LOOK)
        lab.set_rewriting(None)
        lab.dom0.run(f"rmmod {MODEL.ours}", timeout=60)
        lab.nic_driver = None
        self.looks += 1
        said = f"memory: look {self.looks} done"
        expect_replacement(lab, f'sh {LOOK}; echo "{said}" >/dev/console')
        time.sleep(1)
        unplug(lab)
        lab.dom0.run(f"sh {LOOK}", timeout=60)
        lab.dom0.run(f"until grep -q '{said}' {topology.GUEST_CONSOLE.format(name='guest')}; do usleep 100000; done",
                     timeout=60)
        plug(lab)
        self.begin()
        return {host: memory.parse(host.get(LOOKED).decode()) for host in self.ours}

    def test_mixed_traffic_leaks_nothing(self):
        for _ in range(WARMING):
            self.traffic()
        before = self.at_rest()
        deadline, told, arrived, rounds = time.monotonic() + MINUTES * 60, time.monotonic(), 0, 0
        for mode in itertools.cycle(REWRITING):
            self.lab.set_rewriting(mode)
            arrived += self.traffic()
            rounds += 1
            if time.monotonic() >= deadline:
                break
            if time.monotonic() > told + 60:
                told = time.monotonic()
                steps.say(f"     {rounds} rounds, {arrived >> 20} MiB, {(deadline - told) / 60:.0f} minutes left")
        after = self.at_rest()
        steps.say(f"     {rounds} rounds, {arrived >> 20} MiB arrived intact")
        for host in self.ours:
            steps.say(f"     {host.name}: {before[host]} -> {after[host]}")
        for host in self.ours:
            self.assertEqual(after[host].leaked(before[host]), [], host.name)


if __name__ == "__main__":
    unittest.main()
