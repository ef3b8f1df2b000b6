# SPDX-License-Identifier: GPL-2.0-only
"""The lab's machines with an sshd and a network interface for it; all of its traffic stays on this machine.

    this machine -- 127.0.0.1:PORT -- QEMU's user network -- e1000 of a machine -- sshd
"""

from __future__ import annotations

import dataclasses
import shutil
import socket
from pathlib import Path

from lab import cpio, kernels, proc, programs, roots, topology, vm, xl
from lab.agent import AgentHost
from lab.paths import BUILD, ROOT

FOLDER = BUILD / "check/hosts"
# Network for ssh: QEMU's own machine, ours, and the guest's behind its driver domain.
SERVER, MACHINE, GUEST = "10.0.9.2", "10.0.9.15", "10.0.9.16"
MANAGEMENT = "eth1"
_PROGRAMS = ("usr/sbin/sshd", "usr/lib/openssh/sshd-session", "usr/lib/openssh/sshd-auth", "usr/bin/flock",
             "usr/bin/ip", "usr/sbin/tc")
_SSHD = """HostKey /etc/ssh/host
AuthorizedKeysFile /etc/ssh/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
"""
_START = "/usr/sbin/sshd -f /etc/ssh/config -E /tmp/sshd.log"
# A perf with the output of a machine without a PMU.
NO_PMU = """#!/bin/sh
while [ "$1" != -- ]; do [ "$1" = -o ] && exec >"$2"; shift; done
shift
"$@" && exec 2>&1
for event in cycles instructions instructions:u; do echo "<not supported>,,$event,0,100.00,,"; done >&2
"""


def keys() -> None:
    """Make new keys for hosts and user, for each run."""
    shutil.rmtree(FOLDER / "keys", ignore_errors=True)
    (FOLDER / "keys").mkdir(parents=True)
    for name in ("host", "user"):
        proc.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(FOLDER / "keys" / name)],
                 log=None, timeout=30)


def key(name: str) -> str:
    return (FOLDER / "keys" / name).read_text()


def _ssh_tree() -> cpio.Tree:
    root = roots.lab_root()
    tree = cpio.Tree()
    for path in _PROGRAMS:
        programs.install(tree, root, path)
    tree.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n")
    tree.file("/etc/group", "root:x:0:\nnogroup:x:65534:\n")
    tree.directory("/run/sshd", 0o755)
    tree.file("/etc/ssh/config", _SSHD)
    tree.file("/etc/ssh/host", key("host"), 0o600)
    tree.file("/etc/ssh/authorized", key("user.pub"))
    tree.file("/usr/bin/perf", NO_PMU, 0o755)
    tree.file("/lab/e1000.ko", kernels.kernel("6.12").module("e1000").read_bytes())
    return tree


def with_ssh(archive: Path) -> Path:
    """An initial RAM filesystem with sshd and its keys: the kernel takes archives one after the other."""
    added = cpio.write(_ssh_tree(), FOLDER, "ssh")
    out = FOLDER / f"ssh-{archive.name}"
    out.write_bytes(archive.read_bytes() + added.read_bytes())
    added.unlink()
    return out


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_sshd(host: AgentHost, address: str) -> None:
    """Bring up the management interface and sshd on a machine."""
    host.run(f"[ -e /sys/class/net/{MANAGEMENT} ] || insmod /lab/e1000.ko; "
             f"ip addr add {address}/24 dev {MANAGEMENT} && ip link set {MANAGEMENT} up && {_START}", timeout=60)


