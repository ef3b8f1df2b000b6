# SPDX-License-Identifier: GPL-2.0-only
"""Topologies as data: what each has to keep to, and what follows from it for xl, the counters and the results."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab import configs, domains, measure, topology, xl
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
        self.assertEqual(laboratory(self).described(), {
            "name": "bridge", "guest": "pv",
            "domains": [{"name": "driver", "title": "driver domain", "kind": "pv", "pcpu": 0, "memory_mib": 1024},
                        {"name": "guest", "title": "guest", "kind": "pv", "pcpu": 1, "memory_mib": 256}],
            "hops": [{"back": "driver", "front": "guest", "way": "bridge"}]})


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
