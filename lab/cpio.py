# SPDX-License-Identifier: GPL-2.0-only
"""Initial RAM filesystems: a tree in memory, written as a cpio archive of the "newc" kind.

The same tree always gives the same bytes: entries are sorted, owned by root, and dated 1970.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Entry:
    """One inode: `mode` with its type bits, `data` = contents or a link's target, `device` = (major, minor)."""

    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


class Tree:
    """Files of an initial RAM filesystem. Paths are absolute; missing directories are made."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def _add(self, path: str, entry: Entry) -> None:
        clean = str(PurePosixPath("/") / path).lstrip("/")
        for parent in PurePosixPath(clean).parents:
            if str(parent) != ".":
                self._entries.setdefault(str(parent), Entry(stat.S_IFDIR | 0o755))
        old = self._entries.get(clean)
        if old and stat.S_ISDIR(old.mode) != stat.S_ISDIR(entry.mode):
            raise ValueError(f"/{clean} is both a directory and another kind of file")
        self._entries[clean] = entry

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Add a directory."""
        self._add(path, Entry(stat.S_IFDIR | mode))

    def file(self, path: str, data: bytes | str, mode: int = 0o644) -> None:
        """Add a regular file."""
        raw = data.encode() if isinstance(data, str) else data
        self._add(path, Entry(stat.S_IFREG | mode, raw))

    def symlink(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._add(path, Entry(stat.S_IFLNK | 0o777, target.encode()))

    def character_device(self, path: str, major: int, minor: int, mode: int = 0o600) -> None:
        """Add a character device node."""
        self._add(path, Entry(stat.S_IFCHR | mode, b"", (major, minor)))

    def __contains__(self, path: str) -> bool:
        return path.lstrip("/") in self._entries

    def files(self) -> list[tuple[str, bytes]]:
        """Paths, relative to the tree, and contents of its regular files."""
        return [(name, entry.data) for name, entry in sorted(self._entries.items()) if stat.S_ISREG(entry.mode)]

    def records(self) -> list[bytes]:
        """The archive as a list of byte strings."""
        out = []
        for inode, (name, entry) in enumerate(sorted(self._entries.items()), start=1):
            out += _record(name, entry, inode)
        return out + _record("TRAILER!!!", Entry(0), 0)


def _record(name: str, entry: Entry, inode: int) -> list[bytes]:
    raw = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    fields = (inode, entry.mode, 0, 0, links, 0, len(entry.data), 0, 0, *entry.device, len(raw), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
    return [head, b"\0" * (-len(head) % 4), entry.data, b"\0" * (-len(entry.data) % 4)]


def write(tree: Tree, directory: Path, name: str) -> Path:
    """Write the archive as DIRECTORY/NAME-HASH.cpio unless it is there; remove older ones of that name."""
    records = tree.records()
    digest = hashlib.sha256()
    for record in records:
        digest.update(record)
    path = directory / f"{name}-{digest.hexdigest()[:16]}.cpio"
    if path.exists():
        return path
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob(f"{name}-????????????????.cpio"):
        old.unlink(missing_ok=True)
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.writelines(records)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
