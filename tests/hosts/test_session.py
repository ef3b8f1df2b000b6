# SPDX-License-Identifier: GPL-2.0-only
"""Restoring a host, without a machine: sshd of the lab's root in namespaces of its own, with a veth pair.

There are no drivers in it; test_hosts.py tests these.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from lab import proc, roots
from lab.agent import CommandFailed
from lab.hosts import session
from lab.hosts.inventory import HostEntry
from lab.hosts.session import DIRECTORY, Session
from lab.hosts.ssh import SshHost
from lab.paths import ROOT
from lab.steps import LabError

from . import machines

ADDRESS = "192.0.2.7"
# $1: the lab's root, $2: an empty folder, $3: the folder with the keys.
_START = r"""
mount -t tmpfs tmpfs "$2" && cd "$2" && mkdir upper work root
mount -t overlay overlay -o "lowerdir=$1,upperdir=upper,workdir=work" root
cd root && mkdir -p proc sys dev tmp run etc/ssh
mount -t proc proc proc && mount -t sysfs sys sys && mount --rbind /dev dev && mount -t tmpfs tmpfs run
mkdir run/sshd && ln -s busybox usr/bin/ping
echo 'sshd:x:100:65534::/run/sshd:/bin/false' >>etc/passwd
printf 'HostKey /etc/ssh/host\nAuthorizedKeysFile /etc/ssh/authorized\nStrictModes no\nUsePAM no\nPidFile none\n' \
	>etc/ssh/config
