# SPDX-License-Identifier: GPL-2.0-only
"""The scripts of the chain's domains, its rules and what xl is told, in network namespaces rather than in domains.

Each domain is a namespace and a folder with the lab's busybox, in which its own script sets it up; veth pairs stand in for
vifs. What only Xen has is left out: modprobe, xl and xenstore are stand-ins that say what xl was told.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from lab import cpio, domains, extras, images, programs, roots, rules, topology, xl

CHAIN = domains.TOPOLOGIES["chain"]
STAND_INS = {"xl": "", "xenstore-write": "", "xenstore-read": "cat /lab/addresses"}
# The shell has these itself, and finds no program in their place but a function.
FUNCTIONS = "mount() { :; }; modprobe() { :; }"
# Run in the namespace, with a folder, what its kernel was told, and a command.
ENTER = """
mount -t proc proc "$0/proc" && mount -t sysfs sys "$0/sys" && mount --bind "$1" "$0/proc/cmdline" || exit
exec chroot "$0" /bin/sh -c "$2"
"""
SERVE = """
import socket
with socket.create_server(("10.0.0.1", 5001)) as port:
    print("ready", flush=True)
    link, peer = port.accept()
    print(peer[0], len(link.recv(100)), flush=True)
"""
CONNECT = "import socket; socket.create_connection(('10.0.0.1', 5001), 5).send(b'x' * 10)"


class Space:
    """A host of the lab that is a namespace; it has what rules.load() asks of one."""

    def __init__(self, test: unittest.TestCase, name: str, tree: cpio.Tree, told: str) -> None:
        self.name = name
        self._test = test
        self.space = f"lab{os.getpid()}{name[:3]}"
        test.command("ip", "netns", "add", self.space)
        test.addCleanup(test.command, "ip", "netns", "del", self.space)
        self.root = Path(test.enterContext(tempfile.TemporaryDirectory(prefix=f"lab-{name}-")))
        for path, data in tree.files():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            place.chmod(0o755)
        for folder in ("proc", "sys", "dev", "tmp", "run", "var/log/xen"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        for program, script in STAND_INS.items():
            (self.root / "bin" / program).write_text(f"#!/bin/busybox sh\n{script}\n")
            (self.root / "bin" / program).chmod(0o755)
        (self.root / "bin/sh").symlink_to("busybox")
        self.cmdline = self.root / "cmdline"
        self.cmdline.write_text(f"{told}\n")

    def run(self, command: str, timeout: float = 30, check: bool = True) -> str:
        return self._test.command("ip", "netns", "exec", self.space, "unshare", "-m", "--propagation", "private", "sh",
                                  "-c", ENTER, str(self.root), str(self.cmdline), f"export PATH=/bin:/usr/sbin; {FUNCTIONS}; {command}")

    def put(self, data: bytes, path: str, mode: int = 0o644) -> None:
        (self.root / path.lstrip("/")).write_bytes(data)


def told(description: str) -> str:
    """What a domain's kernel is told, by its description."""
    return re.search(r'^extra = "(.*)"$', description, re.M)[1]


def tree(role: str) -> cpio.Tree:
    """A domain's own files, as far as they are used here."""
    made = cpio.Tree()
    made.file("/bin/busybox", (roots.lab_root() / "usr/bin/busybox").read_bytes(), 0o755)
    for name in ("common", role):
        made.file(f"/lab/{name}", (images.GUEST / f"{name}.sh").read_bytes(), 0o755)
    made.file("/lab/modules", "")
    made.file("/etc/xen/scripts/vif-route", (images.GUEST / "vif-route.sh").read_bytes(), 0o755)
    if role == "service":
        programs.install(made, roots.lab_root(), extras.NFT, extras.packages("nftables"))
    return made


