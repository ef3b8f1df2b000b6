# SPDX-License-Identifier: GPL-2.0-only
"""A manager that owns the interface's configuration is told to configure it again; the result is compared.

The managers are stand-ins that say what the real ones say and configure with ip; a story of the packages has a real one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import unittest
from pathlib import Path

from tests.network.namespaces import CARD, OURS, STOCK, OnHost

# Takes a lease as a client does, and its route.
LEASE = """\
ip link set eth0 up
ip address replace {address}/24 dev eth0 valid_lft 900 preferred_lft 900
ip route replace default via 10.0.0.1 dev eth0 proto dhcp src {address} metric 100
"""
NMCLI = """\
#!/bin/sh
echo "$@" >>"$HOST/asked"
case "$*" in
*"device status"*)	echo 'lo:unmanaged:'; echo 'eth0:connected:5f1d-4a'; echo 'eth1:connected (externally):77-1' ;;
*"connection up"*)	{up} ;;
*)	exit 9 ;;
esac
"""
NETWORKCTL = """\
#!/bin/sh
echo "$@" >>"$HOST/asked"
case "$1 $2" in
"--no-pager status")	printf '  Network File: /etc/systemd/network/lan.network\\n  State: routable (configured)\\n' ;;
"reconfigure eth0")
{lease}
	;;
*)	exit 9 ;;
esac
"""
IFUP = """\
#!/bin/sh
echo "${0##*/} $@" >>"$HOST/asked"
case "${0##*/}" in
ifquery)	cat "$HOST/ifstate" ;;
ifdown)	ip address flush dev eth0; : >"$HOST/ifstate" ;;
ifup)	grep -q eth0 "$HOST/ifstate" && exit 0
	echo eth0=eth0 >"$HOST/ifstate"
{lease}
	;;
esac
"""
SYSTEMCTL = """\
#!/bin/sh
echo "$@" >>"$HOST/asked"
case "$*" in
"is-active qubes-network-uplink@eth0.service")	echo active ;;
"restart qubes-network-uplink@eth0.service")
	ip link set eth0 up
	ip address replace 10.0.0.5/32 dev eth0
	ip route replace 10.0.0.1 dev eth0 scope link
	ip route replace default via 10.0.0.1 dev eth0 onlink
	;;
