# SPDX-License-Identifier: GPL-2.0-only
"""The whole network configuration that an interface loses with its driver: saving, comparing, restoring.

Restoring adds the missing parts until none is missing or no attempt helps: the kernel, udev and a manager of the
network do their part at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import addresses, groups, hardware, identifier, link, neighbours, port, references, routes, rules, tunables
from .devices import Device
from .errors import XenlroError
from .system import System

APPEARS_WITHIN = 15.0   # seconds after the driver was bound
CARRIER_WITHIN = 20.0   # seconds after the interface is up
# Seconds for a router's announcement to bring back what it brought, and for all else.
ANNOUNCED_WITHIN = 12.0
SETTLED_WITHIN = 20.0
LOOK = 0.2
ROUNDS = 6              # at least, on a machine that is busy


@dataclass(frozen=True)
class Part:
    """A part of the configuration: how it is read, told from another reading, and made what it was.

    read(system, name, all that was), differences(name, was, is), mend(system, name, was, is, patient)
    """

    read: Callable[[System, str, dict], Any]
    differences: Callable[[str, Any, Any], list[str]]
    mend: Callable[[System, str, Any, Any, bool], list[str]]


def save(system: System, name: str) -> dict:
    """The configuration as JSON can hold it."""
    itself = link.save(system, name)
    through = [name, *(entry["ifname"] for entry in itself["above"])]
    own = {interface: addresses.save(system, interface) for interface in through}
    all_of_it = {"name": name, "link": itself, "carrier": link.carrier(system, name), "through": through, "addresses": own,
                 "local": [address["local"] for some in own.values() for address in some],
                 "mac": itself.get("address", ""), "bridge": itself["master"] if itself["slave_kind"] == "bridge" else None}
    return {part: how.read(system, name, all_of_it) for part, how in PARTS.items() if part not in all_of_it} | all_of_it


def save_again(system: System, name: str, before: dict) -> dict:
    """The configuration with all that came since it was saved.

    Announced routes count that were there: the question whether a router answers may end those by a router that does not
    call itself one in its answer.
    """
    now = save(system, name)
    return now | {"routes": routes.with_announced(before["routes"], now["routes"])}


def differences(system: System, name: str, before: dict, parts: Iterable[str]) -> dict[str, tuple[Any, list[str]]]:
    """By part, its present state and sentences about differences; only parts with a difference."""
    found = {}
    for part in parts:
        now = PARTS[part].read(system, name, before)
        if wrong := PARTS[part].differences(name, before[part], now):
            found[part] = (now, wrong)
    return found


def appeared(system: System, device: Device) -> str | None:
    """Wait for the device's interface; its name, or None when there is none in time."""
    deadline = time.monotonic() + APPEARS_WITHIN
    while not (name := _interface(device)) and time.monotonic() < deadline:
        time.sleep(LOOK / 4)
    # udev may rename it just now: its name is the one after that.
    system.output("udevadm", "settle", "--timeout=5")
    return _interface(device) or name


def put_back(system: System, name: str, before: dict, configure: Callable[[str], None] | None) -> list[str]:
    """Restore the interface's configuration; return sentences about parts that could not be restored.

    `configure` lets the owner of the configuration have its turn with an interface of that name, before what it does
    not know is added. Where it fails, all is added, and the failure is told.
    """
    name = link.rename(system, name, before["link"])
    for part in ("link", "tunables", "identifier"):
        _mend(system, name, before, differences(system, name, before, [part]), True)
    failed = []
    if configure:
        try:
            configure(name)
        except XenlroError as error:
            failed.append(str(error))
    if before["link"]["up"]:
        link.set_up(system, name, True)
        if before["carrier"]:
            wait_for_carrier(system, name)
    began, rounds = time.monotonic(), 0
    left: Iterable[str] = PARTS
    refused: list[str] = []
    while True:
        # One part after the other, since a restored part is the precondition of the next one.
        patient = time.monotonic() - began < ANNOUNCED_WITHIN
        late = time.monotonic() - began > SETTLED_WITHIN and rounds >= ROUNDS
        wrong = {}
        for part in left:
            found = differences(system, name, before, [part])
            wrong |= found
            if not late and found:
                refused = _mend(system, name, before, found, patient)
        if not wrong and left is PARTS:
            return failed
        if late and left is PARTS:
            return failed + [text for _, texts in wrong.values() for text in texts] + list(dict.fromkeys(refused))
        # Check the parts that differ until none does, and then all parts.
        left = list(wrong) if wrong and not late else PARTS
        rounds += 1
        time.sleep(LOOK if wrong else 0)


