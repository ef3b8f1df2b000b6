# SPDX-License-Identifier: GPL-2.0-only
"""The file that names the hosts: its entries, and reading it. `lab/hosts.example.toml` explains each entry."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from ..steps import EXIT_USAGE, LabError

ROLES = ("sender", "native", "driver", "guest")
# The entries that each role needs beside `ssh` and `interface`; all others are optional.
NEEDS = {"sender": ("address",), "native": ("address",), "driver": (), "guest": ("address",)}
COMMON = {"port": int, "identity": str, "known_hosts": str}
FIELDS = {"ssh": str, "interface": str, "address": str, "modules": str} | COMMON


@dataclass(frozen=True)
class HostEntry:
    """One host: how ssh reaches it, and the interface of the measured path.

    ssh: [user@]name. address: of the measured interface, as the other hosts reach it. modules: folder with this
    project's modules; None: modprobe finds them.
    """

    role: str
    ssh: str
    interface: str
    address: str | None = None
    port: int | None = None
    identity: Path | None = None
    known_hosts: Path | None = None
    modules: str | None = None


def read(path: Path) -> dict[str, HostEntry]:
    """The hosts by role; raises LabError that names the entry and its fault."""
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise _wrong(path, f"it cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, f"it is not TOML ({error})") from error
    common = found.pop("ssh", {})
    _check_fields(path, "ssh", common, COMMON)
    for role in found:
        if role not in ROLES:
            raise _wrong(path, f"there is no role [{role}]; choose from ssh, {', '.join(ROLES)}")
    hosts = {role: _host(path, role, found[role], common) for role in ROLES if role in found}
    _check_roles(path, hosts)
    return hosts


def _wrong(path: Path, what: str) -> LabError:
    return LabError(f"HOSTS={path}: {what}", code=EXIT_USAGE)


def _check_fields(path: Path, table: str, entry: object, fields: dict[str, type]) -> None:
    if not isinstance(entry, dict):
        raise _wrong(path, f"[{table}] has to be a table")
    for name, value in entry.items():
        if name not in fields:
            raise _wrong(path, f"[{table}] has no entry {name!r}; choose from {', '.join(fields)}")
        if not isinstance(value, fields[name]) or isinstance(value, bool) or value == "":
            kind = "a number" if fields[name] is int else "text"
            raise _wrong(path, f"[{table}] {name} has to be {kind}")


def _host(path: Path, role: str, entry: object, common: dict) -> HostEntry:
    _check_fields(path, role, entry, FIELDS)
    assert isinstance(entry, dict)
    merged = common | entry
    for name in ("ssh", "interface", *NEEDS[role]):
        if name not in merged:
            raise _wrong(path, f"[{role}] lacks {name}")
    if not re.fullmatch(r"(?!-)[\w.@:%\[\]-]+", merged["ssh"]):
        raise _wrong(path, f"[{role}] ssh = {merged['ssh']!r} is not a name such as root@host")
    if not re.fullmatch(r"[\w.@-]{1,15}", merged["interface"]) or merged["interface"] in (".", ".."):
        raise _wrong(path, f"[{role}] interface = {merged['interface']!r} is not the name of a network interface")
    if "address" in merged:
        try:
            ipaddress.IPv4Address(merged["address"])
        except ValueError as error:
            raise _wrong(path, f"[{role}] address = {merged['address']!r} is not an IPv4 address") from error
    if not 0 < merged.get("port", 22) < 65536:
        raise _wrong(path, f"[{role}] port = {merged['port']} is not between 1 and 65535")
    files = {name: _file(path, role, name, merged[name]) for name in ("identity", "known_hosts") if name in merged}
    return HostEntry(role, **(merged | files))


def _file(path: Path, role: str, name: str, value: str) -> Path:
    """A file that the user names, relative to the folder of the file of hosts."""
    found = (path.parent / Path(value).expanduser()).absolute()
    if not found.is_file():
        raise _wrong(path, f"[{role}] {name} = {value!r} is not a file")
    return found


def _check_roles(path: Path, hosts: dict[str, HostEntry]) -> None:
    if "sender" not in hosts:
        raise _wrong(path, "it lacks [sender]")
    if ("driver" in hosts) != ("guest" in hosts):
        raise _wrong(path, "[driver] and [guest] belong together: give both or neither")
    if len(hosts) == 1:
        raise _wrong(path, "it names no receiver: give [native], or [driver] and [guest]")
    seen: dict[tuple[str, int | None], str] = {}
    for role, host in hosts.items():
        other = seen.setdefault((host.ssh, host.port), role)
        if other != role:
            raise _wrong(path, f"[{role}] and [{other}] are the same host {host.ssh}")
    addresses: dict[str, str] = {}
    for role, host in hosts.items():
        if host.address and addresses.setdefault(host.address, role) != role:
            raise _wrong(path, f"[{role}] and [{addresses[host.address]}] have the same address {host.address}")
