# SPDX-License-Identifier: GPL-2.0-only
"""The command on a Debian 13 system with real managers of networks, sshd, udev and a kernel with bonds and VLANs.

The tests of a class are steps of one story, in the order of their names. In each the network works at the end.
"""

from __future__ import annotations

import json

from lab import topology
from lab.paths import BUILD
from tests.package import debian, network

STOCK, OURS = "r8169", "r8169_lro"
ADDRESS = topology.NIC_ADDRESS
FREE_SLOT, DISK = "0x1c", "nvme"


class BySsh(network.OnNetwork):
    """Over ssh through the card itself, whose network is systemd-networkd's."""

    folder = BUILD / "check" / "package-ssh"

    def test_1_switch_that_is_confirmed_in_a_new_session(self):
        self.boot()
        self.lab.wait_for_ping()
        self.until("ss -ltn | grep -q :22")
        before = self.state()
        said = self.by_ssh("use lan0 lro")
        self.assertIn("run `xenlro confirm` within 60 s", said)
        self.assertEqual((self.driver(), self.phase(), self.chosen()), (OURS, "waiting", []))
        # The waiting process belongs to no session.
        self.assertIn("xenlro-guard-", self.host.run("systemctl list-units --type=service --state=running"))
        said = self.by_ssh("confirm")
        self.assertIn("is served by r8169_lro, now and after a reboot", said)
        self.assertEqual(len(self.chosen()), 1)
        self.kept(before, OURS)
        self.works(self.lab, OURS)
        self.assertEqual(self.driver(), OURS)

    def test_2_switch_that_is_not_confirmed_comes_back(self):
        self.assertIn("served by r8169,", self.xenlro("use lan0 stock --now"))
        before = self.state()
        self.assertIn("run `xenlro confirm` within 60 s", self.by_ssh("use lan0 lro"))
        self.until(f"grep -q '\"phase\": \"back\"' {network.ORDER}")
        self.kept(before, STOCK)
        self.assertEqual(self.chosen(), [])
        self.assertIn("was not confirmed within", self.by_ssh("status"))
        self.works(self.lab, STOCK)

    def test_3_session_that_is_cut_off_in_the_middle(self):
        before = self.state()
        self.lab.sender.run(f"{network.SSH} 'xenlro use lan0 lro' </dev/null >/dev/null 2>&1 & echo $! >/tmp/client")
        self.until(f"grep -q '\"phase\": \"switching\"' {network.ORDER}")
        self.lab.sender.run("kill -9 $(cat /tmp/client)")
        self.until(f"grep -q '\"phase\": \"back\"' {network.ORDER}", timeout=240)
        self.kept(before, STOCK)
        self.works(self.lab, STOCK)

    def test_4_reboot_while_it_waits_gives_the_old_driver(self):
        self.assertIn("run `xenlro confirm` within 60 s", self.by_ssh("use lan0 lro"))
        self.assertEqual(self.phase(), "waiting")
        self.halt()
        self.boot()
        self.works(self.lab, STOCK)
        self.assertEqual(self.chosen(), [])
        self.assertNotIn("xenlro confirm", self.xenlro("status"))


class Managers(network.OnNetwork):
    """Managers that take a lease, each of which owns lan0 in turn."""

    folder = BUILD / "check" / "package-managers"

    def leased(self) -> None:
        self.until(f"ip -4 address show dev lan0 | grep -q {network.LEASED}")
        self.until("ip -4 route show default | grep -q lan0")

    def both_ways(self) -> None:
        self.leased()
        self.same_after("lro", OURS)
        self.lab.receiver_address = network.LEASED
        self.works(self.lab, OURS)
        self.same_after("stock", STOCK)
        self.works(self.lab, STOCK)

    def test_1_systemd_networkd(self):
        self.boot()
        self.lab.wait_for_ping()
        self.lab.sender.run("udhcpd -S /udhcpd.conf")
        self.host.run("rm /etc/systemd/network/10-lab.network; printf '[Match]\\nName=lan0\\n[Network]\\nDHCP=ipv4\\n' "
                      ">/etc/systemd/network/10-lan.network; networkctl reload; networkctl reconfigure lan0")
        self.both_ways()

    def test_2_network_manager(self):
        self.host.run(f"rm /etc/systemd/network/10-lan.network; {network.NO_NETWORKD}; ip address flush dev lan0; "
                      "systemctl unmask NetworkManager; systemctl start NetworkManager", timeout=180)
        # NetworkManager invents a connection for a card without one.
        self.both_ways()
        self.host.run("nmcli connection add type ethernet con-name lan ifname lan0 ipv4.method manual "
                      f"ipv4.addresses {network.LEASED}/24 ipv4.gateway {topology.SENDER_ADDRESS} "
                      "ipv4.routes '10.70.0.0/16 10.0.0.9' && nmcli connection up lan", timeout=120)
        self.both_ways()

    def test_3_ifupdown(self):
        self.host.run("systemctl stop NetworkManager; ip address flush dev lan0; ip link set lan0 down; "
                      "printf 'auto lan0\\niface lan0 inet dhcp\\n' >/etc/network/interfaces; ifup lan0", timeout=120)
        self.both_ways()
        self.host.run("ifdown lan0", timeout=60)


