# SPDX-License-Identifier: GPL-2.0-only
"""Topologies of the Xen laboratory, as data: the domains, the pCPU of each, and the links between them.

The payload goes from the NIC through the hops of a topology, one vif each, to the receiver. All other facts about a
topology follow from that: the domain that owns the NIC, whether the NIC has to be assigned to it, the boot arguments of
each domain, the domains whose instructions and grant copies are counted, and the drawing of the report.
"""

from __future__ import annotations

from dataclasses import dataclass

from .steps import EXIT_USAGE, LabError

SENDER_ADDRESS, NIC_ADDRESS, GUEST_ADDRESS = "10.0.0.1", "10.0.0.2", "10.0.0.3"

PV, PVH = KINDS = ("pv", "pvh")
# The ways by which the domain with a vif's back end passes packets to it.
BRIDGE, ROUTE, OVS = "bridge", "route", "ovs"
# Between dom0 and a separate driver domain there is a further vif, for the lab's commands.
DOM0_ADDRESS, OWNER_ADDRESS = "10.9.0.1", "10.9.0.2"
MANAGEMENT_NET = "10.9.0.0/24"
# Addresses behind a router, and the router's own among them.
ROUTED_NET, ROUTER_ADDRESS = "10.137.0.0/16", "10.137.0.1"
# Xen's name of the first domain of every topology.
DOM0 = "Domain-0"


@dataclass(frozen=True)
class Domain:
    """A domain: its name in the results, its name in the report, its own pCPU, its MiB."""

    name: str
    title: str
    pcpu: int
    memory: int


@dataclass(frozen=True)
class Hop:
    """A vif that the payload passes: the domains with its back and its front end, the front end's address.

    way: by which the back end's domain passes packets to it.
    """

    back: str
    front: str
    way: str
    address: str


@dataclass(frozen=True)
class Topology:
    """Domains, of which the first is dom0, and the hops in the order in which the payload passes them.

    memory: MiB of the machine that all of them run on.
    """

    name: str
    about: str
    domains: tuple[Domain, ...]
    hops: tuple[Hop, ...]
    memory: int

    @property
    def path(self) -> tuple[str, ...]:
        """The domains that the payload passes, from the NIC's to the receiver."""
        return (self.hops[0].back, *(hop.front for hop in self.hops))

    @property
    def owner(self) -> str:
        """The domain that owns the NIC."""
        return self.path[0]

    @property
    def receiver(self) -> str:
        """The domain at which the traffic ends."""
        return self.path[-1]

    @property
    def assigned(self) -> bool:
        """Whether the NIC is assigned to a domain other than dom0."""
        return self.owner != self.domains[0].name

    @property
    def routed(self) -> bool:
        """Whether the NIC's domain routes."""
        return self.hops[0].way == ROUTE

    @property
    def backs(self) -> tuple[str, ...]:
        """The domains with a back end on the way of the payload."""
        return tuple(hop.back for hop in self.hops)

    @property
    def filters(self) -> tuple[str, ...]:
        """The domains that filter: those that route from a vif to a vif."""
        return tuple(hop.back for hop in self.hops[1:] if hop.way == ROUTE)

    def beyond(self, name: str) -> tuple[str, ...]:
        """The addresses that the payload may have beyond a domain, the next one first."""
        return tuple(hop.address for hop in self.hops[self.path.index(name):])

    def gateway(self, name: str) -> str:
        """The address by which a domain behind a router reaches all other hosts."""
        number = self.path.index(name) - 1
        return ROUTER_ADDRESS if not number else self.hops[number - 1].address

    @property
    def behind(self) -> tuple[str, ...]:
        """The domains that a front end leads to, in the order in which they can be made."""
        return self.path[1:]

    @property
    def cpus(self) -> int:
        """pCPUs of the machine."""
        return 1 + max(domain.pcpu for domain in self.domains)

    def domain(self, name: str) -> Domain:
        """The domain of a name."""
        return next(domain for domain in self.domains if domain.name == name)

    def xen_name(self, name: str) -> str:
        """Xen's name of a domain."""
        return DOM0 if name == self.domains[0].name else name

    def kind(self, name: str, guests: str) -> str:
        """Whether a domain is PV or PVH if the guests are `guests`. The owner of the NIC is always PV."""
        return guests if name in self.behind else PV

    def described(self, guests: str) -> dict:
        """The topology as the results hold it."""
        return {"name": self.name, "guest": guests,
                "domains": [{"name": domain.name, "title": domain.title, "kind": self.kind(domain.name, guests),
                             "pcpu": domain.pcpu, "memory_mib": domain.memory} for domain in self.domains],
                "hops": [{"back": hop.back, "front": hop.front, "way": hop.way} for hop in self.hops]}


TOPOLOGIES = {topology.name: topology for topology in (
    Topology("bridge", "dom0 owns the NIC and bridges to the guest",
             (Domain("driver", "driver domain", 0, 1024), Domain("guest", "guest", 1, 256)),
             (Hop("driver", "guest", BRIDGE, GUEST_ADDRESS),), 2048),
    Topology("ovs", "dom0 owns the NIC and switches to the guest with Open vSwitch",
             (Domain("driver", "driver domain", 0, 1024), Domain("guest", "guest", 1, 256)),
             (Hop("driver", "guest", OVS, GUEST_ADDRESS),), 2048),
    Topology("driver-domain", "a domain of its own owns the NIC and bridges to the guest, dom0 only manages",
             (Domain("dom0", "dom0", 0, 1024), Domain("driver", "driver domain", 1, 384),
              Domain("guest", "guest", 2, 256)),
             (Hop("driver", "guest", BRIDGE, GUEST_ADDRESS),), 2048),
    Topology("chain", "a domain with the NIC routes to a firewall with NAT, which routes to the receiver, as in Qubes",
             (Domain("dom0", "dom0", 0, 1024), Domain("net", "net domain", 1, 384),
              Domain("firewall", "firewall", 2, 256), Domain("app", "app domain", 3, 256)),
             (Hop("net", "firewall", ROUTE, "10.137.0.2"), Hop("firewall", "app", ROUTE, "10.137.0.3")), 2560),
)}
DEFAULT = "bridge"


def select(name: str) -> Topology:
    """The topology of a name as in TOPOLOGY=; raises LabError for an unknown one."""
    if name not in TOPOLOGIES:
        raise LabError(f"TOPOLOGY={name} is not one of {', '.join(TOPOLOGIES)}", code=EXIT_USAGE)
    return TOPOLOGIES[name]


def guest_kind(name: str) -> str:
    """The kind of guests of a name as in GUEST=; raises LabError for an unknown one."""
    if name not in KINDS:
        raise LabError(f"GUEST={name} is not one of {', '.join(KINDS)}", code=EXIT_USAGE)
    return name
