# SPDX-License-Identifier: GPL-2.0-only
"""The consumers of table.py on Debian's kernels, the newest and the oldest release of each series."""

from __future__ import annotations

import unittest

from lab import kernels
from lab.paths import BUILD

from . import machine, script
from .table import BRIDGES, CONSUMERS, SEGMENTERS


class Rows:
    """Each class below is one kernel. Older releases have the rows that mended faults of kernels are about."""

    series: str
    rows = CONSUMERS

    @classmethod
    def setUpClass(cls):
        if cls.series in kernels.OLDEST and not kernels.is_older(cls.series):
            cls.machine = None
            return
        logs = BUILD / "check" / f"consumers-{cls.series}"
        cls.machine = cls.enterClassContext(machine.Machine(cls.series, logs))

    def check(self, name: str, command: str) -> None:
        with self.subTest(name):
            report = self.machine.test(command)
            self.assertEqual(len(report.passed), 1, report.text)

    def test_rows(self):
        for consumer in self.rows:
            if self.machine and self.series.removesuffix("-oldest") in consumer.series:
                self.check(consumer.name, script.row(consumer, machine.EVERY))

    def test_others(self):
        for name in script.others():
            if self.machine:
                self.check(name, name)


class On61(Rows, unittest.TestCase):
    series = "6.1"


class On61Oldest(Rows, unittest.TestCase):
    series, rows = "6.1-oldest", [*SEGMENTERS, *BRIDGES]


class On612(Rows, unittest.TestCase):
    series = "6.12"


class On612Oldest(Rows, unittest.TestCase):
    series, rows = "6.12-oldest", [*SEGMENTERS, *BRIDGES]


class On73(Rows, unittest.TestCase):
    series = "7.3"


class On73Oldest(Rows, unittest.TestCase):
    """Nothing to do as long as the mirror has one release only."""

    series, rows = "7.3-oldest", [*SEGMENTERS, *BRIDGES]


if __name__ == "__main__":
    unittest.main()
