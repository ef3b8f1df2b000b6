# SPDX-License-Identifier: GPL-2.0-only
"""Which devices the user has given to this project's drivers: one file per device, named by its bus address.

An address is the place of a device. A card that was added may move others, so a choice also has the device's ids, and
counts for no other device. udev's rule checks only that the file exists, and leaves the rest to `xenlro apply`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .devices import Device
from .errors import EXIT_ENVIRONMENT, XenlroError
from .system import System, read

# The files in sysfs that identify a PCI device.
IDENTITY = ("class", "vendor", "device")


def chosen(system: System, device: Device) -> bool:
    """Whether the user wants our driver for the device."""
    return misplaced(system, device.id, device.path) is None and (system.choices / device.id).exists()


def misplaced(system: System, name: str, path: Path) -> str | None:
    """A sentence about a choice that was made for another device than the one at this address."""
    file = system.choices / name
    if not file.exists() or not (path / "class").exists():
        return None
    kept = dict(line.split("=", 1) for line in read(file).splitlines() if "=" in line)
    found = {word: read(path / word) for word in IDENTITY}
    if all(kept.get(word) == found[word] for word in IDENTITY):
        return None
    was = f"{kept['vendor']}:{kept['device']}" if "vendor" in kept and "device" in kept else "no device that it describes"
    return (f"the choice {file} is for {was}, and {name} is {found['vendor']}:{found['device']} now: remove that file, and "
            "choose again where the card is by `xenlro use DEVICE lro`")


def check(system: System, device: Device) -> None:
    """XenlroError when our driver could not be remembered, on a system that is read-only for example."""
    with _fresh(system, device) as fresh:
        fresh.unlink()


def remember(system: System, device: Device, ours: bool) -> None:
    """Keep the choice over a reboot; XenlroError when it cannot be written."""
    path = system.choices / device.id
    if ours:
        with _fresh(system, device) as fresh:
            os.replace(fresh, path)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def _fresh(system: System, device: Device) -> Iterator[Path]:
    """The choice of our driver as a file that is no choice yet; its folder is there."""
    path = system.choices / device.id
    # A file in the folder is a choice, with any contents.
    fresh = system.choices.parent / f"{device.id}.new"
    identity = [f"{word}={read(device.path / word)}\n" for word in IDENTITY] if device.on_pci else []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("w") as file:
            file.write("".join([f"driver={device.bus.ours}\n", *identity]))
            file.flush()
            os.fsync(file.fileno())
        yield fresh
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> XenlroError:
    what = {errno.ENOSPC: "make room there", errno.EROFS: "mount that file system for writing"}.get(
        error.errno or 0, "run the command as root")
    return XenlroError(f"{path} cannot be written ({error.strerror}): {what}", EXIT_ENVIRONMENT)
