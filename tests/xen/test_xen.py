# SPDX-License-Identifier: GPL-2.0-only
"""A Xen host with a guest: data arrives intact in every configuration, merged where it should be and nowhere else.

    sender VM -- rtl8169d == Xen [ dom0: r8169 or r8169_lro, br0, netback | guest: xen-netfront or netfront_lro ]
"""

from __future__ import annotations

import unittest

from lab import configs, grants, topology, xl
from lab.agent import CommandFailed
from lab.paths import BUILD

from . import core
from .core import BULK, FILE, counters

class Guest(unittest.TestCase):
    """Tests run in the order of their names' letters; the ones that swap the guest come last."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(topology.XenLab("6.12", with_ours=True, logs=BUILD / "check/xen"))

    def tearDown(self):
        self.lab.check()

    def carries(self, name: str) -> None:
        core.carries(self, self.lab, name)

    def test_1_guest0(self):
        self.carries("guest0")

    def test_1_guest1(self):
        self.carries("guest1")

    def test_1_gro12(self):
        self.carries("gro12")

    def test_2_linearize_rewrites_what_goes_to_the_guest(self):
        self.lab.apply(configs.ALL["guest1"])
        dom0 = self.lab.dom0

        def linearized() -> int:
            return int(dom0.run("sed -n 's/^linearized //p' /proc/net/br_linearize"))

        dom0.run("modprobe br_linearize")
        try:
            self.lab.send_file(FILE)
            self.assertEqual(linearized(), 0)
            dom0.run("echo linearize >/sys/module/br_linearize/parameters/mode")
            self.lab.send_file(FILE)
            seen = linearized()
            self.assertGreater(seen, 10)
            dom0.run("echo 'other*' >/sys/module/br_linearize/parameters/ports")
            self.lab.send_file(FILE)
            self.assertEqual(linearized(), seen)
            with self.assertRaises(CommandFailed):
                dom0.run("echo sideways >/sys/module/br_linearize/parameters/mode")
            self.assertEqual(dom0.run("cat /sys/module/br_linearize/parameters/mode").strip(), "linearize")
        finally:
            dom0.run("rmmod br_linearize", check=False)

    def test_2_aggregates_of_gro_are_copied_in_phase(self):
        for name in ("gro1-inphase", "gro1-auto"):
            with self.subTest(name):
                self.lab.apply(configs.ALL[name])
                self.lab.dom0.run(f"modprobe {grants.MODULE}")
                self.lab.send_file(FILE)
                before = grants.read(self.lab.dom0)
                done = self.lab.transfer(BULK)
                copies = grants.read(self.lab.dom0) - before
                self.assertGreater(done.lro_ratio, 2)
                if name == "gro1-inphase":
                    # One for the headers of a packet, and one for each page, the last of which is partly filled.
                    self.assertLess(copies.ops, BULK / 4096 + 2 * done.packets)
                else:
                    # 74 without.
                    self.assertLess(copies.ops, BULK / (1 << 16) * 37)
        self.lab.set_rewriting(None)

    def test_3_driver_of_the_bridged_nic_is_removed_under_traffic(self):
        self.lab.apply(configs.ALL["guest1"])
        self.lab.guest.run("setsid iperf -s -p 5004 >/dev/null 2>&1 &")
        self.lab.sender.run(f"sleep 1; setsid iperf -c {topology.GUEST_ADDRESS} -p 5004 -t 60 >/dev/null 2>&1 & sleep 4")
        self.lab.dom0.run(f"rmmod {configs.OUR_NIC}", timeout=60)
        self.lab.nic_driver = None
        self.lab.sender.run("killall iperf; true")
        self.lab.apply(configs.ALL["guest1"])
        self.lab.send_file(FILE)

    def test_4_guest2(self):
        self.carries("guest2")

    def test_4_guest12(self):
        self.carries("guest12")

    def test_5_netfront_is_switched_under_traffic(self):
        self.lab.apply(configs.ALL["guest2"])
        switch = f"/sys/module/{configs.OUR_GUEST}/parameters/lro"
        self.lab.guest.run(f"setsid sh -c 'for i in $(seq 200); do echo $((i % 2)) >{switch}; usleep 20000; done; "
                           f"echo 1 >{switch}; touch /tmp/switched' >/dev/null 2>&1 &")
        self.lab.send_file(2 * FILE)
        self.lab.guest.run("until [ -e /tmp/switched ]; do usleep 50000; done", timeout=120)
        self.lab.send_file(FILE)

    def test_6_guest_s_ethtool_and_parameter_agree(self):
        self.lab.apply(configs.ALL["guest2"])
        guest = self.lab.guest
        switch = f"/sys/module/{configs.OUR_GUEST}/parameters/lro"

        def modes() -> list[str]:
            # What follows says that strict mode is wanted, too: it comes back when relaxed goes.
            return [guest.run(f"ethtool -k eth0 | sed -n 's/^{name}: //p'").split()[0]
                    for name in ("rx-gro-hw", "large-receive-offload")]

        for value, wanted in ((0, ["off", "off"]), (2, ["off", "on"]), (1, ["on", "off"])):
            with self.subTest(lro=value):
                guest.run(f"echo {value} >{switch}")
                self.assertEqual(modes(), wanted)
                self.lab.send_file(FILE)
        guest.run("ethtool -K eth0 rx-gro-hw off")
        self.assertEqual(modes(), ["off", "off"])
        before = counters(guest)
        self.lab.send_file(FILE)
        self.assertEqual(counters(guest), before)
        guest.run("ethtool -K eth0 rx-gro-hw on large-receive-offload on")
        self.assertEqual(modes(), ["off", "on"])
        guest.run("echo 1 >/proc/sys/net/ipv4/ip_forward")
        self.assertEqual(modes(), ["on", "off"])
        guest.run("echo 0 >/proc/sys/net/ipv4/ip_forward")
        self.assertIn(f"driver: {configs.OUR_GUEST}", guest.run("ethtool -i eth0").splitlines())

    def test_7_vif_is_unplugged_under_traffic(self):
        self.lab.apply(configs.ALL["guest12"])
        lab = self.lab
        lab.guest.run("setsid iperf -s -p 5004 >/dev/null 2>&1 &")
        lab.sender.run(f"sleep 1; setsid iperf -c {topology.GUEST_ADDRESS} -p 5004 -t 60 >/dev/null 2>&1 & sleep 4")
        # The guest cannot be told to configure the new interface but by itself: it has no other way in.
        lab.guest.run("setsid sh -c 'while [ -e /sys/class/net/eth0 ]; do usleep 50000; done; "
                      "until [ -e /sys/class/net/eth0 ]; do usleep 50000; done; "
                      f"ip addr add {topology.GUEST_ADDRESS}/24 dev eth0; ip link set eth0 up' >/dev/null 2>&1 &")
        lab.dom0.run("xl network-detach guest 0", timeout=60)
        lab.sender.run("killall iperf; true")
        lab.dom0.run(f"xl network-attach guest mac={xl.GUEST_MAC} bridge=br0 script=vif-lab", timeout=60)
        lab.wait_for_ping()
        lab.send_file(FILE)
        lab.send_file(FILE, outward=True)


if __name__ == "__main__":
    unittest.main()
