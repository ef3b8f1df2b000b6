# SPDX-License-Identifier: GPL-2.0-only
"""What `xenlro status` and `xenlro watch` say first, and what they say is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from tests.tools.imitation import KERNEL  # noqa: E402  (needs that path)
from tests.tools.test_names import RULE  # noqa: E402
from tests.tools.test_xenlro import CARD, OnMachine  # noqa: E402
from xenlro import devices, drivers, words  # noqa: E402
from xenlro.system import System  # noqa: E402


class Said(OnMachine):
    """A machine whose files of the kernel's and of the packages can be set."""

    def setUp(self):
        super().setUp()
        (self.machine.root / "lib/modules" / KERNEL / "build").mkdir()

    def write(self, path: str, text: str) -> None:
        file = self.machine.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def answers(self) -> dict[str, list[str]]:
        """The lines of status by the question that they answer."""
        found = json.loads(self.xenlro("status", "--json"))["answers"]
        shown = [line for line in self.xenlro("status").split("\n\n")[0].splitlines()]
        self.assertEqual(shown, [f"{name + ':':<7} {line}" for name, lines in found.items() for line in lines])
        return found

    def wrong(self) -> str:
        return "\n".join(self.answers()["Wrong"])


class Answers(Said):
    def test_kinds_of_devices_that_are_missing_are_named_once(self):
        said = devices.nothing().split(" and ")
        self.assertEqual(len(said), len(set(said)))
        self.assertIn("no Xen vif", said)

    def test_questions_are_answered_first(self):
        self.xenlro("use", "eth0", "lro")
        self.xenlro("use", "vif-0", "lro")
        (self.machine.sys / "module/netfront_lro/parameters").mkdir(parents=True)
        (self.machine.sys / "module/netfront_lro/parameters/lro").write_text("0\n")
        self.machine.counted = {"packets": 200, "merged": 100, "aggregates": 5, "flush_psh": 4, "flush_full": 1,
                                "pass_syn": 90}
        said = self.answers()
        self.assertEqual(list(said), ["On", "Off", "Helps", "Wrong"])
        self.assertEqual(said["On"], ["eth0 (r8169_lro)"])
        self.assertEqual(said["Off"], ["eth1 (r8169), eth3 (netfront_lro with lro=0), eth4 (vif)"])
        self.assertEqual(said["Helps"], ["eth0: yes: 20.0 packets become one on average, which spares the stack 48% of 200 "
                                         "packets; aggregates end because the sender ends a message (PSH) (80 %), no more bytes fit (20 %)"])
        self.assertEqual(said["Wrong"], ["nothing"])

    def test_merging_that_ethtool_turned_off(self):
        self.xenlro("use", "eth0", "lro")
        self.machine.unmerged.add("eth0")
        said = self.answers()
        self.assertEqual(said["On"], ["nothing"])
        self.assertIn("eth0 (r8169_lro with rx-gro-hw off)", said["Off"][0])

    def test_traffic_that_does_not_merge_is_called_so(self):
        self.xenlro("use", "eth0", "lro")
        for counted, verdict in (({"packets": 100, "merged": 12, "aggregates": 4, "flush_poll": 96}, "eth0: a little: 3.0"),
                                 ({"packets": 1000, "merged": 12, "aggregates": 4, "flush_poll": 4}, "eth0: hardly, with"),
                                 ({"packets": 100}, "eth0: no: of 100 packets none"),
                                 ({"packets": 0}, "eth0: it has received nothing yet")):
            with self.subTest(verdict=verdict):
                self.machine.counted = counted
                self.assertIn(verdict, self.answers()["Helps"][0])

    def test_copies_that_br_linearize_spares_are_told(self):
        self.write("proc/net/br_linearize", "linearized 0\ninphase 7\ncopies_before 740\ncopies_after 185\n")
        self.assertEqual(self.answers()["Helps"], ["br_linearize: 555 of 740 copies of netback were saved (75%)"])

    def test_every_reason_of_the_engine_has_words(self):
        source = (TOP / "lro_core/reasons.h").read_text()
        self.assertEqual(set(re.findall(r'\bR\(\w+, "(\w+)"\)', source)), set(words.REASONS))


