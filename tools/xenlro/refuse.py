# SPDX-License-Identifier: GPL-2.0-only
"""Configuration that cannot be kept over a change of drivers: the change is refused before anything is touched."""

from __future__ import annotations

import json
import re

from . import addresses, bpf, elsewhere, iproute, link, names, netroot, owner, routes, tied
from .devices import Device
from .errors import EXIT_ENVIRONMENT, XenlroError
from .system import System, read

AT_BOOT = "or choose for the next boot with `--at-boot`"
# Names of modules that the makers' own drivers have.
_MAKERS_OWN = ("r8168", "r8125", "r8101", "r8126", "r8127")
_CLIENTS = {"dhclient", "dhcpcd", "udhcpc", "dhcp6c", "odhcp6c", "dhclient3"}


def unprivileged(system: System) -> None:
    if not system.privileged:
        raise XenlroError("changing drivers needs root: run the same command with sudo", EXIT_ENVIRONMENT)


def busy(device: Device) -> None:
    """A card that was handed to a guest or to a program is not taken away from it, nor from its maker's own driver."""
    if device.driver in _MAKERS_OWN:
        raise XenlroError(f"{device.id} is served by {device.driver}, a driver of Realtek's that is no part of Linux: this "
                          f"command changes between {device.bus.stock} and {device.bus.ours} only; remove {device.driver} "
                          f"(for example by `apt remove {device.driver}-dkms`) and reboot, so that {device.bus.stock} "
                          "serves it")
    if device.busy:
        raise XenlroError(f"{device.id} is busy: {device.driver} has it, for a guest or a program: take it back there "
                          f"first, for example by `xl pci-assignable-remove -r {device.id}`")


def ever(system: System, device: Device, ours: bool) -> None:
    """Refuse if our driver is impossible even at the next boot."""
    if where := netroot.found(system):
        raise XenlroError(f"{where}, and the system cannot change a driver while it lies on the network: stay with the "
                          "driver there is")
    if ours and (why := names.hindrance(system, device)):
        raise XenlroError(why)


def now(system: System, device: Device) -> None:
    """Refuse if a change is impossible while the machine runs."""
    _elsewhere(system, device)
    name = device.interface
    if name is None:
        if away := elsewhere.interface(system, device.id):
            raise XenlroError(f"{away}, the interface of {device.id}, is in another network namespace, which would lose it: "
                              f"take it back to this one, {AT_BOOT}")
        return
    if not re.fullmatch(r"[\w.:+@-]+", name):
        raise XenlroError(f"the interface's name '{name}' has characters that cannot be given to ip's batch mode: rename "
                          f"it, {AT_BOOT}")
    if (functions := read(device.path / "sriov_numvfs")) not in ("", "0"):
        raise XenlroError(f"{functions} virtual functions of {name} (SR-IOV) would go away with its driver, and guests may have "
                          f"them: take them away first (`echo 0 >/sys/class/net/{name}/device/sriov_numvfs`), {AT_BOOT}")
    iproute.check(system)
    itself = link.shown(system, name)
    _on_top(system, name, itself)
    _in(itself)
    _attached(system, name, itself)
    _leases(system, name)
    _kept_elsewhere(system, name, itself)


def _elsewhere(system: System, device: Device) -> None:
    """An interface comes back in the first network namespace, from any namespace in which it was removed."""
    try:
        apart = system.first_network.stat().st_ino != (system.proc / "self/ns/net").stat().st_ino
    except OSError:
        return
    if apart:
        name = device.interface or "DEVICE"
        raise XenlroError(f"this command runs in another network namespace than the first process, and the interface of "
                          f"{device.id} would come back in that one: take it back there (`ip link set {name} netns 1`) and run the "
                          f"command there, {AT_BOOT}")


def _on_top(system: System, name: str, itself: dict) -> None:
    """VLANs, macvlans, tunnels and the like go away with the interface that they are on."""
    # The other end of a veth is named in the same way, and knows this one as its own.
    upper = [entry["ifname"] for entry in iproute.show(system, "ip", "-details", "link", "show")
             if entry.get("link") == name and entry.get("linkinfo", {}).get("info_kind") != "veth"]
    upper += [path.name.removeprefix("upper_") for path in sorted((system.sys / "class/net" / name).glob("upper_*"))
              if path.name.removeprefix("upper_") != _master(system, name)]
    upper += [line.split()[2] + " (PPPoE)" for line in read(system.proc / "net/pppoe").splitlines()[1:]
              if line.split()[-1] == name]
    upper += [f"{other} of another network namespace" for other in elsewhere.on_top(system, itself.get("ifindex", 0))]
    if upper:
        raise XenlroError(f"{', '.join(dict.fromkeys(upper))} on top of {name} would go away with it and cannot be put back: "
                          f"take it down first, {AT_BOOT}")


