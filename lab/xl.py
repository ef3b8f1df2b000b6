# SPDX-License-Identifier: GPL-2.0-only
"""What xl is told of the laboratory's domains: their configuration files, and what their kernels are told."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from .domains import BRIDGE, GUEST_ADDRESS, PV, Topology

GUEST_MAC = "00:16:3e:00:00:01"
GUEST_MEMORY = 256
GUEST_INITRD = "/lab/guest.cpio"
# The bridge of the domain with the back end, and the script there that joins a vif to it.
_VIF = {BRIDGE: "bridge=br0,script=vif-lab"}


@dataclass(frozen=True)
class Description:
    """A domain as xl knows it: memory in MiB, its initial RAM filesystem, what its kernel is told, its one vif."""

    name: str
    memory: int
    arguments: str
    vif: str
    ramdisk: str = GUEST_INITRD
    kind: str = PV
    pcpu: int = 1

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
"""


def vif(number: int, way: str) -> str:
    """A vif by its number, below 10, and the way in which its back end's domain passes packets to it."""
    return f"mac={GUEST_MAC[:-1]}{number},{_VIF[way]}"


def describe(topology: Topology, name: str, guests: str, driver: str, memory: int, more: str = "") -> str:
    """xl's description of a domain of a topology that has a front end on the way of the payload.

    guests: the kind of guests. driver: the front end's. memory: in MiB. more: what its kernel is told beside.
    """
    number = 1 + topology.behind.index(name)
    hop = topology.hops[number - 1]
    return Description(topology.xen_name(name), memory, f"lab.ip={hop.address} lab.driver={driver} {more}",
                       vif(number, hop.way), kind=topology.kind(name, guests), pcpu=topology.domain(name).pcpu).text()


def guest_config(driver: str, number: int = 1, memory: int = GUEST_MEMORY, more: str = "", kind: str = PV) -> str:
    """xl's description of a guest behind a bridge; `memory` in MiB; numbers are below 10; `more` for its kernel."""
    return describe_guest(number, memory, GUEST_INITRD, f"lab.ip={guest_address(number)} lab.driver={driver} {more}",
                          kind)


def describe_guest(number: int, memory: int, ramdisk: str, arguments: str, kind: str = PV) -> str:
    """The same with an initial RAM filesystem of its own and all that its kernel is told. All run on one pCPU."""
    return Description(guest_name(number), memory, arguments, vif(number, BRIDGE), ramdisk, kind).text()


def guest_name(number: int) -> str:
    """Name of a guest's domain."""
    return "guest" if number == 1 else f"guest{number}"


def guest_address(number: int) -> str:
    """IP address of a guest."""
    return str(ipaddress.IPv4Address(GUEST_ADDRESS) + number - 1)