*)	exit 9 ;;
esac
"""


class Owned(OnHost):
    def program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def leased(self) -> None:
        for line in LEASE.format(address="10.0.0.5").splitlines():
            self.host(line.removeprefix("ip "))
        self.configure()

    def asked(self) -> str:
        return (self.root / "asked").read_text()

    def test_network_manager(self):
        self.leased()
        self.program("nmcli", NMCLI.format(up=LEASE.format(address="10.0.0.5").replace("\n", "; ")))
        self.same_after()
        self.assertIn("connection up uuid 5f1d-4a ifname eth0", self.asked())

    def test_systemd_networkd(self):
        self.leased()
        self.program("networkctl", NETWORKCTL.format(lease=LEASE.format(address="10.0.0.5")))
        self.same_after()
        self.assertIn("reconfigure eth0", self.asked())

    def ifupdown(self, more: str = "") -> None:
        """ifupdown with eth0 configured; `more` runs with its ifup."""
        self.leased()
        for name in ("ifquery", "ifup", "ifdown"):
            self.program(name, IFUP.replace("{lease}", more + LEASE.format(address="10.0.0.5")))
        (self.root / "ifstate").write_text("eth0=eth0\n")

    def test_ifupdown(self):
        self.ifupdown()
        self.same_after()
        self.assertRegex(self.asked(), r"(?s)ifdown --force eth0.*ifup eth0")

    def test_process_that_is_killed_after_the_manager_has_let_go(self):
        self.ifupdown()
        before = self.state()
        for step in ("unbind", "unbound", "probed"):
            for killed in ("worker", "guard worker"):
                with self.subTest(step=step, killed=killed):
                    (self.root / "asked").unlink(missing_ok=True)
                    self.behave(at={step: {"signal": "KILL", "to": killed}})
                    self.assertIn("with its configuration as it was", self.xenlro("use", "eth0", "lro", code=1))
                    self.assertRegex(self.asked(), r"(?s)ifdown --force eth0.*ifup eth0")
                    self.assertEqual((self.driver(), self.lost(before)), (STOCK, []))
                    (self.root / "steps").unlink()

    def test_all_are_killed_after_the_manager_has_let_go(self):
        self.ifupdown()
        before = self.state()
        self.behave(at={"unbound": {"signal": "KILL", "to": "all"}})
        self.start("use", "eth0", "lro").communicate(timeout=600)
        self.until(lambda: "was cut off" in self.xenlro("status"))
        self.xenlro("use", CARD, "stock")
        self.assertEqual((self.driver(), self.lost(before)), (STOCK, []))

    def test_module_that_is_gone_takes_no_address(self):
        self.ifupdown()
        before = self.state()
        gone = "modprobe: FATAL: Module not found in directory /lib/modules/6.12.0-test"
        self.xenlro("use", "eth0", "lro")
        # Both drivers are there: nothing has to be loaded.
        self.behave(loaded={OURS: gone, STOCK: gone})
        self.same_after(wanted="stock", driver=STOCK)
        self.same_after()
        # The stock driver is not.
        (self.root / "asked").unlink()
        (self.root / "sys/bus/pci/drivers" / STOCK).rmdir()
        self.assertIn("r8169 is not built for Linux", self.xenlro("use", "eth0", "stock", code=1))
        self.assertNotIn("ifdown", self.asked())
        self.assertEqual((self.driver(), self.lost(before)), (OURS, []))

    def test_metric_that_goes_by_the_interfaces_number(self):
        """As dhcpcd has it: the client goes on with the routes that it has made, and others are not added beside them."""
        lease = LEASE.format(address="10.0.0.5").replace("metric 100", "metric $((1000 + $(cat /sys/class/net/eth0/ifindex)))")
        for name in ("ifquery", "ifup", "ifdown"):
            self.program(name, IFUP.replace("{lease}", lease))
        (self.root / "ifstate").write_text("")
        self.on_host("env", f"HOST={self.root}", str(self.root / "bin/ifup"), "eth0")
        before = self.on_host("ip", "route", "show", "default")
        self.xenlro("use", "eth0", "lro")
        index = json.loads(self.on_host("ip", "-json", "link", "show", "dev", "eth0"))[0]["ifindex"]
        after = self.on_host("ip", "route", "show", "default")
        self.assertEqual(after.count("default"), 1)
        self.assertIn(f"metric {1000 + index}", after)
        self.assertNotEqual(before, after)

    def test_qubes_agent(self):
        self.program("systemctl", SYSTEMCTL)
        self.configure("address add 10.0.0.5/32 dev eth0", "route add 10.0.0.1 dev eth0 scope link",
                       "route add default via 10.0.0.1 dev eth0 onlink")
        self.same_after()
        self.assertIn("restart qubes-network-uplink@eth0.service", self.asked())

    def test_what_was_added_by_hand_is_kept_as_well(self):
        self.leased()
        self.program("networkctl", NETWORKCTL.format(lease=LEASE.format(address="10.0.0.5")))
        self.configure("address add 10.44.0.1/24 dev eth0", "route add 10.45.0.0/16 via 10.44.0.2", "address add fd00::5/64 dev eth0")
        self.same_after()

    def test_daemon_that_a_hook_starts_and_that_never_ends(self):
        """It holds the output of ifup, and it has to end when it is told to, as any other."""
        self.behave(limits={"system.PROGRAM_LIMIT": 6})
        self.ifupdown("sleep 333 & echo $! >$HOST/daemon\n")
        self.configure("address add 10.44.0.1/24 dev eth0")
        self.same_after()
        daemon = int((self.root / "daemon").read_text())
        self.addCleanup(os.kill, daemon, signal.SIGKILL)
        ignored = re.search(r"^SigIgn:\s*(\S+)", Path(f"/proc/{daemon}/status").read_text(), re.M)
        self.assertEqual([number for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGPIPE)
                          if int(ignored[1], 16) & 1 << number - 1], [])

    def test_networkd_that_waits_for_more(self):
        """One that was not done before need not be done afterwards, and what was added by hand comes in any case."""
        self.leased()
        lease = LEASE.format(address="10.0.0.5")
        self.program("networkctl", NETWORKCTL.format(lease=lease).replace("(configured)", "(configuring)"))
        self.configure("address add 10.44.0.1/24 dev eth0", "route add 10.45.0.0/16 via 10.44.0.2",
                       "address add fd00::5/64 dev eth0", "rule add from 10.44.0.1 table 9", "route add default via 10.44.0.9 table 9")
        self.on_host("sh", "-c", "echo 2 >/proc/sys/net/ipv4/conf/eth0/rp_filter")
        self.same_after()

    def test_manager_that_fails_costs_nothing_that_it_does_not_know(self):
        self.leased()
        self.program("nmcli", NMCLI.format(up=LEASE.format(address="10.0.0.5").replace("\n", "; ") + "exit 4"))
        self.configure("address add 10.44.0.1/24 dev eth0", "route add 10.45.0.0/16 via 10.44.0.2")
        said = self.same_after(code=1, driver=STOCK)
        self.assertIn("NetworkManager cannot configure eth0", said)
        self.assertNotIn("is missing", said)

    def test_another_lease_is_no_success(self):
        self.leased()
        self.program("networkctl", NETWORKCTL.format(lease='test "$(basename "$(readlink "$HOST/sys/bus/pci/devices/0000:00:03.0/'
                                                     'driver")")" = r8169_lro && address=10.0.0.66 || address=10.0.0.5\n'
                                                     + LEASE.format(address="$address")))
        said = self.same_after(code=1, driver=STOCK)
        self.assertIn("the address 10.0.0.5/24 is missing", said)

    def test_manager_that_fails_is_no_success(self):
        self.leased()
        self.program("nmcli", NMCLI.format(up='test "$(basename "$(readlink "$HOST/sys/bus/pci/devices/0000:00:03.0/driver")")" '
                                              "= r8169 || { echo 'Error: no carrier' >&2; exit 4; }; "
                                              + LEASE.format(address="10.0.0.5").replace("\n", "; ")))
        self.assertIn("NetworkManager cannot configure eth0", self.same_after(code=1, driver=STOCK))

    def test_events_of_udev_that_are_repeated_move_nothing_that_is_in_use(self):
        self.ifupdown()
        self.xenlro("use", "eth0", "lro", "--at-boot")
        self.assertIn("stays with r8169: eth0 is in use (10.0.0.5)", self.xenlro("apply", CARD, code=1))
        self.host("address flush dev eth0")
        self.assertIn("stays with r8169: eth0 is in use (it is up)", self.xenlro("apply", CARD, code=1))
        self.host("link add br0 type bridge", "link set eth0 down master br0")
        self.assertIn("stays with r8169: eth0 is in use (it is in br0)", self.xenlro("apply", CARD, code=1))
        self.assertEqual((self.driver(), self.steps()), (STOCK, []))
        # As it is at boot.
        self.host("link del br0", "link set eth0 down")
        self.xenlro("apply", CARD)
        self.assertEqual(self.driver(), OURS)

    def choose_and_reboot(self) -> None:
        """Our driver is chosen for eth0; /run is as a boot finds it."""
        self.xenlro("use", "eth0", "lro", "--at-boot")
        shutil.rmtree(self.root / "run/xenlro")

    def test_manager_that_is_faster_than_udev_at_boot(self):
        self.ifupdown()
        self.choose_and_reboot()
        self.xenlro("apply", CARD)
        self.assertEqual(self.driver(), OURS)

    def test_manager_that_does_not_answer_yet_at_boot(self):
        self.configure("address add 10.0.0.5/24 dev eth0")
        self.choose_and_reboot()
        links = self.root / "run/systemd/netif/links"
        links.mkdir(parents=True)
        # By number of the interface, which only the host's own namespace tells.
        for index in range(1, 100):
            (links / str(index)).write_text("ADMIN_STATE=configured\nOPER_STATE=routable\n")
        self.xenlro("apply", CARD)
        self.assertEqual(self.driver(), OURS)

    def test_interface_without_a_manager_is_left_alone_at_boot(self):
        self.configure("address add 10.0.0.5/24 dev eth0")
        self.choose_and_reboot()
        self.assertIn("stays with r8169: eth0 is in use (10.0.0.5)", self.xenlro("apply", CARD, code=1))

    def test_interface_that_the_manager_only_looks_at(self):
        self.configure("address add 10.0.0.5/24 dev eth0", "route add default via 10.0.0.1")
        self.program("nmcli", NMCLI.format(up="exit 7").replace("eth0:connected:", "eth0:connected (externally):"))
        self.same_after(driver=OURS)
        self.assertNotIn("connection up", self.asked())


if __name__ == "__main__":
    unittest.main()
