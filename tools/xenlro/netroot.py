# SPDX-License-Identifier: GPL-2.0-only
"""Whether the running system lies on another machine: without its root file system no driver can be changed."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .system import System, read

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "afs", "lustre", "beegfs",
            "orangefs", "gfs2", "ocfs2"}
# File systems that lie in folders of others.
_LAYERED = {"overlay", "aufs", "fuse.unionfs-fuse", "fuse.mergerfs"}
# Where an initramfs mounts what the root file system is made of.
_EARLY = ("/run", "/live", "/lib/live", "/cdrom", "/isodevice", "/media/root-ro", "/sysroot")
# Without one of these the command, modprobe or ip cannot run.
_NEEDED = ("/", "/usr", "/etc", "/lib", "/var", "/run")
_REMOTE_DISK = re.compile(r"/session\d+/|/(?:nbd|rbd|drbd|etherd!\w+)\w*(?:/|$)|/ctl/nvme\d+|/nvme-fabrics/|/fc_")


def found(system: System) -> str | None:
    """The part of the system that lies on the network, as a phrase; None when all of it is local."""
    mounts = _mounts(system)
    for mount in mounts.values():
        if mount.point in _NEEDED and (where := _where(system, mounts, mount, ())):
            return f"{mount.point} {where}"
    return None


@dataclass(frozen=True)
class _Mount:
    device: str
    point: str
    kind: str
    options: str


def _mounts(system: System) -> dict[str, _Mount]:
    """By its folder, the mount that is seen there."""
    found = {}
    for line in read(system.proc / "mounts").splitlines():
        words = line.split()
        if len(words) > 3:
            found[words[1]] = _Mount(*words[:4])
    return found


def _where(system: System, mounts: dict[str, _Mount], mount: _Mount, above: tuple[str, ...]) -> str | None:
    """How a mount lies on the network; None when it does not. `above` are those that it is looked at for."""
    above = (*above, mount.point)
    if mount.kind in _NETWORK:
        return f"is mounted by {mount.kind} from {mount.device}"
    folders: list[str] = []
    if mount.kind in _LAYERED:
        found = re.findall(r"(?:lowerdir\+?|datadir\+?|upperdir|br|dirs)[=:]([^,]*)", mount.options)
        folders = [folder.partition("=")[0] for some in found for folder in some.split(":") if folder.startswith("/")]
    elif "/loop" in mount.device:
        file = read(system.sys / "block" / Path(mount.device).name / "loop/backing_file")
        folders = [file or "/"]
    elif _remote(system, mount):
        return f"is on a disk of the network ({mount.device})"
    for folder in folders:
        below = max((other for other in mounts.values() if _contains(other.point, folder)), key=lambda other: len(other.point),
                    default=None)
        if below and below.point not in above:
            if where := _where(system, mounts, below, above):
                return where
        elif network := next((other for other in mounts.values() if other.kind in _NETWORK and
                              any(_contains(early, other.point) for early in _EARLY)), None):
            # A folder of the time before the root file system was there: its own file system is not seen any more.
            return f"may lie on {network.point}, which is mounted by {network.kind} from {network.device}"
    return None


def _contains(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")


def _remote(system: System, mount: _Mount) -> bool:
    return any(_REMOTE_DISK.search(str(path)) for block in _blocks(system, mount) for path in _below(block.resolve()))


def _blocks(system: System, mount: _Mount) -> list[Path]:
    """The block devices of a file system. btrfs has a number of its own, and may have several of them."""
    try:
        device = os.stat(system.root / mount.point.lstrip("/")).st_dev
    except OSError:
        return []
    block = system.sys / "dev/block" / f"{os.major(device)}:{os.minor(device)}"
    if block.exists():
        return [block]
    names = [(system.root / name.lstrip("/")).resolve().name for name in mount.device.split(":") if name.startswith("/dev/")]
    others = [path for name in names for path in (system.sys / "fs/btrfs").glob(f"*/devices/{name}")]
    names += [path.name for other in others for path in other.parent.iterdir()]
    found = [system.sys / "class/block" / name for name in dict.fromkeys(names)]
    return [path for path in found if path.exists()]


def _below(block: Path) -> list[Path]:
    """The disk, and those that a logical volume, an encrypted one or a RAID is made of, and the paths to one of NVMe."""
    slaves = sorted((block / "slaves").iterdir()) if (block / "slaves").is_dir() else []
    subsystem = next((parent for parent in block.parents if re.fullmatch(r"nvme-subsys\d+", parent.name)), None)
    paths = [path.resolve() for path in sorted(subsystem.glob("nvme*"))
             if re.fullmatch(r"nvme\d+", path.name)] if subsystem else []
    return [block, *paths, *(path for slave in slaves for path in _below(slave.resolve()))]
