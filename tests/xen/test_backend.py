# SPDX-License-Identifier: GPL-2.0-only
"""The back end of a guest's interface goes, comes back or changes while traffic flows of which each byte is checked.

    sender VM -- rtl8169d == Xen [ dom0: r8169_lro, br0, netback | guest: netfront_lro ]

Connections outlive all of it: each has to go on afterwards, with nothing lost, doubled or changed. `make check-backend`
runs the same with the kernel's own xen-netfront, which shows what can be asked for, and what takes longer.
"""

from __future__ import annotations

import time
import unittest

from lab import configs, proc, topology
from lab.paths import BUILD, ROOT
from tests import engine, flow

# Bytes that have to pass before anything is done, and after it.
SOME = 1 << 20
# Mbit/s: not all that the guest can take, or netback drops the packets of the lab's own connections as well.
RATE = 40


def program(name: str) -> bytes:
    """Build the programs that run in the domains; return one."""
    proc.run(["make", "-s", "-C", str(ROOT / "tests/xen"), f"OUT={BUILD / 'tests/xen'}"], log=None, timeout=60)
    return (BUILD / "tests/xen" / name).read_bytes()


class Bed:
    """A guest with traffic that begins before the first test and ends with the last."""

    driver: str
    config: str     # one with aggregates from the driver domain
    flows: list[flow.Flow]
    lab_type = topology.XenLab

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(cls.lab_type("6.12", with_ours=True, logs=BUILD / "check" / cls.__module__.rpartition(".")[2] / cls.driver))
        cls.lab.apply(configs.ALL[cls.config])
        cls.lab.nic.ctl("rate", mbit=RATE)
        for host in (cls.lab.sender, cls.lab.guest):
            flow.install(host)
        cls.flows = [cls.inward("bulk"), cls.inward("echo"), flow.start(cls.lab.guest, topology.SENDER_ADDRESS)]
        cls.flowing()

    def tearDown(self):
        self.lab.check()

    @classmethod
    def inward(cls, kind: str) -> flow.Flow:
        return flow.start(cls.lab.sender, topology.GUEST_ADDRESS, kind)

    @classmethod
    def flowing(cls, within: float = flow.PATIENCE) -> None:
        """All traffic goes on, each flow within so many seconds."""
        for one in cls.flows:
            one.progress(SOME if one.kind == "bulk" else SOME // 32, within)

    def reload(self, options: str = "") -> None:
        """Load netback anew, which finds the guest's rings as they were."""
        number = self.lab.dom0.run("xl domid guest").strip()
        # A module in use cannot go; and to the bridge xl joins only devices that it makes itself.
        self.lab.dom0.run(
            f"echo vif-{number}-0 >/sys/bus/xen-backend/drivers/vif/unbind && rmmod xen-netback && sleep 1 && "
            f"modprobe xen-netback {options} && {self.join(number)}", timeout=60)

    @staticmethod
    def join(number: str) -> str:
        """The command that joins a new interface of a domain to the bridge."""
        return (f"for try in $(seq 200); do [ -e /sys/class/net/vif{number}.0 ] && break; usleep 50000; done; "
                f"vif=vif{number}.0 XENBUS_PATH=backend/vif/{number}/0 /etc/xen/scripts/vif-lab online")

    def expect_replacement(self) -> None:
        """Have the guest give its address to the next interface, once the one that it has is gone."""
        self.lab.guest.run("setsid sh -c 'while [ -e /sys/class/net/eth0 ]; do usleep 20000; done; "
                           "until [ -e /sys/class/net/eth0 ]; do usleep 20000; done; "
                           f"ip addr add {topology.GUEST_ADDRESS}/24 dev eth0; ip link set eth0 up' >/dev/null 2>&1 &")

    def exchange(self) -> None:
        """Unplug the guest's interface and plug a new one."""
        self.lab.dom0.run("xl network-detach guest 0", timeout=60)
        self.lab.dom0.run(f"xl network-attach guest mac={topology.GUEST_MAC} bridge=br0 script=vif-lab", timeout=60)

    def test_9_all_has_arrived(self):
        for one in self.flows:
            self.assertGreater(one.stop(), SOME)
        self.flows.clear()
        self.assertEqual(engine.unbalanced(engine.counters(self.lab.guest)), [])


class Backend(Bed):
    """What both front ends have to do, in the order of the names; each class below is one of them."""

    def merging(self, on: bool) -> None:
        """Have the driver domain's NIC merge, or not."""
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
        self.lab.dom0.run("echo 2 >/sys/module/xen_netback/parameters/max_queues")
        self.lab.guest.run(f"echo 2 >/sys/module/{self.driver.replace('-', '_')}/parameters/max_queues")
        self.expect_replacement()
        self.exchange()
        self.spread()

    def spread(self) -> None:
        """All traffic goes on, and netback spreads more of it over two queues."""
        def interrupts() -> dict[str, int]:
            lines = self.lab.guest.run("cat /proc/interrupts").splitlines()
            return {line.split()[-1]: int(line.split()[1]) for line in lines if line.endswith("-rx")}
        self.flowing()
        before = interrupts()
        more = [self.inward("echo") for _ in range(10)]
        for one in more:
            one.progress(1)
            one.stop()
        gained = [count - before[queue] for queue, count in interrupts().items()]
        self.assertEqual(len(gained), 2, before)
        self.assertGreater(min(gained), 20, before)

    def test_4_netback_of_two_queues_is_loaded_anew(self):
        self.reload("max_queues=2")
        self.spread()


class Netfront(Backend, unittest.TestCase):
    driver, config = configs.OUR_GUEST, "guest12"


if __name__ == "__main__":
    unittest.main()
