# SPDX-License-Identifier: GPL-2.0-only
"""One unpacked kernel: its files, and the modules that a module needs."""

from __future__ import annotations

import functools
import lzma
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import cache, proc, steps
from .steps import LabError


@dataclass(frozen=True)
class Kernel:
    """One kernel, unpacked. All paths are below build/kernels/SERIES and belong to the cache: do not write there."""

    series: str
    release: str  # as uname -r prints it
    version: str  # of the packages
    vmlinuz: Path
    vmlinux: Path  # uncompressed ELF file
    system_map: Path
    modules_dir: Path  # lib/modules/RELEASE
    headers: Path  # a tree with usr/src/linux-headers-* and usr/lib/linux-kbuild-*
    source: Path  # a kernel tree that holds the drivers that get grafted
    kbuild_flags: tuple[str, ...] = ()  # variables for make to build a module for it

    @property
    def key(self) -> str:
        """The identity of this kernel in cache keys."""
        return (self.vmlinuz.parent / cache.KEY_FILE).read_text()

    def module(self, name: str) -> Path:
        """Path of an uncompressed module; LabError when the kernel has it built in or not at all."""
        packed = _index(self.modules_dir).get(_plain(name))
        if not packed:
            kind = "built into" if _plain(name) in self.builtin() else "not part of"
            raise LabError(f"the module {name} is {kind} Linux {self.release}")
        if packed.suffix == ".ko":
            return packed
        unpacked = self.modules_dir / "unpacked" / packed.stem
        if not unpacked.exists():
            unpacked.parent.mkdir(exist_ok=True)
            fresh = unpacked.with_name(f".{unpacked.name}.{steps.unique()}")
            fresh.write_bytes(_decompress(packed))
            fresh.rename(unpacked)
        return unpacked

    def has(self, name: str) -> bool:
        """Whether there is a module of that name."""
        return _plain(name) in _index(self.modules_dir)

    def having(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the names that are modules of this kernel."""
        return tuple(name for name in names if self.has(name))

    def depends(self, name: str) -> list[Path]:
        """The modules to load for this one, in order, itself last; empty when it is built in."""
        order: list[Path] = []
        self._collect(_plain(name), order)
        return order

    def _collect(self, name: str, order: list[Path]) -> None:
        if name in self.builtin():
            return
        path = self.module(name)
        for needed in module_info(path.read_bytes()).get("depends", "").split(","):
            if needed:
                self._collect(_plain(needed), order)
        if path not in order:
            order.append(path)

    def builtin(self) -> set[str]:
        """Names of modules that are built into the image."""
        lines = (self.modules_dir / "modules.builtin").read_text().split()
        return {_plain(Path(line).name.split(".")[0]) for line in lines}

    def binds(self) -> dict[Path, str]:
        """Mounts for chroot(), so that makefiles find the headers and /lib/modules/RELEASE/build.

        Those of several kernels go together.
        """
        return places(self.headers)


def places(headers: Path) -> dict[Path, str]:
    """Folders of unpacked headers, and their places for makefiles."""
    folders = [path for pattern in ("usr/src/linux-headers-*", "usr/lib/linux-kbuild-*", "lib/modules/*",
                                    "usr/lib/modules/*") for path in sorted(headers.glob(pattern))]
    return {path: f"/{path.relative_to(headers)}" for path in folders}


def _plain(name: str) -> str:
    return name.replace("-", "_")


@functools.cache
def _index(modules: Path) -> dict[str, Path]:
    """Modules by name, with _ for - as the kernel does."""
    found = {}
    for path in (modules / "kernel").rglob("*.ko*"):
        found[_plain(path.name.split(".")[0])] = path
    return found


def _decompress(path: Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return proc.filtered(["zstd", "-dcq"], path.read_bytes(), timeout=60)
    raise LabError(f"{path} is compressed in an unknown way")


def module_info(image: bytes) -> dict[str, str]:
    """The fields that modinfo prints, from a module's bytes; the first value of a field with several."""
    # The section's strings stand together, and no other section has one that begins so.
    fields: dict[str, str] = {}
    for match in re.finditer(rb"\0(license|depends|vermagic|name|intree|version)=([^\0]*)", b"\0" + image):
        fields.setdefault(match[1].decode(), match[2].decode(errors="replace"))
    return fields
