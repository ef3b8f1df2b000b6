# SPDX-License-Identifier: GPL-2.0-only
"""Two network namespaces for a test: a host with one card, and the gateway at the other end of its wire."""

from __future__ import annotations

import difflib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Sequence
from pathlib import Path

from tests.network import copy, host
from tests.network.host import CARD, OURS, STOCK, TOP

# Seconds; what has to fail is waited for less than on a machine of a user's.
LIMITS = {"bind.BOUND_WITHIN": 0.5, "switch.BOUND_WITHIN": 0.5, "network.APPEARS_WITHIN": 1.0, "network.CARRIER_WITHIN": 2.0,
          "network.ANNOUNCED_WITHIN": 2.0, "network.SETTLED_WITHIN": 9.0, "switch.GATEWAY_WITHIN": 4.0,
          "switch.CONFIRM_WITHIN": 3.0, "owner.CONFIGURED_WITHIN": 4.0, "gateway.ANSWERS_WITHIN": 2.0}
# What changes while nothing is configured.
_STATE = re.compile(r"^\d+: |@\w+|valid_lft \S+ preferred_lft \S+|expires \S+|qdisc \S+|\b(?:link-netns|link-netnsid|ifindex) \S+|"
                    r"\b(?:tentative|promiscuity \d+|allmulti \d+|state \S+|dynamic|\w+_timer \S+)|<\S*>|"
                    r"\b(?:designated|message_age|hello|forward_delay|hold|topology)\S* \S+")


