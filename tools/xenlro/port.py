# SPDX-License-Identifier: GPL-2.0-only
"""An interface as a port of a bridge: its flags, its VLANs, and the addresses that were set for it by hand."""

from __future__ import annotations

from . import iproute
from .system import System, read

# Fields of `bridge -json -details link` that are words of `bridge link set`.
_SWITCHES = {name: name for name in (
    "hairpin", "guard", "root_block", "fastleave", "learning", "flood", "mcast_flood", "bcast_flood", "mcast_to_unicast",
    "neigh_suppress", "neigh_vlan_suppress", "vlan_tunnel", "isolated", "locked", "mab")}
_NUMBERS = ("cost", "priority")


def save(system: System, name: str, bridge: str | None, address: str) -> dict | None:
    """The port; None when the interface is in no bridge. `address` is its MAC address, which the kernel adds itself."""
    if bridge is None:
        return None
    shown = iproute.show(system, "bridge", "-details", "link", "show", "dev", name)
    port = shown[0] if shown else {}
    return {"flags": {word: port[word] for word in (*_SWITCHES, *_NUMBERS) if word in port},
            "vlans": _vlans(system, name, bridge), "fdb": _fdb(system, name, address), "mdb": _mdb(system, name, bridge)}


def differences(name: str, before: dict | None, now: dict | None) -> list[str]:
    if before is None:
        return []
    if now is None:
        return [f"{name} is a port of no bridge"]
    found = [f"{word} of the port {name} is {now['flags'].get(word)} and was {value}"
             for word, value in before["flags"].items() if now["flags"].get(word) != value]
    for kind, called in (("vlans", "VLAN"), ("fdb", "forwarding entry"), ("mdb", "multicast entry")):
        found += [f"the port's {called} '{entry}' is missing" for entry in before[kind] if entry not in now[kind]]
    return found + [f"the port's VLAN '{entry}' is new" for entry in now["vlans"] if entry not in before["vlans"]]


def mend(system: System, name: str, before: dict | None, now: dict | None) -> list[str]:
    if before is None or now is None:
        return []
    words = [f"{word} {_word(value)}" for word, value in before["flags"].items() if now["flags"].get(word) != value]
    commands = [f"link set dev {name} {word}" for word in words]
    commands += [f"vlan del {_without_flags(entry)} dev {name}" for entry in now["vlans"] if entry not in before["vlans"]]
    for kind, verb in (("vlans", "vlan add"), ("fdb", "fdb replace"), ("mdb", "mdb add")):
        commands += [f"{verb} {_at(kind, entry, name)}" for entry in before[kind] if entry not in now[kind]]
    return iproute.batch(system, ("bridge",), commands)


def _word(value: bool | int) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _vlans(system: System, name: str, bridge: str) -> list[str]:
    if (system.sys / "class/net" / bridge / "bridge/vlan_filtering").exists():
        shown = iproute.show(system, "bridge", "vlan", "show", "dev", name)
        words = {"PVID": "pvid", "Egress Untagged": "untagged"}
        return [" ".join([f"vid {entry['vlan']}", *(words[flag] for flag in entry.get("flags", ()) if flag in words)])
                for port in shown for entry in port.get("vlans", ())]
    return []


def _without_flags(vlan: str) -> str:
    return " ".join(vlan.split()[:2])


def _fdb(system: System, name: str, address: str) -> list[str]:
    """Forwarding entries that do not age; those of multicast are the kernel's, and so is the port's own address."""
    found = []
    for entry in iproute.show(system, "bridge", "fdb", "show", "brport", name):
        flags = entry.get("flags", ())
        if entry.get("state") not in ("permanent", "static") or entry["mac"] == address or "extern_learn" in flags \
                or int(entry["mac"][:2], 16) & 1:
            continue
        found.append(" ".join([entry["mac"], "master" if "master" in entry else "self", entry["state"],
                               *(f"{word} {entry[word]}" for word in ("vlan",) if word in entry),
                               *(word for word in ("sticky",) if word in flags)]))
    return found


def _mdb(system: System, name: str, bridge: str) -> list[str]:
    if read(system.sys / "class/net" / bridge / "bridge/multicast_snooping") != "1":
        return []
    shown = iproute.show(system, "bridge", "mdb", "show", "dev", bridge)
    return [" ".join([f"grp {entry['grp']}", *(f"src {entry[word]}" for word in ("src",) if word in entry), "permanent",
                      *(f"vid {entry[word]}" for word in ("vid",) if word in entry), f"of {bridge}"])
            for group in shown for entry in group.get("mdb", ()) if entry.get("port") == name
            and entry.get("state") == "permanent"]


def _at(kind: str, entry: str, name: str) -> str:
    """The words of a command that adds an entry to the port."""
    if kind == "mdb":
        words, _, bridge = entry.rpartition(" of ")
        return f"dev {bridge} port {name} {words}"
    if kind == "vlans":
        return f"{entry} dev {name}"
    mac, *words = entry.split()
    return " ".join([mac, "dev", name, *words])