class ByHand(network.OnNetwork):
    """Configurations that a full kernel of Debian's makes possible, without a manager."""

    folder = BUILD / "check" / "package-by-hand"

    def test_1_bridge_that_filters_vlans(self):
        self.boot()
        self.lab.wait_for_ping()
        self.host.run(f"{network.NO_NETWORKD}; ip address flush dev lan0; "
                      "ip link add br0 type bridge vlan_filtering 1; ip link set br0 up; ip link set lan0 master br0 up; "
                      "bridge vlan add dev lan0 vid 5; bridge vlan add dev lan0 vid 20-24; bridge vlan del dev lan0 vid 1; "
                      f"bridge vlan add dev lan0 vid 1 untagged pvid; ip address add {ADDRESS}/24 dev br0; "
                      f"ip route add default via {topology.SENDER_ADDRESS}")
        self.lab.wait_for_ping()
        self.same_after("lro", OURS)
        self.lab.wait_for_ping()
        self.same_after("stock", STOCK)
        self.host.run("ip link del br0")

    def test_2_what_goes_away_with_the_card_is_refused(self):
        for made, taken, words in (
                ("ip link add link lan0 name lan0.5 type vlan id 5", "ip link del lan0.5", "lan0.5 on top of lan0"),
                ("modprobe bonding max_bonds=0; ip link add bond0 type bond mode 1; ip link set lan0 down; "
                 "ip link set lan0 master bond0",
                 "ip link del bond0", "lan0 is in bond0, a bond that cannot"),
                ("ip netns add box; ip link add link lan0 name box0 type macvlan; ip link set box0 netns box",
                 "ip netns del box", "on top of lan0"),
                ("ip netns add box; ip link set lan0 netns box", "ip -n box link set lan0 netns 1; ip netns del box",
                 "another network namespace"),
                ("nft 'add table t; add chain t c { type filter hook input priority 0; }; add rule t c iif lan0 accept'",
                 "nft delete table ip t", "by its number")):
            with self.subTest(made=made):
                card = self.host.run("readlink -f /sys/class/net/lan0/device").strip()
                self.host.run(made)
                said = self.refused(f"xenlro use {card.rpartition('/')[2]} lro", 1)
                self.assertIn(words, said)
                self.assertEqual(self.driver(card), STOCK)
                self.host.run(taken)
        self.host.run(f"ip link set lan0 up; ip address add {ADDRESS}/24 dev lan0")
        self.works(self.lab, STOCK)

    def test_3_machine_without_ipv4(self):
        self.lab.sender.run("ip -6 address add fd77::1/64 dev eth0 nodad || true")
        self.host.run("ip address flush dev lan0 scope global; ip -6 address add fd77::2/64 dev lan0 nodad; "
                      "ip -6 route add default via fd77::1 dev lan0")
        self.same_after("lro", OURS)
        self.same_after("stock", STOCK)

    def test_4_names_that_go_by_the_driver(self):
        """A .link file of udev's names the card lan0 by both drivers; with one of them it would be another after a reboot."""
        link = "/etc/systemd/network/20-lan.link"
        self.host.run(f"sed -i 's/^Driver=.*/Driver=r8169/' {link}")
        self.assertIn(f"{link} goes by Driver=r8169 and would not match r8169_lro", self.xenlro("use lan0 lro --at-boot", 1))
        self.host.run(f"sed -i 's/^Driver=.*/Driver=r8169 r8169_lro/' {link}")
        self.assertEqual(self.chosen(), [])

    def test_5_mode_of_br_linearize_survives_by_its_files(self):
        self.host.run("modprobe br_linearize mode=auto")
        self.assertIn("the mode auto of br_linearize is gone with the next reboot", self.xenlro("status"))
        self.host.run("echo br_linearize >/etc/modules-load.d/br_linearize.conf; "
                      "echo 'options br_linearize mode=auto' >/etc/modprobe.d/br_linearize.conf")
        self.assertNotIn("of br_linearize is gone", self.xenlro("status"))
        self.host.run("systemctl unmask systemd-networkd.service systemd-networkd.socket")
        self.halt()
        self.boot()
        self.assertEqual(self.host.run("cat /sys/module/br_linearize/parameters/mode").strip(), "auto")
        self.assertNotIn("of br_linearize is gone", self.xenlro("status"))
        self.works(self.lab, STOCK)


