# SPDX-License-Identifier: GPL-2.0-only
"""What `xenlro status` shows."""

from __future__ import annotations

from . import choices, counters, devices, modules
from .system import System

MODULES = ("lro_core", "r8169_lro", "netfront_lro", "br_linearize")


def collect(system: System) -> dict:
    """All that status shows, as it is printed with --json."""
    found = []
    for device in devices.find(system):
        chosen = choices.chosen(system, device)
        counted = counters.read(system, device.interface) if device.ours and device.interface else None
        found.append({
            "device": device.id, "bus": device.bus.name, "interface": device.interface, "driver": device.driver,
            "chosen": "lro" if chosen else "stock",
            "lro_ratio": counters.ratio(counted) if counted else None,
            "parameters": modules.parameters(system, device.bus.ours) if device.ours else {},
        })
    carried = modules.in_initramfs(system, MODULES)
    described = {name: modules.describe(system, name) for name in MODULES}
    return {
        "schema": 1, "kernel": system.kernel, "secure_boot": modules.secure_boot(system), "devices": found,
        "modules": {name: entry | {"in_initramfs": carried[name], "parameters": modules.parameters(system, name),
                                   "hindrance": modules.hindrance(system, name, entry),
                                   "misspelt": modules.misspelt(system, name)}
                    for name, entry in described.items()},
    }


def text(state: dict) -> str:
    """The same for people."""
    lines = _table(("device", "interface", "driver", "chosen", "LRO ratio"), [
        (entry["device"], entry["interface"] or "-", entry["driver"] or "none", entry["chosen"],
         f"{entry['lro_ratio']:.1f}" if entry["lro_ratio"] else "-")
        for entry in state["devices"]])
    if not state["devices"]:
        lines = ["No device here that these drivers can serve: no Realtek NIC that r8169 knows and no Xen vif."]
    lines += ["", *_table(("module", "version", "loaded", "signed by", "in initramfs", "parameters"), [
        (name, entry["version"] or "-", _loaded(entry), _signer(entry), _word(entry["in_initramfs"]),
         " ".join(f"{key}={value}" for key, value in entry["parameters"].items()) or "-")
        for name, entry in state["modules"].items()])]
    lines += ["", f"Linux {state['kernel']}; Secure Boot {state['secure_boot']}"]
    return "\n".join(lines + [f"Note: {note}" for note in notes(state)])


def notes(state: dict) -> list[str]:
    """Sentences about what is not as the user wants it, with what to do."""
    found = []
    for entry in state["devices"]:
        wanted = entry["chosen"]
        ours = devices.BUSES[entry["bus"]].ours
        if (entry["driver"] == ours) != (wanted == "lro"):
            why = state["modules"][ours]["hindrance"] if wanted == "lro" else None
            found.append(f"{entry['device']} is served by {entry['driver'] or 'no driver'} although {wanted} is chosen: "
                         + (why or f"`xenlro use {entry['device']} {wanted}` says why"))
    hindered = [entry["hindrance"] for entry in state["modules"].values() if entry["hindrance"]]
    if hindered and not found:
        found.append(f"the stock drivers serve: {hindered[0]}")
    for name, entry in state["modules"].items():
        if entry["same_as_file"] is False:
            found.append(f"the loaded {name} is not the one on disk any more: it changes with the next reboot")
        if entry["misspelt"]:
            found.append(entry["misspelt"])
        if entry["in_initramfs"]:
            found.append(f"the initramfs has a copy of {name}, which an upgrade of the package leaves as it is: "
                         "`update-initramfs -u` makes it anew")
    return found


def _loaded(entry: dict) -> str:
    return "yes" if entry["loaded"] else "no" if entry["file"] else "not built"


def _signer(entry: dict) -> str:
    return entry["signer"] or ("nobody" if entry["file"] else "-")


def _word(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "?"}[value]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (head, *rows)]
