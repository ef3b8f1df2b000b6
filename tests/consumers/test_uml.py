# SPDX-License-Identifier: GPL-2.0-only
"""The consumers of table.py in user-mode Linux with KASAN and lockdep; a complaint of the kernel fails them all."""

from __future__ import annotations

import unittest

from . import run, script
from .table import CONSUMERS


class InUserModeLinux(unittest.TestCase):
    """One boot for all rows."""

    @classmethod
    def setUpClass(cls):
        cls.report = script.parse(run.run().checked())


def _test(name: str):
    def test(self: InUserModeLinux) -> None:
        self.assertIn(name, self.report.passed, self.report.faults.get(name, "nothing was said of it"))

    return test


for _name in (*(consumer.name for consumer in CONSUMERS), *script.OTHERS):
    setattr(InUserModeLinux, "test_" + _name.replace(" ", "_"), _test(_name))


if __name__ == "__main__":
    unittest.main()
