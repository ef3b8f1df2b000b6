# SPDX-License-Identifier: GPL-2.0-only
"""The project's own products: kernel modules for one of the lab's kernels, and the programs of the machine."""

from __future__ import annotations

import os
from pathlib import Path

from graft import tree

from . import cache, grants, kernels, proc, roots, segments, steps, wire
from .kernel import Kernel
from .paths import BUILD, LOGS, ROOT
from .steps import LabError

NAMES = tree.modules()
_SOURCES = ("Makefile", "Kbuild", "dkms.conf", "include", "graft", *NAMES)
# The makefile of folders with one module.
_SINGLE = ROOT / "lab/module.mk"
# Folders with a makefile whose programs run on the machine.
_TOOLS = ("lab/rtl8169d", "lab/relay", "lab/guest", "lab/insn")


def build(series: str) -> Path:
    """Folder with the modules, as `make modules` makes them in the root for the kernel of a series.

    It is not the folder that `make modules` fills by default: only this function writes to it.
    """
    kernel = kernels.kernel(series)
    root = roots.lab_root()
    sources = {name: ROOT / name for name in _SOURCES if (ROOT / name).exists()}
    inputs = ("modules", sources, kernel.release, kernel.key, (root / cache.KEY_FILE).read_text(), _RECIPE)
    return cache.keyed(BUILD / "lab/modules" / kernel.release, inputs, lambda fresh: _make(fresh, kernel))


def _make(out: Path, kernel: Kernel) -> None:
    log = LOGS / f"modules-{kernel.series}.log"
    log.unlink(missing_ok=True)
    with steps.step(f"Building the modules for Linux {kernel.release}"):
        # The same paths as outside, so that messages and debug information name files that exist.
        binds = {path: str(path) for path in (ROOT, BUILD)} | kernel.binds()
        headers = f"/usr/src/linux-headers-{kernel.release}"
        try:
            roots.chroot(["make", f"-j{os.cpu_count() or 1}", "modules", f"KVER={kernel.release}",
                          f"KDIR={headers}", f"KSRC={kernel.source}", f"OUT={out}",
                          f"KBUILD_FLAGS={' '.join(kernel.kbuild_flags)}"],
                         binds=binds, log=log, timeout=1800, cwd=str(ROOT))
        except LabError as error:
            raise LabError(f"the modules do not build for Linux {kernel.release}: {error}", error.log) from error
        missing = [name for name in NAMES if not (out / f"{name}.ko").is_file()]
        if missing:
            raise LabError(f"`make modules` for Linux {kernel.release} made no {missing[0]}.ko", log)


_RECIPE = cache.recipe(_make)


def grant_counter(series: str) -> Path:
    """Folder with the module that counts grant copies, for the kernel of a series."""
    return single(series, Path("lab/grants"), grants.MODULE)


def segment_counter(series: str) -> Path:
    """Folder with the module that counts the segments of received packets, for the kernel of a series."""
    return single(series, Path("lab/segments"), segments.MODULE)


def wire_clock(series: str) -> Path:
    """Folder with the module that tells the NIC the time of the machine, for the kernel of a series."""
    return single(series, Path("lab/wire"), wire.MODULE)


def single(series: str, folder: Path, module: str) -> Path:
    """Folder with a module that is built from `folder` of this tree."""
    kernel = kernels.kernel(series)
    root = roots.lab_root()
    sources = [_SINGLE, *(ROOT / folder / file for file in ("Kbuild", f"{module}.c"))]
    inputs = (folder.name, sources, kernel.release, kernel.key, (root / cache.KEY_FILE).read_text(), _SINGLE_RECIPE)
    return cache.keyed(BUILD / folder / kernel.release, inputs,
                       lambda fresh: _make_single(fresh, kernel, folder, module))


def _make_single(out: Path, kernel: Kernel, folder: Path, module: str) -> None:
    log = LOGS / f"{folder.name}-{kernel.series}.log"
    log.unlink(missing_ok=True)
    with steps.step(f"Building the module of {folder} for Linux {kernel.release}"):
        binds = {path: str(path) for path in (ROOT, BUILD)} | kernel.binds()
        try:
            roots.chroot(["make", "-f", str(_SINGLE), f"MODULE={module}", f"KVER={kernel.release}",
                          f"KDIR=/usr/src/linux-headers-{kernel.release}", f"OUT={out}",
                          f"KBUILD_FLAGS={' '.join(kernel.kbuild_flags)}"],
                         binds=binds, log=log, timeout=300, cwd=str(ROOT / folder))
        except LabError as error:
            raise LabError(f"the module of {folder} does not build for Linux {kernel.release}: {error}",
                           error.log) from error
        cache.remove(out / folder.name)


_SINGLE_RECIPE = cache.recipe(_make_single)


def host_tools() -> None:
    """Build the NIC process and the other programs of the machine itself, as far as sources changed."""
    wanted = [folder for folder in _TOOLS if (ROOT / folder / "Makefile").is_file()]
    with cache.locked(BUILD / "lab/tools"), steps.step("Building the lab's programs"):
        for folder in wanted:
            name = Path(folder).name
            out = BUILD / "lab" / name
            log = LOGS / f"{name}.log"
            log.unlink(missing_ok=True)
            try:
                proc.run(["make", f"-j{os.cpu_count() or 1}", "-C", str(ROOT / folder), f"OUT={out}"],
                         log=log, timeout=300)
            except LabError as error:
                raise LabError(f"{folder} does not build: {error}", error.log) from error
