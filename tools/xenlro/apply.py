# SPDX-License-Identifier: GPL-2.0-only
"""udev runs this when a device appears at an address that was chosen: the device goes to the chosen driver.

It may run before all file systems are mounted: it saves and restores nothing. So it leaves an interface alone that is in
use already, unless a manager of networks has just configured it at boot. udev runs it again when an administrator
repeats the events of a machine that has long been running.
"""

from __future__ import annotations

from contextlib import suppress

from . import addresses, bind, choices, devices, drivers, netroot, order, owner, refuse, seen
from .devices import Device
from .errors import EXIT_USAGE, XenlroError
from .system import System, read

_UP = 1     # of an interface's flags


def apply(system: System, name: str) -> None:
    """Give the device at an address to its driver; to the stock one if ours cannot serve."""
    try:
        device = devices.named(system, name)
    except XenlroError as error:
        # udev asks for every chosen address: the chosen device may have gone, and another device may be there now.
        if error.code != EXIT_USAGE:
            raise
        _free(system, name)
        return
    work = order.read(system)
    if work and work.open and work.device == device.id:
        return
    misplaced = choices.misplaced(system, device.id, device.path)
    ours = choices.chosen(system, device)
    if device.ours == ours and device.driver:
        bind.release_override(system, device)
        if misplaced:
            raise XenlroError(misplaced)
        return
    refuse.busy(device)
    _refuse_if_used(system, device)
    try:
        bind.move(system, device, device.bus.ours if ours else device.bus.stock_driver)
    except XenlroError:
        bind.stock_again(system, device)
        raise
    if misplaced:
        raise XenlroError(misplaced)
    if ours and not device.on_pci:
        _give_back_others(system)


def _free(system: System, name: str) -> None:
    """Take our driver's name from a device of another kind, which would be left without a driver."""
    path = system.sys / "bus/pci/devices" / name / "driver_override"
    if read(path) in {bus.ours for bus in drivers.known()}:
        system.write(path, "\n")
        system.write(system.sys / "bus/pci/drivers_probe", name)


def _refuse_if_used(system: System, device: Device) -> None:
    if device.driver is None:
        return
    if where := netroot.found(system):
        raise XenlroError(f"{device.id} stays with {device.driver}: {where}")
    if used := _used_at_boot(system, device) if seen.first(system, device) else _used(system, device):
        raise XenlroError(f"{device.id} stays with {device.driver}: {device.interface} is in use ({used}); `xenlro use "
                          f"{device.interface} {'lro' if choices.chosen(system, device) else 'stock'}` changes it and keeps its "
                          "configuration")


def _used_at_boot(system: System, device: Device) -> str:
    """As _used(), but a manager may have been faster than udev: it configures the interface that comes instead."""
    name = device.interface
    if name is None or owner.early(system, name) or owner.find(system, name):
        return ""
    return _address(system, name) or _master(system, name)


def _used(system: System, device: Device) -> str:
    """What the interface is in use for; a manager has it in use as soon as it is up. Empty when it is not in use."""
    name = device.interface
    if name is None:
        return ""
    if address := _address(system, name):
        return address
    if read(device.path / "sriov_numvfs") not in ("", "0"):
        return "virtual functions"
    if int(read(system.sys / "class/net" / name / "flags") or "0", 16) & _UP:
        return "it is up"
    return _master(system, name)


def _address(system: System, name: str) -> str:
    with suppress(XenlroError):
        if found := [entry["local"] for entry in addresses.save(system, name) if entry.get("scope") == "global"]:
            return found[0]
    return ""


def _master(system: System, name: str) -> str:
    master = system.sys / "class/net" / name / "master"
    return f"it is in {master.resolve().name}" if master.exists() else ""


def _give_back_others(system: System) -> None:
    """Loading a driver of another bus takes every device that has no driver yet; those that were not chosen go back.

    A PCI card is only ever taken by its driver_override, so one with our driver was given to it on purpose.
    """
    work = order.read(system)
    for other in devices.find(system):
        if not other.on_pci and other.ours and not choices.chosen(system, other) \
                and not (work and work.open and work.device == other.id) and not _used(system, other):
            bind.move(system, other, other.bus.stock_driver)
