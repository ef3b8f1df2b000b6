# SPDX-License-Identifier: GPL-2.0-only
"""Parts of the network's configuration that not every kernel has, from the programs' output: VLANs and a real card."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from xenlro import addresses, hardware, iproute, port, remote, routes, tied  # noqa: E402  (needs that path)
from xenlro.system import System  # noqa: E402

# As ethtool shows an RTL8168.
ETHTOOL = """\
Settings for eth0:
	Supported ports: [ TP	 MII ]
	Supported link modes:   10baseT/Half 10baseT/Full
	                        100baseT/Half 100baseT/Full
	                        1000baseT/Full
	Supported pause frame use: Symmetric Receive-only
	Supports auto-negotiation: Yes
	Supported FEC modes: Not reported
	Advertised link modes:  100baseT/Full
	                        1000baseT/Full
	Advertised pause frame use: Symmetric Receive-only
	Advertised auto-negotiation: Yes
	Advertised FEC modes: Not reported
	Link partner advertised link modes:  10baseT/Half 10baseT/Full
	Speed: 1000Mb/s
	Duplex: Full
	Auto-negotiation: on
	Port: Twisted Pair
	Supports Wake-on: pumbg
	Wake-on: g
	Link detected: yes
"""
FORCED = ETHTOOL.replace("Auto-negotiation: on", "Auto-negotiation: off").replace("1000Mb/s", "100Mb/s")
SHOWN = {
    "-k": "Features for eth0:\nrx-checksumming: on\ntcp-segmentation-offload: off\n\ttx-tcp-segmentation: off [requested on]\n"
          "large-receive-offload: off [fixed]\n",
    "-c": "Coalesce parameters for eth0:\nAdaptive RX: n/a  TX: n/a\nstats-block-usecs:\tn/a\n\nrx-usecs:\t30\nrx-frames:\t4\n",
    "-a": "Pause parameters for eth0:\nAutonegotiate:\ton\nRX:\t\toff\nTX:\t\toff\n",
    "--show-eee": "EEE settings for eth0:\n\tEEE status: disabled\n\tTx LPI: disabled\n",
    "-l": "Channel parameters for eth0:\nPre-set maximums:\nRX:\t\tn/a\nTX:\t\tn/a\nOther:\t\t1\nCombined:\t4\n"
          "Current hardware settings:\nRX:\t\tn/a\nTX:\t\tn/a\nOther:\t\t1\nCombined:\t2\n",
    "-g": "Ring parameters for eth0:\nPre-set maximums:\nRX:\t\t4096\nRX Mini:\tn/a\nTX:\t\t4096\n"
          "Current hardware settings:\nRX:\t\t512\nRX Mini:\t64\nTX:\t\t256\nRX Buf Len:\tn/a\n",
    "--show-priv-flags": "Private flags for eth0:\nlegacy-rx: off\ndisable fw lldp : on\n",
}
VLANS = [{"ifname": "eth0", "vlans": [{"vlan": 1, "flags": ["Egress Untagged"]}, {"vlan": 5, "flags": ["PVID", "Egress Untagged"]},
                                      {"vlan": 10}]}]
FDB = [{"mac": "02:00:00:00:00:33", "ifname": "eth0", "vlan": 10, "flags": [], "master": "br0", "state": "static"},
       {"mac": "02:00:00:00:00:34", "ifname": "eth0", "flags": ["sticky"], "master": "br0", "state": "static"},
       {"mac": "52:54:00:aa:bb:01", "ifname": "eth0", "flags": [], "master": "br0", "state": "permanent"},
       {"mac": "02:00:00:00:00:35", "ifname": "eth0", "flags": ["extern_learn"], "master": "br0", "state": "static"},
       {"mac": "02:00:00:00:00:36", "ifname": "eth0", "flags": [], "master": "br0", "state": ""},
       {"mac": "33:33:00:00:00:01", "ifname": "eth0", "flags": ["self"], "state": "permanent"}]


class Programs(System):
    """A system whose programs print given texts; the changes that they are asked for are kept in `asked`."""

    def __init__(self, root: Path, shown: dict[str, str]) -> None:
        super().__init__(root, "6.12.0-test")
        object.__setattr__(self, "shown", shown)
        object.__setattr__(self, "asked", [])

    def run(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        words = " ".join(command)
        known = next((said for key, said in self.shown.items() if key in words), None)
        if known is None:
            self.asked += text.splitlines() if text else [words]
        return subprocess.CompletedProcess(command, 0, known or "", "")


class WithPrograms(unittest.TestCase):
    def setUp(self):
        self.root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.root / "proc/sys/net/ipv6").mkdir(parents=True)

    def system(self, shown: dict[str, str]) -> Programs:
        return Programs(self.root, shown)


class Port(WithPrograms):
    def saved(self, vlans: list, fdb: list, link: dict) -> tuple[Programs, dict]:
        bridge = self.root / "sys/class/net/br0/bridge"
        bridge.mkdir(parents=True, exist_ok=True)
        (bridge / "vlan_filtering").write_text("1\n")
        system = self.system({"vlan show": json.dumps(vlans), "fdb show": json.dumps(fdb), "link show": json.dumps([link])})
        return system, port.save(system, "eth0", "br0", "52:54:00:aa:bb:01")

    def test_vlans_flags_and_entries_come_back(self):
        _, before = self.saved(VLANS, FDB, {"ifname": "eth0", "hairpin": True, "learning": False, "cost": 7, "state": "forwarding"})
        system, now = self.saved([{"ifname": "eth0", "vlans": [{"vlan": 1, "flags": ["PVID", "Egress Untagged"]}]}], FDB[2:],
                                 {"ifname": "eth0", "hairpin": False, "learning": True, "cost": 100, "state": "disabled"})
        self.assertEqual(len(port.differences("eth0", before, now)), 9)
        port.mend(system, "eth0", before, now)
        self.assertEqual(system.asked, [
            "link set dev eth0 hairpin on", "link set dev eth0 learning off", "link set dev eth0 cost 7",
            "vlan del vid 1 dev eth0", "vlan add vid 1 untagged dev eth0", "vlan add vid 5 pvid untagged dev eth0",
            "vlan add vid 10 dev eth0", "fdb replace 02:00:00:00:00:33 dev eth0 master static vlan 10",
            "fdb replace 02:00:00:00:00:34 dev eth0 master static sticky"])
        self.assertEqual(port.differences("eth0", before, before), [])


class Card(WithPrograms):
    def saved(self, link: str, **shown: str) -> tuple[Programs, dict]:
        system = self.system({f"ethtool {option} eth0": said for option, said in (SHOWN | shown).items()} | {"ethtool eth0": link})
        return system, hardware.save(system, "eth0")

    def test_what_can_be_set_is_read(self):
        _, saved = self.saved(ETHTOOL)
        self.assertEqual(saved, {
            "-K": {"rx-checksumming": "on", "tcp-segmentation-offload": "off", "tx-tcp-segmentation": "on"},
            "-C": {"rx-usecs": "30", "rx-frames": "4"},
            "-s": {"autoneg": "on", "advertise": "100baseT/Full 1000baseT/Full", "wol": "g"},
            "-A": {"autoneg": "on", "rx": "off", "tx": "off"}, "--set-eee": {"eee": "off"},
            "-L": {"other": "1", "combined": "2"}, "-G": {"rx": "512", "rx-mini": "64", "tx": "256"},
            "--set-priv-flags": {"legacy-rx": "off", "disable fw lldp": "on"}})

    def test_what_differs_is_set(self):
        _, before = self.saved(FORCED)
        system, now = self.saved(ETHTOOL, **{"-c": SHOWN["-c"].replace("30", "50"), "--show-eee": "EEE status: enabled\n"})
        hardware.mend(system, "eth0", before, now)
        self.assertEqual(system.asked, ["ethtool -C eth0 rx-usecs 30", "ethtool -s eth0 autoneg off speed 100 duplex full",
                                        "ethtool --set-eee eth0 eee off"])
        system, now = self.saved(FORCED)
        _, before = self.saved(ETHTOOL)
        hardware.mend(system, "eth0", before, now)
        self.assertEqual(system.asked, ["ethtool -s eth0 autoneg on advertise 100baseT/Full on 1000baseT/Full on"])

    def test_what_only_the_other_driver_has_is_no_difference(self):
        _, before = self.saved(ETHTOOL)
        _, now = self.saved(ETHTOOL, **{"-k": "rx-checksumming: on\nrx-gro-hw: on\n"})
        self.assertEqual(hardware.differences(before, now), [])


class Words(WithPrograms):
    def test_routes_are_read_as_ip_takes_them(self):
        system = self.system({"-4 route": "7.0.0.0/8 \\\tnexthop via 10.0.0.7 dev eth0 weight 2 dead linkdown \\\tnexthop via "
                                          "10.0.0.8 dev eth1 weight 1\nlocal 10.0.0.1 dev eth0 table local proto kernel scope host\n"
                                          "8.0.0.0/8 via 10.0.0.7 dev eth0 mtu lock 1300\n9.0.0.0/8 dev eth1\n",
                              "-6 route": "default via fe80::1 dev eth0 proto ra metric 1024 expires 87sec pref medium\n"})
        self.assertEqual(routes.save(system, ["eth0"], []), {
            "-4": ["7.0.0.0/8 nexthop via 10.0.0.7 dev eth0 weight 2 nexthop via 10.0.0.8 dev eth1 weight 1",
                   "8.0.0.0/8 via 10.0.0.7 dev eth0 mtu lock 1300"],
            "-6": ["default via fe80::1 dev eth0 proto ra metric 1024 expires 87 pref medium"]})

    def test_one_command_that_ip_cannot_read_costs_no_other(self):
        given = []

        def run(*command: str, text: str = "") -> subprocess.CompletedProcess[str]:
            lines = text.splitlines()
            done = lines[:lines.index("route add bad")] if "route add bad" in lines else lines
            given.extend(done)
            said = "Command failed -:1\n" if "route add other" in done else ""
            return subprocess.CompletedProcess(command, len(done) != len(lines), "", said + ("Error: argument \"bad\" is wrong\n"
                                               if len(done) != len(lines) else ""))

        system = self.system({})
        object.__setattr__(system, "run", run)
        refused = iproute.batch(system, ("ip", "-4"), ["route add other", "route add one", "route add bad", "route add two",
                                                       "route add three"])
        self.assertLessEqual({"route add one", "route add two", "route add three"}, set(given))
        self.assertIn('`ip route add bad`: Error: argument "bad" is wrong', refused)

    def test_lease_is_not_added_by_hand(self):
        lease = {"family": "inet", "local": "10.0.0.5", "prefixlen": 24, "scope": "global", "valid_life_time": 500}
        system = self.system({})
        addresses.mend(system, "eth0", [lease], [], patient=False)
        self.assertEqual(system.asked, [])


class Tied(WithPrograms):
    """Rules and sets as nft 1.1 shows them."""

    IIF, OIF = {"meta": {"key": "iif"}}, {"fib": {"result": "oif", "flags": ["saddr"]}}
    TIED = (
        {"set": {"name": "s", "type": "iface_index", "elem": ["eth0"]}},
        {"set": {"name": "s", "type": {"typeof": IIF}, "elem": ["eth0"]}},
        {"set": {"name": "s", "type": {"typeof": {"concat": [IIF, {"payload": {"protocol": "ip", "field": "saddr"}}]}},
                 "elem": [{"concat": ["eth0", "10.0.0.1"]}]}},
        {"map": {"name": "s", "type": {"typeof": IIF}, "map": "verdict", "elem": [["eth0", {"accept": None}]]}},
        {"map": {"name": "s", "type": "mark", "map": "iface_index", "elem": [[1, "eth0"]]}},
        {"rule": {"expr": [{"match": {"op": "==", "left": IIF, "right": "eth0"}}]}},
        {"rule": {"expr": [{"match": {"op": "==", "left": OIF, "right": "eth0"}}]}},
        {"rule": {"expr": [{"match": {"op": "==", "left": {"meta": {"key": "sdif"}}, "right": "eth0"}}]}},
        {"rule": {"expr": [{"vmap": {"key": IIF, "data": {"set": [["eth0", {"accept": None}]]}}}]}},
        {"rule": {"expr": [{"fwd": {"dev": "eth0"}}]}}, {"rule": {"expr": [{"dup": {"addr": "eth0"}}]}},
        {"rule": {"expr": [{"dup": {"addr": "10.0.0.9", "dev": "eth0"}}]}},
        {"rule": {"expr": [{"fwd": {"dev": {"map": {"key": {"meta": {"key": "mark"}}, "data": {"set": [[1, "eth0"]]}}}}}]}},
    )
    FREE = (
        {"set": {"name": "s", "type": "ifname", "elem": ["eth0"]}}, {"rule": {"expr": [{"fwd": {"dev": "eth1"}}]}},
        {"rule": {"expr": [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}]}},
        {"rule": {"comment": "eth0", "expr": [{"match": {"op": "==", "left": IIF, "right": "eth1"}}]}},
        {"rule": {"expr": [{"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["saddr"]}}, "right": "local"}}]}},
    )

    def test_rules_that_know_the_number(self):
        for wanted, entries in ((True, self.TIED), (False, self.FREE)):
            for entry in entries:
                with self.subTest(entry=entry):
                    system = self.system({"list ruleset": json.dumps({"nftables": [entry]})})
                    self.assertEqual(tied.numbered(system, "eth0") is not None, wanted)


class Session(WithPrograms):
    """The origin of a session, by the processes above the command."""

    terminal = 34816    # of the command, 0 for none

    def processes(self, *above: tuple[str, bytes]) -> int:
        """Processes of these names and environments, each the parent of the next; the number of the last."""
        for number, (name, environment) in enumerate(above, start=2):
            folder = self.root / f"proc/{number}"
            folder.mkdir()
            (folder / "comm").write_text(f"{name}\n")
            (folder / "environ").write_bytes(environment)
            (folder / "stat").write_text(f"{number} ({name}) S 1 1 1 {self.terminal} 1\n")
            (folder / "status").write_text(f"Name:\t{name}\nPPid:\t{number - 1}\n")
            (folder / "cmdline").write_bytes(b"sshd: someone@pts/0" if name == "sshd" else name.encode())
        return len(above) + 1

    def through(self, pid: int, interface: str = "eth0") -> bool:
        (self.root / "sys/class/net/other/device").mkdir(parents=True, exist_ok=True)
        system = self.system({"route get": json.dumps([{"dst": "192.0.2.7", "dev": interface}]), "link show": "[]"})
        return remote.through(system, "eth0", pid)

    def test_console(self):
        self.assertFalse(self.through(self.processes(("login", b""), ("bash", b"HOME=/root"))))

    def test_sudo_takes_the_variable_away_from_the_command_only(self):
        pid = self.processes(("sshd", b""), ("bash", b"LANG=\xff\xfe\0SSH_CONNECTION=192.0.2.7 1 192.0.2.1 22"), ("sudo", b""), ("xenlro", b""))
        self.assertTrue(self.through(pid))
        self.assertTrue(self.through(pid, "wg0"))
        self.assertFalse(self.through(pid, "other"))

    def test_multiplexer_may_be_used_from_anywhere(self):
        self.assertFalse(self.through(self.processes(("tmux: server", b""), ("bash", b""))))
        self.assertTrue(self.through(self.processes_again(("sshd", b""), ("tmux: server", b""), ("bash", b""))))

    def test_unit_that_is_no_login(self):
        unit = b"HOME=/root\0INVOCATION_ID=5f"
        self.assertFalse(self.through(self.processes_again(("login", unit), ("bash", b""), ("xenlro", b""))))
        self.assertFalse(self.through(self.processes_again(("systemd", unit), ("bash", unit), ("sudo", unit),
                                                           ("xenlro", b"SUDO_USER=me"))))
        # `systemd-run --pty` and run0, and a command whose shell and sudo have ended.
        self.assertTrue(self.through(self.processes_again(("bash", unit), ("xenlro", unit))))
        self.assertTrue(self.through(self.processes_again(("xenlro", b""))))
        self.assertTrue(self.through(self.processes_again(("bash", b"SUDO_USER=me"), ("xenlro", b"SUDO_USER=me"))))

    def test_service_has_no_user_who_could_confirm(self):
        self.terminal = 0
        unit = b"HOME=/root\0INVOCATION_ID=5f"
        self.assertFalse(self.through(self.processes_again(("cron", unit), ("sh", unit), ("xenlro", unit))))
        self.assertTrue(self.through(self.processes_again(("bash", unit), ("xenlro", unit + b"\0SUDO_USER=me"))))

    def processes_again(self, *above: tuple[str, bytes]) -> int:
        for folder in (self.root / "proc").glob("[0-9]*"):
            shutil.rmtree(folder)
        return self.processes(*above)


class Detached(WithPrograms):
    def test_systemd_has_it_in_a_unit_of_its_own(self):
        system = self.system({})
        with mock.patch.object(subprocess, "Popen") as started:
            system.detach(["guard"], self.root / "log")
        started.assert_not_called()
        self.assertRegex(system.asked[0], r"^systemd-run --quiet --collect --unit=xenlro-guard-\d+ .*=Restart=on-failure .*append:\S+/log .* guard$")

    def test_where_there_is_no_systemd_it_has_a_session_of_its_own(self):
        system = System(self.root, "6.12.0-test")
        failed = subprocess.CompletedProcess([], 1, "", "System has not been booted with systemd")
        with mock.patch.object(System, "run", return_value=failed), mock.patch.object(subprocess, "Popen") as started:
            system.detach(["guard"], self.root / "log")
        self.assertTrue(started.call_args.kwargs["start_new_session"])


if __name__ == "__main__":
    unittest.main()
