# SPDX-License-Identifier: GPL-2.0-only
"""What `xenlro status` says of choices and switches that are not as the user may think."""

from __future__ import annotations

from . import choices, devices, drivers, order
from .system import System, read


def of(system: System) -> list[str]:
    """Sentences, each with what to do."""
    found = []
    work = order.read(system)
    if work and work.phase == "waiting":
        found.append(f"the switch of {work.interface or work.device} to {work.wanted} is not kept yet: `xenlro confirm` keeps "
                     "it" + ("" if work.alive() else ", and nothing takes it back, since its process was killed"))
    elif work and work.phase == "switching":
        found.append(f"a switch of {work.interface or work.device} to {work.wanted} is under way" if work.alive() else
                     f"a switch of {work.interface or work.device} was cut off: `xenlro use {work.device} stock` puts its "
                     "configuration back")
    elif work and work.phase == "back":
        found.append(f"the last switch did not succeed: {work.said}")
    for file in sorted(system.choices.iterdir()) if system.choices.is_dir() else ():
        for bus in sorted({bus.name for bus in drivers.single()}):
            if told := choices.misplaced(system, file.name, system.sys / "bus" / bus / "devices" / file.name):
                found.append(told)
    for device in devices.find(system):
        if device.on_pci and read(device.path / "driver_override") == device.bus.ours:
            found.append(f"driver_override of {device.id} is {device.bus.ours}, so that no other driver can take it, for "
                         f"`xl pci-assignable-add` too: `xenlro use {device.id} {'lro' if device.ours else 'stock'}` takes "
                         "that away")
        if device.busy and choices.chosen(system, device):
            found.append(f"{device.id} is chosen for {device.bus.ours}, and {device.driver} has it; `xenlro use {device.id} "
                         "stock` takes the choice back once the card is back")
    return found
