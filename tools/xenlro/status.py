# SPDX-License-Identifier: GPL-2.0-only
"""What `xenlro status` shows: the answers first, then what they rest on."""

from __future__ import annotations

from . import answers, backends, bases, choices, counters, devices, drivers, hardware, modules, notices
from .system import System, read


def collect(system: System) -> dict:
    """All that status shows, as it is printed with --json."""
    found = []
    for device in devices.find(system):
        chosen = choices.chosen(system, device)
        counted = counters.read(system, device.interface) if device.ours and device.interface else counters.Counter()
        found.append({
            "device": device.id, "bus": device.bus.name, "interface": device.interface, "driver": device.driver,
            "ours": device.bus.ours, "chosen": "lro" if chosen else "stock",
            "override": read(device.path / "driver_override").replace("(null)", "") or None,
            "merging": hardware.merging(system, device.interface) if device.ours and device.interface else None,
            "lro_ratio": counters.ratio(counted), "counters": dict(counted),
            "parameters": modules.parameters(system, device.bus.ours) if device.ours else {},
        })
    names = drivers.modules()
    carried = modules.in_initramfs(system, names)
    described = {name: modules.describe(system, name) for name in names}
    state = {
        "schema": 2, "kernel": system.kernel, "kernel_version": bases.kernel_version(system),
        "secure_boot": modules.secure_boot(system), "devices": found,
        "back_ends": backends.collect(system), "notices": notices.of(system) + backends.notices(system),
        "modules": {name: entry | {"in_initramfs": carried[name], "parameters": modules.parameters(system, name),
                                   "hindrance": modules.hindrance(system, name, entry),
                                   "outdated": bases.outdated(system, name, entry),
                                   "misspelt": modules.misspelt(system, name)}
                    for name, entry in described.items()},
        "br_linearize": dict(counters.linearized(system)), "kept_mode": modules.kept_mode(system),
    }
    return {"answers": answers.answers(state), **state}


def text(state: dict) -> str:
    """The same for people."""
    lines = [f"{name + ':':<7} {line}" for name, found in state["answers"].items() for line in found]
    if state["devices"]:
        lines += ["", *_table(("device", "interface", "driver", "chosen", "LRO ratio"), [
            (entry["device"], entry["interface"] or "-", entry["driver"] or "none", entry["chosen"],
             f"{entry['lro_ratio']:.1f}" if entry["lro_ratio"] else "-")
            for entry in state["devices"]])]
    lines += ["", *_table(("module", "version", "base", "loaded", "signed by", "in initramfs", "parameters"), [
        (name, entry["version"] or "-", entry["base"] or "-", _loaded(entry), _signer(entry), _word(entry["in_initramfs"]),
         " ".join(f"{key}={value}" for key, value in entry["parameters"].items()) or "-")
        for name, entry in state["modules"].items()])]
    version = f" ({state['kernel_version']})" if state["kernel_version"] else ""
    lines += ["", f"Linux {state['kernel']}{version}; Secure Boot {state['secure_boot']}"]
    return "\n".join(lines)


def _loaded(entry: dict) -> str:
    return "yes" if entry["loaded"] else "no" if entry["file"] else "not built"


def _signer(entry: dict) -> str:
    return entry["signer"] or ("unsigned" if entry["file"] else "-")


def _word(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "?"}[value]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in (head, *rows)]
