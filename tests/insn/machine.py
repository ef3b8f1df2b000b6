# SPDX-License-Identifier: GPL-2.0-only
"""Runs the lab's QEMU, and builds kernel modules with the lab's compilers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from lab import cpio, kernels, roots
from lab.kernel import Kernel

OUT = Path(os.environ.get("OUT", "build/tests/insn")).resolve()
PLUGIN = OUT / "insn.so"
BARE = ["-cpu", "max", "-m", "64", "-device", "isa-debug-exit,iobase=0xf4", "-kernel", str(OUT / "payload")]
BARE_EXIT = 15          # exit code of isa-debug-exit for the value that payload.S writes


def qemu() -> list[str]:
    """Command for a machine with a processor, memory and the named devices only."""
    return [*roots.qemu(), "-accel", "tcg,thread=multi", "-M", "pc", "-nodefaults", "-display", "none",
            "-no-reboot"]


def run(arguments: list[str], log: Path, timeout: float = 60) -> int:
    """Runs QEMU to its end; returns its exit code. QEMU's messages go to `log`."""
    with log.open("wb") as out:
        done = subprocess.run(qemu() + arguments, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT, timeout=timeout, check=False)
    return done.returncode


def build_modules(source: Path, kernel: Kernel, extra: tuple[Path, ...] = (),
                  options: tuple[str, ...] = ()) -> Path:
    """Builds the modules of a folder with a Kbuild for a kernel; returns the folder with the results.

    `extra` are further sources, `options` arguments of make.
    """
    work = OUT / "modules" / kernel.series / source.name
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(source, work, ignore=shutil.ignore_patterns("__pycache__", "Makefile", "*.py"))
    for path in extra:
        shutil.copy(path, work)
    roots.chroot(["make", "-C", f"/usr/src/linux-headers-{kernel.release}", "M=/mnt", *options, "modules"],
                 binds={**kernel.binds(), work: "/mnt"}, log=work / "build.log", timeout=300)
    return work


def wanted() -> list[Kernel]:
    """The kernels to boot."""
    return [kernels.kernel(series) for series in os.environ.get("KERNELS", kernels.DEFAULT).split()]


def initramfs(name: str, kernel: Kernel, modules: list[Path], steps: list[str]) -> Path:
    """The test program, modules in the root folder, and init.c, which runs them."""
    tree = cpio.Tree()
    tree.character_device("/dev/console", 5, 1)
    tree.file("/init", (OUT / "init").read_bytes(), 0o755)
    for module in modules:
        tree.file(f"/{module.name}", module.read_bytes())
    tree.file("/steps", "".join(f"{step}\n" for step in steps))
    return cpio.write(tree, OUT, f"{name}-{kernel.series}")


def xen(kernel: Kernel, initrd: Path) -> list[str]:
    """Arguments of a Xen host whose driver domain runs the test program on pCPU 0."""
    return ["-cpu", "max,-smap", "-smp", "2", "-m", "1024", "-kernel", str(roots.xen_hypervisor()), "-append",
            "console=com1 com1=115200,8n1 dom0_mem=512M,max:512M dom0_max_vcpus=1 dom0_vcpus_pin bootscrub=0",
            "-initrd", f"{kernel.vmlinuz} console=hvc0 quiet panic=-1,{initrd}"]
