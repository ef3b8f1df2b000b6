# SPDX-License-Identifier: GPL-2.0-only
"""A change that does not succeed, is cut off or is not confirmed: the old driver and the old network come back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from tests.network.host import CARD, TOP
from tests.network.namespaces import OURS, STOCK, OnHost

BY_SSH = {"SSH_CONNECTION": "10.0.0.1 50022 10.0.0.5 22"}
# What ip refuses with our driver only; as root it refuses nothing of its own accord.
REFUSING_IP = """\
#!/bin/sh
for word; do
	if [ "$word" = -batch ] && [ "$(basename "$(readlink -f "$HOST/sys/bus/pci/devices/0000:00:03.0/driver")")" = r8169_lro ]; then
		sed 's/^route .*/route add 10.0.0.0 nonsense/' | ip "$@"
		exit
	fi
done
exec ip "$@"
"""


class Back(OnHost):
    def setUp(self):
        super().setUp()
        self.configure("address add 10.0.0.5/24 dev eth0", "route add default via 10.0.0.1", "address add fd00::5/64 dev eth0",
                       "rule add from 10.0.0.5 lookup 7", "link property add dev eth0 altname uplink")
        self.before = self.state()

    def is_back(self, driver: str | None = STOCK) -> None:
        """Nothing is lost, and the choice was not kept."""
        self.assertEqual(self.driver(), driver)
        self.assertFalse(self.chosen())
        self.assertEqual(self.lost(self.before), [])

    def fails(self, wanted: str, **behaviour) -> str:
        self.behave(**behaviour)
        said = self.xenlro("use", "eth0", "lro", code=1)
        self.assertIn(wanted, said)
        self.is_back()
        return said


class Failed(Back):
    def test_driver_that_binds_nothing(self):
        self.assertIn("so eth0 is served by r8169 again, with its configuration as it was",
                      self.fails("although r8169_lro was requested", deaf=[OURS]))

    def test_driver_that_makes_no_interface(self):
        self.fails("no interface appeared within 1 s", mute=[OURS])

    def test_link_that_does_not_come_up(self):
        self.fails("eth0 has no carrier", dark=[OURS])

    def test_gateway_that_does_not_answer_any_more(self):
        self.fails("the gateway 10.0.0.1 does not answer",
                   at={"probed": {"run": f"ip -n {self.gateway_space} address del 10.0.0.1/24 dev lan"},
                       "unbind 2": {"run": f"ip -n {self.gateway_space} address add 10.0.0.1/24 dev lan"}})

    def test_gateway_that_never_answered_does_not_count(self):
        self.gateway("address del 10.0.0.1/24 dev lan")
        self.xenlro("use", "eth0", "lro")
        self.assertEqual(self.driver(), OURS)

    def test_ip_that_refuses_some_of_the_commands(self):
        (self.root / "bin/ip").write_text(REFUSING_IP)
        (self.root / "bin/ip").chmod(0o755)
        said = self.fails("the route 'default via 10.0.0.1 dev eth0' is missing")
        self.assertIn("nonsense", said)

    def test_neither_driver_makes_an_interface(self):
        self.behave(mute=[OURS, STOCK])
        said = self.xenlro("use", "eth0", "lro", code=1)
        self.assertIn("and this is not as it was: r8169 serves 0000:00:03.0, and no interface appeared", said)
        # When the driver works again, the next attempt has what the first one saved.
        self.behave()
        (self.root / "sys/bus/pci/devices" / CARD / "driver").unlink()
        self.xenlro("use", CARD, "stock")
        self.is_back()

    def test_stock_driver_that_is_a_part_of_the_kernel(self):
        """No alias names it, so that a card without a driver tells nothing of itself."""
        modules = self.root / "lib/modules/6.12.0-test"
        (modules / "modules.alias").write_text("")
        self.fails("although r8169_lro was requested", deaf=[OURS])
        (modules / "modules.builtin.modinfo").write_text("r8169.license=GPL\0r8169.alias=pci:v000010ECd00008168sv*sd*bc*sc*i*\0")
        (self.root / "run/xenlro/switch.json").unlink()
        (self.root / "sys/bus/pci/devices" / CARD / "driver").unlink()
        self.assertIn(f"{CARD}  eth0       none", self.xenlro("status"))

    def test_module_that_cannot_be_loaded_touches_nothing(self):
        self.behave(loaded={OURS: "modprobe: ERROR: could not insert 'r8169_lro': Key was rejected by service"})
        self.assertIn("mokutil", self.xenlro("use", "eth0", "lro", code=1))
        self.assertNotIn("unbind", self.steps())
        self.is_back()


class Interrupted(Back):
    """Signals to each process at each step. What ends one of them must not end the network."""

    def survives(self, step: str, number: str, to: str) -> None:
        with self.subTest(step=step, signal=number, to=to):
            self.behave(at={step: {"signal": number, "to": to}})
            started = self.start("use", "eth0", "lro")
            said, _ = started.communicate(timeout=600)
            self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] in ("done", "back"))
            self.assertIn(step, self.steps())
            self.assertEqual(self.lost(self.before), [], said)
            self.assertEqual(self.driver(), OURS if self.chosen() else STOCK, said)
            if number != "KILL":
                self.assertEqual((started.returncode, self.driver()), (0, OURS), said)
            # For the next one.
            self.behave()
            self.xenlro("use", "eth0", "stock")
            (self.root / "steps").unlink()

    def test_key_and_hangup_wait(self):
        self.survives("unbound", "INT", "all")
        self.survives("unbound", "HUP", "all")

    def test_end_and_closed_pipe_wait(self):
        self.survives("probed", "TERM", "all")
        self.survives("ip -batch", "PIPE", "all")

    def test_other_keys_wait(self):
        self.survives("unbind", "QUIT", "all")
        self.survives("probe", "TSTP", "all")

    def test_worker_that_is_killed_before_the_interface_goes(self):
        self.survives("unbind", "KILL", "worker")

    def test_worker_that_is_killed_without_an_interface(self):
        self.survives("unbound", "KILL", "worker")

    def test_worker_that_is_killed_before_and_in_configuring(self):
        self.survives("probed", "KILL", "worker")
        self.survives("ip -batch", "KILL", "worker")

    def test_guard_that_is_killed(self):
        self.survives("unbound", "KILL", "guard")

    def test_guard_that_is_killed_while_the_worker_takes_long(self):
        self.behave(at={"unbound": {"signal": "KILL", "to": "guard"}, "probed": {"run": "sleep 5"}},
                    limits={"guard.STARTS_WITHIN": 2.0})
        said = self.xenlro("use", "eth0", "lro")
        self.assertIn("is served by r8169_lro, now and after a reboot", said)
        self.assertEqual((self.driver(), self.chosen(), self.lost(self.before)), (OURS, True, []))

    def test_user_who_is_killed(self):
        self.survives("unbound", "KILL", "front")

    def test_all_that_the_session_has_is_killed(self):
        self.survives("probed", "KILL", "front guard")

    def test_both_that_work_are_killed(self):
        self.survives("unbound", "KILL", "guard worker")

    def test_key_goes_to_the_whole_group(self):
        self.behave(at={"unbound": {"run": "sleep 2"}})
        started = self.start("use", "eth0", "lro", start_new_session=True)
        self.until(lambda: "unbound" in self.steps())
        os.killpg(started.pid, signal.SIGINT)
        said, _ = started.communicate(timeout=600)
        self.assertEqual(started.returncode, 0, said)
        self.assertIn("wait for its end", said)
        self.assertEqual((self.driver(), self.lost(self.before)), (OURS, []))

    def test_all_processes_are_killed_and_the_next_command_mends(self):
        self.behave(at={"unbound": {"signal": "KILL", "to": "all"}})
        self.start("use", "eth0", "lro").communicate(timeout=600)
        self.assertIsNone(self.driver())
        # The last of them may take a moment to be gone.
        self.until(lambda: "was cut off: `xenlro use 0000:00:03.0 stock`" in self.xenlro("status"))
        self.xenlro("use", "0000:00:03.0", "stock")
        self.is_back()

    def test_switch_of_another_device_that_was_cut_off(self):
        cut_off = {"device": "0000:00:09.0", "wanted": OURS, "former": STOCK, "ours": True, "confirm": False,
                   "interface": "eth9", "phase": "switching", "before": {"name": "eth9"}, "guard": "999999 1"}
        path = self.root / "run/xenlro/switch.json"
        path.parent.mkdir(parents=True)
        other = self.root / "sys/bus/pci/devices/0000:00:09.0"
        other.mkdir()
        for phase, wanted in (("switching", "run `xenlro use 0000:00:09.0 stock` first\n"), ("waiting", "or `xenlro confirm`")):
            path.write_text(json.dumps(cut_off | {"phase": phase}))
            self.assertIn(wanted, self.xenlro("use", "eth0", "lro", code=1))
            self.assertEqual(json.loads(path.read_text())["before"], {"name": "eth9"})
        self.is_back()
        # A card that was pulled keeps no other one from a change.
        other.rmdir()
        self.xenlro("use", "eth0", "lro")

    def test_two_at_a_time(self):
        self.behave(at={"unbound": {"run": f"until test -e {self.root}/go; do sleep 0.1; done"}})
        first = self.start("use", "eth0", "lro")
        self.until(lambda: "unbound" in self.steps())
        self.assertIn("under way", self.xenlro("use", "0000:00:03.0", "stock", code=1))
        (self.root / "go").touch()
        self.assertEqual((first.communicate(timeout=600)[0].count("served by"), first.returncode), (1, 0))
        self.assertEqual((self.driver(), self.lost(self.before)), (OURS, []))


class Confirmed(Back):
    def start_by_ssh(self, **behaviour) -> str:
        self.behave(**behaviour)
        said = self.xenlro("use", "eth0", "lro", environment=BY_SSH)
        self.assertIn("run `xenlro confirm` within", said)
        self.assertFalse(self.chosen())
        return said

    def test_it_is_kept_when_the_user_confirms(self):
        self.start_by_ssh(limits={"switch.CONFIRM_WITHIN": 600.0})
        self.assertEqual(self.driver(), OURS)
        self.root.parent.chmod(0o755)
        for environment in (None, {"XENLRO_AS": "65534"}):
            self.assertIn("is not kept yet", self.xenlro("status", environment=environment))
        self.assertIn("waits: run `xenlro confirm`", self.xenlro("use", "eth0", "lro", code=1))
        self.assertIn("is served by r8169_lro, now and after a reboot", self.xenlro("confirm"))
        self.assertTrue(self.chosen())
        self.assertEqual((self.driver(), self.lost(self.before)), (OURS, []))
        self.assertIn("no switch waits", self.xenlro("confirm", code=1))

    def test_it_goes_back_when_nobody_does(self):
        self.start_by_ssh()
        self.until(lambda: self.driver() == STOCK)
        self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] == "back")
        self.is_back()
        self.assertIn("was not confirmed within", self.xenlro("confirm", code=1))
        self.assertIn("the last switch did not succeed: the switch to", self.xenlro("status"))

    def test_guard_that_is_killed_while_it_waits(self):
        for confirmed in (False, True):
            self.start_by_ssh(limits={"switch.CONFIRM_WITHIN": 600.0 if confirmed else 15.0})
            for _ in range(2):
                killed = self.guard()
                # Its second process is there from the first look on.
                self.until(lambda: Path(f"/proc/{killed}/task/{killed}/children").read_text().split())
                os.kill(killed, signal.SIGKILL)
                self.until(lambda: self.guard() != killed)
            if confirmed:
                self.xenlro("confirm")
                self.assertEqual((self.driver(), self.chosen(), self.lost(self.before)), (OURS, True, []))
            else:
                self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] == "back", 60)
                self.is_back()

    def test_guard_that_is_killed_while_it_goes_back(self):
        self.start_by_ssh(at={"unbound 2": {"signal": "KILL", "to": "guard"}}, limits={"switch.CONFIRM_WITHIN": 1.0})
        self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] == "back", 60)
        self.is_back()
        # Nobody is left but the second process: the working one is killed first, then the other two.
        self.behave(at={"unbound 3": {"signal": "KILL", "to": "worker"}, "probe 3": {"signal": "KILL", "to": "front guard"}})
        self.start("use", "eth0", "lro").communicate(timeout=600)
        self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] == "back", 60)
        self.is_back()

    def guard(self) -> int:
        return int(json.loads((self.root / "run/xenlro/switch.json").read_text())["guard"].split()[0])

    def test_second_process_of_a_guard_that_waits_is_killed(self):
        self.start_by_ssh(limits={"switch.CONFIRM_WITHIN": 20.0})
        children = Path(f"/proc/{self.guard()}/task/{self.guard()}/children")
        self.until(lambda: children.read_text().split())
        killed = children.read_text().split()[0]
        os.kill(int(killed), signal.SIGKILL)
        self.until(lambda: children.read_text().split() and children.read_text().split()[0] != killed)
        self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] == "back", 60)
        self.is_back()

    def test_it_goes_back_when_the_session_dies_in_the_middle(self):
        self.behave(at={"unbound": {"run": "sleep 1"}})
        started = self.start("use", "eth0", "lro", environment=BY_SSH, start_new_session=True)
        self.until(lambda: "unbound" in self.steps())
        # As sudo and sshd do: first the hangup, then the end of all that belongs to the session.
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
            os.killpg(started.pid, number)
            time.sleep(0.1)
        started.communicate(timeout=600)
        self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] == "back")
        self.is_back()

    def test_session_below_sudo_is_one_by_ssh_too(self):
        script = "unset SSH_CONNECTION; exec env -u SSH_CONNECTION \"$@\" & wait $!"
        with self.under("sh", "-c", script, "sh") as started:
            said, _ = started.communicate(timeout=600)
        self.assertIn("run `xenlro confirm` within", said)

    def test_session_of_a_web_console_is_one_from_another_machine(self):
        for host in ("10.0.0.1", "laptop.example.org"):
            (self.root / "bin/loginctl").write_text(f"#!/bin/sh\ntest \"$2\" = 7 && printf 'Remote=yes\\nRemoteHost={host}\\n'\n")
            (self.root / "bin/loginctl").chmod(0o755)
            said = self.xenlro("use", "eth0", "lro", environment={"XDG_SESSION_ID": "7"})
            self.assertIn("run `xenlro confirm` within", said)
            self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] == "back")

    def under(self, *wrapper: str):
        """`xenlro use` started by a program of a session by ssh."""
        return subprocess.Popen(["ip", "netns", "exec", self.host_space, *wrapper, sys.executable, "-m", "tests.network.host",
                                 str(self.root), "use", "eth0", "lro"], cwd=TOP, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=dict(os.environ) | BY_SSH)

    def test_console_and_another_way_need_none(self):
        self.second_way()
        for environment, options in ((BY_SSH, ("--now",)), ({"SSH_CONNECTION": "10.50.0.9 1 10.50.0.5 22"}, ()), ({}, ())):
            self.xenlro("use", "eth0", "lro", *options, environment=environment)
            self.assertTrue(self.chosen())
            self.xenlro("use", "eth0", "stock", "--now")

    def second_way(self) -> None:
        """A bridge of another card, with the default route; packets from eth0's address go by eth0."""
        self.configure("link add other type bridge", "link add p1 type veth peer name p2", "link set p1 master other up",
                       "link set p2 up", "link set other up", "address add 10.50.0.5/24 dev other", "route del default",
                       "route add default via 10.50.0.1", "route add default via 10.0.0.1 dev eth0 table 100",
                       "rule add from 10.0.0.5 table 100")

    def test_way_that_goes_by_more_than_the_other_end(self):
        self.second_way()
        # The bridge's network of the link is looked up first.
        self.on_host("ip", "-6", "route", "flush", "fe80::/64")
        self.configure("-6 route add fe80::/64 dev other proto kernel metric 200", "-6 route add fe80::/64 dev eth0 proto kernel")
        link_local = "fe80::5054:ff:feaa:bb01%eth0"
        for origin in ({"SSH_CONNECTION": "203.0.113.9 50022 10.0.0.5 22"}, {"SSH_CONNECTION": f"fe80::1%eth0 1 {link_local} 22"},
                       {"SSH_CONNECTION": "127.0.0.1 50022 127.0.0.1 22"}, {"SSH_CONNECTION": "::1 50022 ::1 22"},
                       {"SSH_CONNECTION": "10.50.0.5 50022 10.50.0.5 22"}, {"SUDO_USER": "me", "XDG_SESSION_ID": "c7"}):
            with self.subTest(origin=origin):
                self.behave(limits={"switch.CONFIRM_WITHIN": 0.1})
                self.assertIn("run `xenlro confirm` within", self.xenlro("use", "eth0", "lro", environment=origin))
                self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] == "back")

    def test_bridge_is_a_way_through_the_card(self):
        self.configure("address del 10.0.0.5/24 dev eth0", "link add br0 type bridge", "link set br0 up",
                       "link set eth0 master br0", "address add 10.0.0.5/24 dev br0", "route add default via 10.0.0.1 dev br0")
        self.before = self.state()
        self.start_by_ssh()
        self.until(lambda: json.loads((self.root / "run/xenlro/switch.json").read_text())["phase"] == "back")
        self.is_back()

    def test_at_boot_changes_nothing_now(self):
        said = self.xenlro("use", "eth0", "lro", "--at-boot", environment=BY_SSH)
        self.assertIn("from the next boot on", said)
        self.assertEqual((self.driver(), self.chosen(), self.steps()), (STOCK, True, []))
        self.assertEqual(self.lost(self.before), [])
        self.xenlro("use", "eth0", "stock", "--at-boot")
        self.is_back()


if __name__ == "__main__":
    unittest.main()
