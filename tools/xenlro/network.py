# SPDX-License-Identifier: GPL-2.0-only
"""What the network configuration loses when an interface goes away with its driver, and putting it back."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

from .devices import Device
from .system import System, read

APPEARS_WITHIN = 15.0   # seconds after the driver was bound
LOOK = 0.1              # seconds
# Fields of `ip -json route` that are words of `ip route add` with the same meaning.
_ROUTE_WORDS = {"gateway": "via", "prefsrc": "src", "metric": "metric", "protocol": "proto", "scope": "scope"}


@dataclass
class Kept:
    """Configuration of one interface, as it was."""

    name: str
    up: bool
    master: str | None
    mtu: str
    addresses: list[dict] = field(default_factory=list)
    routes: list[dict] = field(default_factory=list)


def keep(system: System, device: Device) -> Kept | None:
    """The configuration of a device's interface; None when it has no interface."""
    name = device.interface
    if name is None:
        return None
    links = _json(system, "ip", "-json", "address", "show", "dev", name)
    link = links[0] if links else {}
    static = [address for address in link.get("addr_info", ())
              if not address.get("dynamic") and address.get("scope") == "global"]
    # The kernel makes the routes to the addresses' own networks by itself.
    routes = [route for route in _json(system, "ip", "-json", "route", "show", "dev", name)
              if route.get("protocol") != "kernel"]
    return Kept(name, "UP" in link.get("flags", ()), link.get("master"),
                read(system.sys / "class/net" / name / "mtu"), static, routes)


def put_back(system: System, device: Device, kept: Kept | None) -> str | None:
    """Wait for the device's interface and give it what it had; return its name, None when none appeared.

    An address or route that the system's own network configuration has put back by then is left alone.
    """
    name = _wait(system, device)
    if name is None or kept is None:
        return name
    if name != kept.name and not (system.sys / "class/net" / kept.name).exists():
        system.run("ip", "link", "set", "dev", name, "down")
        if system.run("ip", "link", "set", "dev", name, "name", kept.name).returncode == 0:
            name = kept.name
    if kept.mtu:
        system.run("ip", "link", "set", "dev", name, "mtu", kept.mtu)
    if kept.master:
        system.run("ip", "link", "set", "dev", name, "master", kept.master)
    if kept.up:
        system.run("ip", "link", "set", "dev", name, "up")
    for address in kept.addresses:
        broadcast = ["broadcast", address["broadcast"]] if "broadcast" in address else []
        system.run("ip", "address", "replace", f"{address['local']}/{address['prefixlen']}", *broadcast, "dev", name)
    for route in kept.routes:
        words = [word for key, verb in _ROUTE_WORDS.items() if key in route for word in (verb, str(route[key]))]
        system.run("ip", "route", "replace", route["dst"], "dev", name, *words)
    return name


def _wait(system: System, device: Device) -> str | None:
    deadline = time.monotonic() + APPEARS_WITHIN
    while not any((device.path / "net").glob("*")) and time.monotonic() < deadline:
        time.sleep(LOOK)
    # udev may rename it just now: what it is called after that is its name.
    system.output("udevadm", "settle", "--timeout=5")
    return next((path.name for path in (device.path / "net").glob("*")), None)


def _json(system: System, *command: str) -> list[dict]:
    try:
        return json.loads(system.output(*command) or "[]")
    except ValueError:
        return []