class Wrong(Said):
    def test_driver_that_is_older_than_the_kernel(self):
        self.machine.base = "6.12.107"
        self.write("proc/version", f"Linux version {KERNEL} (x@y) #1 SMP Debian 6.12.118-1 (2026-11-20)\n")
        said = self.wrong()
        self.assertIn("r8169_lro is made from the driver of Linux 6.12.107, and this kernel is 6.12.118", said)
        self.assertIn("install linux-source-6.12 and coccinelle, then run `dkms unbuild xenlro/1.0 -k", said)
        self.machine.base = "6.12.118"
        self.assertEqual(self.wrong(), "nothing")
        self.machine.base = "6.12.107"
        for banner in ("Linux version 6.12.0-test (x@y) #1 SMP\n", ""):
            self.write("proc/version", banner)
            self.assertEqual(self.wrong(), "nothing")
        self.write("proc/version_signature", "Ubuntu 6.12.0-9.9-generic 6.12.110\n")
        self.assertIn("this kernel is 6.12.110", self.wrong())

    def test_kernel_without_the_driver_is_no_fault_where_nothing_needs_it(self):
        for name in ("0000:00:03.0", "0000:00:04.0"):
            (self.machine.sys / "bus/pci/devices" / name / "class").write_text("0x010000\n")
        self.machine.built.discard("r8169_lro")
        self.write(f"boot/config-{KERNEL}", "CONFIG_XEN_NETDEV_FRONTEND=m\n# CONFIG_R8169 is not set\n")
        self.assertEqual(self.wrong(), "nothing")

    def test_why_a_module_is_not_built(self):
        self.choose(CARD)
        self.machine.built.clear()
        self.assertIn("its drivers are not packed for this series: install linux-source-6.12 and coccinelle", self.wrong())
        self.write("usr/src/xenlro-1.0/grafted/6.12/r8169_lro/r8169_main.c", "")
        self.assertIn(f"r8169_lro is not built for Linux {KERNEL}: run `dkms autoinstall`", self.wrong())
        self.write(f"boot/config-{KERNEL}", "CONFIG_XEN_NETDEV_FRONTEND=m\n# CONFIG_R8169 is not set\n")
        self.assertIn(f"r8169_lro cannot be built for Linux {KERNEL}, which has no CONFIG_R8169", self.wrong())
        (self.machine.root / "boot" / f"config-{KERNEL}").unlink()
        (self.machine.root / "lib/modules" / KERNEL / "build").rmdir()
        self.assertIn(f"install the headers of this kernel (linux-headers-{KERNEL})", self.wrong())
        object.__setattr__(self.machine, "kernel", "5.10.0-30-amd64")
        self.assertIn("the oldest kernel for it is 6.1", self.wrong())

    def test_card_that_was_given_to_a_guest(self):
        self.xenlro("use", "eth0", "lro")
        card = self.machine.sys / "bus/pci/devices" / CARD
        # `xl pci-assignable-add` takes the card from its driver, and pciback may not have it: it is tied to ours.
        (card / "driver").unlink()
        (card / "net/eth0").rmdir()
        (card / "driver_override").write_text("r8169_lro\n")
        self.assertIn(f"`xenlro use {CARD} stock && xl pci-assignable-add {CARD}` gives it to a guest", self.wrong())
        (card / "driver").symlink_to(self.machine.sys / "bus/pci/drivers/pciback")
        (card / "driver").resolve().mkdir()
        self.assertIn(f"`xl pci-assignable-remove -r {CARD}`", self.wrong())

    def test_mode_of_br_linearize_that_a_reboot_loses(self):
        parameters = self.machine.sys / "module/br_linearize/parameters"
        parameters.mkdir(parents=True)
        (parameters / "mode").write_text("auto\n")
        told = "the mode auto of br_linearize is gone with the next reboot"
        self.assertIn(told, self.wrong())
        self.write("etc/modprobe.d/br_linearize.conf", "options br_linearize mode=auto\n")
        self.assertIn(told, self.wrong())
        self.write("etc/modules-load.d/br_linearize.conf", "# A comment\nbr_linearize\n")
        self.assertEqual(self.wrong(), "nothing")
        self.write("etc/modprobe.d/br_linearize.conf", "options br_linearize mode=inphase\n")
        self.assertIn(told, self.wrong())

    def test_user_who_is_not_root_is_told_just_that(self):
        self.machine.broken["r8169_lro"] = "could not insert 'r8169_lro': Operation not permitted"
        with mock.patch.object(System, "privileged", False):
            said = self.xenlro("use", "eth0", "lro", code=3)
        self.assertIn("needs root", said)
        self.assertNotIn("Secure Boot", said)
        self.assertIn("Secure Boot", self.xenlro("use", "eth0", "lro", code=1))