cp "$3/host" etc/ssh/host && cp "$3/user.pub" etc/ssh/authorized && chmod 600 etc/ssh/host
exec chroot . /bin/sh -c 'ip link set lo up; ip link add eth0 type veth peer name eth1
ip link set eth1 up; ip addr add 10.0.0.1/24 dev eth0; ip link set eth0 up; ip route add 10.0.8.0/24 via 10.0.0.9
ethtool -K eth0 gro on >/dev/null; exec /usr/sbin/sshd -D -e -f /etc/ssh/config'
"""
# ssh that reaches into the namespace: there is no network between here and there. $1 is sshd's process.
_SSH = """#!/bin/sh
exec {ssh} -o "ProxyCommand=nsenter -t {pid} -n {busybox} nc 127.0.0.1 22" "$@"
"""
# All changes of the lab, and a process that it leaves running: a command with a process group of its own.
CHANGE = ("ethtool -K eth0 tso off gso off gro off; echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save; "
          "ip link set eth0 mtu 1300; ip addr del 10.0.0.1/24 dev eth0; ip link set eth0 down")
LEFT = (f"setsid sh -c 'echo $$ >{DIRECTORY}/sink.session; timeout 500 sleep 499' </dev/null >/dev/null 2>&1 & "
        f"until [ -s {DIRECTORY}/sink.session ]; do sleep 0.1; done")


class Namespaces(unittest.TestCase):
    """Each test compares the host with its state before."""

    @classmethod
    def setUpClass(cls):
        machines.keys()
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (folder / "root").mkdir()
        cls.log = machines.FOLDER / "sshd.log"
        cls.log.unlink(missing_ok=True)
        started = cls.enterClassContext(proc.Child(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-euc",
             _START, "sh", str(roots.lab_root()), str(folder / "root"), str(machines.FOLDER / "keys")], log=cls.log))
        deadline = time.monotonic() + 20
        while "Server listening" not in cls.log.read_text():
            started.check()
            if time.monotonic() > deadline:
                raise AssertionError(f"sshd does not listen, see {cls.log}")
            time.sleep(0.1)
        # The one child of unshare.
        cls.pid = int(Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()[0])
        ssh = folder / "ssh"
        ssh.write_text(_SSH.format(ssh=proc.run(["sh", "-c", "command -v ssh"], log=None, timeout=5).strip(),
                                   pid=cls.pid, busybox=roots.lab_root() / "usr/bin/busybox"))
        ssh.chmod(0o755)
        cls.enterClassContext(mock.patch.dict(os.environ, {"PATH": f"{folder}:{os.environ['PATH']}"}))
        (machines.FOLDER / "known_hosts").write_text(f"{ADDRESS} {' '.join(machines.key('host.pub').split()[:2])}\n")
        cls.folder = folder

    def inside(self, command: str, given: bytes | None = None) -> str:
        return proc.run(["nsenter", "-t", str(self.pid), "-n", "-m", "-p", "-r", "-w", "sh", "-c", command], log=None,
                        timeout=30, input=given)

    def state(self) -> str:
        script = (ROOT / "lab/hosts/host.sh").read_bytes()
        return self.inside("sh -s show eth0", script) + self.inside(
            "ls /run; grep -lx timeout /proc/[0-9]*/comm || true")

    def setUp(self):
        self.before = self.state()
        self.assertIn("address 10.0.0.1/24", self.before)
        self.assertIn("route -4 10.0.8.0/24 via 10.0.0.9", self.before)

    def assert_as_before(self, seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        while (now := self.state()) != self.before and time.monotonic() < deadline:
            time.sleep(0.5)
        self.assertEqual(now.splitlines(), self.before.splitlines())

    def session(self) -> Session:
        entry = HostEntry("sender", f"root@{ADDRESS}", "eth0", "10.0.0.1", identity=machines.FOLDER / "keys/user",
                          known_hosts=machines.FOLDER / "known_hosts")
        made = Session(SshHost(entry, Path(tempfile.mkdtemp(dir=self.folder)), machines.FOLDER / "session.log"))
        self.addCleanup(made.end)
        made.begin()
        return made

    def test_end(self) -> None:
        made = self.session()
        made.change(CHANGE)
        made.host.run(LEFT)
        self.assertIn("mtu 1300", self.state())
        made.end()
        self.assert_as_before()

    def test_host_that_is_in_use(self) -> None:
        self.session()
        with self.assertRaisesRegex(LabError, "another run of the lab uses it"):
            self.session()

    def test_killed(self) -> None:
        """A lab that is killed: its connection ends, and the host restores itself."""
        script = (f"import sys, time; sys.path.insert(0, {str(ROOT)!r}); from tests.hosts import test_session as t\n"
                  "from pathlib import Path\n"
                  f"case = t.Namespaces(); t.Namespaces.folder = Path({str(self.folder)!r})\n"
                  f"made = case.session(); made.change(t.CHANGE); made.host.run(t.LEFT); print('ready', flush=True)\n"
                  "time.sleep(100)")
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as lab:
            assert lab.stdout
            self.assertEqual(lab.stdout.readline(), "ready\n")
            self.assertIn("mtu 1300", self.state())
            lab.kill()
        self.assert_as_before()

    def test_silence(self) -> None:
        """A lab that gave no sign of life finds the host restored."""
        with mock.patch.object(session, "LIMIT", 2), mock.patch.object(session, "BEAT", 9):
            made = self.session()
            made.change(CHANGE)
            time.sleep(8)
            self.assert_as_before(0)
            for use in (lambda: made.change("true"), lambda: made.load("r8169_lro"), lambda: made.bind("r8169")):
                self.assertRaisesRegex(LabError, "put back by its own watchdog", use)
            made.end()

    def test_what_cannot_be_put_back_is_said(self) -> None:
        made = self.session()
        made.change("ip route add 10.0.9.0/24 via 10.0.0.8")
        with self.assertRaisesRegex(LabError, "additional: route -4 10.0.9.0/24 via 10.0.0.8"):
            made.end()
        self.inside("ip route del 10.0.9.0/24")
        # The next run finishes it, once the host's own attempt is over.
        deadline = time.monotonic() + 15
        while True:
            try:
                self.session().end()
                break
            except LabError as error:
                self.assertIn("another run of the lab uses it", str(error))
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.5)
        self.assert_as_before()

    def test_commands(self) -> None:
        host = self.session().host
        host.put(bytes(range(256)) * 100, "/tmp/file", 0o600)
        self.assertEqual(host.get("/tmp/file", 100), (bytes(range(256)) * 100)[100:])
        self.assertEqual(host.run("echo a; echo b >&2"), "a\nb\n")
        self.assertEqual(host.run("printf x; exit 3", check=False), "x")
        with self.assertRaises(CommandFailed) as caught:
            host.run("echo no; exit 255")
        self.assertEqual((caught.exception.status, caught.exception.output.strip()), (255, "no"))
        with self.assertRaises(CommandFailed) as caught:
            host.run("sleep 30", timeout=1)
        self.assertEqual(caught.exception.status, 124)


if __name__ == "__main__":
    unittest.main()
