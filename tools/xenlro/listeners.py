# SPDX-License-Identifier: GPL-2.0-only
"""Programs whose sockets go by an interface's number: they receive nothing from its successor."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .system import System, read

# These notice that an interface went and came.
_NOTICE = {"systemd-network", "NetworkManager", "dhcpcd", "systemd-udevd"}
# Groups that the kernel joins itself: all nodes and all routers, and one for each IPv6 address.
_KERNELS = re.compile(r"224\.0\.0\.[12]|ff0[125]::[12]|ff02::1:ff[0-9a-f]{2}:[0-9a-f]{1,4}")


@dataclass(frozen=True)
class Tied:
    """What is bound to the interface of a number: programs, each with its own number, and groups that programs joined.

    routed: whether a program routes multicast through it.
    """

    index: str
    programs: frozenset[tuple[str, str]]
    groups: frozenset[str]
    routed: bool


def of(system: System, name: str) -> Tied:
    index = read(system.sys / "class/net" / name / "ifindex")
    programs = _on_packet_sockets(system, index) | _on_bound_sockets(system, name)
    return Tied(index, frozenset(programs), frozenset(_groups(system, name)), _routed(system, name))


def lost(system: System, name: str, before: Tied) -> list[str]:
    """Sentences about what the interface's successor lacks; none while the interface is the same."""
    if read(system.sys / "class/net" / name / "ifindex") == before.index:
        return []
    # A manager has ended its own, and begun others.
    left = [f"{command} ({number})" for command, number in sorted(before.programs)
            if command not in _NOTICE and read(system.proc / number / "comm") == command]
    groups = sorted(before.groups - _groups(system, name))
    found = []
    if left:
        found.append(f"restart these programs, whose sockets are bound to the interface that was removed: {', '.join(left)}")
    if groups:
        found.append(f"restart the programs that have joined {', '.join(groups)} on {name}: they receive nothing for these groups")
    if before.routed and not _routed(system, name):
        found.append(f"restart the program that routes multicast: it has lost {name} (`ip mroute`)")
    return found


def _routed(system: System, name: str) -> bool:
    return any(name in line.split()[1:2] for file in ("ip_mr_vif", "ip6_mr_vif")
               for line in read(system.proc / "net" / file).splitlines())


def _on_packet_sockets(system: System, index: str) -> set[tuple[str, str]]:
    rows = [line.split() for line in read(system.proc / "net/packet").splitlines()[1:]]
    sockets = {row[8] for row in rows if len(row) > 8 and row[4] == index}
    return {(read(folder / "comm"), folder.name) for folder in system.proc.glob("[0-9]*") if sockets and _has(folder, sockets)}


def _has(folder: Path, sockets: set[str]) -> bool:
    with suppress(OSError):
        for entry in os.scandir(folder / "fd"):
            with suppress(OSError):
                if (match := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry.path))) and match[1] in sockets:
                    return True
    return False


def _on_bound_sockets(system: System, name: str) -> set[tuple[str, str]]:
    """Those of IP that are bound to the device, or to an address of the link."""
    lines = system.output("ss", "-H", "-n", "-a", "-p", "-t", "-u", "-w").splitlines()
    return {(command, number) for line in lines if f"%{name}:" in line
            for command, number in re.findall(r'\("([^"]*)",pid=(\d+)', line)}


def _groups(system: System, name: str) -> set[str]:
    """Groups of both families that are joined on the interface."""
    found, interface = [], ""
    for words in map(str.split, read(system.proc / "net/igmp").splitlines()[1:]):
        # The line of an interface, and one for each of its groups, in the machine's byte order.
        if words[0].isdigit() and len(words) > 3:
            interface = words[1].rstrip(":")
        elif interface == name:
            found.append(str(ipaddress.IPv4Address(int(words[0], 16).to_bytes(4, sys.byteorder))))
    found += [str(ipaddress.IPv6Address(bytes.fromhex(words[2]))) for words in
              map(str.split, read(system.proc / "net/igmp6").splitlines()) if words[1] == name]
    return {group for group in found if not _KERNELS.fullmatch(group)}
