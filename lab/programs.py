# SPDX-License-Identifier: GPL-2.0-only
"""Programs of the lab's root for the initial RAM filesystems of machines, with their libraries."""

from __future__ import annotations

import re
from pathlib import Path

from . import cpio, proc
from .steps import LabError


def _libraries(root: Path, program: Path, others: tuple[Path, ...]) -> list[Path]:
    """The shared libraries and the loader that a program needs."""
    loader = next(root.glob("usr/lib64/ld-linux-x86-64.so.*"))
    search = ":".join(str(folder / path) for folder in (root, *others)
                      for path in ("usr/lib/x86_64-linux-gnu", "usr/lib"))
    listing = proc.run([str(loader), "--library-path", search, "--list", str(program)], log=None, timeout=30)
    folders = "|".join(re.escape(str(folder)) for folder in (root, *others))
    return sorted({Path(found) for found in re.findall(rf"(?:{folders})/\S+", listing)} - {program})


def install(tree: cpio.Tree, root: Path, path: str, *others: Path) -> None:
    """Copy one program to the same place as in the root, and its libraries to /lib.

    `others` are unpacked packages, which may have the program, or some of its libraries, where the root does not.
    """
    program = next((folder / path for folder in (root, *others) if (folder / path).exists()), None)
    if not program:
        raise LabError(f"{path} is missing in the lab root; remove build/roots and run `make lab`")
    tree.file(f"/{path}", program.read_bytes(), 0o755)
    for library in _libraries(root, program, others):
        place = "/lib64" if library.name.startswith("ld-linux") else "/lib"
        tree.file(f"{place}/{library.name}", library.read_bytes(), 0o755)
