# SPDX-License-Identifier: GPL-2.0-only
"""The output of `xenlro watch`: rates of the engine's counters, one line per interface and interval.

The lines are plain text of at most 80 columns.
"""

from __future__ import annotations

import json
import time
from collections import Counter

from . import counters, devices
from .errors import XenlroError
from .system import System

TOP_REASONS = 3
COLUMNS = 80
HEAD = f"{'interface':<15} {'packets/s':>9} {'to stack/s':>10} {'ratio':>5}  ended by (per cent)"


def watch(system: System, wanted: str | None, interval: float, count: int | None, as_json: bool) -> None:
    """Print a line per interface of ours each `interval` seconds, `count` times or until interrupted."""
    before = _read(system, wanted)
    if not as_json:
        print(HEAD, flush=True)
    while count is None or count > 0:
        began = time.monotonic()
        time.sleep(interval)
        now = _read(system, wanted)
        seconds = time.monotonic() - began
        for name, values in now.items():
            # Counters begin at zero with a driver that was loaded again.
            changed = Counter({key: max(0, value - before.get(name, {}).get(key, 0)) for key, value in values.items()})
            entry = _entry(name, changed, seconds)
            print(json.dumps(entry) if as_json else line(entry, counters.total(changed)), flush=True)
        before = now
        count = None if count is None else count - 1


def _read(system: System, wanted: str | None) -> dict[str, Counter[str]]:
    found = [device for device in ([devices.named(system, wanted)] if wanted else devices.find(system))
             if device.ours and device.interface]
    if not found:
        raise XenlroError(f"{wanted or 'every device here'} is served by the stock driver: "
                          f"`xenlro use {wanted or 'DEVICE'} lro` changes that")
    return {device.interface: counters.read(system, device.interface) for device in found if device.interface}


def _entry(name: str, changed: Counter[str], seconds: float) -> dict:
    return {
        "interface": name, "seconds": round(seconds, 3), "packets": changed["packets"],
        "merged": changed["merged"], "aggregates": changed["aggregates"],
        "lro_ratio": counters.ratio(changed), "reasons": dict(counters.reasons(changed, TOP_REASONS)),
    }


def line(entry: dict, total: int) -> str:
    """An interval of one interface, as many reasons as fit."""
    ratio = entry["lro_ratio"]
    on = (entry["packets"] - entry["merged"] + entry["aggregates"]) / entry["seconds"]
    text = (f"{entry['interface']:<15} {entry['packets'] / entry['seconds']:>9.0f} {on:>10.0f} "
            f"{f'{ratio:.1f}' if ratio else '-':>5} ")
    for name, value in entry["reasons"].items():
        more = f" {name} {100 * value // max(total, 1)}"
        if len(text) + len(more) > COLUMNS:
            break
        text += more
    return text.rstrip()
