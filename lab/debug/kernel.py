# SPDX-License-Identifier: GPL-2.0-only
"""Builds Linux with checkers from the distribution's source; `lab.kernels.kernel()` returns it by name.

Each is of the series 6.12, with only the options that the lab's machines need: those of common.config, and those of
NAME.config. "kasan" is for the machine that owns the NIC, "pv-debug" for a Xen guest. KASAN does not start in a PV
domain of Xen, because the entry of such a domain never calls kasan_early_init(). Nor does it start in a PVH domain:
xen_prepare_pvh() calls memcmp() and xen_pvh_init(), both of which are checked, before there is shadow memory. With the
calls of the checkers in these two overwritten it starts there; CONTRIBUTING.md says why that is not used.
"""

from __future__ import annotations

import os
from pathlib import Path

from .. import cache, proc, roots
from ..kernels import Kernel
from ..paths import BUILD, LOGS
from ..steps import LabError, step
from ..uml import uml
from ..uml.packages import COMPILER

HERE = Path(__file__).resolve().parent
FLAGS = (f"CC={COMPILER}", f"HOSTCC={COMPILER}")
MAKE = ("make", "-s", "ARCH=x86_64", *FLAGS)
# Seconds: half an hour on two cores that have other work as well.
LIMIT = 5400


class _Built(Kernel):
    """A kernel whose headers are its build tree, which needs the source in its place during the build."""

    def binds(self) -> dict[Path, str]:
        return super().binds() | {self.source: uml.AT_SOURCE}


def kernel(name: str) -> Kernel:
    """A kernel by name, built unless the cache holds it. Raises LabError."""
    source, version = uml.kernel_source()
    inputs = (version, roots.package_version(COMPILER), _asked(name), MAKE, _RECIPE)
    directory = cache.keyed(BUILD / "kernels" / name, inputs, lambda fresh: _build(fresh, name, source))
    release = (directory / "release").read_text().strip()
    return _Built(name, release, version, directory / "vmlinuz", directory / "vmlinux", directory / "System.map",
                  directory / "lib/modules" / release, directory / "headers", source, FLAGS)


def _build(directory: Path, name: str, source: Path) -> None:
    log = LOGS / f"kernel-{name}.log"
    log.unlink(missing_ok=True)
    tree = directory / "tree"
    tree.mkdir()
    (tree / "fragment.config").write_text("".join(f"{line}\n" for line in _asked(name)))
    binds = {source: uml.AT_SOURCE, tree: uml.AT_TREE}
    with step(f"Building linux-source-{uml.SERIES[0]} with what finds mistakes ({name})"):
        roots.chroot([*MAKE, "-C", uml.AT_SOURCE, f"O={uml.AT_TREE}",
                      f"KCONFIG_ALLCONFIG={uml.AT_TREE}/fragment.config", "allnoconfig"],
                     binds=binds, log=log, timeout=300)
        _check_configuration(tree, name, log)
        try:
            roots.chroot([*MAKE, "-C", uml.AT_TREE, f"-j{os.cpu_count() or 1}", "bzImage", "modules"],
                         binds=binds, log=log, timeout=LIMIT)
        except LabError as error:
            raise LabError(f"linux-source-{uml.SERIES[0]} ({name}) does not build: {error}", log) from error
        _arrange(directory, tree, log)


def _asked(name: str) -> list[str]:
    """The options of a kernel's configuration, without the comments."""
    text = "".join((HERE / f"{part}.config").read_text() for part in ("common", name))
    return [line for line in text.splitlines() if line.startswith("CONFIG_")]


def _check_configuration(tree: Path, name: str, log: Path) -> None:
    """Refuse a kernel that silently lacks an option that was asked for."""
    have = set((tree / ".config").read_text().splitlines())
    if missing := [line for line in _asked(name) if line not in have]:
        raise LabError(f"linux-source-{uml.SERIES[0]} does not accept {', '.join(missing)}; correct {HERE}/*.config", log)


def _arrange(directory: Path, tree: Path, log: Path) -> None:
    """Lay image, modules and build tree out as those of the distribution's packages are."""
    release = (tree / "include/config/kernel.release").read_text().strip()
    (directory / "release").write_text(f"{release}\n")
    modules = directory / "lib/modules" / release
    (modules / "kernel").mkdir(parents=True)
    for module in tree.rglob("*.ko"):
        module.rename(modules / "kernel" / module.name)
    (tree / "modules.builtin").rename(modules / "modules.builtin")
    (tree / "arch/x86/boot/bzImage").rename(directory / "vmlinuz")
    (tree / "System.map").rename(directory / "System.map")
    # A guest's kernel travels to the driver domain in its initial RAM filesystem.
    proc.run(["strip", "--strip-debug", "-o", str(directory / "vmlinux"), str(tree / "vmlinux")], log=log, timeout=120)
    proc.run(["find", str(tree), "-name", "*.o", "-not", "-path", "*/scripts/*", "-not", "-path", "*/tools/*",
              "-delete"], log=log, timeout=120)
    headers = directory / "headers/usr/src"
    headers.mkdir(parents=True)
    tree.rename(headers / f"linux-headers-{release}")


_RECIPE = cache.recipe(_build, _arrange)
