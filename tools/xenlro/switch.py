# SPDX-License-Identifier: GPL-2.0-only
"""Giving a device to another driver, in a way that never leaves it without one.

The module is loaded before the device is touched: where it cannot be, the stock driver just goes on. A PCI device is
tied to our driver by driver_override; xenbus has none, so there the device is bound by name.
"""

from __future__ import annotations

import time

from . import choices, devices, modules, network
from .devices import Device
from .errors import EXIT_ENVIRONMENT, XenlroError
from .system import System

BOUND_WITHIN = 10.0     # seconds for the kernel to bind a driver
LOOK = 0.05             # seconds


def use(system: System, device: Device, ours: bool) -> Device:
    """Give a running device to our driver or the stock one, keeping what its interface is configured to.

    Returns the device as it is then. Raises XenlroError, with the stock driver in charge, when that cannot be done.
    """
    if device.ours == ours and device.driver:
        return device
    _refuse_if_busy(device)
    if ours:
        modules.load(system, device.bus.ours)
    kept = network.keep(system, device)
    try:
        found = _move(system, device, ours)
    except XenlroError:
        network.put_back(system, _stock_again(system, device), kept)
        raise
    network.put_back(system, found, kept)
    return devices.named(system, device.id)


def apply(system: System, device: Device) -> None:
    """Give a device that just appeared to the driver that the user chose; the stock one where ours cannot serve.

    Runs from udev, also before the file systems are all there: nothing is kept or put back.
    """
    ours = choices.chosen(system, device)
    if device.ours == ours and device.driver:
        return
    _refuse_if_busy(device)
    try:
        if ours:
            modules.load(system, device.bus.ours)
        _move(system, devices.named(system, device.id), ours)
    except XenlroError:
        _stock_again(system, device)
        raise
    if ours and not device.on_pci:
        _give_back_others(system)


def _refuse_if_busy(device: Device) -> None:
    """A card that was handed to a guest or to a program is not taken away from it."""
    if device.busy:
        raise XenlroError(f"{device.id} is busy: {device.driver} has it, for a guest or a program: take it back there "
                          f"first, for example by `xl pci-assignable-remove -r {device.id}`")


def _give_back_others(system: System) -> None:
    """Loading a driver of another bus takes every device that has no driver yet; those that were not chosen go back.

    A PCI card is only ever taken by its driver_override, so one with our driver was given to it on purpose.
    """
    for other in devices.find(system):
        if not other.on_pci and other.ours and not choices.chosen(system, other):
            _move(system, other, False)


def _move(system: System, device: Device, ours: bool) -> Device:
    driver = device.bus.ours if ours else device.bus.stock_driver
    if device.on_pci:
        # An empty line takes the override away.
        system.write(device.path / "driver_override", f"{driver}\n" if ours else "\n")
    if not ours:
        modules.load(system, device.bus.stock)
    # Loading our module binds at once what was waiting for it.
    if _driver(system, device) == driver:
        return devices.named(system, device.id)
    _unbind(system, device)
    if device.on_pci:
        system.write(system.sys / "bus/pci/drivers_probe", device.id)
    elif _driver(system, device) is None:
        system.write(system.sys / "bus" / device.bus.name / "drivers" / driver / "bind", device.id)
    deadline = time.monotonic() + BOUND_WITHIN
    while (bound := _driver(system, device)) != driver:
        if time.monotonic() > deadline:
            raise XenlroError(f"{device.id} is served by {bound or 'no driver'} although {driver} was asked to: "
                              "see `dmesg`")
        time.sleep(LOOK)
    return devices.named(system, device.id)


def _unbind(system: System, device: Device) -> None:
    bound = _driver(system, device)
    if bound:
        system.write(system.sys / "bus" / device.bus.name / "drivers" / bound / "unbind", device.id)


def _stock_again(system: System, device: Device) -> Device:
    """The device with the stock driver, whatever state it was left in."""
    try:
        return _move(system, device, False)
    except XenlroError as error:
        raise XenlroError(f"{device.id} has no driver left: {error}. `modprobe {device.bus.stock}` or a reboot brings "
                          "it back", EXIT_ENVIRONMENT) from error


def _driver(system: System, device: Device) -> str | None:
    link = system.sys / "bus" / device.bus.name / "devices" / device.id / "driver"
    return link.resolve().name if link.exists() else None
