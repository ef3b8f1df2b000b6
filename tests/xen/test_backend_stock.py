# SPDX-License-Identifier: GPL-2.0-only
"""What netfront_lro has to survive, done to the kernel's own xen-netfront, and aggregates from the kernel's own r8169."""

from __future__ import annotations

import unittest

from lab import configs

from . import test_backend


class StockNetfront(test_backend.Backend, unittest.TestCase):
    driver, config = configs.STOCK_GUEST, "gro12"


if __name__ == "__main__":
    unittest.main()