def _master(system: System, name: str) -> str:
    path = system.sys / "class/net" / name / "master"
    return path.resolve().name if path.exists() else ""


def _in(itself: dict) -> None:
    kind = itself.get("linkinfo", {}).get("info_slave_kind")
    if itself.get("master") and kind not in ("bridge", "vrf", *link.OWN_PORTS):
        raise XenlroError(f"{itself['ifname']} is in {itself['master']}, a {kind or 'device of an unknown kind'} that cannot "
                          f"be given it back as it was: take it out first, {AT_BOOT}")


def _attached(system: System, name: str, itself: dict) -> None:
    """Programs and queues that are bound to this very device."""
    if itself.get("xdp"):
        raise XenlroError(f"an XDP program is attached to {name} and would be lost: detach it (`ip link set {name} xdp "
                          f"off`), {AT_BOOT}")
    if count := bpf.attached(itself.get("ifindex", 0)):
        raise XenlroError(f"{count} BPF programs (tcx) are attached to {name} and would be lost: detach them, or stop the program "
                          f"that did it (`bpftool net` shows them), {AT_BOOT}")
    shown = json.loads(system.output("tc", "-json", "qdisc", "show", "dev", name) or "[]")
    kinds = [entry["kind"] for entry in shown if entry.get("handle", "0:") != "0:" or entry.get("kind") in
             ("ingress", "clsact")]
    if kinds:
        raise XenlroError(f"traffic control ({', '.join(kinds)}) is set on {name} and would be lost: take it away (`tc qdisc "
                          f"del dev {name} root`, and ingress or clsact), {AT_BOOT}")
    for look in (tied.mirrored, tied.logged, tied.backed, tied.hooked, tied.numbered):
        if told := look(system, name):
            raise XenlroError(f"{told}, {AT_BOOT}")
    if rules := tied.steered(system, name):
        raise XenlroError(f"{rules} (`ethtool -n {name}`) would be lost: delete them, {AT_BOOT}")


def _leases(system: System, name: str) -> None:
    if owner.find(system, name):
        return
    client = next((comm for comm, words in _programs(system) if comm in _CLIENTS and name in words), None)
    leased = [address for address in addresses.save(system, name)
              if addresses.leased(address) and not addresses.announced(address)]
    if client or leased:
        what = f"{leased[0]['local']} of {name} is a lease" if leased else f"{name} has an address by {client}"
        raise XenlroError(f"{what}, and no program would take it again after the change (NetworkManager, systemd-networkd and "
                          f"ifupdown would): give {name} to one of them, or a static address, {AT_BOOT}")


def _programs(system: System) -> list[tuple[str, list[str]]]:
    """Name and words of each process in this network namespace."""
    found = []
    for folder in system.proc.glob("[0-9]*"):
        try:
            if (folder / "ns/net").stat().st_ino != (system.proc / "self/ns/net").stat().st_ino:
                continue
        except OSError:
            continue
        found.append((read(folder / "comm"), read(folder / "cmdline").split("\0")))
    return found


def _kept_elsewhere(system: System, name: str, itself: dict) -> None:
    """Routes that cannot be restored by a command."""
    through = [name, *(upper["ifname"] for upper in link.above(system, itself))]
    saved = routes.save(system, through, [])
    for words in routes.words_of(saved):
        if "nhid" in words:
            raise XenlroError(f"the route to {words[0]} uses a nexthop object (`ip nexthop`), which would be lost with {name}: "
                              f"write the route with its gateway, {AT_BOOT}")
        if "encap" in words:
            raise XenlroError(f"the route to {words[0]} has an encapsulation, which cannot be put back after {name} was gone: "
                              f"take it away first, {AT_BOOT}")
    if wrong := routes.refused(system, saved):
        raise XenlroError(f"`ip` does not take a route back as it shows it ({wrong[0]}): take it away first, or install a newer "
                          f"iproute2, {AT_BOOT}")
