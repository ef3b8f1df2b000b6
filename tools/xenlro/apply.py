# SPDX-License-Identifier: GPL-2.0-only
"""udev runs this when a device appears at an address that was chosen: the device goes to the chosen driver.

It may run before all file systems are mounted: it saves and restores nothing, so it leaves an interface alone that is
in use already.
"""

from __future__ import annotations

from contextlib import suppress

from . import addresses, bind, choices, devices, drivers, modules, netroot, order, owner, refuse
from .devices import Device
from .errors import EXIT_USAGE, XenlroError
from .system import System, read


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
    name, used = device.interface, []
    with suppress(XenlroError):
        used = [entry["local"] for entry in addresses.save(system, name) if entry.get("scope") == "global"] if name else []
    if used and not owner.find(system, name or ""):
        raise XenlroError(f"{device.id} stays with {device.driver}: {name} is in use ({used[0]}); `xenlro use {name} lro` "
                          "changes it and keeps its configuration")


def _give_back_others(system: System) -> None:
    """Loading a driver of another bus takes every device that has no driver yet; those that were not chosen go back.

    A PCI card is only ever taken by its driver_override, so one with our driver was given to it on purpose.
    """
    work = order.read(system)
    for other in devices.find(system):
        if not other.on_pci and other.ours and not choices.chosen(system, other) \
                and not (work and work.open and work.device == other.id):
            bind.move(system, other, other.bus.stock_driver)
