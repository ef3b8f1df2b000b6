# SPDX-License-Identifier: GPL-2.0-only
"""What cannot be kept is refused before anything is touched, with a sentence about what to do instead."""

from __future__ import annotations

import os
import sys
import unittest

from tests.network.namespaces import CARD, STOCK, OnHost

BUSYBOX_IP = '#!/bin/sh\nexec busybox ip "$@"\n'


class Refused(OnHost):
    def setUp(self):
        super().setUp()
        self.configure("address add 10.0.0.5/24 dev eth0", "route add default via 10.0.0.1")

    def refused(self, wanted: str, *, code: int = 1, at_boot: bool = False) -> str:
        """Assert that the change is refused with these words, and that at boot it is only where it has to be."""
        before = self.state()
        said = self.xenlro("use", "eth0", "lro", code=code)
        self.assertIn(wanted, said)
        self.assertEqual((self.driver(), self.chosen(), self.lost(before)), (STOCK, False, []))
        self.assertNotIn("unbind", self.steps())
        if at_boot:
            self.assertIn(wanted, self.xenlro("use", "eth0", "lro", "--at-boot", code=code))
        return said

    def put(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)


class Network(Refused):
    def test_device_on_top(self):
        self.host("link add link eth0 name top0 type macvlan")
        self.assertIn("--at-boot", self.refused("top0 on top of eth0 would go away with it"))

    def test_port_that_another_one_falls_back_to(self):
        self.configure("link add br0 type bridge", "link set br0 up", "link set eth0 master br0",
                       "link add p1 type veth peer name p2", "link set p1 master br0 up", "link set p1 type bridge_slave backup_port eth0")
        self.refused("eth0 is the backup port of p1")

    def test_device_in_what_is_no_bridge(self):
        # What ip shows of a port of a bond, which this kernel may lack.
        self.put("bin/ip", "#!/bin/sh\nip \"$@\" | sed 's/\"ifname\":\"eth0\",/&\"master\":\"bond0\",\"linkinfo\":"
                           "{\"info_slave_kind\":\"bond\"},/; s/,\"linkinfo\":{\"info_kind\":\"veth\"}//'\n")
        self.refused("eth0 is in bond0, a bond that cannot")

    def test_lease_that_nobody_owns(self):
        self.host("address add 10.0.0.9/24 dev eth0 valid_lft 600 preferred_lft 600")
        self.refused("10.0.0.9 of eth0 is a lease, and no program would take it again")

    def test_client_whose_address_has_no_end(self):
        self.put("bin/udhcpc", "#!/bin/sh\nwhile sleep 1; do :; done\n")
        self.spawn(self.host_space, str(self.root / "bin/udhcpc"), "-i", "eth0")
        self.until(lambda: "udhcpc" in self.on_host("sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null || true"))
        self.refused("eth0 has an address by udhcpc")

    def test_traffic_control(self):
        self.on_host("tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", "10mbit", "burst", "10kb", "latency", "9ms")
        self.refused("traffic control (tbf) is set on eth0")

    # Attaches a program that lets all pass, for as long as it lives.
    TCX = r"""
import ctypes, os, socket, struct, sys, time
call = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, *words):
    words = struct.pack(*words)
    done = libc.syscall(call, command, ctypes.create_string_buffer(words, len(words)), len(words))
    if done < 0:
        raise OSError(ctypes.get_errno(), f"bpf {command}")
    return done
code = ctypes.create_string_buffer(struct.pack("=BBhiBBhi", 0xb7, 0, 0, 0, 0x95, 0, 0, 0), 16)
license = ctypes.create_string_buffer(b"GPL")
program = bpf(5, "=IIQQIIQII16sII", 3, 2, ctypes.addressof(code), ctypes.addressof(license), 0, 0, 0, 0, 0, b"p", 0, 46)
link = bpf(28, "=IIIIIIQ", program, socket.if_nametoindex("eth0"), 46, 0, 0, 0, 0)
open(sys.argv[1], "w").close()
time.sleep(600)
"""

    def test_bpf_program_that_no_other_command_shows(self):
        process = self.spawn(self.host_space, sys.executable, "-c", self.TCX, str(self.root / "attached"))
        self.until(lambda: (self.root / "attached").exists())
        self.refused("1 BPF programs (tcx) are attached to eth0")
        process.kill()
        process.wait()
        self.xenlro("use", "eth0", "lro")

    def test_nexthop_objects(self):
        self.host("nexthop add id 5 via 10.0.0.1 dev eth0", "route add 10.99.0.0/16 nhid 5")
        self.refused("the route to 10.99.0.0/16 uses a nexthop object")

    def test_route_that_ip_does_not_take_back(self):
        # What a newer kernel has and this ip shows in a form of its own.
        self.put("bin/ip", "#!/bin/sh\ncase $* in *batch*) exec ip \"$@\" ;; esac\n"
                           "ip \"$@\" | sed 's/^10.98.0.0.16 .*/& novel 7/'\n")
        self.host("route add 10.98.0.0/16 via 10.0.0.1")
        self.refused("`ip` does not take a route back as it shows it")

    def test_chain_of_nftables_on_the_device(self):
        self.put("bin/nft", '#!/bin/sh\ntest "$3" = chains && echo \'{"nftables": [{"chain": {"family": "netdev", "table": "t", '
                            '"name": "early", "dev": "eth0", "hook": "ingress"}}]}\' || echo \'{"nftables": []}\'\n')
        self.refused("nftables' chain early of table t is tied to eth0")

    def test_ip_of_busybox(self):
        self.put("bin/ip", BUSYBOX_IP)
        self.refused("install the package iproute2", code=3)


