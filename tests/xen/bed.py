# SPDX-License-Identifier: GPL-2.0-only
"""A Xen guest with traffic of which each byte is checked, and what tests do to its interface's back end."""

from __future__ import annotations

from lab import configs, kernels, proc, topology, xl
from lab.paths import BUILD, ROOT
from tests import engine, flow

# Bytes that have to pass before anything is done, and after it.
SOME = 1 << 20
# Names on their bus.
BACK_ENDS = {configs.STOCK_BACK: "vif", configs.OUR_BACK: configs.OUR_BACK}


def program(name: str) -> bytes:
    """Build the programs that run in the domains; return one."""
    proc.run(["make", "-s", "-C", str(ROOT / "tests/xen"), f"OUT={BUILD / 'tests/xen'}"], log=None, timeout=60)
    return (BUILD / "tests/xen" / name).read_bytes()


def expect_replacement(lab: topology.XenLab, meanwhile: str = ":") -> None:
    """Have the guest give its address to the next interface, once the one that it has is gone.

    `meanwhile` is a command that it runs in between, which may be too short a time to see that there is none. While an
    interface goes it still has its files, but they cannot be read.
    """
    index = "cat /sys/class/net/eth0/ifindex 2>/dev/null"
    lab.guest.run(f"old=$({index}) setsid sh -c 'while [ \"$({index})\" = $old ]; do usleep 20000; done; {meanwhile}; "
                  f"until new=$({index}) && [ $new != $old ]; do usleep 20000; done; "
                  f"ip addr add {topology.GUEST_ADDRESS}/24 dev eth0; ip link set eth0 up' >/dev/null 2>&1 &")


def unplug(lab: topology.XenLab) -> None:
    """Take the guest's interface away."""
    lab.dom0.run("xl network-detach guest 0", timeout=60)


def plug(lab: topology.XenLab) -> None:
    """Give the guest an interface."""
    lab.dom0.run(f"xl network-attach guest mac={xl.GUEST_MAC} bridge=br0 script=vif-lab", timeout=60)


class Bed:
    """A guest with traffic that begins before the first test and ends with the last."""

    driver: str
    series = kernels.DEFAULT    # of the kernels of driver domain and guest
    config: str     # one with aggregates from the driver domain
    flows: list[flow.Flow]
    lab_type = topology.XenLab
    # Mbit/s: not all that the guest can take, or netback drops the packets of the lab's own connections as well.
    rate = 40

    @classmethod
    def setUpClass(cls):
        logs = BUILD / "check" / cls.__module__.rpartition(".")[2] / f"{cls.driver}-{cls.series}"
        cls.lab = cls.enterClassContext(cls.lab_type(cls.series, with_ours=True, logs=logs))
        cls.lab.apply(configs.ALL[cls.config])
        cls.lab.nic.ctl("rate", mbit=cls.rate)
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
        """All traffic goes on, each flow within some seconds."""
        for one in cls.flows:
            one.progress(SOME if one.kind == "bulk" else SOME // 32, within)

    @property
    def netback(self) -> str:
        """Folder of the back end's driver."""
        return f"/sys/bus/xen-backend/drivers/{BACK_ENDS[self.lab.back_end]}"

    def reload(self, options: str = "") -> None:
        """Load netback again, which finds the guest's rings as they were."""
        number = self.lab.dom0.run("xl domid guest").strip()
        # A module in use cannot go; and to the bridge xl joins only devices that it makes itself.
        self.lab.dom0.run(
            f"echo vif-{number}-0 >{self.netback}/unbind && rmmod {self.lab.back_end} && sleep 1 && "
            f"modprobe {self.lab.back_end} {options} && {self.join(number)}", timeout=60)

    def take_back_end(self) -> str:
        """Have netback let go of the guest's interface; return the number of the guest's domain."""
        number = self.lab.dom0.run("xl domid guest").strip()
        self.lab.dom0.run(f"echo vif-{number}-0 >{self.netback}/unbind")
        return number

    def give_back_end(self, number: str) -> None:
        """Have netback serve the interface again."""
        self.lab.dom0.run(f"echo vif-{number}-0 >{self.netback}/bind; {self.join(number)}", timeout=60)

    @staticmethod
    def join(number: str) -> str:
        """The command that joins a new interface of a domain to the bridge."""
        return (f"for try in $(seq 200); do [ -e /sys/class/net/vif{number}.0 ] && break; usleep 50000; done; "
                f"vif=vif{number}.0 XENBUS_PATH=backend/vif/{number}/0 /etc/xen/scripts/vif-lab online")

    def expect_replacement(self) -> None:
        """Have the guest give its address to the next interface, once the one that it has is gone."""
        expect_replacement(self.lab)

    def exchange(self) -> None:
        """Unplug the guest's interface and plug a new one."""
        unplug(self.lab)
        plug(self.lab)

    def use_queues(self, offered: int, taken: int) -> None:
        """Exchange the guest's interface for one with that many queues, by the back end's and the guest's parameter."""
        self.lab.set_module_parameter(self.lab.dom0, self.lab.back_end, "max_queues", offered)
        self.lab.set_module_parameter(self.lab.guest, self.driver, "max_queues", taken)
        self.expect_replacement()
        self.exchange()

    def interrupts(self) -> dict[str, int]:
        """How often each of the interface's queues has received something."""
        lines = self.lab.guest.run("cat /proc/interrupts").splitlines()
        return {line.split()[-1]: int(line.split()[1]) for line in lines if line.endswith("-rx")}

    def spread(self, within: float = flow.PATIENCE) -> None:
        """All traffic goes on, and netback spreads more of it over two queues."""
        self.flowing(within)
        before = self.interrupts()
        more = [self.inward("echo") for _ in range(10)]
        for one in more:
            one.progress(1)
            one.stop()
        gained = [count - before[queue] for queue, count in self.interrupts().items()]
        self.assertEqual(len(gained), 2, before)
        self.assertGreater(min(gained), 20, before)

    def test_9_all_has_arrived(self):
        for one in self.flows:
            self.assertGreater(one.stop(), SOME)
        self.flows.clear()
        self.assertEqual(engine.unbalanced(engine.counters(self.lab.guest)), [])
