# SPDX-License-Identifier: GPL-2.0-only
"""A virtual machine with one of Debian's kernels, in which the rows of table.py are tested."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from lab import cache, images, kernels, roots, steps, topology, vm
from lab.paths import BUILD, LOGS, ROOT

from . import script
from .table import CONSUMERS, PROGRAMS

MODULES = ("lro_core", "br_linearize", "tests/consumers")
SOURCES = ("include", "tests/property", *MODULES)
MEMORY = 512
# Each row has one flight of EVERY; the number shares no factor with those of flights and their kinds.
EVERY = 31
OURS = ("lro_core", "br_linearize", "lro_consumers")
FUNCTIONS = "/run/functions"
# Seconds.
ROW_LIMIT = 120


def build(series: str) -> Path:
    """Folder with lro_core.ko, br_linearize.ko and lro_consumers.ko for the kernel of a series."""
    kernel = kernels.kernel(series)
    sources = {name: ROOT / name for name in SOURCES}

    def make(out: Path) -> None:
        log = LOGS / f"consumers-{series}.log"
        log.unlink(missing_ok=True)
        stage = out / "stage"
        for name, folder in sources.items():
            shutil.copytree(folder, stage / name, ignore=lambda _, names: [
                entry for entry in names if not entry.endswith((".c", ".h")) and entry != "Kbuild"])
        (stage / "Kbuild").write_text("".join(f"obj-m += {name}/\n" for name in MODULES))
        with steps.step(f"Building the test of consumers for Linux {kernel.release}"):
            roots.chroot(["make", "-s", "-j2", "-C", f"/usr/src/linux-headers-{kernel.release}", "M=/mnt/stage",
                          *kernel.kbuild_flags, "modules"], binds={stage: "/mnt/stage"} | kernel.binds(), log=log,
                         timeout=600)
        for path in stage.rglob("*.ko"):
            path.rename(out / path.name)
        cache.remove(stage)

    inputs = (sources, kernel.release, kernel.key, (roots.lab_root() / cache.KEY_FILE).read_text(),
              cache.recipe(make))
    return cache.keyed(BUILD / "check/consumers" / kernel.release, inputs, make)


class Machine:
    """A context manager: the machine, with the engine loaded; it panics as soon as its kernel warns."""

    def __init__(self, series: str, logs: Path):
        self.series = series
        self.logs = logs
        self._stack = ExitStack()

    def __enter__(self) -> Machine:
        try:
            self._boot()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _boot(self) -> None:
        image = images.testing(self.series, "consumers", build(self.series), (*needed(), *OURS), PROGRAMS,
                               {"/bin/helper": script.helper()})
        with steps.step(f"consumers: boot Linux {self.series}"):
            self._stack.enter_context(vm.log_folder(self.logs))
            run = self._stack.enter_context(vm.RunFolder())
            machine = vm.Machine("consumers", MEMORY, 1, vm.linux_line(image, ""), [])
            self.host = vm.Vm(machine, run, self.logs)
            self._stack.callback(self.host.stop)
            self.host.wait(topology.BOOT_LIMIT)
        self.host.put(script.functions().encode(), FUNCTIONS)
        self.host.run("modprobe lro_core")

    def test(self, command: str) -> script.Report:
        """Run a command of script.sh, such as script.row() makes, in a shell of its own."""
        said = self.host.run(f". {FUNCTIONS}; {command}", timeout=ROW_LIMIT,
                             check=False)
        self.host.check()
        return script.parse(said)


def needed() -> tuple[str, ...]:
    """The kernel's modules that the rows need, each once."""
    return tuple(dict.fromkeys(name for consumer in CONSUMERS for name in consumer.needs))
