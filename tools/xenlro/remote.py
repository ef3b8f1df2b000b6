# SPDX-License-Identifier: GPL-2.0-only
"""Whether the user's connection to this machine runs through an interface."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

from . import iproute, link
from .errors import XenlroError
from .system import System, read

UNKNOWN = "?"
_MULTIPLEXERS = {"tmux", "screen", "SCREEN", "zellij", "dtach", "abduco"}
# Servers of terminals and desktops that hide the origin of their user.
_SERVERS = {"cockpit-bridge", "ttyd", "shellinaboxd", "wetty", "telnetd", "in.telnetd", "xrdp-sesman", "xrdp-sesexec", "Xvnc"}


def through(system: System, name: str, pid: int | None = None) -> bool:
    """Whether the session of the process came from another machine by that interface, or may have.

    sudo removes SSH_CONNECTION, and a terminal multiplexer has that of its first session. So the environments of the
    processes above count, and logind's records of their sessions. A session of unknown origin counts as one through the
    interface.
    """
    peers, unknown = _peers(system, os.getpid() if pid is None else pid)
    return unknown or any(_reached_by(system, peer, name) for peer in peers)


def _peers(system: System, pid: int) -> tuple[set[str], bool]:
    """Addresses that the session came from, and whether there may be unknown ones."""
    peers: set[str] = set()
    sessions: set[str] = set()
    multiplexed = served = False
    while pid > 1:
        folder = system.proc / str(pid)
        for entry in _bytes(folder / "environ").split("\0"):
            name, _, value = entry.partition("=")
            if name == "SSH_CONNECTION" and len(value.split()) == 4:
                peers.add(value.split()[0].partition("%")[0])
            elif name == "XDG_SESSION_ID":
                sessions.add(value)
        command = read(folder / "comm").split(":")[0]
        multiplexed |= command in _MULTIPLEXERS
        served |= command in _SERVERS
        parent = re.search(r"^PPid:\s*(\d+)", read(folder / "status"), re.M)
        pid = int(parent[1]) if parent else 0
    for session in sorted(sessions):
        peer = _host_of(system, session)
        peers |= {peer} - {"", UNKNOWN}
        served |= peer == UNKNOWN
    return peers, served or multiplexed and _logged_in(system)


def _host_of(system: System, session: str) -> str:
    """Address of the machine that a session of logind's came from: of a web console or telnet for example."""
    said = system.output("loginctl", "show-session", session, "--property=Remote", "--property=RemoteHost")
    if "Remote=yes" not in said.split():
        return ""
    host = next((word.removeprefix("RemoteHost=") for word in said.split() if word.startswith("RemoteHost=")), "")
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return UNKNOWN


def _bytes(path: Path) -> str:
    """A file of any bytes, of which some may be no text."""
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _logged_in(system: System) -> bool:
    """Whether there is a session by ssh: the daemon renames the process of each."""
    return any(re.match(r"sshd(-session)?: \S", _bytes(path)) for path in system.proc.glob("[0-9]*/cmdline"))


def _reached_by(system: System, peer: str, name: str) -> bool:
    try:
        found = iproute.show(system, "ip", "route", "get", peer.removeprefix("::ffff:"))
    except XenlroError:
        return True
    interface = found[0].get("dev") if found else None
    if not interface:
        return True
    if interface == name or any(interface == upper["ifname"] for upper in link.above(system, link.shown(system, name))):
        return True
    # A tunnel's packets may take any way; a card of its own is another way.
    return interface != "lo" and not (system.sys / "class/net" / interface / "device").exists() \
        and not (system.sys / "class/net" / interface / "bridge").is_dir()
