# SPDX-License-Identifier: GPL-2.0-only
"""Devices that udev has told of since the kernel has them, or that were chosen while they were there.

At boot a manager of networks may have configured an interface before udev's rule runs. An administrator who repeats the
events of a running machine looks just the same, but for these marks, which are gone after a reboot.
"""

from __future__ import annotations

from pathlib import Path

from .devices import Device
from .system import System, read


def first(system: System, device: Device) -> bool:
    """Whether this is the first look at the device since it appeared. The next one is not."""
    if read(_mark(system, device)) == _appearance(device):
        return False
    mark(system, device)
    return True


def mark(system: System, device: Device) -> None:
    """The next event of the device is no sign of a boot."""
    path = _mark(system, device)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_appearance(device))
    except OSError:
        pass    # /run may not be there yet


def _mark(system: System, device: Device) -> Path:
    return system.run_folder / "seen" / device.id


def _appearance(device: Device) -> str:
    """A device that comes again has another folder."""
    return str(device.path.resolve().stat().st_ino)