class Watched(Said):
    def test_lines_are_plain_and_fit_a_terminal(self):
        self.xenlro("use", "eth0", "lro")
        self.machine.counted = {"packets": 10**5, "merged": 9 * 10**4, "aggregates": 10**3,
                                "flush_timestamp": 500, "flush_options": 400, "pass_tcp_checksum": 100}
        self.machine.growing = True
        said = self.xenlro("watch", "--interval", "0.01", "--count", "2")
        lines = said.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertNotIn("\33", said)
        self.assertRegex(lines[1], r"^eth0 +\d+ +\d+ +90\.0  flush_timestamp 50 flush_options 40")


class BackEnds(Said):
    """A driver domain, whose guests all have the same back end."""

    HOW = ("while no guest has an interface, by `modprobe -r xen-netback` and `modprobe netback_lro`; `echo softdep "
           "xen-netback pre: netback_lro >/etc/modprobe.d/netback_lro.conf` does so at each boot")

    def setUp(self):
        super().setUp()
        self.machine.add("xen-backend", "vif-1-0", "vif1.0", "vif")
        self.machine.add("xen-backend", "vif-2-0", "vif2.0", "vif")
        # A disk is not for netback.
        self.machine.add("xen-backend", "vbd-1-51712", "none", None)

    def test_status_says_which_module_serves_guests(self):
        self.assertEqual(self.answers()["Guests"], ["vif1.0 vif2.0 (xen-netback)"])
        self.assertEqual(self.wrong(), "nothing")
        self.machine.add("xen-backend", "vif-3-0", "vif3.0", None)
        self.assertEqual(self.answers()["Guests"], ["vif-3-0 (no driver), vif1.0 vif2.0 (xen-netback)"])
        found = json.loads(self.xenlro("status", "--json"))
        self.assertEqual([entry["module"] for entry in found["back_ends"]], ["xen-netback", "xen-netback", None])
        self.assertNotIn("vif-1-0", [entry["device"] for entry in found["devices"]])

    def test_status_is_silent_where_there_are_no_guests(self):
        for name in ("vif-1-0", "vif-2-0"):
            (self.machine.sys / "bus/xen-backend/devices" / name).rename(self.machine.root / name)
        self.assertNotIn("Guests", self.answers())

    def test_module_that_came_second_is_told(self):
        (self.machine.sys / "module/netback_lro").mkdir(parents=True)
        self.assertEqual(self.wrong(), "vif1.0, vif2.0 stays with xen-netback although netback_lro is loaded, because "
                                       f"xen-netback was loaded first: {self.HOW}")

    def test_module_that_did_not_come_is_told(self):
        self.write("etc/modprobe.d/netback_lro.conf", "softdep xen_netback pre: netback_lro\n")
        self.assertEqual(self.wrong(), "vif1.0, vif2.0 is served by xen-netback although modprobe's configuration asks for "
                                       f"netback_lro first: `modprobe netback_lro` says why, or {self.HOW}")

    def test_back_ends_change_together(self):
        for name in ("vif1.0", "vif-2-0"):
            self.assertIn(f"{name} is a back end: it changes with all others of this machine, {self.HOW}",
                          self.xenlro("use", name, "lro", code=2))

