# SPDX-License-Identifier: GPL-2.0-only
"""Requirements of the machine before anything is set up; missing packages are installed."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from . import apt, proc, steps
from .paths import BUILD, LOGS
from .steps import EnvironmentFault, LabError

# Package -> a file that shows that its contents are installed.
PACKAGES = {
    "mmdebstrap": ("/usr/bin/mmdebstrap",),
    "gcc": ("/usr/bin/gcc",),
    "make": ("/usr/bin/make",),
    "libc6-dev": ("/usr/include/stdio.h", "/usr/lib/x86_64-linux-gnu/libc.a"),
    "xz-utils": ("/usr/bin/xz",),
    "zstd": ("/usr/bin/zstd",),
    "mount": ("/usr/bin/mount",),
    "debian-archive-keyring": ("/usr/share/keyrings/debian-archive-trixie-automatic.gpg",
                               "/usr/share/keyrings/debian-archive-trixie-automatic.pgp"),
}
# Further packages that the tests need.
TEST_PACKAGES = {
    "libcmocka-dev": ("/usr/include/cmocka.h",),
    "debhelper": ("/usr/bin/dh",),
    "dh-dkms": ("/usr/bin/dh_dkms",),
    "dpkg-dev": ("/usr/bin/dpkg-buildpackage",),
    "lintian": ("/usr/bin/lintian",),
    "rpm": ("/usr/bin/rpmbuild", "/usr/bin/rpm2cpio"),
    "cpio": ("/usr/bin/cpio",),
    "openssh-client": ("/usr/bin/ssh",),
    "iproute2": ("/usr/sbin/ip", "/usr/sbin/bridge", "/usr/sbin/tc"),
    "ethtool": ("/usr/sbin/ethtool",),
    "busybox-static": ("/usr/bin/busybox",),
    "dropbear-bin": ("/usr/sbin/dropbear",),
    "chromium": ("/usr/bin/chromium",),
}
# Any one of the files is enough for these.
EITHER = ("debian-archive-keyring",)
# Disk space for the set-up of all three kernels, for one run, and as much again for products that are replaced.
DISK_FRESH = 4 << 30
# The same with the kernels of user-mode Linux and what the suites keep.
DISK_TESTS = 6 << 30
DISK_MADE = 1 << 30
# The machines of the lab: Xen host 2 GiB, sender and the NIC process.
MEMORY = 3 << 30


def missing(tests: bool = False) -> list[str]:
    """Packages that are missing."""
    wanted = PACKAGES | TEST_PACKAGES if tests else PACKAGES
    return [name for name, files in wanted.items()
            if not (any if name in EITHER else all)(Path(file).exists() for file in files)]


def ensure(need_network: bool = True, tests: bool = False, machines: bool = True) -> None:
    """Check the machine and install missing packages; EnvironmentFault names an unmet requirement.

    `tests` adds the packages and the disk for the tests, `machines` the memory of the lab's virtual machines. Without
    `need_network` nothing is fetched and a missing package is an error.
    """
    if os.geteuid() != 0:
        raise EnvironmentFault("the lab makes file systems and needs root: run the same command with sudo")
    if platform.machine() != "x86_64":
        raise EnvironmentFault(f"the lab runs on x86_64 machines only, and this one is {platform.machine()}")
    if not shutil.which("apt-get"):
        raise EnvironmentFault("the lab needs Debian 12 or 13: there is no apt-get on this machine")
    _check_disk(tests)
    if machines:
        _check_memory()
    lacking = missing(tests)
    if lacking and not need_network:
        raise EnvironmentFault(f"packages are missing on this machine: apt-get install {' '.join(lacking)}")
    if lacking:
        _install(lacking)


def _check_disk(tests: bool) -> None:
    try:
        BUILD.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{BUILD} cannot be made ({error.strerror}); name a folder that can be, "
                               "with XENLRO_BUILD=") from error
    free = shutil.disk_usage(BUILD).free
    needed = DISK_MADE if (BUILD / "roots/lab").is_dir() else DISK_TESTS if tests else DISK_FRESH
    if free < needed:
        raise EnvironmentFault(f"disk full: {BUILD} has {free / 2**30:.1f} GiB free and {needed >> 30} GiB are needed; "
                               "free some space, or name another place with XENLRO_BUILD=")


def _check_memory() -> None:
    with open("/proc/meminfo") as info:
        fields = {line.split(":")[0]: int(line.split()[1]) << 10 for line in info}
    free = fields["MemAvailable"] + fields.get("SwapFree", 0)
    if free < MEMORY:
        raise EnvironmentFault(f"{free / 2**30:.1f} GiB of memory are free and the lab's machines need "
                               f"{MEMORY >> 30} GiB; end some programs")


def _install(packages: list[str]) -> None:
    log = LOGS / "prerequisites.log"
    with steps.step(f"Installing {', '.join(packages)} on this machine"):
        try:
            proc.run(["apt-get", "update"], log=log, timeout=300, env=apt.ENVIRONMENT)
            proc.run(["apt-get", "install", "-y", "--no-install-recommends", *packages], log=log, timeout=900,
                     env=apt.ENVIRONMENT)
        except LabError as error:
            told = apt.explain(error)
            if isinstance(told, EnvironmentFault):
                raise told from error
            raise EnvironmentFault(f"{' '.join(packages)} could not be installed: {error}", log) from error
    if lacking := [name for name in missing(tests=True) if name in packages]:
        if "debian-archive-keyring" in lacking:
            raise EnvironmentFault("this machine's debian-archive-keyring does not know Debian 13 and its mirror "
                                   "has no newer one: update this machine to the last Debian 12 release", log)
        raise EnvironmentFault(f"apt-get installed {' '.join(lacking)} but the programs are not where Debian has them",
                               log)
