# SPDX-License-Identifier: GPL-2.0-only
"""Whether the running system lies on another machine: without its root file system no driver can be changed."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .system import System, read

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "afs"}
# Without one of these the command, modprobe or ip cannot run.
_NEEDED = ("/", "/usr", "/etc", "/lib", "/var", "/run")
_REMOTE_DISK = re.compile(r"/session\d+/|/(?:nbd|rbd|drbd|etherd!\w+)\w*(?:/|$)|/ctl/nvme\d+|/nvme-fabrics/|/fc_")


def found(system: System) -> str | None:
    """The part of the system that lies on the network, as a phrase; None when all of it is local."""
    for mount in _mounts(system):
        device, point, kind = mount
        if point not in _NEEDED:
            continue
        if kind in _NETWORK:
            return f"{point} is mounted by {kind} from {device}"
        if _remote(system, point):
            return f"{point} is on a disk of the network ({device})"
    return None


def _mounts(system: System) -> list[tuple[str, str, str]]:
    found = {}
    for line in read(system.proc / "mounts").splitlines():
        words = line.split()
        if len(words) > 2:
            found[words[1]] = (words[0], words[1], words[2])
    return list(found.values())


def _remote(system: System, point: str) -> bool:
    try:
        device = os.stat(system.root / point.lstrip("/")).st_dev
    except OSError:
        return False
    block = system.sys / "dev/block" / f"{os.major(device)}:{os.minor(device)}"
    return block.exists() and any(_REMOTE_DISK.search(str(path)) for path in _below(block.resolve()))


def _below(block: Path) -> list[Path]:
    """The disk, and those that a logical volume, an encrypted one or a RAID is made of."""
    slaves = sorted((block / "slaves").iterdir()) if (block / "slaves").is_dir() else []
    return [block, *(path for slave in slaves for path in _below(slave.resolve()))]
