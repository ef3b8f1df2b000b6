# SPDX-License-Identifier: GPL-2.0-only
"""The Debian 13 system with the packages, reached by ssh through the NIC whose driver changes.

    sender VM [ ssh, a DHCP server ] -- rtl8169d == Debian 13 [ lan0: RTL8169, spare0: RTL8168 on no wire ]
"""

from __future__ import annotations

import dataclasses
import json
import re
from contextlib import ExitStack
from pathlib import Path

from lab import agent, cpio, proc, programs, roots, topology
from tests.package import debian, story

CHOICES = "/etc/xenlro/devices"
ORDER = "/run/xenlro/switch.json"
SSH = ("ssh -i /key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=5 "
       f"-o ServerAliveInterval=5 -o ServerAliveCountMax=12 root@{topology.NIC_ADDRESS}")
# Addresses that the sender's DHCP server gives to lan0, and the options with them.
LEASED = "10.0.0.77"
SERVER = f"""\
start {LEASED}
end {LEASED}
interface eth0
lease_file /tmp/leases
option subnet 255.255.255.0
option router {topology.SENDER_ADDRESS}
option lease 900
"""
# A manager that is only stopped is started by a request for its state.
NO_NETWORKD = "systemctl mask --now systemd-networkd.socket systemd-networkd.service"
# The compared state of the network: all but times, counters, numbers of interfaces, the metrics that NetworkManager and
# dhcpcd choose for routes of a lease, and the two features that only one of the drivers has. A tentative address has no
# local route yet.
STATE = r"""
for try in $(seq 100); do ip -6 address show | grep -q tentative || break; usleep 100000; done
for words in '-d link show dev lan0' 'address show' '-4 route show table all' '-6 route show table all' 'rule show' \
	'-6 rule show'; do ip -o $words; done
ethtool -k lan0 | grep -v -e large-receive-offload -e rx-gro-hw
bridge -o vlan show dev lan0 2>/dev/null
"""
_CHANGING = re.compile(r"^\d+: |(?:valid_lft|preferred_lft|expires) \S+|\\|\b(?:tentative|dynamic|promiscuity \d+|allmulti \d+|"
                       r"state \S+|qdisc \S+|dad_\S+)|<\S*>|\b\w+_timer +\S+|\b(?:designated|message_age|hello|forward_delay|hold|"
                       r"topology)\S* \S+")
_METRIC = re.compile(r"(\bproto dhcp\b.*)\bmetric \d+")


def system(folder: Path) -> debian.System:
    """A system with the packages, which lets root in by a key of its own."""
    made = story.installed(folder)
    for name in ("key", "key.pub"):
        (made.folder / name).unlink(missing_ok=True)
    proc.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(made.folder / "key")], log=None, timeout=30)
    home = made.run("getent", "passwd", "root").split(":")[5]
    made.run("mkdir", "-p", "-m", "700", f"{home}/.ssh")
    made.put(made.folder / "key.pub", f"{home}/.ssh/authorized_keys")
    made.run("systemctl", "unmask", "ssh.service")
    return made


class NetworkLab(debian.DebianLab):
    """The lab of the Debian system; the sender can log in to it. `slot`: the NIC's slot of the bus."""

    def __init__(self, system: debian.System, arguments: str = "", slot: str | None = None, plugged: tuple[str, ...] = ()) -> None:
        super().__init__(system, arguments)
        self._slot = slot
        self.plugged = plugged

    def prepare(self) -> None:
        if not self._images:
            super().prepare()
            sender, image = self._images
            self._images = (dataclasses.replace(sender, initrd=self._with_ssh(sender.initrd)), image)

    def _with_ssh(self, archive: Path) -> Path:
        """The sender's files with a client: the kernel takes archives one after the other."""
        tree = cpio.Tree()
        programs.install(tree, roots.lab_root(), "usr/bin/ssh")
        tree.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        tree.file("/key", (self._system.folder / "key").read_bytes(), 0o600)
        tree.file("/udhcpd.conf", SERVER)
        added = cpio.write(tree, self._system.folder, "ssh")
        whole = self._system.folder / "sender.cpio"
        whole.write_bytes(archive.read_bytes() + added.read_bytes())
        return whole

    def _start_nic(self) -> None:
        super()._start_nic()
        if self._slot:
            self.nic.plug = lambda: debian.at_slot(type(self.nic).plug(self.nic), self._slot)


class OnNetwork(story.OnSystem):
    """The common part of the stories of the network."""

    make_lab = NetworkLab

    @classmethod
    def setUpClass(cls):
        cls.system = system(cls.folder)
        cls.running = ExitStack()
        cls.addClassCleanup(cls.running.close)

    @property
    def host(self) -> agent.AgentHost:
        return self.lab.nic_host

    def xenlro(self, words: str, code: int = 0) -> str:
        """Output of the command on the system's console."""
        if code:
            return self.refused(f"xenlro {words}", code)
        return self.host.run(f"xenlro {words}", timeout=240)

    def by_ssh(self, words: str) -> str:
        """Output of the command for the sender, which has logged in through lan0."""
        return self.lab.sender.run(f"{SSH} 'xenlro {words}' </dev/null 2>&1", timeout=240)

    def driver(self, card: str = "/sys/class/net/lan0/device") -> str:
        return Path(self.host.run(f"readlink {card}/driver || true").strip()).name

    def chosen(self) -> list[str]:
        return self.host.run(f"ls {CHOICES} 2>/dev/null || true").split()

    def phase(self) -> str:
        return json.loads(self.host.run(f"cat {ORDER}"))["phase"]

    def state(self) -> list[str]:
        """The whole configuration as lines that change only with it."""
        lines = self.host.run(STATE, timeout=60).splitlines()
        return sorted(" ".join(_CHANGING.sub("", _METRIC.sub(r"\1", line)).split()) for line in lines)

    def until(self, script: str, timeout: float = 120) -> None:
        self.host.run(f"until {script}; do usleep 200000; done", timeout=timeout)

    def kept(self, before: list[str], driver: str) -> None:
        self.assertEqual(self.driver(), driver)
        now = self.state()
        self.assertEqual([f"-{line}" for line in before if line not in now] + [f"+{line}" for line in now if line not in before],
                         [])

    def same_after(self, wanted: str, driver: str) -> None:
        """Change the driver from the console; all has to be as it was."""
        before = self.state()
        said = self.xenlro(f"use lan0 {wanted}")
        self.assertIn(f"is served by {driver}, now and after a reboot", said)
        self.kept(before, driver)
