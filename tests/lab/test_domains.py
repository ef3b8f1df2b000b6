# SPDX-License-Identifier: GPL-2.0-only
"""Topologies as data: what each has to keep to, and what follows from it for xl, the counters and the results."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab import cli, configs, domains, experiments, grants, hops, measure, rules, topology, xl
from lab.steps import EXIT_USAGE, LabError

BRIDGE = domains.TOPOLOGIES["bridge"]
# What the guest of the bridge was made of before there was a description.
GUEST = """\
name = "guest"
type = "pv"
kernel = "/lab/guest.vmlinux"
ramdisk = "/lab/guest.cpio"
extra = "console=hvc0 loglevel=5 panic=-1 lab.ip=10.0.0.3 lab.driver=netfront_lro  panic_on_warn=1"
memory = 256
vcpus = 1
cpus = "1"
tsc_mode = "native"
vif = ["mac=00:16:3e:00:00:01,bridge=br0,script=vif-lab"]
on_crash = "preserve"
"""
# Xen's own, and what QEMU and the hypervisor's heap take.
RESERVE = 256


class FakeHost:
    """Remembers what it is told, and answers with nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[str] = []
        self.files: dict[str, str] = {}

    def run(self, command: str, timeout: float = 30, check: bool = True) -> str:
        self.told.append(command)
        return ""

    def put(self, data: bytes, path: str, mode: int = 0o644) -> None:
        self.files[path] = data.decode()

    def wait(self, timeout: float) -> None:
        self.told.append("wait")


def laboratory(test: unittest.TestCase, name: str = "bridge", kind: str = "pv") -> topology.XenLab:
    """A laboratory that has booted, of hosts that only remember."""
    logs = Path(test.enterContext(tempfile.TemporaryDirectory()))
    lab = topology.XenLab(logs=logs, topology=domains.select(name), kind=kind)
    lab.nic, lab.sender, lab.machine = mock.Mock(), FakeHost("sender"), mock.Mock()
    lab.dom0 = FakeHost("xen")
    with mock.patch.object(topology.agent, "ForwardedHost", lambda name, through, address: FakeHost(name)):
        lab._reach()
    return lab


class Data(unittest.TestCase):
    """Rules that every topology keeps, whichever are added."""

    def test_each_hop_begins_where_the_one_before_ends(self) -> None:
        for topo in domains.TOPOLOGIES.values():
            with self.subTest(topo.name):
                self.assertEqual([hop.front for hop in topo.hops[:-1]], [hop.back for hop in topo.hops[1:]])
                self.assertEqual(len(set(topo.path)), len(topo.path))

    def test_each_domain_has_a_pcpu_of_its_own(self) -> None:
        for topo in domains.TOPOLOGIES.values():
            with self.subTest(topo.name):
                self.assertEqual(sorted(domain.pcpu for domain in topo.domains), list(range(topo.cpus)))
                self.assertEqual(topo.domains[0].pcpu, 0)

    def test_the_machine_holds_them(self) -> None:
        for topo in domains.TOPOLOGIES.values():
            with self.subTest(topo.name):
                self.assertLessEqual(sum(domain.memory for domain in topo.domains) + RESERVE, topo.memory)

    def test_names_and_addresses_are_told_apart(self) -> None:
        for name, topo in domains.TOPOLOGIES.items():
            with self.subTest(name):
                self.assertEqual(topo.name, name)
                addresses = [hop.address for hop in topo.hops]
                self.assertEqual(len({*addresses, domains.SENDER_ADDRESS, domains.NIC_ADDRESS}), len(addresses) + 2)
                self.assertLessEqual(set(topo.path), {domain.name for domain in topo.domains})

    def test_choice(self) -> None:
        self.assertIs(domains.select("bridge"), BRIDGE)
        self.assertEqual(domains.guest_kind("pvh"), "pvh")
        for choose, name in ((domains.select, "ring"), (domains.guest_kind, "hvm")):
            with self.assertRaisesRegex(LabError, f"={name} is not one of") as told:
                choose(name)
            self.assertEqual(told.exception.code, EXIT_USAGE)


