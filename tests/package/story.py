# SPDX-License-Identifier: GPL-2.0-only
"""The common part of the stories of the packages on a system: it boots, its NIC works, and a command is refused."""

from __future__ import annotations

import json
import shutil
import unittest
from contextlib import ExitStack
from pathlib import Path

from lab import cache, kernels
from lab.agent import CommandFailed
from lab.paths import BUILD, ROOT
from lab.steps import LabError
from packaging import deb, dist
from tests.package import debian

FILE = 4 << 20
# Folders of this tree of which no package has a file.
NOT_PACKED = ("tests", "lab", "examples")


def packages(folder: Path) -> list[Path]:
    """The packages and, in `source`, what they were made from: copies, for several stories run at a time."""
    packed = [(str(path.relative_to(ROOT)), path) for path in dist.tracked()
              if path.relative_to(ROOT).parts[0] not in NOT_PACKED]
    inputs = ("packages", packed, [kernels.kernel(series).key for series in kernels.SERIES], cache.recipe(_pack))
    made = cache.keyed(BUILD / "check" / "packages", inputs, _pack)
    shutil.rmtree(folder / "source", ignore_errors=True)
    shutil.copytree(made / "source", folder / "source")
    return [Path(shutil.copy2(package, folder)) for package in sorted(made.glob("*.deb"))]


def _pack(fresh: Path) -> None:
    with cache.locked(dist.OUT):
        for package in deb.make():
            shutil.copy2(package, fresh)
        shutil.copytree(deb.source(), fresh / "source")


def installed(folder: Path) -> debian.System:
    """A system with the packages, and with the managers of networks and the sshd that stories use; none of them starts."""
    (folder / "packages").mkdir(parents=True, exist_ok=True)
    debs = {package.name.partition("_")[0]: package for package in packages(folder / "packages")}
    modules = debs["xenlro-dkms"]
    inputs = ("installed", (debian.base().parent / cache.KEY_FILE).read_text(), modules, cache.recipe(_install))
    # The modules take most of the time and change least.
    image = cache.keyed(BUILD / "roots" / "debian-installed", inputs, lambda fresh: _install(fresh, modules)) / "disk.img"
    system = debian.System(folder / "system", image)
    _installed(system, debs["xenlro"])
    return system


def _install(fresh: Path, modules: Path) -> None:
    system = debian.System(fresh / "system")
    _installed(system, modules, *debian.FETCHED)
    system.run("systemctl", "mask", "NetworkManager.service", "NetworkManager-wait-online.service",
               "NetworkManager-dispatcher.service", "networking.service", "ssh.service", "ssh.socket")
    system.image.rename(fresh / "disk.img")


def _installed(system: debian.System, *names: Path | str) -> None:
    if wrong := debian.complaints(system.install(*names)):
        raise LabError(f"the packages do not install: {' '.join(wrong)}")


class OnSystem(unittest.TestCase):
    """The tests of a class are steps of one story on one system, in the order of their names."""

    make_system: type[debian.System]
    make_lab: type[debian.DebianLab]
    folder: Path
    running: ExitStack
    lab: debian.DebianLab | None = None

    @classmethod
    def setUpClass(cls):
        cls.system = cls.make_system(cls.folder)
        cls.packages = packages(cls.folder)
        cls.addClassCleanup(shutil.rmtree, cls.system.folder / "mounted", ignore_errors=True)
        cls.running = ExitStack()
        cls.addClassCleanup(cls.running.close)

    def boot(self, arguments: str = "") -> debian.DebianLab:
        """Boot the system with more kernel arguments; the tests after this one find it running as `lab`."""
        # One that a test left running when it failed.
        self.running.close()
        type(self).lab = self.running.enter_context(self.make_lab(self.system, arguments))
        return self.lab

    def halt(self) -> None:
        """Shut the system down."""
        lab, type(self).lab = self.lab, None
        try:
            if lab:
                lab.shut_down()
        finally:
            self.running.close()

    def works(self, lab: debian.DebianLab, driver: str) -> dict:
        """Assert that the driver serves lan0 and that traffic flows; return what status says, if it is installed."""
        found = lab.nic_host.run("readlink /sys/class/net/lan0/device/driver").strip()
        self.assertEqual(Path(found).name, driver)
        lab.wait_for_ping()
        lab.send_file(FILE)
        if not lab.nic_host.run("command -v xenlro || true").strip():
            return {}
        return json.loads(lab.nic_host.run("xenlro status --json", timeout=120))

    def refused(self, command: str, code: int) -> str:
        """The message of a command that has to fail with that exit code."""
        with self.assertRaises(CommandFailed) as failed:
            self.lab.nic_host.run(command, timeout=120)
        self.assertEqual(failed.exception.status, code, failed.exception.output)
        return failed.exception.output
