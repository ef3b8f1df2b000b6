# SPDX-License-Identifier: GPL-2.0-only
"""Whether a gateway is there: it answers a ping, or it answers the question for its MAC address."""

from __future__ import annotations

import os
import socket
import struct
import time
from contextlib import suppress

from . import iproute, neighbours
from .errors import XenlroError
from .system import System

ANSWERS_WITHIN = 3.0    # seconds where nothing has changed
AGAIN = 0.5             # seconds between two requests
_ECHO = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}


def answers(system: System, gateway: str, interface: str, within: float = ANSWERS_WITHIN) -> bool:
    """Whether the gateway answers within a number of seconds."""
    family = socket.AF_INET6 if ":" in gateway else socket.AF_INET
    deadline = time.monotonic() + within
    # An earlier answer does not count: the kernel has to ask the gateway now. That would end an entry that was set by hand.
    with suppress(XenlroError):
        if not neighbours.held(system, interface, gateway):
            system.run("ip", "neighbour", "change", "to", gateway, "dev", interface, "nud", "probe")
    try:
        with _opened(family, interface) as asked:
            while time.monotonic() < deadline:
                if _pinged(asked, family, gateway, interface) or _resolved(system, gateway, interface):
                    return True
                time.sleep(max(0.0, min(AGAIN, deadline - time.monotonic())))
    except OSError:
        pass    # the interface is gone
    return False


def _opened(family: int, interface: str) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else
                           socket.IPPROTO_ICMP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    opened.settimeout(AGAIN)
    return opened


def _pinged(asked: socket.socket, family: int, gateway: str, interface: str) -> bool:
    request, reply = _ECHO[family]
    body = struct.pack("!HH", os.getpid() & 0xffff, 1) + b"xenlro"
    packet = struct.pack("!BBH", request, 0, 0) + body
    if family == socket.AF_INET:
        packet = struct.pack("!BBH", request, 0, _checksum(packet)) + body
    try:
        asked.sendto(packet, (gateway, 0, 0, socket.if_nametoindex(interface)) if family == socket.AF_INET6 else (gateway, 0))
        deadline = time.monotonic() + AGAIN
        while time.monotonic() < deadline:
            answer, sender = asked.recvfrom(2048)
            kind = answer[(answer[0] & 15) * 4] if family == socket.AF_INET else answer[0]
            if kind == reply and sender[0].partition("%")[0] == gateway and answer.endswith(b"xenlro"):
                return True
    except OSError:
        pass    # no route to it yet, or no answer
    return False


def _resolved(system: System, gateway: str, interface: str) -> bool:
    """Whether the kernel got an answer when it asked for the gateway's MAC address."""
    try:
        found = iproute.show(system, "ip", "neighbour", "show", "to", gateway, "dev", interface)
    except XenlroError:
        return False
    return any("REACHABLE" in entry.get("state", ()) for entry in found)


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
