# SPDX-License-Identifier: GPL-2.0-only
"""The command `xenlro use`: refuse a change, choose for the next boot, or order a switch and wait for it."""

from __future__ import annotations

from collections.abc import Sequence

from . import bind, choices, devices, guard, listeners, modules, order, refuse, remote, seen, vifs
from .devices import Device
from .errors import XenlroError
from .order import Order
from .system import System


def at_boot(system: System, name: str, ours: bool) -> str:
    """Choose a driver that serves from the next boot on; nothing changes now."""
    device = _checked(system, name, ours)
    if ours and (why := modules.hindrance(system, device.bus.ours, modules.describe(system, device.bus.ours))):
        raise XenlroError(why)
    choices.remember(system, device, ours)
    seen.mark(system, device)
    return _with_note(system, device, ours, f"{device.id} ({device.interface or 'no interface'}) is served by "
                      f"{_wanted(device, ours)} from the next boot on; nothing changes now")


def now(system: System, name: str, ours: bool, confirmed: bool) -> str:
    """Change a device's driver now and for later boots; return the message for the user.

    A user whose connection runs through the device has to confirm, unless that is `confirmed`. XenlroError, with the
    former driver in charge and the network as it was, when it cannot be done.
    """
    device = _checked(system, name, ours)
    last = guard.refuse_while_open(system, device.id)
    broken = bool(last and last.open)
    if device.ours == ours and device.driver and not broken:
        with order.locked(system):
            bind.release_override(system, device)
            choices.remember(system, device, ours)
            vifs.follow(system)
        told = f"{device.id} ({device.interface or 'no interface'}) is served by {device.driver}, now and after a reboot"
        return _with_note(system, device, ours, told)
    refuse.now(system, device)
    if ours:
        choices.check(system, device)
        bind.load(system, device, device.bus.ours)
    asks = not confirmed and device.interface is not None and remote.through(system, device.interface)
    if asks:
        print(f"This connection runs through {device.interface}, which is away for some seconds. If the connection does not "
              "come back, log in again.", flush=True)
    tied = listeners.of(system, device.interface) if device.interface else None
    done = guard.ordered(system, Order(device.id, _wanted(device, ours), device.driver, ours, asks, device.interface,
                                       device.bus.ours))
    lost = listeners.lost(system, device.interface, tied) if device.interface and tied else []
    try:
        return _with_note(system, device, ours, guard.result(done), lost)
    except XenlroError as error:
        # The interface went in this case too.
        raise XenlroError(_noted(str(error), lost), error.code) from error


def _with_note(system: System, device: Device, ours: bool, told: str, lost: Sequence[str] = ()) -> str:
    bus = device.bus
    notes = [modules.misspelt(system, bus.ours), modules.left_behind(system, bus.stock, bus.ours)] if ours else []
    return _noted(told, [note for note in notes if note] + list(lost))


def _noted(told: str, notes: Sequence[str]) -> str:
    return "\n".join([told, *(f"Note: {note}" for note in notes)])


def _checked(system: System, name: str, ours: bool) -> Device:
    refuse.unprivileged(system)
    device = devices.named(system, name)
    refuse.busy(device)
    refuse.ever(system, device, ours)
    return device


def _wanted(device: Device, ours: bool) -> str:
    return device.bus.ours if ours else device.bus.stock_driver
