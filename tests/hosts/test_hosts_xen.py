# SPDX-License-Identifier: GPL-2.0-only
"""The lab's own Xen host as the user's: driver domain and guest reached by ssh, and each afterwards exactly as before.

    sender VM [ sshd ] == rtl8169d == Xen [ dom0: r8169(_lro), br0, sshd | guest: netfront(_lro), sshd ]
"""

from __future__ import annotations

import json
import unittest

from . import bed, machines

# Of each run; a second transfer could be shorter, but slow start would be most of it.
BULK = "16M"


class Hosts(bed.Bed):
    """Configurations with and without this project's modules."""

    entries = {"sender": {"interface": "eth0", "address": "10.0.0.1"},
               "driver": {"interface": "eth0"},
               "guest": {"interface": "eth0", "address": "10.0.0.3"}}
    lab_type = machines.XenWithSsh
    watched = {"sender": "sender", "driver": "dom0", "guest": "guest"}

    def test_configurations(self) -> None:
        run = self.start("guest0 gro1 guest12", "--bytes", BULK)
        said = run.communicate(timeout=900)[0]
        self.assertEqual(run.returncode, 0, said)
        self.assert_as_before()
        found = json.loads((machines.FOLDER / "build/lab/results.json").read_text())
        self.assertEqual((found["qemu"], found["nic"]), ("none", "10ec:8169"))
        self.assertRegex(found["xen"], r"^4\.\d+")
        plain, ours, gro = found["runs"]
        self.assertEqual([plain["config"], ours["config"], gro["config"]], ["guest0", "guest12", "gro1"])
        self.assertLess(plain["lro_ratio"], 1.05)
        self.assertGreater(ours["lro_ratio"], 2)
        self.assertGreater(gro["lro_ratio"], 2)
        for entry in found["runs"]:
            self.assertGreater(entry["mbps"], 1)
            self.assertEqual(sorted(entry["uncounted"]), ["driver", "guest"])
        for driver in ("r8169_lro", "netfront_lro"):
            self.assertIn(driver, ours["counters"])


if __name__ == "__main__":
    unittest.main()
