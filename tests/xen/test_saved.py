# SPDX-License-Identifier: GPL-2.0-only
"""A guest is saved and restored while traffic flows, which goes on."""

from __future__ import annotations

import unittest

from lab import configs, topology

from .bed import Bed

# Seconds: the sender's TCP waits as long again as the guest was gone before it tries the next time.
PATIENCE = 300


class Lab(topology.XenLab):
    """Its guest is small enough to be saved into the driver domain's memory. MiB."""

    guest_memory = 160


class Saved(Bed):
    """Each class below is one front end."""

    lab_type = Lab

    def test_1_guest_is_saved_and_restored(self):
        for _ in range(2):
            self.lab.dom0.run("xl save guest /tmp/guest.save && xl restore /tmp/guest.save && rm /tmp/guest.save",
                              timeout=240)
            self.flowing(PATIENCE)


class Netfront(Saved, unittest.TestCase):
    driver, config = configs.OUR_GUEST, "guest12"


class StockNetfront(Saved, unittest.TestCase):
    driver, config = configs.STOCK_GUEST, "gro12"


if __name__ == "__main__":
    unittest.main()