def wait_for_carrier(system: System, name: str) -> bool:
    deadline = time.monotonic() + CARRIER_WITHIN
    while not (there := link.carrier(system, name)) and time.monotonic() < deadline:
        time.sleep(LOOK)
    return there


def _mend(system: System, name: str, before: dict, wrong: dict[str, tuple[Any, list[str]]], patient: bool) -> list[str]:
    return [text for part, (now, _) in wrong.items() for text in PARTS[part].mend(system, name, before[part], now, patient)]


def _mend_link(system: System, name: str, before: dict, now: dict, patient: bool) -> list[str]:
    refused = link.mend(system, name, before, now)
    if now["up"] != before["up"]:
        refused += link.set_up(system, name, before["up"])
    return refused + link.mend_above(system, before, now["above"])


def _read_addresses(system: System, name: str, before: dict) -> dict[str, list[dict]]:
    # An interface that is gone lacks all of its addresses.
    return {interface: addresses.save(system, interface) if (system.sys / "class/net" / interface).exists() else []
            for interface in before["addresses"]}


def _compare_addresses(name: str, before: dict[str, list[dict]], now: dict[str, list[dict]]) -> list[str]:
    return [text for interface in before for text in addresses.differences(before[interface], now[interface])]


def _mend_addresses(system: System, name: str, before: dict, now: dict, patient: bool) -> list[str]:
    return [text for interface in before
            for text in addresses.mend(system, interface, before[interface], now[interface], patient)]


# In the order in which they are put back.
PARTS = {
    "link": Part(lambda system, name, before: link.save(system, name),
                 lambda name, before, now: link.differences(before, now), _mend_link),
    "carrier": Part(lambda system, name, before: link.carrier(system, name),
                    lambda name, before, now: [f"{name} has no carrier"] if before and not now else [],
                    lambda system, name, before, now, patient: []),
    "tunables": Part(lambda system, name, before: tunables.save(system, name),
                     lambda name, before, now: tunables.differences(before, now),
                     lambda system, name, before, now, patient: tunables.mend(system, name, before, now)),
    # Before there are addresses that a router announced.
    "identifier": Part(lambda system, name, before: identifier.save(system, name), identifier.differences,
                       lambda system, name, before, now, patient: identifier.mend(system, name, before, now)),
    "port": Part(lambda system, name, before: port.save(system, name, before["bridge"], before["mac"]),
                 lambda name, before, now: port.differences(name, before, now),
                 lambda system, name, before, now, patient: port.mend(system, name, before, now)),
    "addresses": Part(_read_addresses, _compare_addresses, _mend_addresses),
    "groups": Part(lambda system, name, before: groups.save(system, name), groups.differences,
                   lambda system, name, before, now, patient: groups.mend(system, name, before, now)),
    "neighbours": Part(lambda system, name, before: neighbours.save(system, name),
                       lambda name, before, now: neighbours.differences(before, now),
                       lambda system, name, before, now, patient: neighbours.mend(system, name, before, now)),
    "routes": Part(lambda system, name, before: routes.save(system, before["through"], before["local"]),
                   lambda name, before, now: routes.differences(before, now, [name]), routes.mend),
    "rules": Part(lambda system, name, before: rules.save(system),
                  lambda name, before, now: rules.differences(before, now),
                  lambda system, name, before, now, patient: rules.mend(system, before, now)),
    "references": Part(lambda system, name, before: references.save(system, name),
                       lambda name, before, now: references.differences(before, now),
                       lambda system, name, before, now, patient: references.mend(system, before, now)),
    "hardware": Part(lambda system, name, before: hardware.save(system, name),
                     lambda name, before, now: hardware.differences(before, now),
                     lambda system, name, before, now, patient: hardware.mend(system, name, before, now)),
}


def _interface(device: Device) -> str | None:
    try:
        return next((path.name for path in (device.path / "net").glob("*")), None)
    except OSError as error:
        raise XenlroError(f"{device.id} is gone: {error.strerror}") from error