class Bridge(unittest.TestCase):
    """What follows from the topology that there always was."""

    def test_guest_is_described_as_ever(self) -> None:
        lab = laboratory(self)
        lab.use_guest_driver("netfront_lro")
        self.assertEqual(lab.dom0.files, {"/lab/guest.cfg": GUEST})
        self.assertEqual((lab.dom0.told, lab.guest.told), (["xl create /lab/guest.cfg"], ["wait"]))
        self.assertEqual(xl.guest_config("netfront_lro", more="panic_on_warn=1"), GUEST.replace("lro  p", "lro p"))

    def test_guest_is_made_again_for_another_front_end(self) -> None:
        lab = laboratory(self)
        lab.use_guest_driver("netfront_lro")
        with mock.patch.object(lab, "check"):
            lab.use_guest_driver("netfront_lro")
            lab.use_guest_driver("xen-netfront")
        self.assertEqual(lab.dom0.told[1:], ["xl destroy guest", "xl create /lab/guest.cfg"])
        self.assertIn("lab.driver=xen-netfront", lab.dom0.files["/lab/guest.cfg"])

    def test_who_is_who(self) -> None:
        lab = laboratory(self)
        self.assertIs(lab.nic_host, lab.dom0)
        self.assertIs(lab.receiver, lab.guest)
        self.assertEqual((lab.guest.name, lab.receiver_address), ("guest", "10.0.0.3"))
        self.assertEqual(lab.counted_domains(), {"driver": "Domain-0", "guest": "guest"})
        self.assertEqual((BRIDGE.cpus, BRIDGE.memory, lab._xen_arguments()), (
            2, 2048, "dom0_mem=1024M,max:1024M dom0_max_vcpus=1 dom0_vcpus_pin bootscrub=0"))

    def test_configuration_reaches_nic_and_guest(self) -> None:
        lab = laboratory(self)
        lab.apply(configs.ALL["guest12"])
        self.assertTrue(any("modprobe r8169_lro" in command for command in lab.dom0.told))
        self.assertIn("ip link set eth0 master br0 && ip link set eth0 up", lab.dom0.told)
        self.assertIn("echo 1 >/sys/module/netfront_lro/parameters/lro", lab.guest.told)
        self.assertIn("ethtool -K eth0 gro on", lab.guest.told)

    def test_described(self) -> None:
        self.assertEqual(BRIDGE.described("pv"), {
            "name": "bridge", "guest": "pv",
            "domains": [{"name": "driver", "title": "driver domain", "kind": "pv", "pcpu": 0, "memory_mib": 1024},
                        {"name": "guest", "title": "guest", "kind": "pv", "pcpu": 1, "memory_mib": 256}],
            "hops": [{"back": "driver", "front": "guest", "way": "bridge"}]})


