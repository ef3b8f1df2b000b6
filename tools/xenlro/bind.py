# SPDX-License-Identifier: GPL-2.0-only
"""Giving a device to another driver, in a way that never leaves it without one.

The module is loaded before the device is touched: if it cannot be loaded, the stock driver stays. A PCI device is
tied to our driver by driver_override, and only while it is bound: one that stays would keep pciback and any other driver
from taking the card later. xenbus has none, so there the device is bound by name.
"""

from __future__ import annotations

import time

from . import devices, modules
from .devices import Device
from .errors import EXIT_ENVIRONMENT, XenlroError
from .system import System, read

BOUND_WITHIN = 10.0     # seconds for the kernel to bind a driver
LOOK = 0.05             # seconds


def move(system: System, device: Device, driver: str) -> Device:
    """Bind the device to one of the two drivers of its bus; the device as it is then. XenlroError when it is not."""
    ours = driver == device.bus.ours
    load(system, device, driver)
    try:
        if device.on_pci:
            # An empty line takes the override away.
            system.write(device.path / "driver_override", f"{driver}\n" if ours else "\n")
        _bind(system, device, driver)
    finally:
        release_override(system, device)
    return devices.named(system, device.id)


def load(system: System, device: Device, driver: str) -> None:
    """See that the kernel has the driver. One that it has needs no file: that of the running kernel may be deleted."""
    if not (system.sys / "bus" / device.bus.name / "drivers" / driver).is_dir():
        modules.load(system, device.bus.ours if driver == device.bus.ours else device.bus.stock)


def release_override(system: System, device: Device) -> None:
    """Take our own name out of a PCI device's driver_override; that of another program stays."""
    path = device.path / "driver_override"
    if device.on_pci and read(path) == device.bus.ours:
        system.write(path, "\n")


def stock_again(system: System, device: Device) -> Device:
    """The device with the stock driver, from any state."""
    try:
        return move(system, device, device.bus.stock_driver)
    except XenlroError as error:
        raise XenlroError(f"{device.id} has no driver left: {error}. `modprobe {device.bus.stock}` or a reboot brings "
                          "it back", EXIT_ENVIRONMENT) from error


def driver(system: System, device: Device) -> str | None:
    """The driver that serves the device now."""
    link = system.sys / "bus" / device.bus.name / "devices" / device.id / "driver"
    return link.resolve().name if link.exists() else None


def _bind(system: System, device: Device, wanted: str) -> None:
    # Loading our module binds at once the devices that waited for it.
    bound = driver(system, device)
    if bound == wanted:
        return
    if bound:
        system.write(system.sys / "bus" / device.bus.name / "drivers" / bound / "unbind", device.id)
    if device.on_pci:
        system.write(system.sys / "bus/pci/drivers_probe", device.id)
    elif driver(system, device) is None:
        system.write(system.sys / "bus" / device.bus.name / "drivers" / wanted / "bind", device.id)
    deadline = time.monotonic() + BOUND_WITHIN
    while (bound := driver(system, device)) != wanted:
        if time.monotonic() > deadline:
            raise XenlroError(f"{device.id} is served by {bound or 'no driver'} although {wanted} was requested: see `dmesg`")
        time.sleep(LOOK)
