# SPDX-License-Identifier: GPL-2.0-only
"""The file of `xenlro report`, for a person to send: chips, kernel, modules and counters.

It has only the fields that are listed here. Devices and interfaces get numbers for names. As a last step, all text that
looks like an address, and the host's name, is replaced.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import time
from collections import Counter
from pathlib import Path

from . import counters, devices, drivers, status
from .errors import EXIT_ENVIRONMENT, XenlroError
from .system import System, read

SCHEMA = 1
SECONDS = 10.0          # of a measured transfer
LOG_LINES = 20
_MAC = re.compile(r"(?<![0-9a-fA-F:])(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}(?![0-9a-fA-F:])")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_IPV6 = re.compile(r"(?<![0-9A-Za-z:.])[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*")
# The fields of a module's state that are useful to others; the signer may be the host's name.
_MODULE = ("version", "base", "loaded", "same_as_file", "parameters", "hindrance", "outdated")


def make(system: System, measured: dict | None = None) -> str:
    """The report in the form to be sent."""
    state = status.collect(system)
    found = devices.find(system)
    names = {device.interface: f"nic{number}" for number, device in enumerate(found) if device.interface}
    names |= {device.id: f"device{number}" for number, device in enumerate(found)}
    content = {
        "schema": SCHEMA,
        "kernel": state["kernel"], "kernel_version": state["kernel_version"],
        "distribution": _distribution(system), "cpu": _cpu(system), "xen": _xen(system),
        "secure_boot": state["secure_boot"],
        "devices": [_device(system, device, entry) for device, entry in zip(found, state["devices"])],
        "modules": {name: {key: entry[key] for key in _MODULE} for name, entry in state["modules"].items()},
        "br_linearize": state["br_linearize"],
        "wrong": state["answers"]["Wrong"],
        "log": _log(system),
        "measured": measured,
    }
    return scrub(json.dumps(content, indent=1, sort_keys=False), system, names) + "\n"


def measure(system: System, seconds: float = SECONDS) -> dict:
    """Traffic received on each of our interfaces in some seconds, and the load of the processors meanwhile."""
    served = [device for device in devices.find(system) if device.ours and device.interface]
    if not served:
        raise XenlroError("nothing can be measured: no device is served by one of these drivers")
    before = [(counters.read(system, device.interface), _received(system, device.interface)) for device in served]
    busy = _busy(system)
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    now_busy, found = _busy(system), []
    for (device, (counted, received)) in zip(served, before):
        changed = Counter(counters.read(system, device.interface))
        changed.subtract(counted)
        changed = Counter({name: value for name, value in changed.items() if value > 0})
        found.append({
            "driver": device.driver, "seconds": round(passed, 1),
            "mbit_per_second": round((_received(system, device.interface) - received) * 8e-6 / passed, 1),
            "lro_ratio": counters.ratio(changed), "spared": counters.spared(changed),
            "reasons": dict(counters.reasons(changed, 5)),
        })
    total = sum(now_busy.values()) - sum(busy.values())
    idle = now_busy["idle"] - busy["idle"]
    return {"interfaces": found, "processors": os.cpu_count(), "busy": round(1 - idle / total, 3) if total > 0 else None}


def write(path: Path, text: str) -> None:
    """Leave the report in a file; XenlroError when it cannot be written."""
    try:
        path.write_text(text)
    except OSError as error:
        raise XenlroError(f"{path} cannot be written ({error.strerror}): name another file", EXIT_ENVIRONMENT) from error


def scrub(text: str, system: System, names: dict[str, str]) -> str:
    """The text without addresses, without the host's name, and with other names for devices."""
    host = read(system.root / "etc/hostname") or read(system.root / "proc/sys/kernel/hostname")
    hidden = {part: "[host]" for part in (host, host.partition(".")[0]) if part and part != "localhost"}
    if machine := read(system.root / "etc/machine-id"):
        hidden[machine] = "[machine]"
    text = _IPV6.sub(_hide_ipv6, _MAC.sub("[mac]", text))
    text = _IPV4.sub("[address]", text)
    for name, other in sorted((names | hidden).items(), key=lambda item: -len(item[0])):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", other, text)
    return text


def _hide_ipv6(match: re.Match) -> str:
    word = match[0].rstrip(":") if not match[0].endswith("::") else match[0]
    try:
        ipaddress.IPv6Address(word)
    except ValueError:
        return match[0]
    return "[address]" + match[0][len(word):]


def _device(system: System, device: devices.Device, entry: dict) -> dict:
    ids = {name: read(device.path / name) for name in ("vendor", "device", "subsystem_vendor", "subsystem_device", "revision")}
    return {
        "bus": device.bus.name, "driver": device.driver, "ours": device.bus.ours, "chosen": entry["chosen"],
        "ids": {name: value for name, value in ids.items() if value}, "chip": _chip(system, device),
        "link": _link(system, device.interface) if device.interface else None,
        "parameters": entry["parameters"], "lro_ratio": entry["lro_ratio"], "counters": entry["counters"],
    }


def _chip(system: System, device: devices.Device) -> str | None:
    """The driver's name of the chip in the log, such as 'RTL8168h/8111h, XID 541'."""
    if not device.on_pci:
        return None
    lines = [line for line in system.output("dmesg").splitlines() if device.id in line and "XID" in line]
    found = re.search(r": (RTL\S+).*?(XID [0-9a-f]+)", lines[-1]) if lines else None
    return f"{found[1].rstrip(',')}, {found[2]}" if found else None


def _link(system: System, interface: str) -> dict:
    folder = system.sys / "class/net" / interface
    return {name: read(folder / name) for name in ("speed", "duplex", "mtu", "operstate")}


def _distribution(system: System) -> str:
    fields = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)', read(system.root / "etc/os-release"), re.M))
    return f"{fields.get('ID', 'unknown')} {fields.get('VERSION_ID', '')}".strip()


def _cpu(system: System) -> dict:
    models = re.findall(r"^model name\s*: (.*)$", read(system.root / "proc/cpuinfo"), re.M)
    return {"model": models[0] if models else None, "processors": len(models) or None}


def _xen(system: System) -> dict | None:
    """Hypervisor and kind of domain; None without Xen."""
    folder = system.sys / "hypervisor"
    if read(folder / "type") != "xen":
        return None
    version = ".".join(read(folder / "version" / part) for part in ("major", "minor"))
    features = read(system.root / "proc/xen/capabilities")
    return {"version": version + read(folder / "version/extra"), "guest_type": read(folder / "guest_type"),
            "control_domain": "control_d" in features}


def _log(system: System) -> list[str]:
    """The last lines of the kernel's log that the modules wrote."""
    ours = drivers.modules()
    lines = [line for line in system.output("dmesg").splitlines() if any(name in line for name in ours)]
    return lines[-LOG_LINES:]


def _received(system: System, interface: str) -> int:
    return int(read(system.sys / "class/net" / interface / "statistics/rx_bytes") or 0)


def _busy(system: System) -> dict[str, int]:
    """Ticks of all processors since boot, idle and not."""
    words = read(system.root / "proc/stat").split("\n")[0].split()[1:]
    ticks = [int(word) for word in words] or [0] * 5
    return {"idle": ticks[3] + ticks[4], "busy": sum(ticks) - ticks[3] - ticks[4]}
