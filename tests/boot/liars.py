# SPDX-License-Identifier: GPL-2.0-only
"""The modules of tests/boot/liar, built for a kernel and the drivers that are grafted for it."""

from __future__ import annotations

from pathlib import Path

from lab import cache, kernels, modules, roots
from lab.kernel import Kernel
from lab.paths import BUILD, LOGS, ROOT

SOURCE = ROOT / "tests" / "boot" / "liar"


def build(series: str) -> Path:
    """Folder with e1000e_liar.ko and igb_liar.ko."""
    kernel, grafted = kernels.kernel(series), modules.build(series)
    inputs = ("liars", SOURCE, kernel.key, (grafted / cache.KEY_FILE).read_text())
    return cache.keyed(BUILD / "tests/liar" / kernel.release, inputs, lambda fresh: _make(fresh, kernel, grafted))


def _make(out: Path, kernel: Kernel, grafted: Path) -> None:
    log = LOGS / f"liar-{kernel.series}.log"
    log.unlink(missing_ok=True)
    binds = {path: str(path) for path in (ROOT, BUILD)} | kernel.binds()
    roots.chroot(["make", f"KVER={kernel.release}", f"KDIR=/usr/src/linux-headers-{kernel.release}", f"OUT={out}",
                  f"GRAFTED={grafted / 'src'}", f"KBUILD_FLAGS={' '.join(kernel.kbuild_flags)}"],
                 binds=binds, log=log, timeout=300, cwd=str(SOURCE))
    cache.remove(out / "liar")