class Moved(network.OnNetwork):
    """A card that sits in another slot after the machine was off, and another device where it was."""

    folder = BUILD / "check" / "package-moved"

    def at(self, slot: str, disk_slot: str | None) -> None:
        disk = ("-drive", f"file={self.system.folder}/nvme.img,format=raw,if=none,id={DISK}", "-device",
                f"nvme,drive={DISK},serial=1,addr={disk_slot}") if disk_slot else ()
        self.running.close()
        type(self).lab = self.running.enter_context(self.make_lab(self.system, "", slot, disk))

    def test_1_card_that_was_chosen(self):
        with (self.system.folder / "nvme.img").open("wb") as image:
            image.truncate(8 << 20)
        self.at(FREE_SLOT, None)
        self.lab.wait_for_ping()
        self.assertIn("from the next boot on", self.xenlro("use lan0 lro --at-boot"))
        self.assertEqual(self.chosen(), ["0000:00:1c.0"])
        self.halt()

    def test_2_other_device_in_its_slot_keeps_its_driver(self):
        self.at("0x1d", FREE_SLOT)
        self.works(self.lab, STOCK)
        disk = "/sys/bus/pci/devices/0000:00:1c.0"
        self.assertEqual(self.driver(disk), "nvme")
        self.assertEqual(self.host.run(f"cat {disk}/driver_override").strip(), "(null)")
        self.host.run("test -b /dev/nvme0n1")
        self.assertIn("the choice /etc/xenlro/devices/0000:00:1c.0 is for 0x10ec:0x8169", self.xenlro("status"))

    def test_3_choice_is_made_again_where_the_card_is(self):
        self.host.run(f"rm {network.CHOICES}/0000:00:1c.0")
        before = self.state()
        self.xenlro("use lan0 lro")
        self.kept(before, OURS)
        self.assertEqual(self.chosen(), ["0000:00:1d.0"])
        self.works(self.lab, OURS)
        status = json.loads(self.xenlro("status --json"))
        self.assertEqual(debian.device_of(status, "lan0")["driver"], OURS)

    def test_4_other_driver_can_take_the_card(self):
        """As pciback does: it binds the card, which the kernel allows where no override names another driver."""
        card = "0000:00:1d.0"
        self.assertEqual(self.host.run(f"cat /sys/bus/pci/devices/{card}/driver_override").strip(), "(null)")
        stub = "/sys/bus/pci/drivers/pci-stub"
        self.host.run(f"modprobe pci-stub; echo 10ec 8169 >{stub}/new_id; "
                      f"echo {card} >/sys/bus/pci/devices/{card}/driver/unbind; echo {card} >{stub}/bind")
        self.assertEqual(self.driver(f"/sys/bus/pci/devices/{card}"), "pci-stub")
        self.assertIn(f"{card} is busy: pci-stub has it", self.xenlro(f"use {card} lro", 1))
        self.assertIn(f"{card} is chosen for r8169_lro, and pci-stub has it", self.xenlro("status"))
        self.host.run(f"echo {card} >{stub}/unbind; echo 10ec 8169 >{stub}/remove_id; "
                      f"xenlro apply {card}; udevadm settle", timeout=120)
        self.works(self.lab, OURS)

    def test_5_override_that_was_left_on_another_device_is_taken_away(self):
        """An older version wrote driver_override by address, to any device there."""
        disk = "/sys/bus/pci/devices/0000:00:1c.0"
        self.host.run(f"touch {network.CHOICES}/0000:00:1c.0; echo r8169_lro >{disk}/driver_override; "
                      f"echo 0000:00:1c.0 >{disk}/driver/unbind; udevadm trigger --action=add {disk}; udevadm settle")
        self.until(f"test -e {disk}/driver", timeout=60)
        self.assertEqual(self.driver(disk), "nvme")
        self.assertEqual(self.host.run(f"cat {disk}/driver_override").strip(), "(null)")
