# SPDX-License-Identifier: GPL-2.0-only
"""What netfront_lro has to survive, done to the kernel's own xen-netfront, and aggregates from the kernel's own r8169."""

from __future__ import annotations

import unittest

from lab import configs

from . import lies, test_backend


class StockNetfront(test_backend.Backend, lies.Lies, unittest.TestCase):
    driver, config = configs.STOCK_GUEST, "gro12"
    # It makes a fragment of a slot that has changed since it was checked, and its kernel may stop for that.
    told = [kind for kind in lies.LIES if kind != "changing"]


if __name__ == "__main__":
    unittest.main()
