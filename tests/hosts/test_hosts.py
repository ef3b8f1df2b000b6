# SPDX-License-Identifier: GPL-2.0-only
"""The lab's own machines as the user's hosts: the results, and that each host is afterwards exactly as before.

    sender VM [ sshd ] == rtl8169d == native VM [ r8169 or r8169_lro | sshd ]
"""

from __future__ import annotations

import json
import signal
import threading
import time
import unittest
from unittest import mock

from lab import configs
from lab.configs import Config
from lab.hosts import inventory, session
from lab.hosts.lab import HostsLab
from lab.steps import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, LabError

from . import bed, machines

BULK = 8 << 20
LRO = Config("native-lro", configs.OUR_NIC, False, None, False, "Linux on the NIC, r8169_lro")
ENTRIES = {"sender": {"interface": "eth0", "address": "10.0.0.1"},
           "native": {"interface": "eth0", "address": "10.0.0.2"}}
# Settings of the user, which have to stay.
MINE = ("ethtool -K eth0 rx off; ip link set eth0 mtu 1400; ip link set eth0 mtu 1500; "
        "ip addr add 10.0.7.2/24 dev eth0; ip route add 10.0.8.0/24 via 10.0.7.1 dev eth0; "
        "echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter; echo 77 >/sys/class/net/eth0/gro_flush_timeout")


