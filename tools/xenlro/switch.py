# SPDX-License-Identifier: GPL-2.0-only
"""One change of a running device's driver, from saving its configuration to success, or all the way back.

It succeeds when the interface is there, has its carrier and its configuration, and the gateways that answered before
answer again. Each step may fail, and the process may be killed after each: the order has all that restoring needs.
"""

from __future__ import annotations

import time

from . import bind, choices, devices, gateway, network, order, owner, refuse, routes, vifs
from .devices import Device
from .errors import EXIT_ENVIRONMENT, EXIT_FAILED, XenlroError
from .order import Order
from .system import System

CONFIRM_WITHIN = 60.0   # seconds after the switch
# Seconds for a gateway to answer: a bridge with STP forwards nothing for thirty.
GATEWAY_WITHIN = 45.0
ATTEMPTS = 3            # of going back


def carry_out(system: System, work: Order) -> None:
    """Carry the order out. At the end the order has the result."""
    device = devices.named(system, work.device)
    if work.before is None and device.interface:
        found = network.save(system, device.interface)
        work.answered = [[where, interface] for where, interface in routes.gateways(found["routes"], found["through"])
                         if gateway.answers(system, where, interface)]
        # Gateways take some seconds, in which more may have been configured.
        refuse.now(system, device)
        work.before = network.save_again(system, device.interface, found)
        manager = owner.find(system, device.interface)
        work.owner = [manager.kind, manager.what] if manager else None
    work.phase = "switching"
    order.write(system, work)
    order.reserve(system)
    try:
        trouble = _tried(system, device, work, work.wanted)
    except (XenlroError, OSError) as error:
        trouble = str(error)
    if work.confirm and not trouble:
        work.phase, work.deadline = "waiting", time.monotonic() + CONFIRM_WITHIN
    elif not trouble:
        try:
            keep(system, work)
        except XenlroError as error:
            trouble = str(error)
    if trouble:
        go_back(system, work, trouble)
    else:
        order.write(system, work)


def keep(system: System, work: Order) -> None:
    """Make the choice one for later boots too. The way to the stock driver is open where that fails."""
    device = devices.named(system, work.device)
    served = f"{device.id} ({device.interface or 'no interface'}) is served by {device.driver}"
    try:
        choices.remember(system, device, work.ours)
        vifs.follow(system)
        work.said = f"{served}, now and after a reboot"
    except XenlroError as error:
        if work.ours:
            raise
        work.said = f"{served} now, and by {device.bus.ours} again after a reboot: {error}, then run the same command"
    work.phase, work.code = "done", 0


def go_back(system: System, work: Order, reason: str) -> None:
    """Restore the old driver and the old configuration, and tell the result."""
    device = _found(system, work).bus
    former = work.former or device.stock_driver
    left = ""
    for attempt in range(ATTEMPTS):
        # The stock driver serves where the old one cannot.
        driver = former if attempt < ATTEMPTS - 1 else device.stock_driver
        try:
            left = _tried(system, _found(system, work), work, driver)
        except (XenlroError, OSError) as error:
            left = str(error)
        if not left:
            break
    work.phase, work.code = "back", EXIT_FAILED
    served = bind.driver(system, _found(system, work))
    name = work.interface or work.device
    work.said = f"{reason}; so {name} is served by {served or 'no driver'} again"
    if left:
        work.code = EXIT_FAILED if served else EXIT_ENVIRONMENT
        work.said += f", and this is not as it was: {left}"
    elif work.before:
        work.said += ", with its configuration as it was"
    order.write(system, work)


def _tried(system: System, device: Device, work: Order, driver: str) -> str:
    """Give the device to a driver and the interface its configuration; return the reason of a failure, or nothing."""
    before, manager = work.before, owner.Owner(*work.owner) if work.owner else None
    # Nothing is taken away before the driver is there.
    bind.load(system, device, driver)
    if manager and device.interface and bind.driver(system, device) != driver:
        manager.release(system, device.interface)
    bind.move(system, device, driver)
    name = network.appeared(system, _found(system, work))
    if name is None:
        return f"{driver} serves {device.id}, and no interface appeared within {network.APPEARS_WITHIN:.0f} s"
    if before is None:
        return ""
    configure = (lambda called: manager.configure(system, called)) if manager else None
    if wrong := network.put_back(system, name, before, configure):
        return f"with {driver} " + "; ".join(wrong)
    for where, interface in work.answered:
        if not gateway.answers(system, where, interface, GATEWAY_WITHIN):
            return f"with {driver} the gateway {where} does not answer"
    return ""


def _found(system: System, work: Order) -> Device:
    return devices.named(system, work.device)
