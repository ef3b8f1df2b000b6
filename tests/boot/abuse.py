# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what r8169_lro has to survive with traffic flowing, for any class that has `lab`, flood() and counters()."""

from __future__ import annotations

import time

from lab import configs, topology
from lab.agent import CommandFailed

FILE = 2 << 20
LIES = 1000
SWITCH = f"/sys/module/{configs.OUR_NIC}/parameters/lro"
SYSFS_NIC = f"$(basename $(readlink -f /sys/class/net/{topology.NIC}/device))"


class Abuse:
    """Traffic has to flow again after each of these."""

    def test_nic_is_unplugged_under_traffic(self):
        self.lab.use_nic_driver(configs.OUR_NIC)
        self.lab.wait_for_ping()
        self.flood()
        host = self.lab.nic_host
        place = host.run(f"echo {SYSFS_NIC}").strip()
        host.run(f"echo 1 >/sys/bus/pci/devices/{place}/remove", timeout=60)
        self.lab.sender.run("killall iperf; true")
        with self.assertRaises(CommandFailed):
            host.run(f"ip link show {topology.NIC}")
        host.run(f"echo 1 >/sys/bus/pci/rescan; echo {configs.OUR_NIC} >/sys/bus/pci/devices/{place}/driver_override; "
                 f"echo {place} >/sys/bus/pci/drivers_probe", timeout=60)
        host.run(f"ip addr add {topology.NIC_ADDRESS}/24 dev {topology.NIC} && ip link set {topology.NIC} up")
        self.lab.wait_for_link()
        self.lab.wait_for_ping()
        self.lab.send_file(FILE)

    def test_mtu_changes_under_traffic(self):
        self.lab.use_nic_driver(configs.OUR_NIC)
        self.lab.wait_for_ping()
        self.flood()
        for mtu in (1280, 3000, 1400, 1500):
            self.lab.nic_host.run(f"ip link set {topology.NIC} mtu {mtu}; sleep 1")
        self.lab.sender.run("killall iperf; true")
        self.lab.wait_for_link()
        self.lab.wait_for_ping()
        self.lab.send_file(FILE)

    def test_lro_is_switched_under_traffic(self):
        self.lab.use_nic_driver(configs.OUR_NIC)
        self.lab.wait_for_ping()
        before = self.counters()
        self.lab.nic_host.run(f"setsid sh -c 'for i in $(seq 200); do echo $((i % 3)) >{SWITCH}; usleep 20000; done; "
                              f"echo 1 >{SWITCH}; touch /tmp/switched' >/dev/null 2>&1 &")
        self.lab.send_file(8 * FILE)
        self.lab.nic_host.run("until [ -e /tmp/switched ]; do usleep 50000; done; rm /tmp/switched", timeout=120)
        self.lab.send_file(FILE)
        gained = {name: value - before[name] for name, value in self.counters().items()}
        self.assertEqual(gained["rx0_lro_packets"], sum(
            gained[f"rx0_lro_{where}"] for where in ("held", "merged", "singles", "passed", "to_gro")))
        self.assertGreater(gained["rx0_lro_packets"], 0)

    def test_lying_nic_does_no_harm(self):
        self.lab.use_nic_driver(configs.OUR_NIC)
        self.lab.wait_for_ping()
        for kind in ("short", "long", "fragment", "status", "checksum", "storm"):
            with self.subTest(kind):
                told = self.lab.nic.stats()["faults"]
                self.lab.nic.ctl("fault", kind=kind, count=LIES)
                self.lab.nic.ctl("generate", frames=2 * LIES, flows=8, burst=4)
                deadline = time.monotonic() + 30
                while self.lab.nic.stats()["faults"] < told + LIES or self.lab.nic.ctl("info")["generating"]:
                    self.assertLess(time.monotonic(), deadline, "the lies found no end")
                    time.sleep(0.1)
                self.lab.wait_for_ping()
                self.lab.send_file(FILE)
