# SPDX-License-Identifier: GPL-2.0-only
"""Vifs that take aggregates of datagrams with one IP identification whole, in a domain with a chosen device.

Many senders give all datagrams the same identification. The stack cuts their aggregates in software in front of a vif
unless the vif may change identifications, which RFC 6864 allows for datagrams that are never fragmented. netback leaves
that off. A file forbids this command to change it.
"""

from __future__ import annotations

from contextlib import suppress

from . import backends
from .errors import XenlroError
from .system import System

FEATURE = "tx-tcp-mangleid-segmentation"
FORBIDDEN = "etc/xenlro/leave-vifs"


def apply(system: System, interface: str) -> None:
    """udev runs this for a back end's interface that appears: allow it the change, if a device is chosen here."""
    if _merges(system) and not _forbidden(system):
        _set(system, interface, True)


def follow(system: System) -> None:
    """Allow it to all vifs after the first device was chosen, and to none after the last one went back."""
    if _forbidden(system):
        return
    # It comes behind a switch that is done, which must not fail by a vif that goes meanwhile.
    with suppress(OSError):
        merges = _merges(system)
        for entry in backends.collect(system):
            if entry["interface"]:
                _set(system, entry["interface"], merges)


def _merges(system: System) -> bool:
    return system.choices.is_dir() and any(system.choices.iterdir())


def _forbidden(system: System) -> bool:
    return (system.root / FORBIDDEN).exists()


def _set(system: System, interface: str, on: bool) -> None:
    # ethtool exits non-zero before the front end is connected; the kernel turns the feature on when it is. A vif works
    # without it, so that no failure is one of the command.
    with suppress(XenlroError):
        system.run("ethtool", "-K", interface, FEATURE, "on" if on else "off")
