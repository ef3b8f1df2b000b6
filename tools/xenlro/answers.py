# SPDX-License-Identifier: GPL-2.0-only
"""What a user asks first: is it on, does it help, what is wrong."""

from __future__ import annotations

from collections import Counter

from . import counters, devices, drivers, words

TOP_REASONS = 3
# Shares of the received packets that nothing had to handle any more, from which on it helps, and helps a little.
HELPS, LITTLE = 0.3, 0.05
# The card of a guest or of a program has one of these.
PASSED_ON = ("pciback", "xen-pciback", "vfio-pci")


def answers(state: dict) -> dict[str, list[str]]:
    """Lines that answer each question."""
    served = [entry for entry in state["devices"] if _on(entry)]
    stock = [f"{name(entry)} ({_why_off(entry)})" for entry in state["devices"] if not _on(entry)]
    shown = {
        "On": [", ".join(f"{name(entry)} ({entry['driver']})" for entry in served) or "nothing"],
        "Off": [", ".join(stock)] if stock else [],
        "Helps": [f"{name(entry)}: {_helps(entry)}" for entry in served] + _copies(state),
        "Guests": _guests(state),
        "Wrong": notes(state) or ["nothing"],
    }
    if not state["devices"]:
        shown["On"] = [f"nothing: there is {devices.nothing()} here that a driver knows"]
    return {question: lines for question, lines in shown.items() if lines}


def name(entry: dict) -> str:
    """What the user calls a device."""
    return entry["interface"] or entry["device"]


def _on(entry: dict) -> bool:
    return entry["driver"] == entry["ours"] and entry["parameters"].get("lro") != "0" and entry["merging"] is not False


def _why_off(entry: dict) -> str:
    if entry["driver"] == entry["ours"]:
        return f"{entry['driver']} with {'lro=0' if entry['parameters'].get('lro') == '0' else 'rx-gro-hw off'}"
    return entry["driver"] or "no driver"


def _helps(entry: dict) -> str:
    counted = Counter(entry["counters"])
    spared, ratio = counters.spared(counted), counters.ratio(counted)
    if spared is None:
        return "it has received nothing yet"
    if ratio is None:
        return f"no: of {counted['packets']:,} packets none was merged; `xenlro watch` shows why"
    verdict = "yes" if spared >= HELPS else "a little" if spared >= LITTLE else "hardly, with traffic such as this"
    ended = counters.reasons(counted, TOP_REASONS, counters.ENDED)
    why = words.shares(ended, counters.total(counted, counters.ENDED))
    return (f"{verdict}: {ratio:.1f} packets become one on average, which spares the stack {spared:.0%} of "
            f"{counted['packets']:,} packets" + (f"; aggregates end because {why}" if why else ""))


def _guests(state: dict) -> list[str]:
    """Which driver brings packets to which guests."""
    by_driver: dict[str, list[str]] = {}
    for entry in state["back_ends"]:
        by_driver.setdefault(entry["module"] or "no driver", []).append(name(entry))
    if not by_driver:
        return []
    return [", ".join(f"{' '.join(names)} ({module})" for module, names in sorted(by_driver.items()))]


def _copies(state: dict) -> list[str]:
    counted = Counter(state["br_linearize"])
    if not counted["copies_before"]:
        return []
    saved = counted["copies_before"] - counted["copies_after"]
    return [f"br_linearize: {saved:,} of {counted['copies_before']:,} copies of netback were saved "
            f"({saved / counted['copies_before']:.0%})"]


def notes(state: dict) -> list[str]:
    """Sentences about what is not as the user wants it, with what to do."""
    found = [note for entry in state["devices"] if (note := _misplaced(state, entry))] + state["notices"]
    # A module that no device here asks for is no hindrance.
    wanted = {drivers.ENGINE, *(entry["ours"] for entry in state["devices"])}
    hindered = [entry["hindrance"] for module, entry in state["modules"].items() if module in wanted and entry["hindrance"]]
    if hindered and not found:
        found.append(f"the stock drivers serve: {hindered[0]}")
    for module, entry in state["modules"].items():
        if entry["same_as_file"] is False:
            found.append(f"the loaded {module} is not the one on disk any more: it changes with the next reboot")
        if entry["outdated"]:
            found.append(entry["outdated"])
        if entry["misspelt"]:
            found.append(entry["misspelt"])
        if entry["in_initramfs"]:
            found.append(f"the initramfs has a copy of {module}, which an upgrade of the package leaves as it is: "
                         "`update-initramfs -u` replaces it")
    mode = state["modules"].get("br_linearize", {}).get("parameters", {}).get("mode", "off")
    if mode != "off" and state["kept_mode"] != mode:
        found.append(f"the mode {mode} of br_linearize is gone with the next reboot: "
                     f"`echo options br_linearize mode={mode} >/etc/modprobe.d/br_linearize.conf` and "
                     "`echo br_linearize >/etc/modules-load.d/br_linearize.conf` keep it")
    return found


def _misplaced(state: dict, entry: dict) -> str | None:
    """What there is to say of a device that its chosen driver does not serve."""
    wanted, ours, driver = entry["chosen"], entry["ours"], entry["driver"]
    if (driver == ours) == (wanted == "lro"):
        return None
    if entry["bus"] == "pci" and wanted == "lro" and driver in PASSED_ON:
        return (f"{entry['device']} is with {driver}, for a guest or a program, although lro is chosen: `xenlro use "
                f"{entry['device']} stock` takes the choice away, `xl pci-assignable-remove -r {entry['device']}` the card "
                "back")
    if entry["bus"] == "pci" and driver is None and entry["override"] == ours:
        return (f"{entry['device']} has no driver, and is tied to {ours}: after `xl pci-assignable-add` no driver can take it. "
                f"`xenlro use {entry['device']} stock && xl pci-assignable-add {entry['device']}` gives it to a guest, "
                f"`xenlro use {entry['device']} lro` takes it back")
    why = state["modules"][ours]["hindrance"] if wanted == "lro" else None
    return (f"{entry['device']} is served by {driver or 'no driver'} although {wanted} is chosen: "
            + (why or f"`xenlro use {entry['device']} {wanted}` says why"))
