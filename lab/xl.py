# SPDX-License-Identifier: GPL-2.0-only
"""xl's configuration files of the laboratory's domains, with the arguments of their kernels."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from .domains import BRIDGE, GUEST_ADDRESS, NIC_ADDRESS, OVS, OWNER_ADDRESS, PV, ROUTE, ROUTER_ADDRESS, Topology

GUEST_MAC = "00:16:3e:00:00:01"
GUEST_MEMORY = 256
# Initial RAM filesystems: that of a domain without back ends, and that of a domain with some.
GUEST_INITRD, SERVICE_INITRD = "/lab/guest.cpio", "/lab/service.cpio"
# By the way of packets in the back end's domain: its bridge, and the script there that joins a vif to it.
_VIF = {BRIDGE: "bridge=br0,script=vif-lab", ROUTE: "script=vif-route", OVS: "bridge=br0,script=vif-ovs"}
# Number of the vif over which commands reach a domain with a NIC of its own.
_MANAGEMENT = 9


@dataclass(frozen=True)
class Description:
    """A domain in xl's terms: memory in MiB, arguments of its kernel, its one vif, its initial RAM filesystem.

    more: lines that only some domains have.
    """

    name: str
    memory: int
    arguments: str
    vif: str
    ramdisk: str = GUEST_INITRD
    kind: str = PV
    pcpu: int = 1
    more: str = ""

    def text(self) -> str:
        """The configuration file.

        The emulated CPU does not call its time stamp counter invariant, so Xen would emulate each reading of it for the
        guest, a quarter of the guest's instructions. Real machines leave the counter to the guest.
        """
        return f"""name = "{self.name}"
type = "{self.kind}"
kernel = "/lab/guest.vmlinux"
ramdisk = "{self.ramdisk}"
extra = "console=hvc0 loglevel=5 panic=-1 {self.arguments}"
memory = {self.memory}
vcpus = 1
cpus = "{self.pcpu}"
tsc_mode = "native"
vif = ["{self.vif}"]
on_crash = "preserve"
{self.more}"""


def vif(number: int, way: str, backend: str = "") -> str:
    """A vif by its number, below 10, and the way of packets in its back end's domain, which is dom0 or is named."""
    return f"mac={GUEST_MAC[:-1]}{number},{_VIF[way]}{backend and f',backend={backend}'}"


def describe(topology: Topology, name: str, guests: str, driver: str, memory: int, more: str = "") -> str:
    """xl's description of a domain of a topology that has a front end on the way of the payload.

    guests: the kind of guests. driver: the front end's. memory: in MiB. more: further arguments of its kernel.
    """
    number = 1 + topology.behind.index(name)
    hop = topology.hops[number - 1]
    told = [f"lab.ip={hop.address}", f"lab.driver={driver}"]
    backend = topology.xen_name(hop.back) if hop.back != topology.domains[0].name else ""
    port = vif(number, hop.way, backend)
    if hop.way == ROUTE:
        told.append(f"lab.gw={topology.gateway(name)}")
        port = f"ip={' '.join(topology.beyond(hop.back))},{port}"
    serves = name in topology.backs
    if serves:
        told.append(f"lab.way={topology.hops[number].way}")
    return Description(topology.xen_name(name), memory, " ".join([*told, more]), port,
                       SERVICE_INITRD if serves else GUEST_INITRD, topology.kind(name, guests),
                       topology.domain(name).pcpu, "driver_domain = 1\n" if serves else "").text()


def describe_owner(topology: Topology, nic: str, more: str = "") -> str:
    """The same of the domain that the NIC is assigned to; `nic` is the NIC's address on the PCI bus.

    pciback also passes writes to parts of the NIC's configuration space that it does not know (permissive): drivers set
    bits there.
    """
    inner = {BRIDGE: f"lab.inner={NIC_ADDRESS}", ROUTE: f"lab.inner={ROUTER_ADDRESS}"}[topology.hops[0].way]
    told = (f"iommu=soft lab.driver=xen-netfront lab.management={OWNER_ADDRESS} lab.way={topology.hops[0].way} "
            f"{inner} {more}")
    lines = f'driver_domain = 1\ne820_host = 1\npci = ["{nic},permissive=1"]\n'
    domain = topology.domain(topology.owner)
    return Description(domain.name, domain.memory, told, vif(_MANAGEMENT, BRIDGE), SERVICE_INITRD, PV, domain.pcpu,
                       lines).text()


def guest_config(driver: str, number: int = 1, memory: int = GUEST_MEMORY, more: str = "", kind: str = PV) -> str:
    """xl's description of a guest behind dom0's bridge; `memory` in MiB; numbers are below 10; `more` for its kernel."""
    return describe_guest(number, memory, GUEST_INITRD, f"lab.ip={guest_address(number)} lab.driver={driver} {more}",
                          kind)


def describe_guest(number: int, memory: int, ramdisk: str, arguments: str, kind: str = PV) -> str:
    """The same with its own initial RAM filesystem and all arguments of its kernel. All guests run on one pCPU."""
    return Description(guest_name(number), memory, arguments, vif(number, BRIDGE), ramdisk, kind).text()


def guest_name(number: int) -> str:
    """Name of a guest's domain."""
    return "guest" if number == 1 else f"guest{number}"


def guest_address(number: int) -> str:
    """IP address of a guest."""
    return str(ipaddress.IPv4Address(GUEST_ADDRESS) + number - 1)
