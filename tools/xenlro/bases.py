# SPDX-License-Identifier: GPL-2.0-only
"""The version of the kernel's driver that a grafted module was made from, and whether the kernel is newer.

Such a module lacks later fixes of the kernel's own driver, and only its version tells that.
"""

from __future__ import annotations

import re

from .system import System, read


def kernel_version(system: System) -> str | None:
    """Version of the running kernel's source, such as 6.1.192; None where the kernel does not tell.

    Debian 12 and Ubuntu call kernels by a number of their own and say elsewhere what is in them.
    """
    banner = read(system.root / "proc/version")
    for text, pattern in ((banner, r"Debian (\d+\.\d+\.\d+)"),
                          (read(system.root / "proc/version_signature"), r" (\d+\.\d+\.\d+)$"),
                          (system.kernel, r"(\d+\.\d+\.[1-9]\d*)")):
        if found := re.search(pattern, text):
            return found[1]
    return None


def numbers(version: str) -> list[int]:
    """The numbers of a version, to compare it by."""
    return [int(part) for part in version.split(".")]


def outdated(system: System, module: str, described: dict) -> str | None:
    """A sentence on a module whose driver is older than the kernel, with what to do; None when nothing says so."""
    base, running = described["base"], kernel_version(system)
    if not base or not running or numbers(base) >= numbers(running):
        return None
    series = ".".join(running.split(".")[:2])
    package = f"xenlro/{described['version']} -k {system.kernel}"
    return (f"{module} is made from the driver of Linux {base}, and this kernel is {running}: it lacks what was mended in "
            f"that driver since. Install a newer xenlro-dkms; or install linux-source-{series} and coccinelle, then run "
            f"`dkms unbuild {package} && dkms install {package}`")
