# SPDX-License-Identifier: GPL-2.0-only
"""Hosts for all tests of a class, and their state before each test.

The machines' serial agents, which the lab does not know here, tell the state.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import unittest

from lab.agent import AgentHost
from lab.paths import ROOT

from . import machines

# Seconds for a host to notice that the lab is gone and to restore itself, on a busy machine.
PUT_BACK = 60


class Bed(unittest.TestCase):
    """entries: of the hosts file, by role. watched: role -> attribute of the laboratory that is that host's agent."""

    entries: dict[str, dict]
    lab_type: type[machines.WithSsh]
    watched: dict[str, str]

    @classmethod
    def setUpClass(cls):
        machines.keys()
        cls.lab = cls.enterClassContext(cls.lab_type("6.12", with_ours=True, logs=machines.FOLDER / "logs"))
        cls.file = machines.hosts_file(cls.entries, cls.lab.ports)

    def setUp(self):
        self.before = self.state()

    def host(self, role: str) -> AgentHost:
        return getattr(self.lab, self.watched[role])

    def state(self) -> list[str]:
        """State of the hosts that the lab might change, their processes, and leftovers of the lab."""
        # Another driver means another number for the same interface, and so another order.
        more = ("readlink /sys/class/net/eth0/device/driver; lsmod | cut -d' ' -f1 | sort; "
                "ip -o -4 addr | cut -d' ' -f2- | sort; ip route; ls -d /run/xenlro-lab /tmp/* 2>/dev/null; ps -o comm | grep -E 'iperf|perf|sleep' | sort")
        return [f"{role}: {line}" for role in self.watched for line in
                (machines.ask(self.host(role), "show eth0") + self.host(role).run(more)).splitlines()]

    def assert_as_before(self) -> None:
        deadline = time.monotonic() + PUT_BACK
        while (now := self.state()) != self.before and time.monotonic() < deadline:
            time.sleep(2)
        self.assertEqual([line for line in now if line not in self.before],
                         [line for line in self.before if line not in now])
        self.assertEqual(now, self.before)
        self.lab.check()

    def start(self, names: str, *more: str) -> subprocess.Popen:
        """`make lab HOSTS=` in a build folder of its own."""
        return subprocess.Popen([sys.executable, "-m", "lab", "run", "--hosts", str(self.file), "--configs", names,
                                 "--repeats", "1", *more], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env=os.environ | {"XENLRO_BUILD": str(machines.FOLDER / "build")}, text=True)
