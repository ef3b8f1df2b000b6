# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages by themselves; test_story.py installs them."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import unittest
from unittest import mock

from lab import prereq, steps
from packaging import deb, dist


class ExitCodes(unittest.TestCase):
    """What the commands that make archive and packages end with."""

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


class Lintian(unittest.TestCase):
    """What Debian's own checker says of the packages."""

    def test_packages_are_clean(self):
        for package in deb.make():
            with self.subTest(package=package.name):
                done = subprocess.run(["lintian", "--pedantic", "--display-info", "--fail-on", "error,warning,info,pedantic",
                                       "--allow-root", str(package)],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (0, ""))
