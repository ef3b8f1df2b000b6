# SPDX-License-Identifier: GPL-2.0-only
"""br_linearize between NICs that aggregate with GRO and a port, in each mode and at each hook.

    sender VM -- rtl8169d == Linux [ r8169 -- br0 -- vif1.0 ][ namespace ]
    sender VM ----------- == Linux [ e1000 -- br0 -- vif1.0 ][ namespace ]

A pair of veth devices stands for the guest's interface: it takes aggregates as they come.
"""

from __future__ import annotations

import contextlib
import itertools
import shlex
import unittest

from lab import configs, topology, traffic, vm
from lab.agent import CommandFailed
from lab.paths import BUILD

PORT, ADDRESS, ROUTED_ADDRESS, TAGGED_ADDRESS = "vif1.0", "10.0.0.3", "10.0.9.3", "10.0.5.3"
TUNNEL_ADDRESS = "10.0.6.3"
# Constant over replacements of the port, as the sender remembers it.
FAR_MAC = "00:16:3e:00:00:01"
STOCK_MTU_PAYLOAD = 1448
PARAMETERS = "/sys/module/br_linearize/parameters"


class Namespace:
    """The far end of the port: a network namespace of a host, with the functions of a host that traffic needs."""

    name = "namespace"

    def __init__(self, host) -> None:
        self._host = host
        self.scratch = host.scratch
        host.run("setsid unshare -n sh -c 'echo $$ >/tmp/namespace; exec sleep 1000000' >/dev/null 2>&1 & "
                 "until [ -s /tmp/namespace ]; do usleep 50000; done")

    def run(self, command: str, timeout: float = 30, check: bool = True) -> str:
        return self._host.run(f"nsenter -t $(cat /tmp/namespace) -n sh -c {shlex.quote(command)}", timeout, check)


class E1000Lab(topology.NativeLab):
    """The machine has an e1000 on the wire, which is a plain socket."""

    def _start_nic_and_sender(self, image) -> None:
        self._wire = self._run / "wire"
        self.sender_image = image

    def _start_nic_host(self, name, memory, cpus, kernel_line):
        wire = f"addr.type=unix,addr.path={self._wire}"
        host = self._start(vm.Machine(name, memory, cpus, kernel_line, [
            "-netdev", f"stream,id=wire,server=on,{wire}",
            "-device", "e1000,netdev=wire,mac=52:54:00:00:00:02,romfile="]))
        self.sender = self._start(vm.Machine(
            "sender", topology.SENDER_MEMORY, 1,
            vm.linux_line(self.sender_image, f"lab.ip={topology.SENDER_ADDRESS}"),
            ["-netdev", f"stream,id=wire,server=off,{wire},reconnect-ms=200",
             "-device", f"virtio-net-pci,netdev=wire,mac={topology.SENDER_MAC},romfile="]))
        return host


