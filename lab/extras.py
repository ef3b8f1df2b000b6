# SPDX-License-Identifier: GPL-2.0-only
"""Further packages for domains that filter or switch, beside the lab's root: only some topologies need them.

The packages are unpacked and not installed. Their other dependencies are in the lab's root.
"""

from __future__ import annotations

import functools
from pathlib import Path

from . import apt, cache, proc, steps
from .paths import BUILD, LOGS
from .steps import EnvironmentFault

PACKAGES = {
    "nftables": ("nftables", "libnftables1", "libnftnl11"),
    "openvswitch": ("openvswitch-switch", "openvswitch-common", "libbpf1", "libevent-2.1-7t64", "libunbound8",
                    "libxdp1"),
}
NFT = "usr/sbin/nft"
# The switch's daemon and its database, the command, and the program that makes the database, with its source.
OVS_PROGRAMS = ("usr/lib/openvswitch-switch/ovs-vswitchd", "usr/sbin/ovsdb-server", "usr/bin/ovs-vsctl",
                "usr/bin/ovsdb-tool")
OVS_SCHEMA = "usr/share/openvswitch/vswitch.ovsschema"


@functools.cache
def packages(name: str) -> Path:
    """The folder with one unpacked set of them; it is fetched first if there is none of the current snapshot."""
    snapshot = apt.snapshot()
    return cache.keyed(BUILD / "roots" / name, ("extras", snapshot.identity, PACKAGES[name], _RECIPE),
                       lambda fresh: _make(fresh, name, snapshot))


def _make(folder: Path, name: str, snapshot: apt.Snapshot) -> None:
    with steps.step(f"Fetching the package {PACKAGES[name][0]} for domains"):
        log = LOGS / f"{name}.log"
        log.unlink(missing_ok=True)
        found = snapshot.candidates(PACKAGES[name])
        for wanted in PACKAGES[name]:
            if wanted not in found:
                raise EnvironmentFault(f"the package mirror has no {wanted}; run `python3 -m lab setup --refresh`")
        for deb in snapshot.download([found[wanted] for wanted in PACKAGES[name]], folder / "debs", log):
            proc.run(["dpkg-deb", "-x", str(deb), str(folder)], log=log, timeout=60)
        cache.remove(folder / "debs")


_RECIPE = cache.recipe(_make)