class VifOffloads(Said):
    """A driver domain with a guest, whose vif takes aggregates with one identification once a device is chosen."""

    ON, OFF = (f"tx-tcp-mangleid-segmentation {word}" for word in ("on", "off"))

    def setUp(self):
        super().setUp()
        self.machine.add("xen-backend", "vif-1-0", "vif1.0", "vif")
        # A guest whose back end has no driver, so no interface.
        self.machine.add("xen-backend", "vif-2-0", "vif2.0", None)

    def asked(self, interface: str = "vif1.0") -> list[str]:
        file = self.machine.root / f"offloads-{interface}"
        return file.read_text().splitlines() if file.exists() else []

    def test_follow_the_first_choice_and_the_last(self):
        self.xenlro("use", "eth0", "lro", "--at-boot")
        self.assertEqual(self.asked(), [])
        self.xenlro("use", "eth0", "lro")
        self.xenlro("use", "vif-0", "lro")
        self.xenlro("use", "eth0", "stock")
        self.assertEqual(set(self.asked()), {self.ON})
        self.xenlro("use", "vif-0", "stock")
        self.assertEqual(self.asked()[-1], self.OFF)
        self.assertEqual(self.asked("vif2.0"), [])

    def test_interface_that_appears(self):
        self.xenlro("vif", "vif1.0")
        self.assertEqual(self.asked(), [])
        self.choose(CARD)
        self.xenlro("vif", "vif1.0")
        self.assertEqual(self.asked(), [self.ON])

    def test_forbidden(self):
        self.write("etc/xenlro/leave-vifs", "")
        self.xenlro("use", "eth0", "lro")
        self.xenlro("vif", "vif1.0")
        self.xenlro("use", "eth0", "stock")
        self.assertEqual(self.asked(), [])

    def test_rule_runs_the_command(self):
        rule, = (line for line in RULE.read_text().splitlines() if "xen-backend" in line)
        self.assertIn('SUBSYSTEM=="net"', rule)
        self.assertIn('RUN+="/usr/sbin/xenlro vif %k"', rule)
        self.assertIn('TEST!="/etc/xenlro/leave-vifs"', rule)


class Drivers(Said):
    def test_what_graft_toml_says_is_what_the_kernel_calls_its_drivers(self):
        self.assertEqual({bus.ours: (bus.name, bus.stock, bus.stock_driver) for bus in drivers.known()
                          if bus.ours in ("r8169_lro", "netfront_lro")},
                         {"r8169_lro": ("pci", "r8169", "r8169"), "netfront_lro": ("xen", "xen-netfront", "vif")})


class Completed(Said):
    def test_devices_that_bash_offers_are_those_of_every_driver(self):
        # Which back end serves a guest is not chosen by that.
        self.machine.add("xen-backend", "vif-1-0", "vif1.0", "vif")
        grafts = self.machine.root / "grafts"
        grafts.mkdir()
        for path in TOP.glob("*/graft.toml"):
            (grafts / f"{path.parent.name}.toml").write_text(path.read_text())
        drivers_of = self.machine.sys / "bus"
        for bus, driver, name in (("pci", "r8169", CARD), ("xen", "vif", "vif-0"), ("xen-backend", "vif", "vif-1-0")):
            (drivers_of / bus / "drivers" / driver / name).symlink_to(drivers_of / bus / "devices" / name)
        script = (f"source {TOP}/packaging/xenlro.bash-completion; COMP_WORDS=(xenlro use ''); COMP_CWORD=2; _xenlro; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True,
                              env={**os.environ, "XENLRO_GRAFTS": str(grafts), "XENLRO_SYS": str(self.machine.sys)})
        self.assertEqual(set(done.stdout.split()), {CARD, "eth0", "vif-0", "eth3"})
