# SPDX-License-Identifier: GPL-2.0-only
"""The command over a real connection by ssh through the card whose driver changes."""

from __future__ import annotations

import json
import subprocess
import sys
import unittest

from tests.network.host import TOP
from tests.network.namespaces import OURS, STOCK, OnHost

# In a mount namespace of its own, which has the test's key in the place of root's.
SERVER = 'mount --bind "$1" "$HOME/.ssh" && exec dropbear -F -E -s -r "$1/host" -P "$1/pid" -p 10.0.0.5:22'


class BySsh(OnHost):
    def setUp(self):
        super().setUp()
        self.configure("address add 10.0.0.5/24 dev eth0", "route add default via 10.0.0.1")
        self.keys = self.root / "keys"
        self.keys.mkdir(mode=0o700)
        self.command("dropbearkey", "-t", "ed25519", "-f", str(self.keys / "host"))
        self.command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.keys / "key"))
        (self.keys / "authorized_keys").write_text((self.keys / "key.pub").read_text())
        self.spawn(self.host_space, "sh", "-c", f'mkdir -p "$HOME/.ssh" && {SERVER}', "sh", str(self.keys))
        self.until(lambda: ":0016 " in self.on_host("cat", "/proc/net/tcp"))
        self.before = self.state()

    def ssh(self, *words: str, **options) -> subprocess.Popen:
        """Start `xenlro WORDS` over ssh, from the gateway."""
        line = f"cd {TOP} && exec {sys.executable} -m tests.network.host {self.root} {' '.join(words)}"
        return subprocess.Popen(["ip", "netns", "exec", self.gateway_space, "ssh", "-F", "/dev/null", "-i", str(self.keys / "key"),
                                 "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                                 "root@10.0.0.5", line], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, **options)

    def phase(self) -> str:
        path = self.root / "run/xenlro/switch.json"
        return json.loads(path.read_text())["phase"] if path.exists() else ""

    def test_connection_survives_and_the_user_confirms_in_a_new_one(self):
        self.behave(limits={"switch.CONFIRM_WITHIN": 300.0})
        with self.ssh("use", "eth0", "lro") as first:
            said, _ = first.communicate(timeout=600)
        self.assertEqual((first.returncode, self.driver(), self.chosen()), (0, OURS, False), said)
        self.assertIn("run `xenlro confirm` within", said)
        with self.ssh("confirm") as second:
            said, _ = second.communicate(timeout=600)
        self.assertEqual((second.returncode, self.driver(), self.chosen()), (0, OURS, True), said)
        self.assertEqual(self.lost(self.before), [])

    def test_without_a_confirmation_it_comes_back(self):
        with self.ssh("use", "eth0", "lro") as first:
            said, _ = first.communicate(timeout=600)
        self.assertIn("run `xenlro confirm` within", said)
        self.until(lambda: self.phase() == "back")
        self.assertEqual((self.driver(), self.chosen(), self.lost(self.before)), (STOCK, False, []))

    def test_client_that_dies_in_the_middle(self):
        self.behave(at={"unbound": {"run": "sleep 2"}})
        first = self.ssh("use", "eth0", "lro")
        self.until(lambda: "unbound" in self.steps())
        first.kill()
        first.communicate(timeout=600)
        self.until(lambda: self.phase() == "back")
        self.assertEqual((self.driver(), self.chosen(), self.lost(self.before)), (STOCK, False, []))


if __name__ == "__main__":
    unittest.main()
