# SPDX-License-Identifier: GPL-2.0-only
"""Settings of an interface itself: names, MAC address, MTU, queue length, flags, and its bridge or VRF."""

from __future__ import annotations

from collections.abc import Sequence

from . import iproute
from .system import System, read

# Fields of `ip -json -details link` that are words of `ip link set` with the same value.
_SET = {"address": "address", "mtu": "mtu", "txqlen": "txqueuelen", "group": "group", "gso_max_size": "gso_max_size",
        "gso_max_segs": "gso_max_segs", "gro_max_size": "gro_max_size", "gso_ipv4_max_size": "gso_ipv4_max_size",
        "gro_ipv4_max_size": "gro_ipv4_max_size"}
# Flags that are switched by a word of `ip link set`, and the value of the word when the flag is there.
_FLAGS = {"NOARP": ("arp", "off", "on"), "MULTICAST": ("multicast", "on", "off"), "PROMISC": ("promisc", "on", "off"),
          "ALLMULTI": ("allmulticast", "on", "off")}
# A master that lists its ports by name takes them back by itself.
OWN_PORTS = ("openvswitch",)


def save(system: System, name: str) -> dict:
    """The interface, and of each interface above it MTU and MAC address, which follow those of its ports."""
    link = shown(system, name)
    return {**{field: link[field] for field in _SET if field in link}, "name": name,
            "flags": [flag for flag in _FLAGS if flag in link.get("flags", ())], "up": "UP" in link.get("flags", ()),
            "altnames": link.get("altnames", []), "master": link.get("master"),
            "slave_kind": link.get("linkinfo", {}).get("info_slave_kind"),
            "above": [{field: upper.get(field) for field in ("ifname", "address", "mtu")} for upper in above(system, link)]}


def shown(system: System, name: str) -> dict:
    """All that `ip` knows of an interface; empty when there is no such one."""
    if not (system.sys / "class/net" / name).exists():
        return {}
    found = iproute.show(system, "ip", "-details", "link", "show", "dev", name)
    return found[0] if found else {}


def above(system: System, link: dict) -> list[dict]:
    """The bridges and other upper devices of an interface, from the nearest on."""
    found: list[dict] = []
    while (master := link.get("master")) and master not in [upper["ifname"] for upper in found]:
        link = shown(system, master)
        if not link:
            break
        found.append(link)
    return found


def differences(before: dict, now: dict) -> list[str]:
    """Differences to the saved settings. Further names from udev are no difference."""
    found = [f"{word} of {before['name']} is {now.get(field)} and was {before[field]}"
             for field, word in _SET.items() if field in before and now.get(field) != before[field]]
    found += [f"the name {name} is missing" for name in (before["name"], *before["altnames"])
              if name not in (now["name"], *now["altnames"])]
    for field in ("master", "up", "flags"):
        if before[field] != now[field]:
            found.append(f"{field} of {before['name']} is {now[field] or 'none'} and was {before[field] or 'none'}")
    upper = {entry["ifname"]: entry for entry in now["above"]}
    return found + [f"{field} of {entry['ifname']} is {upper[entry['ifname']][field]} and was {entry[field]}"
                    for entry in before["above"] if entry["ifname"] in upper
                    for field in ("mtu", "address") if upper[entry["ifname"]][field] != entry[field]]


def rename(system: System, name: str, before: dict) -> str:
    """Give an interface the name that it had, if that is free; the name that it has then."""
    wanted = before["name"]
    if name == wanted:
        return name
    link = shown(system, name)
    commands = [f"link property del dev {name} altname {wanted}"] if wanted in link.get("altnames", ()) else []
    if not commands and (system.sys / "class/net" / wanted).exists():
        return name
    iproute.batch(system, ("ip",), [*commands, f"link set dev {name} down", f"link set dev {name} name {wanted}"])
    return wanted if (system.sys / "class/net" / wanted).exists() else name


def mend(system: System, name: str, before: dict, now: dict) -> list[str]:
    """Restore the interface, except that it stays down; return the commands that were refused."""
    sets = [f"{_SET[field]} {before[field]}" for field in _SET if field in before and now.get(field) != before[field]]
    if before["flags"] != now["flags"]:
        sets += [f"{word} {there if flag in before['flags'] else gone}" for flag, (word, there, gone) in _FLAGS.items()]
    commands = [f"link set dev {name} {words}" for words in sets]
    commands += [f"link property add dev {name} altname {other}" for other in before["altnames"]
                 if other not in (name, *now["altnames"])]
    if before["master"] != now["master"] and before["slave_kind"] not in OWN_PORTS:
        commands.append(f"link set dev {name} " + (f"master {before['master']}" if before["master"] else "nomaster"))
    return iproute.batch(system, ("ip",), commands)


def mend_above(system: System, before: dict, now: Sequence[dict]) -> list[str]:
    """Restore the settings of upper interfaces that changed with the port while it was away."""
    there = {entry["ifname"]: entry for entry in now}
    return iproute.batch(system, ("ip",), [f"link set dev {entry['ifname']} {field} {entry[field]}"
                                           for entry in before["above"] if entry["ifname"] in there
                                           for field in ("mtu", "address")
                                           if there[entry["ifname"]][field] != entry[field]])


def set_up(system: System, name: str, up: bool) -> list[str]:
    return iproute.batch(system, ("ip",), [f"link set dev {name} {'up' if up else 'down'}"])


def carrier(system: System, name: str) -> bool:
    return read(system.sys / "class/net" / name / "carrier") == "1"