class Machine(Refused):
    def test_root_on_nfs_and_on_iscsi(self):
        (self.root / "proc").unlink()
        self.put("proc/mounts", "10.0.0.1:/srv/root / nfs4 rw,addr=10.0.0.1 0 0\n")
        (self.root / "proc/sys").symlink_to("/proc/sys")
        self.refused("/ is mounted by nfs4 from 10.0.0.1:/srv/root", at_boot=True)
        self.put("proc/mounts", "/dev/sda1 / ext4 rw 0 0\n")
        device = os.stat(self.root).st_dev
        disk = self.root / "sys/devices/platform/host2/session1/target2:0:0/2:0:0:1/block/sda/sda1"
        disk.mkdir(parents=True)
        (self.root / "sys/dev/block").mkdir(parents=True)
        (self.root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}").symlink_to(disk)
        self.refused("/ is on a disk of the network", at_boot=True)

    def mounted(self, *lines: str) -> None:
        """Let these be all mounts."""
        path = self.root / "proc"
        if path.is_symlink():
            path.unlink()
            path.mkdir()
            for name in ("sys", "net", "self"):
                (path / name).symlink_to(f"/proc/{name}")
        self.put("proc/mounts", "".join(f"{line} 0 0\n" for line in lines))

    def disk(self, path: str, *names: str) -> None:
        """A block device there; `names` are those by which sysfs knows it."""
        (self.root / "sys/devices" / path).mkdir(parents=True)
        for name in names:
            (self.root / "sys" / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / "sys" / name).symlink_to(self.root / "sys/devices" / path)

    def test_root_of_layers_on_nfs(self):
        overlay = "overlay / overlay rw,lowerdir=/run/live/rootfs/filesystem.squashfs/,upperdir=/run/live/overlay/rw"
        live = ("10.0.0.1:/srv/live /run/live/medium nfs ro,addr=10.0.0.1", "tmpfs /run/live/overlay tmpfs rw",
                "/dev/loop0 /run/live/rootfs/filesystem.squashfs squashfs ro")
        self.mounted(overlay, *live)
        self.refused("/ may lie on /run/live/medium, which is mounted by nfs", at_boot=True)
        self.put("sys/block/loop0/loop/backing_file", "/run/live/medium/live/filesystem.squashfs\n")
        self.refused("/ is mounted by nfs from 10.0.0.1:/srv/live", at_boot=True)
        self.mounted(overlay.replace("filesystem.squashfs/", "there"), "10.0.0.1:/srv /run/live/rootfs nfs4 ro")
        self.refused("/ is mounted by nfs4 from 10.0.0.1:/srv", at_boot=True)
        # A stick, and a share that has nothing to do with it.
        self.put("sys/block/loop0/loop/backing_file", "/run/live/stick/live/filesystem.squashfs\n")
        self.mounted(overlay, *live[1:], "/dev/sda1 /run/live/stick vfat ro", "10.0.0.1:/home /home nfs rw")
        self.xenlro("use", "eth0", "lro", "--at-boot")
        self.xenlro("use", "eth0", "stock", "--at-boot")
        self.mounted("overlay / overlay rw,lowerdir=/run/base/lower,upperdir=/run/base/upper", "/dev/sda1 /run/base ext4 rw",
                     "10.0.0.1:/home /run/home nfs rw")
        self.xenlro("use", "eth0", "lro", "--at-boot")

    def test_root_on_btrfs_and_on_nvme_of_the_network(self):
        # The card's interface goes by sysfs, and the disks by this tree.
        (self.root / "sys/class").unlink()
        (self.root / "sys/class").mkdir()
        (self.root / "sys/class/net").symlink_to("/sys/class/net")
        self.mounted("/dev/sda2 / btrfs rw,subvol=/@")
        self.disk("pci0000:00/ata1/block/sda/sda2", "class/block/sda2", "fs/btrfs/5f1d/devices/sda2")
        self.xenlro("use", "eth0", "lro", "--at-boot")
        self.xenlro("use", "eth0", "stock", "--at-boot")
        self.disk("platform/host2/session1/target2:0:0/2:0:0:1/block/sdb", "class/block/sdb", "fs/btrfs/5f1d/devices/sdb")
        self.refused("/ is on a disk of the network (/dev/sda2)", at_boot=True)
        self.mounted("/dev/nvme0n1p1 / ext4 rw")
        number = os.stat(self.root).st_dev
        namespace = "virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1"
        self.disk(namespace, f"dev/block/{os.major(number)}:{os.minor(number)}")
        self.disk("pci0000:00/0000:00:04.0/nvme/nvme0", "devices/virtual/nvme-subsystem/nvme-subsys0/nvme0")
        self.xenlro("use", "eth0", "lro", "--at-boot")
        self.xenlro("use", "eth0", "stock", "--at-boot")
        self.disk("virtual/nvme-fabrics/ctl/nvme1", "devices/virtual/nvme-subsystem/nvme-subsys0/nvme1")
        self.refused("/ is on a disk of the network (/dev/nvme0n1p1)", at_boot=True)

    def test_two_cards_named_by_the_kernel(self):
        (self.root / "sys/class").unlink()
        for name in ("eth0", "eth1"):
            (self.root / "sys/class/net" / name / "device").mkdir(parents=True)
        (self.root / "proc").unlink()
        self.put("proc/cmdline", "root=/dev/sda1 net.ifnames=0 quiet\n")
        self.refused("the names eth0, eth1 go by the order in which drivers come", at_boot=True)

    def test_user_who_is_not_root(self):
        self.root.parent.chmod(0o755)
        with self.start("use", "eth0", "lro", environment={"XENLRO_AS": "65534"}) as started:
            said, _ = started.communicate(timeout=600)
        self.assertEqual(started.returncode, 3, said)
        self.assertIn("changing drivers needs root: run the same command with sudo", said)
        self.assertNotIn("Secure Boot", said)

    def test_network_namespace_that_the_interface_would_leave(self):
        self.behave(first=self.gateway_space)
        said = self.refused("this command runs in another network namespace")
        self.assertIn("would come back in that one: take it back there", said)

    def test_virtual_functions(self):
        path = self.root / "sys/bus/pci/devices" / CARD / "sriov_numvfs"
        path.write_text("2\n")
        self.refused("2 virtual functions of eth0 (SR-IOV) would go away with its driver")
        path.write_text("0\n")
        self.xenlro("use", "eth0", "lro")

    def test_driver_of_the_maker(self):
        card = self.root / "sys/bus/pci/devices" / CARD
        (self.root / "sys/bus/pci/drivers/r8168").mkdir()
        (card / "driver").unlink()
        (card / "driver").symlink_to(self.root / "sys/bus/pci/drivers/r8168")
        said = self.xenlro("use", CARD, "lro", code=1)
        self.assertIn("is served by r8168, a driver of Realtek's", said)
        self.assertNotIn("pci-assignable", said)


if __name__ == "__main__":
    unittest.main()
