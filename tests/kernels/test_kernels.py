# SPDX-License-Identifier: GPL-2.0-only
"""Kernels that `make check` does not boot: every rule of the grafts matches, and the modules build.

The modules are built for the oldest and the newest kernel of each series that the mirror has source and headers of, and
for the cloud flavours of the kernels that are booted, which lack some drivers.
"""

from __future__ import annotations

import os
import re
import unittest
from pathlib import Path

from graft import tree
from lab import kernels, roots, steps
from lab.paths import BUILD, ROOT
from tests.kernels import further

# The compiler to use if the headers name one that the root lacks.
COMPILER = "x86_64-linux-gnu-gcc-14"
LOGS = BUILD / "check" / "kernels" / "logs"
# Series or versions to which the run is confined, such as "7.2 6.1.170-3".
WANTED = os.environ.get("KERNELS", "").split()


def wanted(kernel: further.Further) -> bool:
    return not WANTED or kernel.series in WANTED or kernel.version in WANTED


def clouds() -> list[further.Further]:
    """The cloud flavours of the kernels that are booted."""
    booted = [kernels.kernel(series) for series in kernels.SERIES]
    return [further.Further(kernel.series, kernel.version, kernel.release.replace("-amd64", "-cloud-amd64"),
                            further.snapshots()[0]) for kernel in booted]


class Kernels(unittest.TestCase):
    """The common part: building in the lab's root."""

    @classmethod
    def setUpClass(cls):
        known = {word for kernel in [*further.chosen(), *clouds()] for word in (kernel.series, kernel.version)}
        if strange := set(WANTED) - known:
            raise steps.LabError(f"KERNELS names {', '.join(sorted(strange))}, and there are {', '.join(sorted(known))}")

    def build(self, kernel: further.Further, source: Path, folder: Path) -> tuple[set[str], str]:
        """The modules that `make modules` makes, and the compiler that made them."""
        headers = folder / "headers"
        binds = {path: f"/{path.relative_to(headers)}" for pattern in ("usr/src/linux-headers-*", "usr/lib/linux-kbuild-*")
                 for path in sorted(headers.glob(pattern))}
        config = headers / "usr/src" / f"linux-headers-{kernel.release}" / "include/config/auto.conf"
        named = re.search(r'^CONFIG_CC_VERSION_TEXT="?(\S+)', config.read_text(), re.M)[1]
        compiler = named if (roots.lab_root() / "usr/bin" / named).exists() else COMPILER
        out = BUILD / "check" / "kernels" / "out" / kernel.release
        log = LOGS / f"{kernel.release}.log"
        log.unlink(missing_ok=True)
        try:
            roots.chroot(["make", "-j2", "modules", f"KVER={kernel.release}", f"KDIR=/usr/src/linux-headers-{kernel.release}",
                          f"KSRC={source}", f"OUT={out}", *([f"CC={compiler}"] if compiler != named else [])],
                         binds={ROOT: str(ROOT), BUILD: str(BUILD)} | binds, log=log, timeout=1800, cwd=str(ROOT))
        except steps.LabError as error:
            self.fail(f"Linux {kernel.name}: {error}")
        text = log.read_text()
        self.assertNotRegex(text, r"\.[ch]:\d+:\d+: (warning|error)")
        return {path.stem for path in out.glob("*.ko")}, compiler.rpartition("gnu-")[2]


class Further(Kernels):
    def test_oldest_and_newest_of_each_series(self):
        chosen = further.chosen()
        self.assertGreater(len(chosen), 2)
        for kernel in filter(wanted, chosen):
            with self.subTest(kernel=kernel.name):
                folder = kernel.fetch()
                made, compiler = self.build(kernel, folder / "source", folder)
                self.assertEqual(made, set(tree.modules()))
                steps.say(f"Linux {kernel.name}: grafted, and built with {compiler}")


class Cloud(Kernels):
    def test_modules_that_a_cloud_kernel_can_have_are_built(self):
        for kernel in filter(wanted, clouds()):
            with self.subTest(kernel=kernel.name):
                made, compiler = self.build(kernel, kernels.kernel(kernel.series).source, kernel.fetch(source=False))
                self.assertEqual(made, set(tree.modules()) - further.CLOUD_LACKS)
                steps.say(f"Linux {kernel.name}: built with {compiler}, without {', '.join(sorted(further.CLOUD_LACKS))}")