class Rewriting:
    """Tests for each NIC; each class below is one kernel on one NIC."""

    series: str
    nic_driver: str
    lab_type = topology.NativeLab
    # Bytes of a file.
    size = 2 << 20

    @classmethod
    def setUpClass(cls):
        logs = BUILD / "check" / f"br_linearize-{cls.nic_driver}-{cls.series}"
        cls.lab = cls.enterClassContext(cls.lab_type(cls.series, with_ours=True, logs=logs))
        cls.host = cls.lab.nic_host
        cls.host.run("ip link add br0 type bridge && echo 0 >/sys/class/net/br0/bridge/forward_delay && "
                     "ip link set br0 up && modprobe veth && modprobe br_linearize")
        cls.lab.use_nic_driver(cls.nic_driver)
        cls.lab.set_nic_gro(True)
        cls.namespace = Namespace(cls.host)
        cls.plug()
        cls.host.run(f"ip addr flush dev {topology.NIC} && ip link set {topology.NIC} master br0")

    @classmethod
    def plug(cls):
        """Make the port and give its far end to the namespace."""
        cls.host.run(f"ip link add name {PORT} type veth && ip link set veth0 netns $(cat /tmp/namespace) && "
                     f"ip link set {PORT} master br0 && ip link set {PORT} up")
        cls.namespace.run(f"ip link set veth0 address {FAR_MAC} && ip addr add {ADDRESS}/24 dev veth0 && "
                          "ip link set veth0 up")

    def counters(self) -> dict[str, int]:
        lines = self.host.run("cat /proc/net/br_linearize").splitlines()
        return {name: int(value) for name, value in map(str.split, lines)}

    def set(self, **values: str) -> None:
        for name, value in values.items():
            self.host.run(f"echo '{value}' >{PARAMETERS}/{name}")

    @contextlib.contextmanager
    def counted(self):
        """A dictionary that gets the increase of the counters, once the part is over."""
        before, gained = self.counters(), {}
        yield gained
        gained.update({name: value - before[name] for name, value in self.counters().items()})

    def setUp(self):
        self.set(mode="off", hook="bridge", ports="vif*")

    def tearDown(self):
        self.lab.check()

    def send(self, address: str = ADDRESS, files: int = 1) -> None:
        """Send the bytes of a number of files; all have to arrive intact."""
        traffic.send_file(self.lab.sender, self.namespace, address, files * self.size)

    def stream(self) -> traffic.Transfer:
        return traffic.stream(self.lab.sender, self.namespace, ADDRESS, self.size)

    def check_mode(self, mode: str, gained: dict[str, int], done: traffic.Transfer) -> None:
        counted = {"off": None, "linearize": "linearized", "inphase": "inphase", "segment": "segmented",
                   "auto": "inphase"}[mode]
        for name in ("linearized", "inphase", "segmented"):
            if name == counted:
                self.assertGreater(gained[name], 10)
            else:
                self.assertEqual(gained[name], 0, name)
        self.assertEqual((gained["failed"], gained["unsuited"]), (0, 0))
        if mode == "segment":
            self.assertLess(done.lro_ratio, 1.1)
            self.assertGreaterEqual(gained["segments"] * STOCK_MTU_PAYLOAD, self.size)
        else:
            self.assertGreater(done.lro_ratio, 2)
        if counted == "inphase":
            self.assertLess(gained["copies_after"], gained["copies_before"] / 2)
            self.assertGreater(gained["pages_recycled"], gained["pages_new"])
        else:
            self.assertEqual(gained["copies_before"], 0)

    def test_modes(self):
        for hook in ("bridge", "egress"):
            for mode in ("off", "linearize", "inphase", "segment", "auto"):
                with self.subTest(hook=hook, mode=mode):
                    self.set(hook=hook, mode=mode)
                    with self.counted() as gained:
                        self.send()
                        done = self.stream()
                    self.check_mode(mode, gained, done)

    def test_other_ports_are_left_alone(self):
        self.set(mode="inphase", ports="tap[0-9]")
        for hook in ("bridge", "egress"):
            with self.subTest(hook=hook), self.counted() as gained:
                self.set(hook=hook)
                self.send()
            self.assertEqual(set(gained.values()), {0})

    def test_routed_port_is_served_at_egress(self):
        host, lab = self.host, self.lab
        self.set(mode="inphase")
        try:
            host.run(f"ip link set {PORT} nomaster && ip addr add 10.0.9.1/24 dev {PORT} && "
                     "ip addr add 10.0.0.2/24 dev br0 && echo 1 >/proc/sys/net/ipv4/ip_forward")
            self.namespace.run(f"ip addr add {ROUTED_ADDRESS}/24 dev veth0 && ip addr del {ADDRESS}/24 dev veth0 && "
                               "ip route add default via 10.0.9.1")
            lab.sender.run("ip route add 10.0.9.0/24 via 10.0.0.2")
            for hook, served in (("bridge", False), ("egress", True)):
                with self.subTest(hook=hook), self.counted() as gained:
                    self.set(hook=hook)
                    self.send(ROUTED_ADDRESS)
                self.assertEqual(gained["inphase"] > 10, served)
        finally:
            lab.sender.run("ip route del 10.0.9.0/24")
            self.namespace.run(f"ip route del default; ip addr del {ROUTED_ADDRESS}/24 dev veth0; "
                               f"ip addr add {ADDRESS}/24 dev veth0")
            host.run(f"echo 0 >/proc/sys/net/ipv4/ip_forward; ip addr del 10.0.0.2/24 dev br0; "
                     f"ip addr del 10.0.9.1/24 dev {PORT}; ip link set {PORT} master br0")

    def test_tags_are_written_back(self):
        """The tag goes into the headers, for a port that does not insert it."""
        self.set(mode="inphase")
        # Some kernels have it built in.
        self.host.run(f"ethtool -K {PORT} tx-vlan-hw-insert off; [ -e /proc/net/vlan ] || modprobe 8021q")
        ends = (("veth0", TAGGED_ADDRESS, self.namespace), ("eth0", "10.0.5.1", self.lab.sender))
        self.lab.sender.run("modprobe 8021q")
        try:
            for link, address, end in ends:
                end.run(f"ip link add link {link} name tagged type vlan id 5 && "
                        f"ip addr add {address}/24 dev tagged && ip link set tagged up")
            for hook in ("bridge", "egress"):
                with self.subTest(hook=hook), self.counted() as gained:
                    self.set(hook=hook)
                    self.send(TAGGED_ADDRESS)
                self.assertGreater(gained["inphase"], 10)
        finally:
            for _, _, end in ends:
                end.run("ip link del tagged", check=False)
            self.host.run(f"ethtool -K {PORT} tx-vlan-hw-insert on")

    def test_packets_in_a_tunnel_are_served(self):
        """The stack has to find the headers of the packet in the packet."""
        ends = ((self.namespace, ADDRESS, "10.0.0.1", TUNNEL_ADDRESS),
                (self.lab.sender, "10.0.0.1", ADDRESS, "10.0.6.1"))
        for machine in (self.host, self.lab.sender):
            machine.run("[ -e /sys/module/ipip ] || modprobe ipip")
        try:
            for end, near, far, address in ends:
                end.run(f"ip tunnel add inner mode ipip local {near} remote {far} && "
                        f"ip addr add {address}/24 dev inner && ip link set inner up")
            # Without the port's own segmentation the stack segments the rewritten packets.
            for whole, hook, mode in itertools.product(("on", "off"), ("bridge", "egress"),
                                                       ("linearize", "inphase", "segment")):
                self.host.run(f"ethtool -K {PORT} tx-ipxip4-segmentation {whole}")
                with self.subTest(whole=whole, hook=hook, mode=mode), self.counted() as gained:
                    self.set(hook=hook, mode=mode)
                    self.send(TUNNEL_ADDRESS)
                counted = {"linearize": "linearized", "inphase": "inphase", "segment": "segmented"}[mode]
                self.assertGreater(gained[counted], 10)
                self.assertEqual((gained["failed"], gained["unsuited"]), (0, 0))
        finally:
            self.host.run(f"ethtool -K {PORT} tx-ipxip4-segmentation on")
            for end, *_ in ends:
                end.run("ip tunnel del inner", check=False)

    def test_ports_come_go_and_change_names(self):
        self.set(mode="inphase", hook="egress")
        self.host.run(f"ip link set {PORT} down && ip link set {PORT} name tap1 && ip link set tap1 up")
        with self.counted() as gained:
            self.send()
        self.assertEqual(gained["inphase"], 0)
        self.host.run(f"ip link set tap1 down && ip link set tap1 name {PORT} && ip link set {PORT} up")
        with self.counted() as gained:
            self.send()
        self.assertGreater(gained["inphase"], 10)
        self.host.run(f"ip link del {PORT}")
        self.plug()
        with self.counted() as gained:
            self.send()
        self.assertGreater(gained["inphase"], 10)

    def test_everything_is_switched_under_traffic(self):
        changes = "; ".join(f"echo {value} >{PARAMETERS}/{name}; usleep 5000"
                            for value, name in (("linearize", "mode"), ("egress", "hook"), ("inphase", "mode"),
                                                ("v*", "ports"), ("segment", "mode"), ("bridge", "hook"),
                                                ("auto", "mode"), ("vif*", "ports"), ("off", "mode")))
        self.host.run(f"setsid sh -c 'until [ -e /tmp/stop ]; do {changes}; done; rm /tmp/stop' >/dev/null 2>&1 &")
        try:
            self.send(files=4)
        finally:
            self.host.run("touch /tmp/stop; while [ -e /tmp/stop ]; do usleep 50000; done")

    def test_module_goes_under_traffic(self):
        for hook in ("bridge", "egress"):
            with self.subTest(hook=hook):
                self.set(mode="inphase", hook=hook)
                self.host.run("setsid sh -c 'sleep 1; rmmod br_linearize; touch /tmp/gone' >/dev/null 2>&1 &")
                self.send(files=8)
                self.host.run("until [ -e /tmp/gone ]; do usleep 50000; done; rm /tmp/gone; "
                              f"modprobe br_linearize mode=inphase hook={hook} ports=vif1*")
                with self.counted() as gained:
                    self.send()
                self.assertGreater(gained["inphase"], 10)

    def test_wrong_values_are_refused(self):
        for name, value, allowed in (("mode", "sideways", "off, linearize, inphase, segment, auto"),
                                     ("hook", "ingress", "bridge or egress"), ("ports", "", "1 to 63 characters")):
            with self.subTest(parameter=name):
                before = self.host.run(f"cat {PARAMETERS}/{name}")
                with self.assertRaises(CommandFailed):
                    self.set(**{name: value})
                self.assertEqual(self.host.run(f"cat {PARAMETERS}/{name}"), before)
                self.assertIn(allowed, self.host.run("dmesg | tail -n 1"))


class StockR8169On612(Rewriting, unittest.TestCase):
    series, nic_driver = "6.12", configs.STOCK_NIC


class StockR8169On73(Rewriting, unittest.TestCase):
    series, nic_driver = "7.3", configs.STOCK_NIC


class E1000On61(Rewriting, unittest.TestCase):
    series, nic_driver, lab_type = "6.1", "e1000", E1000Lab


if __name__ == "__main__":
    unittest.main()