class Assigned(unittest.TestCase):
    """The NIC belongs to a domain of its own."""

    def test_that_domain_is_made_with_the_nic(self) -> None:
        lab = laboratory(self, "driver-domain", "pvh")
        found = "/sys/bus/pci/devices/0000:00:03.0/device\n"
        lab.dom0.run = lambda command, **_: found if lab.dom0.told.append(command) or "grep" in command else ""
        lab._assign_nic()
        self.assertEqual(lab.dom0.told[1:], ["xl pci-assignable-add 0000:00:03.0", "xl create /lab/driver.cfg"])
        told = lab.dom0.files["/lab/driver.cfg"].splitlines()
        for line in ('type = "pv"', 'ramdisk = "/lab/service.cpio"', "memory = 384", 'cpus = "1"', "driver_domain = 1",
                     "e820_host = 1", 'pci = ["00:03.0,permissive=1"]',
                     'vif = ["mac=00:16:3e:00:00:09,bridge=br0,script=vif-lab"]'):
            self.assertIn(line, told)
        for argument in ("iommu=soft", "lab.management=10.9.0.2", "lab.way=bridge", "lab.inner=10.0.0.2",
                         "panic_on_warn=1"):
            self.assertIn(f" {argument}", lab.dom0.files["/lab/driver.cfg"])
        found = ""
        with self.assertRaisesRegex(LabError, "0 cards like the NIC"):
            lab._assign_nic()

    def test_guest_is_behind_it(self) -> None:
        lab = laboratory(self, "driver-domain", "pvh")
        lab.use_guest_driver("netfront_lro")
        told = lab.dom0.files["/lab/guest.cfg"].splitlines()
        for line in ('type = "pvh"', 'cpus = "2"', 'ramdisk = "/lab/guest.cpio"',
                     'vif = ["mac=00:16:3e:00:00:01,bridge=br0,script=vif-lab,backend=driver"]'):
            self.assertIn(line, told)

    def test_who_is_who(self) -> None:
        lab = laboratory(self, "driver-domain", "pvh")
        self.assertEqual(list(lab.hosts), ["dom0", "driver", "guest"])
        self.assertEqual((lab.nic_host.name, lab.receiver.name), ("driver", "guest"))
        self.assertEqual(lab.counted_domains(), {"dom0": "Domain-0", "driver": "driver", "guest": "guest"})
        self.assertEqual(list(lab._consoles), ["driver", "guest"])
        self.assertEqual(lab._bus(), ("q35", ["-device", "amd-iommu"]))
        self.assertEqual(lab._dom0_arguments(), "lab.ip=10.9.0.1 lab.domains=driver:guest")

    def test_the_machine_of_a_bridge_is_the_nic_s_own(self) -> None:
        lab = laboratory(self)
        self.assertEqual(lab._bus(), ("pc", []))
        self.assertEqual(lab._dom0_arguments(), "lab.ip=10.0.0.2 lab.domains=guest")

    def test_pvh_needs_nested_pages(self) -> None:
        self.assertEqual([laboratory(self, "bridge", kind).cpu for kind in ("pv", "pvh")],
                         [topology.vm.CPU, topology.vm.CPU + ",+npt"])


class Switched(unittest.TestCase):
    """Open vSwitch in the place of the bridge."""

    def test_nic_guest_and_rewriting(self) -> None:
        lab = laboratory(self, "ovs")
        lab.apply(configs.ALL["gro1-auto"])
        self.assertIn("ovs-vsctl --may-exist add-port br0 eth0 && ip link set eth0 up", lab.dom0.told)
        self.assertIn('vif = ["mac=00:16:3e:00:00:01,bridge=br0,script=vif-ovs"]', lab.dom0.files["/lab/guest.cfg"])
        self.assertTrue(any("modprobe br_linearize hook=egress" in command for command in lab.dom0.told))
        self.assertEqual(lab._dom0_arguments(), "lab.ip=10.0.0.2 lab.way=ovs lab.domains=guest")
        self.assertEqual(lab._bus(), ("pc", []))


