# SPDX-License-Identifier: GPL-2.0-only
"""The program that owns an interface's configuration, if there is one, and telling it to configure it again."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from .errors import XenlroError
from .system import System, read

CONFIGURED_WITHIN = 45.0    # seconds; a lease takes some where no server answers at once
LOOK = 0.5


@dataclass(frozen=True)
class Owner:
    """A manager of networks. `what` names the interface's configuration in the manager's own words."""

    kind: str
    what: str

    @property
    def called(self) -> str:
        return _CALLED[self.kind]

    def release(self, system: System, name: str) -> None:
        """Before the interface goes: ifupdown remembers it as configured, and would do nothing afterwards."""
        if self.kind == "ifupdown":
            system.run("ifdown", "--force", name)

    def configure(self, system: System, name: str) -> None:
        """Tell the manager to configure an interface that came back; XenlroError when it fails."""
        said = "\n".join(_CONFIGURE[self.kind](system, name, self.what))
        if said:
            raise XenlroError(f"{self.called} cannot configure {name}: {said}")


def find(system: System, name: str) -> Owner | None:
    """The owner of the interface's configuration; None when there is none on this machine."""
    for kind, ask in _ASK.items():
        if what := ask(system, name):
            return Owner(kind, what)
    return None


def early(system: System, name: str) -> bool:
    """Whether a manager has the interface, by the managers' own files: at boot they do not answer yet."""
    index = read(system.sys / "class/net" / name / "ifindex")
    networkd = read(system.root / "run/systemd/netif/links" / index) if index else ""
    manager = read(system.root / "run/NetworkManager/devices" / index) if index else ""
    return bool(re.search(r"^ADMIN_STATE=(?!unmanaged)", networkd, re.M) or re.search(r"^managed=(1|true)", manager, re.M))


def _ask_qubes(system: System, name: str) -> str:
    unit = f"qubes-network-uplink@{name}.service"
    return unit if system.output("systemctl", "is-active", unit).strip() == "active" else ""


def _ask_network_manager(system: System, name: str) -> str:
    for line in system.output("nmcli", "--terse", "--fields", "DEVICE,STATE,CON-UUID", "device", "status").splitlines():
        device, state, uuid = (re.split(r"(?<!\\):", line) + ["", ""])[:3]
        if device.replace("\\:", ":") == name and state == "connected":
            return uuid
    return ""


def _ask_networkd(system: System, name: str) -> str:
    said = system.output("networkctl", "--no-pager", "status", name)
    file = re.search(r"^\s*Network File: (/\S+)", said, re.M)
    return file[1] if file and re.search(r"^\s*State: \S+ \((configured|configuring)\)", said, re.M) else ""


def _ask_ifupdown(system: System, name: str) -> str:
    said = system.output("ifquery", "--state", name)
    return name if re.match(rf"{re.escape(name)}(=|\s|$)", said) else ""


def _tell(system: System, *command: str) -> list[str]:
    done = system.run(*command)
    return [] if done.returncode == 0 else [" ".join((done.stderr or done.stdout).split()) or f"`{command[0]}` fails"]


def _configure_network_manager(system: System, name: str, uuid: str) -> list[str]:
    wait = str(int(CONFIGURED_WITHIN))
    # A connection that it makes up for an interface without one is another after the interface came back.
    return (_tell(system, "nmcli", "--wait", wait, "connection", "up", "uuid", uuid, "ifname", name)
            and _tell(system, "nmcli", "--wait", wait, "device", "connect", name))


def _configure_networkd(system: System, name: str, file: str) -> list[str]:
    deadline = time.monotonic() + CONFIGURED_WITHIN
    while said := _tell(system, "networkctl", "reconfigure", name):
        # It may not know the interface yet.
        if time.monotonic() > deadline:
            return said
        time.sleep(LOOK)
    while (state := _networkds_state(system, name)) != "configured":
        if time.monotonic() > deadline:
            # It may wait for ever, for a second lease for example: the comparison tells whether that matters.
            return [] if state == "configuring" else [f"it is not done within {CONFIGURED_WITHIN:.0f} s"]
        time.sleep(LOOK)
    return []


def _networkds_state(system: System, name: str) -> str:
    found = re.search(r"^\s*State: \S+ \((\w+)\)", system.output("networkctl", "--no-pager", "status", name), re.M)
    return found[1] if found else ""


_CALLED = {"qubes": "Qubes' agent", "NetworkManager": "NetworkManager", "networkd": "systemd-networkd",
           "ifupdown": "ifupdown"}
_ASK = {"qubes": _ask_qubes, "NetworkManager": _ask_network_manager, "networkd": _ask_networkd, "ifupdown": _ask_ifupdown}
_CONFIGURE = {
    "qubes": lambda system, name, unit: _tell(system, "systemctl", "restart", unit),
    "NetworkManager": _configure_network_manager,
    "networkd": _configure_networkd,
    "ifupdown": lambda system, name, what: _tell(system, "ifup", name),
}
