# SPDX-License-Identifier: GPL-2.0-only
"""Which devices the user has given to this project's drivers: one file per device, named by its bus address.

The file's existence is what udev's rule tests; its content is for people.
"""

from __future__ import annotations

from .devices import Device
from .errors import EXIT_ENVIRONMENT, XenlroError
from .system import System


def chosen(system: System, device: Device) -> bool:
    """Whether the user wants our driver for the device."""
    return (system.choices / device.id).exists()


def remember(system: System, device: Device, ours: bool) -> None:
    """Keep the choice over a reboot; XenlroError when it cannot be written."""
    path = system.choices / device.id
    try:
        if ours:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{device.bus.ours}\n")
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise XenlroError(f"{path} cannot be written ({error.strerror}): run the command as root",
                          EXIT_ENVIRONMENT) from error
