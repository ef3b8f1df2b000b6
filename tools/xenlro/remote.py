# SPDX-License-Identifier: GPL-2.0-only
"""Whether the user's connection to this machine runs through an interface."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path

from . import addresses, iproute, link
from .errors import XenlroError
from .system import System, read

UNKNOWN = "?"
_MULTIPLEXERS = {"tmux", "screen", "SCREEN", "zellij", "dtach", "abduco"}
# Servers of terminals and desktops that hide the origin of their user.
_SERVERS = {"cockpit-bridge", "ttyd", "shellinaboxd", "wetty", "telnetd", "in.telnetd", "xrdp-sesman", "xrdp-sesexec", "Xvnc"}
# Units of systemd in which users log in. A command on a terminal of any other unit, such as run0's, tells nothing of its user.
_LOGINS = {"login", "agetty", "getty", "mingetty", "kmscon", "sulogin", "systemd-sulogin", "sshd", "dropbear", "systemd", "gdm",
           "gdm3", "sddm", "lightdm", "greetd", "xdm", "lxdm", "qrexec-agent", "qrexec-fork-ser"}


def through(system: System, name: str, pid: int | None = None) -> bool:
    """Whether the session of the process came from another machine by that interface, or may have.

    sudo removes SSH_CONNECTION, and a terminal multiplexer has that of its first session. So the environments of the
    processes above count, and logind's records of their sessions. A session of unknown origin counts as one through the
    interface.
    """
    connections, unknown = _connections(system, pid or os.getpid())
    return unknown or any(_reached_by(system, peer, local, name) for peer, local in connections)


def _connections(system: System, pid: int) -> tuple[set[tuple[str, str]], bool]:
    """Addresses that the session came from and to, and whether there may be unknown ones."""
    connections: set[tuple[str, str]] = set()
    sessions: set[str] = set()
    above, sudo, served, on_terminal = [], False, False, _on_terminal(system, pid)
    while pid > 1:
        folder = system.proc / str(pid)
        words = dict(entry.partition("=")[::2] for entry in _bytes(folder / "environ").split("\0"))
        ends = words.get("SSH_CONNECTION", "").split()
        connections |= {(ends[0], ends[2])} if len(ends) == 4 else set()
        sessions |= {words["XDG_SESSION_ID"]} if "XDG_SESSION_ID" in words else set()
        sudo |= not above and "SUDO_USER" in words
        above.append(read(folder / "comm").split(":")[0])
        parent = re.search(r"^PPid:\s*(\d+)", read(folder / "status"), re.M)
        pid = int(parent[1]) if parent else -1
    if above and pid >= 0:
        # Nothing is known of the user of another unit, of a command that its parents have left, and from outside a container.
        served |= len(above) == 1 or pid == 0 or sudo and "sudo" not in above
        served |= on_terminal and "INVOCATION_ID" in words and above[-1] not in _LOGINS
    multiplexed = bool(_MULTIPLEXERS & set(above))
    served |= bool(_SERVERS & set(above))
    for session in sorted(sessions):
        peer = _host_of(system, session)
        connections |= {(peer, "")} if peer not in ("", UNKNOWN) else set()
        served |= peer == UNKNOWN
    return connections, served or multiplexed and _logged_in(system)


def _on_terminal(system: System, pid: int) -> bool:
    """Whether a process has a terminal: a service, whose commands no user waits for, has none."""
    words = read(system.proc / str(pid) / "stat").rpartition(")")[2].split()
    return len(words) > 4 and words[4] != "0"


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


def _reached_by(system: System, peer: str, local: str, name: str) -> bool:
    """Whether packets of the connection come or go by the interface, or may. `local` may be empty."""
    peer, _, zone = peer.removeprefix("::ffff:").partition("%")
    local, _, own_zone = local.removeprefix("::ffff:").partition("%")
    ways = [name, *(upper["ifname"] for upper in link.above(system, link.shown(system, name)))]
    try:
        if not zone and not own_zone and any(entry["local"] == local for way in ways for entry in addresses.save(system, way)):
            return True
        # Rules may choose the way by the local address; an address of the link alone is on each interface.
        found = [{"dev": zone or own_zone}] if zone or own_zone else iproute.show(
            system, "ip", "route", "get", peer, *(("from", local) if local else ()))
    except XenlroError:
        return True
    interface = found[0].get("dev", "") if found else ""
    # A connection from this machine itself may be the end of a tunnel. The packets of a tunnel may take any way, while a
    # card of its own is another way.
    return interface in (*ways, "", "lo") or not any((system.sys / "class/net" / interface / word).exists()
                                                     for word in ("device", "bridge"))
