# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages by themselves; test_story.py installs them."""

from __future__ import annotations

import subprocess
import unittest

from packaging import deb


class Lintian(unittest.TestCase):
    """What Debian's own checker says of the packages."""

    def test_packages_are_clean(self):
        for package in deb.make():
            with self.subTest(package=package.name):
                done = subprocess.run(["lintian", "--fail-on", "error,warning", "--allow-root", str(package)],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stdout), (0, ""))