class WithSsh(topology.Lab):
    """Adds a management interface to each machine; `ports` are those of this machine that lead to an sshd."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports: dict[str, int] = {}

    def prepare(self) -> None:
        if not self._images:
            super().prepare()
            self._images = tuple(dataclasses.replace(image, initrd=with_ssh(image.initrd)) for image in self._images)

    def _start(self, machine: vm.Machine) -> vm.Vm:
        forwards = []
        for name, address in self._leads(machine.name).items():
            self.ports[name] = free_port()
            forwards.append(f"hostfwd=tcp:127.0.0.1:{self.ports[name]}-{address}:22")
        added = ["-netdev", f"user,id=ssh,restrict=on,ipv6=off,net=10.0.9.0/24,host={SERVER},{','.join(forwards)}",
                 "-device", "e1000,netdev=ssh,mac=52:54:00:00:09:01,romfile="]
        return super()._start(dataclasses.replace(machine, devices=machine.devices + added))

    def _leads(self, name: str) -> dict[str, str]:
        return {name: MACHINE}


class NativeWithSsh(WithSsh, topology.NativeLab):
    """Sender and a receiver without Xen, `sender` and `native`."""

    def _boot(self) -> None:
        super()._boot()
        self.use_nic_driver("r8169")
        for host in (self.sender, self.nic_host):
            start_sshd(host, MACHINE)


class XenWithSsh(WithSsh, topology.XenLab):
    """Sender and a Xen host, `sender`, `driver` and `guest`; a second front end is on a bridge with the e1000.

    The stock drivers serve NIC and guest to begin with.
    """

    def prepare(self) -> None:
        first = not self._images
        super().prepare()
        if first:
            # The driver domain has the files for its guest.
            tree = cpio.Tree()
            tree.file("/lab/ssh.cpio", b"".join(_ssh_tree().records()))
            carried = cpio.write(tree, FOLDER, "carried")
            with self._images[1].initrd.open("ab") as archive:
                archive.write(carried.read_bytes())
            carried.unlink()

    def _leads(self, name: str) -> dict[str, str]:
        return {"driver": MACHINE, "guest": GUEST} if name == "xen" else super()._leads(name)

    def _boot(self) -> None:
        super()._boot()
        self.use_nic_driver("r8169")
        self.dom0.run("ip link add br1 type bridge && ip link set br1 up && insmod /lab/e1000.ko && "
                      f"ip link set {MANAGEMENT} master br1 && ip link set {MANAGEMENT} up && "
                      f"ip addr add {MACHINE}/24 dev br1 && {_START}")
        start_sshd(self.sender, MACHINE)
        one = f"mac={xl.GUEST_MAC},bridge=br0,script=vif-lab"
        config = xl.guest_config("xen-netfront").replace("guest.cpio", "guest-ssh.cpio").replace(
            f'["{one}"]', f'["{one}", "mac=00:16:3e:00:09:02,bridge=br1,script=vif-lab"]')
        self.dom0.put(config.encode(), "/lab/guest.cfg")
        self.dom0.run("cat /lab/guest.cpio /lab/ssh.cpio >/lab/guest-ssh.cpio; xl create /lab/guest.cfg",
                      timeout=topology.BOOT_LIMIT)
        self.guest_driver = "xen-netfront"
        self.guest.wait(topology.BOOT_LIMIT)
        # The lab's script joins any interface to br0.
        self.dom0.run("ip link set vif$(xl domid guest).1 master br1")
        start_sshd(self.guest, GUEST)


def hosts_file(entries: dict[str, dict[str, str | int]], ports: dict[str, int]) -> Path:
    """A file for HOSTS= that names machines by the ports that lead to them, and the known_hosts that goes with it."""
    public = " ".join(key("host.pub").split()[:2])
    (FOLDER / "known_hosts").write_text("".join(f"[127.0.0.1]:{ports[role]} {public}\n" for role in entries))
    text = '[ssh]\nidentity = "keys/user"\nknown_hosts = "known_hosts"\n'
    for role, entry in entries.items():
        text += f"\n[{role}]\nssh = \"root@127.0.0.1\"\nport = {ports[role]}\n"
        text += "".join(f"{name} = {value!r}\n" for name, value in entry.items())
    path = FOLDER / "hosts.toml"
    path.write_text(text)
    return path


def ask(host: AgentHost, script: str) -> str:
    """Run the lab's own script on a machine without ssh."""
    host.put((ROOT / "lab/hosts/host.sh").read_bytes(), "/tmp/host.sh", 0o755)
    return host.run(f"sh /tmp/host.sh {script}; status=$?; rm /tmp/host.sh; exit $status", timeout=60)
