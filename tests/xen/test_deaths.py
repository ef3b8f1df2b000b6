# SPDX-License-Identifier: GPL-2.0-only
"""A thousand deaths of the back end, on two kernels: `make soak-drivers`."""

from __future__ import annotations

import unittest

from lab import configs

from . import deaths


class Default(deaths.Deaths, unittest.TestCase):
    driver, config = configs.OUR_GUEST, "guest12"


class Newest(deaths.Deaths, unittest.TestCase):
    driver, config, series = configs.OUR_GUEST, "guest12", "7.3"


if __name__ == "__main__":
    unittest.main()
