# SPDX-License-Identifier: GPL-2.0-only
"""Files of other software that go by the stock driver's name, or by the order of drivers, and would miss ours."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

from .devices import Device
from .system import System, read

_UNIT_FOLDERS = ("etc/systemd/network", "run/systemd/network", "usr/local/lib/systemd/network", "usr/lib/systemd/network",
                 "lib/systemd/network")
_RULE_FOLDERS = ("etc/udev/rules.d", "run/udev/rules.d", "usr/local/lib/udev/rules.d", "usr/lib/udev/rules.d",
                 "lib/udev/rules.d")
_NM_FOLDERS = ("etc/NetworkManager", "run/NetworkManager", "usr/lib/NetworkManager")
_SUSPEND = ("etc/qubes-suspend-module-blacklist", "rw/config/suspend-module-blacklist", "etc/pm/config.d/*")
_RULE = re.compile(r'(?:DRIVERS?|ENV\{ID_NET_DRIVER\})\s*==\s*"([^"]*)"')


def hindrance(system: System, device: Device) -> str | None:
    """A sentence about the first such file and what to do; None when there is none."""
    return (_units(system, device) or _network_manager(system, device) or _rules(system, device)
            or _suspend(system, device) or _kernel_names(system, device))


def _files(system: System, folders: tuple[str, ...], *patterns: str) -> list[Path]:
    """Files by those patterns; one in an earlier folder stands in for those of its name in the later ones."""
    chosen: dict[str, Path] = {}
    for folder in folders:
        for pattern in patterns:
            for path in sorted((system.root / folder).glob(pattern)):
                chosen.setdefault(path.name, path)
    return list(chosen.values())


def _missed(device: Device, patterns: list[str]) -> bool:
    """Whether patterns of drivers match the stock one and not ours; those with '!' in front say which do not."""
    if not patterns:
        return False
    inverted = patterns[0].startswith("!")
    words = [patterns[0].lstrip("!"), *patterns[1:]]
    matched = [any(fnmatchcase(driver, word) for word in words) != inverted
               for driver in (device.bus.stock_driver, device.bus.ours)]
    return matched == [True, False]


def _units(system: System, device: Device) -> str | None:
    """.link and .network files; netplan writes such files too."""
    for unit in _files(system, _UNIT_FOLDERS, "*.link", "*.network"):
        # Files in a folder of its name add to it, wherever that is.
        parts = [unit, *_files(system, _UNIT_FOLDERS, f"{unit.name}.d/*.conf")]
        # An empty value takes those before it away.
        named: list[tuple[Path, str]] = []
        for path in parts:
            for word in re.findall(r"^\s*Driver\s*=(.*)$", _section(read(path), "Match"), re.M):
                named = [*named, *((path, driver) for driver in word.split())] if word.strip() else []
        properties = [(path, word) for path in parts for line in re.findall(r"^\s*Property\s*=(.*)$",
                      _section(read(path), "Match"), re.M) for word in re.findall(r'!?ID_NET_DRIVER=[^\s"\']+', line)]
        for found in (named, *([(path, word.replace("ID_NET_DRIVER=", ""))] for path, word in properties)):
            if _missed(device, [driver for _, driver in found]):
                path = next((path for path, driver in found if device.bus.stock_driver in driver), unit)
                where = "the netplan file that it is made from" if "netplan" in str(path) else str(path)
                return (f"{path} goes by Driver={device.bus.stock_driver} and would not match {device.bus.ours}: name both "
                        f"drivers in {where}, or match by PermanentMACAddress= or Path=, and run the same command again")
    return None


def _section(text: str, name: str) -> str:
    """The lines of all sections of a name."""
    found = re.findall(rf"^\s*\[{name}\][ \t]*\n(.*?)(?=^\s*\[|\Z)", text + "\n", re.M | re.S)
    return "\n".join(found)


def _network_manager(system: System, device: Device) -> str | None:
    for folder in _NM_FOLDERS:
        for path in sorted((system.root / folder).glob("**/*")):
            if path.suffix not in (".conf", ".nmconnection") or not path.is_file():
                continue
            text = read(path)
            drivers = [word for line in re.findall(r"^\s*driver\s*=(.*)$", _section(text, "match"), re.M)
                       for word in re.split(r"[;,\s]+", line) if word]
            drivers += re.findall(r"\bdriver:([^\s,;]+)", text)
            if _missed(device, drivers):
                return (f"{path} goes by the driver {device.bus.stock_driver} and would not match {device.bus.ours}: name "
                        "both drivers there, or match by the MAC address, and run the same command again")
    return None


def _rules(system: System, device: Device) -> str | None:
    files = _files(system, _RULE_FOLDERS, "*.rules")
    lines = [(path, line) for path in files for line in re.sub(r"\\\n", " ", read(path)).splitlines()
             if not line.lstrip().startswith("#")]
    named = [(path, line, [word for value in _RULE.findall(line) for word in value.split("|")]) for path, line in lines]
    known = {_without_drivers(line) for path, line, drivers in named if device.bus.ours in drivers}
    for path, line, drivers in named:
        if _missed(device, drivers) and _without_drivers(line) not in known:
            return (f'{path} has a rule for the driver "{device.bus.stock_driver}", which would not match {device.bus.ours}: '
                    "copy it to a file of its own in /etc/udev/rules.d with that name in its place, and run the same command "
                    "again")
    return None


def _without_drivers(line: str) -> str:
    return re.sub(r"\s+", "", _RULE.sub("", line)).replace(",,", ",")


def _suspend(system: System, device: Device) -> str | None:
    """Lists of modules that are unloaded before the machine sleeps, because it would not wake with them."""
    for pattern in _SUSPEND:
        for path in sorted(system.root.glob(pattern)):
            words = re.sub(r"#.*", "", read(path)).replace('"', " ").replace("=", " ").split()
            if device.bus.stock in words and device.bus.ours not in words:
                return (f"{path} names {device.bus.stock} as a module to unload before the machine sleeps, and not "
                        f"{device.bus.ours}: add it there, and run the same command again")
    return None


def _kernel_names(system: System, device: Device) -> str | None:
    """Names that the kernel gives in the order in which drivers come, which is another with ours."""
    if not device.on_pci or not re.fullmatch(r"eth\d+", device.interface or ""):
        return None
    others = [path.name for path in sorted((system.sys / "class/net").glob("eth[0-9]*"))
              if path.name != device.interface and (path / "device").exists()]
    named = any(re.search(rf'\bNAME\s*:?=\s*"{device.interface}"|^\s*Name\s*=\s*{device.interface}\s*$', read(path), re.M)
                for path in [*_files(system, _RULE_FOLDERS, "*.rules"), *_files(system, _UNIT_FOLDERS, "*.link")])
    if not others or named or not re.search(r"\bnet\.ifnames=0\b", read(system.proc / "cmdline")):
        return None
    return (f"with net.ifnames=0 the names {', '.join(sorted([device.interface or '', *others]))} go by the order in which "
            f"drivers come, and could change places at the next boot: give {device.interface} its name by a file in "
            "/etc/systemd/network, such as 10-card.link with [Match] PermanentMACAddress= and [Link] Name=, and run the "
            "same command again")
