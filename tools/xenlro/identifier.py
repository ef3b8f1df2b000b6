# SPDX-License-Identifier: GPL-2.0-only
"""The token of an interface: the part of IPv6 addresses that is its own, with each prefix that a router announces."""

from __future__ import annotations

from . import iproute
from .routes import families
from .system import System

NONE = "::"


def save(system: System, name: str) -> str:
    if len(families(system)) < 2:
        return NONE
    shown = iproute.show(system, "ip", "token", "list", "dev", name)
    return next((entry["token"] for entry in shown if "token" in entry), NONE)


def differences(name: str, before: str, now: str) -> list[str]:
    return [f"the token of {name} is {now} and was {before}"] if before != now else []


def mend(system: System, name: str, before: str, now: str) -> list[str]:
    """Set it again; the command that was refused."""
    return iproute.batch(system, ("ip",), [f"token set {before} dev {name}"] if before != now else [])