class Chain(unittest.TestCase):
    """Two domains that route, one behind the other."""

    def setUp(self) -> None:
        self.lab = laboratory(self, "chain", "pvh")
        with mock.patch.object(topology.rules, "load") as self.load:
            self.lab.use_guest_driver("netfront_lro")

    def test_firewall(self) -> None:
        told = self.lab.dom0.files["/lab/firewall.cfg"].splitlines()
        for line in ('type = "pvh"', 'ramdisk = "/lab/service.cpio"', 'cpus = "2"', "driver_domain = 1",
                     'vif = ["ip=10.137.0.2 10.137.0.3,mac=00:16:3e:00:00:01,script=vif-route,backend=net"]'):
            self.assertIn(line, told)
        self.assertIn(" lab.ip=10.137.0.2 lab.driver=netfront_lro lab.gw=10.137.0.1 lab.way=route ",
                      self.lab.dom0.files["/lab/firewall.cfg"])
        self.assertEqual([call.args[0].name for call in self.load.call_args_list], ["firewall"])

    def test_app(self) -> None:
        told = self.lab.dom0.files["/lab/app.cfg"].splitlines()
        for line in ('type = "pvh"', 'ramdisk = "/lab/guest.cpio"', 'cpus = "3"',
                     'vif = ["ip=10.137.0.3,mac=00:16:3e:00:00:02,script=vif-route,backend=firewall"]'):
            self.assertIn(line, told)
        self.assertNotIn("driver_domain", self.lab.dom0.files["/lab/app.cfg"])
        self.assertIn(" lab.ip=10.137.0.3 lab.driver=netfront_lro lab.gw=10.137.0.2 ",
                      self.lab.dom0.files["/lab/app.cfg"])

    def test_made_outwards_and_ended_inwards(self) -> None:
        with mock.patch.object(topology.rules, "load"), mock.patch.object(self.lab, "check"):
            self.lab.use_guest_driver("xen-netfront")
        self.assertEqual(self.lab.dom0.told, ["xl create /lab/firewall.cfg", "xl create /lab/app.cfg", "xl destroy app",
                                              "xl destroy firewall", "xl create /lab/firewall.cfg",
                                              "xl create /lab/app.cfg"])

    def test_vifs_that_mangle(self) -> None:
        self.lab._mangle_id = True
        with mock.patch.object(topology.rules, "load"), mock.patch.object(self.lab, "check"):
            self.lab.use_guest_driver("xen-netfront")
        for name in ("net", "firewall"):
            self.assertIn("tx-tcp-mangleid-segmentation on", self.lab.hosts[name].told[-1])

    def test_nic_has_an_address_and_sender_a_route(self) -> None:
        with mock.patch.object(topology.rules, "load"):
            self.lab.apply(configs.ALL["gro12"])
        net = self.lab.hosts["net"].told
        self.assertIn("ip addr add 10.0.0.2/24 dev eth0 && ip link set eth0 up", net)
        for name in ("firewall", "app"):
            self.assertIn("ethtool -K eth0 gro on", self.lab.hosts[name].told)
        self.lab._prepare_sender = topology.XenLab._prepare_sender.__get__(self.lab)
        self.lab._prepare_sender()
        self.assertEqual(self.lab.sender.told[-2:], ["ip route add 10.137.0.0/16 via 10.0.0.2",
                                                     "ip route add 10.9.0.0/24 via 10.0.0.2"])

    def test_aggregates_are_rewritten_where_they_leave(self) -> None:
        with mock.patch.object(topology.rules, "load"):
            self.lab.apply(configs.ALL["gro1-inphase"])
        self.assertTrue(any("modprobe br_linearize hook=egress" in command
                            for command in self.lab.hosts["net"].told))


class Rules(unittest.TestCase):
    """The packet filter of a domain that routes."""

    def test_filter_and_translation(self) -> None:
        text = rules.ruleset("vif5.0")
        for line in ("policy drop;", "ct state invalid counter drop", 'oifname "eth0" masquerade'):
            self.assertIn(line, text)
        self.assertNotIn("flow", text)
        self.assertEqual(text.count("{"), text.count("}"))
        self.assertNotIn("masquerade", rules.ruleset("vif5.0", masquerade=False))

    def test_flowtable(self) -> None:
        text = rules.ruleset("vif5.0", flowtable=True)
        self.assertIn("flowtable fast { hook ingress priority filter; devices = { eth0, vif5.0 }; }", text)
        self.assertLess(text.index("flow add @fast"), text.index("ct state established,related counter accept"))
        self.assertEqual(text.count("{"), text.count("}"))

    def test_rules_are_of_the_vif_that_there_is(self) -> None:
        host = FakeHost("firewall")
        host.run = lambda command, **_: "vif7.0\n" if host.told.append(command) or "vif" in command else ""
        rules.load(host, flowtable=True)
        self.assertIn("devices = { eth0, vif7.0 }", host.files["/tmp/rules.nft"])
        self.assertEqual(host.told[-1], "nft -f /tmp/rules.nft")


