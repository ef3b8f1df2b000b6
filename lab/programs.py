# SPDX-License-Identifier: GPL-2.0-only
"""Programs of the lab's root for the initial RAM filesystems of machines, with their libraries."""

from __future__ import annotations

import re
from pathlib import Path

from . import cpio, proc
from .steps import LabError


def _libraries(root: Path, program: Path) -> list[str]:
    """Paths, relative to the root, of the shared libraries and the loader that a program needs."""
    loader = next(root.glob("usr/lib64/ld-linux-x86-64.so.*"))
    search = ":".join(str(root / path) for path in ("usr/lib/x86_64-linux-gnu", "usr/lib"))
    listing = proc.run([str(loader), "--library-path", search, "--list", str(program)], log=None, timeout=30)
    found = re.findall(rf"{re.escape(str(root))}/(\S+)", listing)
    return sorted(set(found) - {str(program.relative_to(root))})


def install(tree: cpio.Tree, root: Path, path: str) -> None:
    """Copy one program to its place in the root, and its libraries to /lib."""
    program = root / path
    if not program.exists():
        raise LabError(f"{path} is missing in the lab root; remove build/roots and run `make lab`")
    tree.file(f"/{path}", program.read_bytes(), 0o755)
    for library in _libraries(root, program):
        name = Path(library).name
        place = "/lib64" if name.startswith("ld-linux") else "/lib"
        tree.file(f"{place}/{name}", (root / library).read_bytes(), 0o755)