class Hosts(bed.Bed):
    """Two machines for all tests."""

    entries, lab_type, watched = ENTRIES, machines.NativeWithSsh, {"sender": "sender", "native": "nic_host"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.nic_host.run(MINE)

    def test_1_native_configurations(self) -> None:
        run = self.start("native native-gro", "--bytes", "8M")
        said = run.communicate(timeout=240)[0]
        self.assertEqual(run.returncode, 0, said)
        self.assert_as_before()
        found = json.loads((machines.FOLDER / "build/lab/results.json").read_text())
        self.assertEqual((found["qemu"], found["xen"], found["nic"]), ("none", "none", "10ec:8169"))
        native, gro = found["runs"]
        self.assertEqual((native["config"], gro["config"]), ("native", "native-gro"))
        self.assertLess(native["lro_ratio"], 1.05)
        self.assertGreater(gro["lro_ratio"], 2)
        for entry in (native, gro):
            self.assertGreater(entry["mbps"], 1)
            self.assertNotIn("cycles_per_byte", entry)
            self.assertNotIn("insn_per_byte", entry)
            self.assertIn("<not supported> of cycles", entry["uncounted"]["driver"])
        self.assertIn("<not supported>", found["machine"]["cycles_absent_because"])

    def test_2_change_of_drivers(self) -> None:
        with HostsLab(inventory.read(self.file), machines.FOLDER / "ssh") as lab:
            lab.apply(LRO)
            self.assertIn("r8169_lro", self.lab.nic_host.run("readlink /sys/class/net/eth0/device/driver"))
            self.assertGreater(lab.transfer(LRO, BULK, None).lro_ratio, 3)
        self.assert_as_before()

    def test_3_counts_of_perf(self) -> None:
        """A perf with invented counts: the results have them per byte of the payload of the interval."""
        host = self.lab.nic_host
        real = host.get("/usr/bin/perf")
        counted = machines.NO_PMU.replace("<not supported>,,$event,0", "1000000,,$event,1")
        host.put(counted.encode(), "/usr/bin/perf", 0o755)
        self.addCleanup(host.put, real, "/usr/bin/perf", 0o755)
        run = self.start("native", "--bytes", "32M")
        said = run.communicate(timeout=240)[0]
        self.assertEqual(run.returncode, 0, said)
        entry = json.loads((machines.FOLDER / "build/lab/results.json").read_text())["runs"][0]
        self.assertNotIn("uncounted", entry)
        part = entry["interval"]["bytes"]
        self.assertTrue(0.4 * (32 << 20) < part < 0.75 * (32 << 20), part)
        self.assertAlmostEqual(entry["cycles_per_byte"]["driver"], 1e6 / part, places=4)
        self.assertAlmostEqual(entry["insn_per_byte"]["driver"]["total"], 1e6 / part, places=4)

    def interrupted(self, number: int) -> tuple[int, str]:
        """Exit code and output of a lab that gets a signal in the middle of a transfer with another driver."""
        self.lab.use_nic_driver(configs.OUR_NIC)
        self.lab.nic_host.run("echo 0 >/sys/module/r8169_lro/parameters/lro; " + MINE)
        self.before = self.state()
        run = self.start("native", "--bytes", "256M")
        self.addCleanup(run.kill)
        said: list[str] = []
        assert run.stdout
        reader = threading.Thread(target=lambda: said.extend(run.stdout), daemon=True)
        reader.start()
        deadline = time.monotonic() + 120
        while self.lab.nic.stats()["rx_frames"] < self.frames + 3000:
            self.assertLess(time.monotonic(), deadline, "".join(said))
            self.assertIsNone(run.poll(), "".join(said))
            time.sleep(0.2)
        self.assertNotIn("r8169_lro", self.lab.nic_host.run("readlink /sys/class/net/eth0/device/driver"))
        run.send_signal(number)
        run.wait(60)
        reader.join(10)
        return run.returncode, "".join(said)

    @property
    def frames(self) -> int:
        if not hasattr(self, "_frames"):
            self._frames = self.lab.nic.stats()["rx_frames"]
        return self._frames

    def test_4_interrupted(self) -> None:
        self.frames
        code, said = self.interrupted(signal.SIGINT)
        self.assertEqual(code, EXIT_INTERRUPTED, said)
        # At once, not by the watchdog.
        self.assertIn("driver r8169_lro", machines.ask(self.lab.nic_host, "show eth0"))
        self.assert_as_before()

    def test_5_killed(self) -> None:
        """The lab is gone completely: the hosts restore themselves."""
        self.frames
        self.interrupted(signal.SIGKILL)
        self.assert_as_before()
        self.assertIn("driver r8169_lro", machines.ask(self.lab.nic_host, "show eth0"))

    def test_6_silence(self) -> None:
        """The host restores itself after some time without signs of life; a lab that returns learns of it."""
        with mock.patch.object(session, "LIMIT", 2), mock.patch.object(session, "BEAT", 12):
            with self.assertRaisesRegex(LabError, "put back"):
                with HostsLab(inventory.read(self.file), machines.FOLDER / "ssh") as lab:
                    lab.sessions["native"].load(configs.OUR_NIC)
                    lab.sessions["native"].bind(configs.OUR_NIC)
                    time.sleep(25)
                    lab.check()
        self.assert_as_before()

    def test_7_refusals(self) -> None:
        """An unfit host stays unchanged, and a sentence says why."""
        said = {}
        for what, entries in (
                ("path", ENTRIES | {"native": {"interface": machines.MANAGEMENT, "address": "10.0.9.15"}}),
                ("driver", ENTRIES | {"native": {"interface": "lo", "address": "127.0.0.1"}}),
                ("absent", ENTRIES | {"native": {"interface": "eth7", "address": "10.0.0.2"}})):
            machines.hosts_file(entries, self.lab.ports)
            run = self.start("native")
            said[what] = run.communicate(timeout=120)[0]
            self.assertEqual(run.returncode, EXIT_ENVIRONMENT if what != "absent" else 1, said[what])
        machines.hosts_file(ENTRIES, self.lab.ports)
        (machines.FOLDER / "known_hosts").write_text("")
        run = self.start("native")
        said["stranger"] = run.communicate(timeout=120)[0]
        self.assertEqual(run.returncode, EXIT_ENVIRONMENT)
        machines.hosts_file(ENTRIES, self.lab.ports)
        self.assertIn("ssh runs over eth1", said["path"])
        self.assertIn("is served by no driver", said["driver"])
        self.assertIn("there is no interface eth7", said["absent"])
        self.assertIn("does not reach root@127.0.0.1", said["stranger"])
        self.assert_as_before()


if __name__ == "__main__":
    unittest.main()
