# SPDX-License-Identifier: GPL-2.0-only
"""Interfaces of a card in other network namespaces, such as those of containers, which are not visible from here."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .system import System

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEWNET = 0x40000000
# A namespace is asked for the number by which it knows the one of a process.
_GETNSID, _REQUEST, _NSID, _PID = 90, 1, 1, 2
_QUESTION, _ANSWER = struct.Struct("=IHHIIB3xHHI"), struct.Struct("=HHi")
_HEADS = 20     # bytes of the two headers in front of the answer's words


def interface(system: System, parent: str) -> str | None:
    """The name of the interface in another namespace whose device is at that address; None when there is none."""
    return next((link["ifname"] for space in _spaces(system) for link in _links(system, space)
                 if link.get("parentdev") == parent), None)


def on_top(system: System, index: int) -> list[str]:
    """Names of interfaces in other namespaces that are on the one here with that number."""
    found = []
    for space in _spaces(system):
        links = [link for link in _links(system, space) if link.get("link_index") == index and "link_netnsid" in link
                 and link.get("linkinfo", {}).get("info_kind") not in (None, "veth")]
        if links:
            known = _known_as(space)
            found += [link["ifname"] for link in links if known is None or link["link_netnsid"] == known]
    return found


def _spaces(system: System) -> list[Path]:
    """A file for each other namespace that a process is in, or that `ip netns` knows."""
    files: dict[int, Path] = {}
    for path in [*system.proc.glob("[0-9]*/ns/net"), *(system.root / "run/netns").glob("*")]:
        with suppress(OSError):
            files.setdefault(path.stat().st_ino, path)
    with suppress(OSError):
        files.pop((system.proc / "self/ns/net").stat().st_ino, None)
    return list(files.values())


def _links(system: System, space: Path) -> Iterator[dict]:
    with suppress(ValueError):
        yield from json.loads(system.output("nsenter", f"--net={space}", "ip", "-json", "-details", "link", "show") or "[]")


def _known_as(space: Path) -> int | None:
    """The number by which a namespace knows this one; None when it is unknown."""
    try:
        with _socket_in(space) as asked:
            asked.settimeout(1)
            asked.send(_QUESTION.pack(_QUESTION.size, _GETNSID, _REQUEST, 1, 0, 0, 8, _PID, os.getpid()))
            length, kind, number = _ANSWER.unpack_from(asked.recv(4096), _HEADS)
            return number if (length, kind) == (8, _NSID) else None
    except (OSError, struct.error):
        return None


def _socket_in(space: Path) -> socket.socket:
    """A socket for questions to the kernel that belongs to a namespace: that of the moment in which it is made."""
    own, other = os.open("/proc/self/ns/net", os.O_RDONLY), -1
    try:
        other = os.open(space, os.O_RDONLY)
        if _LIBC.setns(other, _NEWNET):
            raise OSError(ctypes.get_errno(), "the namespace cannot be entered")
        try:
            return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        finally:
            _LIBC.setns(own, _NEWNET)
    finally:
        os.close(own)
        if other >= 0:
            os.close(other)
