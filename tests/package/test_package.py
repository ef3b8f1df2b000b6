# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages by themselves; test_story.py installs them."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab import kernels, prereq, proc, steps
from packaging import deb, dist, rpm


class ExitCodes(unittest.TestCase):
    """The exit codes of the commands that make archive and packages."""

    def ended(self, error: BaseException | None) -> tuple[int, str]:
        """Exit code and sentence of a command whose job raises the error."""
        job = mock.Mock(side_effect=error, return_value=["made"])
        with mock.patch.object(sys, "argv", ["deb.py"]), mock.patch.object(prereq, "ensure"), \
                contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            return dist.command(deb.__doc__, job), said.getvalue()

    def test_each_kind_of_failure_has_its_own(self):
        self.assertEqual(self.ended(None), (0, ""))
        self.assertEqual(self.ended(steps.LabError("it broke")), (1, "deb: it broke\n"))
        self.assertEqual(self.ended(steps.EnvironmentFault("no dh")), (3, "deb: no dh\n"))
        self.assertEqual(self.ended(KeyboardInterrupt())[0], 130)


@functools.cache
def debs() -> list[Path]:
    """The Debian packages, made once."""
    return deb.make()


class Lintian(unittest.TestCase):
    """The verdict of Debian's own checker on the packages."""

    def test_packages_are_clean(self):
        for package in debs():
            with self.subTest(package=package.name):
                done = subprocess.run(["lintian", "--pedantic", "--display-info", "--fail-on", "error,warning,info,pedantic",
                                       "--allow-root", str(package)],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (0, ""))


class Contents(unittest.TestCase):
    """`make install` and the packages of both kinds bring the same files."""

    # Further files of each kind: documentation, and files of its tools.
    OWN = re.compile(r"/usr/share/(doc|licenses|lintian)\b|/usr/share/dkms/|/var/lib/dkms")

    @classmethod
    def setUpClass(cls):
        cls.root = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        debs()
        cls.installed = cls.install("PREFIX=/usr", "INITDIR=")

    @classmethod
    def install(cls, *arguments: str) -> dict[str, int]:
        """The files that `make install` of the archive leaves, with their modes."""
        root = Path(tempfile.mkdtemp(dir=cls.root))
        proc.run(["make", "-s", "-C", str(deb.source()), "install", f"DESTDIR={root}", *arguments], log=None, timeout=60)
        found = cls.below(root)
        proc.run(["make", "-s", "-C", str(deb.source()), "uninstall", f"DESTDIR={root}", *arguments], log=None, timeout=60)
        if left := cls.below(root):
            raise AssertionError(f"uninstalling leaves {left}")
        return found

    @staticmethod
    def below(root: Path) -> dict[str, int]:
        return {f"/{path.relative_to(root)}": path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_file()}

    def same(self, files: dict[str, int]) -> None:
        """Assert that a package has the files of `make install`, except its further files and compression."""
        found = {name.removesuffix(".gz"): mode for name, mode in files.items() if not self.OWN.match(name)}
        self.assertEqual(found, self.installed)

    def test_installation_has_all_that_building_and_the_command_need(self):
        tree = f"/usr/src/xenlro-{dist.version()}"
        for name in (f"{tree}/dkms.conf", f"{tree}/graft/modules.sh", f"{tree}/lro_core/module.c", "/usr/sbin/xenlro",
                     "/usr/lib/udev/rules.d/70-xenlro.rules", "/usr/share/man/man8/xenlro.8",
                     *(f"{tree}/grafted/{series}/{driver}/{dist.tree.described(driver)['target']}"
                       for series in kernels.SERIES for driver in dist.tree.drivers())):
            self.assertIn(name, self.installed)
        for name in (f"{tree}/graft/prebuild.sh", "/usr/sbin/xenlro"):
            self.assertEqual(self.installed[name] & 0o111, 0o111)

    def test_other_prefix_and_openrc(self):
        found = self.install("INITDIR=/etc/init.d")
        for name in ("/usr/local/sbin/xenlro", "/etc/udev/rules.d/70-xenlro.rules", "/etc/init.d/xenlro"):
            self.assertIn(name, found)

    def test_debian_packages(self):
        root = self.root / "debs"
        for package in debs():
            proc.run(["dpkg-deb", "-x", str(package), str(root)], log=None, timeout=60)
        self.same(self.below(root))

    def test_rpm_packages(self):
        root = self.root / "rpms"
        root.mkdir()
        packages = rpm.build(dist.OUT / f"xenlro-{dist.version()}.tar.xz")
        self.assertEqual(len(packages), 2)
        for package in packages:
            proc.run(["bash", "-o", "pipefail", "-euc", 'rpm2cpio "$1" | (cd "$2" && cpio -idm --quiet)', "unpack", str(package),
                      str(root)], log=None, timeout=60)
        self.same(self.below(root))


class OpenRc(unittest.TestCase):
    """The service that applies the choices on systems without udev."""

    def test_each_choice_is_applied(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("vif-0", "0000:00:03.0"):
                Path(folder, name).touch()
            script = (dist.TOP / "packaging/xenlro.openrc").read_text().replace("/etc/xenlro/devices", folder)
            told = 'ebegin() { :; }; eend() { echo "ended $1"; }; ewarn() { echo "warned $*"; }\n' \
                   'xenlro() { echo "xenlro $*"; test $2 != vif-0; }\n'
            done = subprocess.run(["sh", "-euc", told + script + "\nstart"], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.splitlines(), ["xenlro apply 0000:00:03.0", "xenlro apply vif-0",
                                                    "warned vif-0 is served by its stock driver", "ended 0"])