class OnHost(unittest.TestCase):
    """A host whose eth0 has 10.0.0.5/24 and a default route to 10.0.0.1, which answers."""

    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory())) / "host"
        self.root.mkdir()
        self.host_space, self.gateway_space = f"xl{os.getpid()}h", f"xl{os.getpid()}g"
        for space in (self.host_space, self.gateway_space):
            self.command("ip", "netns", "add", space)
            self.addCleanup(self.command, "ip", "netns", "del", space)
            self.command("ip", "-n", space, "link", "set", "lo", "up")
        self.gateway("link add lan type bridge", "link set lan up", "address add 10.0.0.1/24 dev lan",
                     "address add fd00::1/64 dev lan nodad", "address add fe80::1/64 dev lan nodad",
                     "address add 172.31.1.1/32 dev lan", "route add 10.0.0.0/8 dev lan", "route add 192.0.2.0/24 dev lan")
        self.behave()
        self.xenlro("make", self.gateway_space)
        self.host("link set eth0 up")
        self.addCleanup(self.ended)

    def ended(self) -> None:
        """End what a test left running of the command; its processes are known by their folder."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(self.root).encode() in path.read_bytes():
                    os.kill(int(path.parent.name), 9)
            except (OSError, ProcessLookupError):
                pass

    def behave(self, **behaviour) -> None:
        """Say what is wrong with the machine; see Host."""
        limits = LIMITS | behaviour.pop("limits", {})
        (self.root / "behaviour").write_text(json.dumps({"gateway": self.gateway_space, "limits": limits} | behaviour))

    def command(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def host(self, *commands: str) -> None:
        """Give commands to ip on the host."""
        self._batch(self.host_space, commands)

    def gateway(self, *commands: str) -> None:
        self._batch(self.gateway_space, commands)

    def _batch(self, space: str, commands: Sequence[str]) -> None:
        """Give commands to ip, which may each begin with its family."""
        for family, part in itertools.groupby(commands, lambda command: command.split()[0] if command.startswith("-") else ""):
            words = [command.removeprefix(family) for command in part]
            done = subprocess.run(["ip", "-n", space, *family.split(), "-batch", "-"], input="\n".join(words), text=True,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, f"{words}: {done.stderr}")

    def on_host(self, *command: str) -> str:
        """What a program prints in the host's namespace."""
        return self.command("env", f"PYTHONPATH={TOP}", "ip", "netns", "exec", self.host_space, *command)

    def spawn(self, space: str, *command: str) -> subprocess.Popen:
        """Start a program in a namespace; it ends with the test."""
        process = subprocess.Popen(["ip", "netns", "exec", space, *command], stdout=subprocess.DEVNULL, cwd=TOP)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def configure(self, *commands: str) -> None:
        """Give commands to ip on the host, and wait until its addresses are in use."""
        self.host(*commands)
        self.until(lambda: "tentative" not in self.command("ip", "-n", self.host_space, "-6", "address"))

    def until(self, condition, limit: float = 120.0) -> None:
        deadline = time.monotonic() + limit
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it takes too long")
            time.sleep(0.1)

    def start(self, *words: str, environment: dict[str, str] | None = None, **options) -> subprocess.Popen | copy.Copy:
        """Start `xenlro WORDS` on the host."""
        if environment is None:
            return copy.Copy(self.host_space, TOP, lambda: host.be(self.root, words), **options)
        # A process has the environment that it began with.
        return subprocess.Popen(["ip", "netns", "exec", self.host_space, sys.executable, "-m", "tests.network.host",
                                 str(self.root), *words], cwd=TOP, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=dict(os.environ) | environment, **options)

    def xenlro(self, *words: str, code: int = 0, environment: dict[str, str] | None = None) -> str:
        """What `xenlro WORDS` prints on the host; it has to end with that code."""
        with self.start(*words, environment=environment) as started:
            said, _ = started.communicate(timeout=600)
        self.assertEqual(started.returncode, code, said)
        return said

    def driver(self) -> str | None:
        link = self.root / "sys/bus/pci/devices" / CARD / "driver"
        return link.resolve().name if link.exists() else None

    def chosen(self) -> bool:
        return (self.root / "etc/xenlro/devices" / CARD).exists()

    def steps(self) -> list[str]:
        path = self.root / "steps"
        return path.read_text().splitlines() if path.exists() else []

    def state(self) -> str:
        """The host's whole network configuration, as text by the programs that show it."""
        shown = ["ip link show", "ip -details link show dev eth0", "ip address show", "ip -oneline route show table all",
                 "ip -oneline -6 route show table all", "ip rule show", "ip -6 rule show", "ip neighbour show nud permanent",
                 "ip neighbour show proxy", "bridge -details link show", "bridge vlan show", "bridge fdb show state static",
                 "ethtool -k eth0"]
        script = "; ".join(f"echo '# {command}'; {command} 2>/dev/null || true" for command in shown)
        script += "; grep -s '' /proc/sys/net/ipv[46]/conf/eth0/* /proc/sys/net/ipv[46]/neigh/eth0/*; true"
        lines = [" ".join(_STATE.sub("", " ".join(line.split())).split()) for line in self.on_host("sh", "-c", script).splitlines()]
        # The order in which the kernel lists what has no order is none.
        sections: list[list[str]] = []
        for line in lines:
            sections += [[line]] if line.startswith("# ") else []
            if sections and line:
                sections[-1].append(line)
        return "\n".join(line for section in sections for line in sorted(section))

    def same_after(self, *, code: int = 0, driver: str = OURS, wanted: str = "lro", options: tuple[str, ...] = ()) -> str:
        """Change the driver; the configuration has to be as it was afterwards. Returns what the command printed."""
        before = self.state()
        said = self.xenlro("use", "eth0", wanted, *options, code=code)
        self.assertEqual(self.driver(), driver, said)
        self.assertEqual(self.chosen(), driver == OURS, said)
        self.assertEqual(self.lost(before), [], said)
        return said

    def lost(self, before: str) -> list[str]:
        """Lines that are not in the host's state as they were before, with signs."""
        lines = [line for line in difflib.unified_diff(before.splitlines(), self.state().splitlines(), "before", "after", n=0)
                 if not line.startswith("@@")]
        if lines:
            print("\n".join(lines))
        return lines


__all__ = ["CARD", "OURS", "STOCK", "OnHost"]