class Chain(unittest.TestCase):
    """Sender, net domain, firewall and app domain, a wire between each two."""

    def command(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def wire(self, one: str, first: str, other: str, second: str) -> None:
        self.command("ip", "-n", one, "link", "add", first, "type", "veth", "peer", "name", second, "netns", other)

    def plug(self, back: Space, number: int, front: Space) -> None:
        """What xl does: an interface on either side, and the script for that of the back end."""
        vif = f"vif{number}.0"
        self.wire(back.space, vif, front.space, "eth0")
        (back.root / "lab/addresses").write_text(" ".join(CHAIN.beyond(back.name)))
        back.run(f"vif={vif} XENBUS_PATH=backend /etc/xen/scripts/vif-route online")
        front.run(f". /lab/{'service' if front.name in CHAIN.backs else 'guest'}")

    def setUp(self) -> None:
        described = {name: xl.describe(CHAIN, name, "pvh", "xen-netfront", 256) for name in CHAIN.behind}
        described["net"] = xl.describe_owner(CHAIN, "00:02.0")
        self.net, self.firewall, self.app = (
            Space(self, name, tree("service" if name in CHAIN.backs else "guest"), told(described[name]))
            for name in CHAIN.path)
        self.sender = Space(self, "sender", tree("guest"), "")
        # The other end of the net domain's other vif, which is dom0's, lies there as well. It has no user.
        self.wire(self.sender.space, "dom0", self.net.space, "eth0")
        self.net.run(". /lab/service")
        self.wire(self.sender.space, "eth0", self.net.space, "eth0")
        lab = topology.XenLab(topology=CHAIN)
        self.net.run(f"{lab._join()} && ip link set eth0 up")
        for command in (f"address add {domains.SENDER_ADDRESS}/24 dev eth0", "link set eth0 up",
                        f"route add {domains.ROUTED_NET} via {domains.NIC_ADDRESS}"):
            self.command("ip", "-n", self.sender.space, *command.split())
        self.plug(self.net, 2, self.firewall)
        self.plug(self.firewall, 3, self.app)

    def reaches(self) -> str:
        """The sender reaches the app, and the app the sender; return the address that the sender sees then."""
        self.sender.run(f"ping -c 1 -W 5 {CHAIN.hops[-1].address}")
        with subprocess.Popen(["ip", "netns", "exec", self.sender.space, "python3", "-c", SERVE], stdout=subprocess.PIPE,
                              text=True) as server:
            try:
                self.assertEqual(server.stdout.readline(), "ready\n")
                self.command("ip", "netns", "exec", self.app.space, "python3", "-c", CONNECT)
                address, count = server.stdout.readline().split()
            finally:
                server.kill()
        self.assertEqual(count, "10")
        return address

    def test_routes_without_rules(self) -> None:
        self.assertEqual(self.reaches(), CHAIN.hops[-1].address)
        routes = self.net.run("ip route")
        self.assertRegex(routes, r"(?m)^10\.137\.0\.2 dev vif2\.0 ")
        self.assertRegex(routes, r"(?m)^10\.137\.0\.3 via 10\.137\.0\.2 dev vif2\.0")
        self.assertRegex(self.app.run("ip route"), r"(?m)^default via 10\.137\.0\.2 dev eth0")
        self.assertIn("inet 10.9.0.2/24", self.net.run("ip addr show management"))

    def test_firewall_translates(self) -> None:
        rules.load(self.firewall)
        self.assertEqual(self.reaches(), CHAIN.hops[0].address)
        # Rules are put in the place of those that there are.
        rules.load(self.firewall, masquerade=False)
        self.assertEqual(self.reaches(), CHAIN.hops[-1].address)

    def test_what_is_no_packet_of_a_connection_is_dropped(self) -> None:
        rules.load(self.firewall)
        # SYN and FIN at once.
        code = ("import socket, struct; raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP); "
                "raw.sendto(struct.pack('>HHIIBBHHH', 7, 7, 1, 1, 0x50, 0x03, 100, 0, 0), ('10.137.0.3', 0))")
        self.command("ip", "netns", "exec", self.sender.space, "python3", "-c", code)
        self.reaches()
        self.assertIn("invalid counter packets 1 ", self.firewall.run("nft list ruleset"))


if __name__ == "__main__":
    unittest.main()