class Hops(unittest.TestCase):
    """Copies and sizes of each hop."""

    def test_fields(self) -> None:
        def passed(scale: int, packets: int) -> hops.Passed:
            return hops.Passed(grants.Copies(2 * scale, 17 * scale, 65536 * scale), packets, 40_000 * packets)
        route = domains.select("chain").hops
        found = hops.fields(route, [passed(1, 5), passed(2, 7)], [passed(11, 5), passed(22, 27)], 10 * 65536)
        self.assertEqual(found["hops"], [
            {"back": "net", "front": "firewall", "grant_copies_per_64k": 17.0, "grant_hypercalls_per_64k": 2.0,
             "grant_bytes_per_copy": 3855.1},
            {"back": "firewall", "front": "app", "grant_copies_per_64k": 34.0, "grant_hypercalls_per_64k": 4.0,
             "grant_bytes_per_copy": 3855.1, "mean_bytes": 40000}])
        self.assertEqual(found["grant_copies_per_64k"], 17.0)

    def test_each_is_read_where_its_back_end_is(self) -> None:
        lab = laboratory(self, "chain")
        for name, host in lab.hosts.items():
            line = '{"to_guest":{"hypercalls":%d,"ops":2,"bytes":3}}' % len(name)
            host.run = lambda command, line=line, **_: line if "counters" in command else "4\n5000\n"
        found = hops.read(lab.topology.hops, lab.hosts)
        self.assertEqual([one.copies.hypercalls for one in found], [len("net"), len("firewall")])
        self.assertEqual((found[0].packets, found[0].bytes), (4, 5000))
        lab.hosts["net"].run = lambda command, **_: line if "counters" in command else "cat: no such file\n"
        with self.assertRaisesRegex(LabError, "net has not one vif"):
            hops.read(lab.topology.hops, lab.hosts)


class Chosen(unittest.TestCase):
    """What TOPOLOGY= and GUEST= choose."""

    def place(self, *arguments: str) -> experiments.Place:
        return cli._place(cli.parser().parse_args(["run", *arguments]))

    def test_names(self) -> None:
        self.assertEqual(self.place(), experiments.Place(BRIDGE, "pv"))
        self.assertEqual(self.place("--topology", "chain", "--guest", "pvh"),
                         experiments.Place(domains.select("chain"), "pvh"))
        with mock.patch.dict("os.environ", {"TOPOLOGY": "driver-domain", "GUEST": ""}):
            self.assertEqual(self.place(), experiments.Place(domains.select("driver-domain"), "pv"))

    def test_what_else_is_not_as_ever(self) -> None:
        with mock.patch.dict("os.environ", {"FLOWTABLE": "1", "TOPOLOGY": "chain", "MANGLE_ID": "1", "FIXED_ID": "0"}):
            self.assertEqual(self.place().varied, ["flowtable", "mangle_id"])
        self.assertEqual(self.place("--fixed-id").varied, ["fixed_id"])
        with self.assertRaisesRegex(LabError, "give TOPOLOGY=chain"):
            self.place("--flowtable")

    def test_not_with_other_machines_or_series(self) -> None:
        for more in (("--hosts", "hosts.toml"), ("--scaling", "1")):
            self.place(*more)
            with self.assertRaisesRegex(LabError, "leave HOSTS and SCALING out"):
                self.place("--guest", "pvh", *more)


class Counted(unittest.TestCase):
    """A count is a domain's when the domains are those of the description."""

    def test_other_domains_are_told(self) -> None:
        listing = "Domain-0 0 0 0 r-- 1.0 0 / all\nguest 1 0 1 -b- 1.0 1 / all\nold 2 0 2 -b- 1.0 2 / all\n"
        dom0 = mock.Mock()
        dom0.run.return_value = listing
        with self.assertRaisesRegex(LabError, "Domain-0, guest, old where Domain-0, guest are expected"):
            measure._domains(dom0, {"driver": "Domain-0", "guest": "guest"})
        self.assertEqual(measure._domains(dom0, {"dom0": "Domain-0", "driver": "guest", "guest": "old"}),
                         {"dom0": 0, "driver": 1, "guest": 2})


if __name__ == "__main__":
    unittest.main()
