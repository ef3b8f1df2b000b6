# SPDX-License-Identifier: GPL-2.0-only
"""The command xenlro: choosing drivers, falling back, and its output."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from tests.tools.imitation import KERNEL, OTHER, Machine  # noqa: E402  (needs that path)
from xenlro import bind, choices, devices, guard, modules, network, order, remote  # noqa: E402
from xenlro.cli import main  # noqa: E402
from xenlro.order import Order  # noqa: E402

CARD, SECOND = "0000:00:03.0", "0000:00:04.0"


class OnMachine(unittest.TestCase):
    """A machine with two Realtek cards, one of another make, and two vifs."""

    def setUp(self):
        self.machine = Machine(Path(self.enterContext(tempfile.TemporaryDirectory())))
        self.machine.add("pci", CARD, "eth0", "r8169")
        self.machine.add("pci", SECOND, "eth1", "r8169")
        self.machine.add("pci", "0000:00:05.0", "eth2", None, OTHER)
        self.machine.add("xen", "vif-0", "eth3", "vif")
        self.machine.add("xen", "vif-1", "eth4", "vif")
        for module, limit in ((bind, "BOUND_WITHIN"), (network, "APPEARS_WITHIN")):
            self.enterContext(mock.patch.object(module, limit, 0.2))

    def xenlro(self, *arguments: str, code: int = 0) -> str:
        """Output of a command, whose exit code has to be `code`."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                got = main(arguments, self.machine)
            except SystemExit as ended:
                got = ended.code
        self.assertEqual(got, code, out.getvalue())
        return out.getvalue()

    def choose(self, name: str) -> None:
        """Write the user's choice, as a boot finds it."""
        choices.remember(self.machine, devices.named(self.machine, name), True)

    def drivers(self) -> list[str | None]:
        return [self.machine.driver(bus, name) for bus, name in
                (("pci", CARD), ("pci", SECOND), ("xen", "vif-0"), ("xen", "vif-1"))]


class Use(OnMachine):
    def test_one_card_of_two_changes(self):
        self.assertIn("served by r8169_lro", self.xenlro("use", "eth0", "lro"))
        self.assertEqual(self.drivers(), ["r8169_lro", "r8169", "vif", "vif"])
        self.assertTrue((self.machine.choices / CARD).exists())
        self.xenlro("use", CARD, "stock")
        self.assertEqual(self.drivers(), ["r8169", "r8169", "vif", "vif"])
        self.assertFalse((self.machine.choices / CARD).exists())

    def slow_guard(self) -> contextlib.ExitStack:
        """Make the process that carries out a switch hold the lock until the next command has met it."""
        tried, front, work, lock = self.machine.root / "tried", os.getpid(), guard._work, fcntl.flock

        def slow(*arguments) -> None:
            tried.unlink(missing_ok=True)
            work(*arguments)
            while self.machine.root.exists() and not tried.exists():
                time.sleep(0.02)

        def told(file: int, how: int) -> None:
            try:
                lock(file, how)
            except BlockingIOError:
                if os.getpid() == front:
                    tried.touch()
                raise
        patched = contextlib.ExitStack()
        patched.enter_context(mock.patch.object(guard, "_work", slow))
        patched.enter_context(mock.patch.object(fcntl, "flock", told))
        return patched

    def test_second_card_right_after_the_first(self):
        with self.slow_guard():
            for name in ("eth0", "eth1"):
                self.xenlro("use", name, "lro")
            # Nothing changes, and the choice is written.
            self.xenlro("use", "eth0", "lro")
        self.assertEqual(self.drivers()[:2], ["r8169_lro", "r8169_lro"])

    def test_confirmation_right_after_the_switch(self):
        with self.slow_guard(), mock.patch.object(remote, "through", return_value=True):
            self.assertIn("is not kept yet", self.xenlro("use", "eth0", "lro"))
            self.xenlro("confirm")
        self.assertTrue((self.machine.choices / CARD).exists())

    def test_two_cards_at_the_same_time(self):
        """The second order must not take the place of the first, which no process works at yet."""
        first = Order(CARD, "r8169_lro", "r8169", True, False, "eth0", front=order.process(os.getpid()))
        order.write(self.machine, first)
        self.assertIn("under way", self.xenlro("use", "eth1", "lro", code=1))
        self.assertEqual(order.read(self.machine), first)
        # Its user was killed before the process began.
        first.front = "1 0"
        order.write(self.machine, first)
        self.xenlro("use", "eth1", "lro")

    def test_one_vif_of_two_changes(self):
        self.xenlro("use", "vif-1", "lro")
        self.assertEqual(self.drivers(), ["r8169", "r8169", "vif", "netfront_lro"])
        self.xenlro("use", "eth4", "stock")
        self.assertEqual(self.drivers(), ["r8169", "r8169", "vif", "vif"])

    def test_module_that_cannot_load_touches_nothing(self):
        for said, wanted in (("could not insert 'r8169_lro': Key was rejected by service", "mokutil --import"),
                             ("could not insert 'r8169_lro': Exec format error", "dkms autoinstall"),
                             ("Module r8169_lro not found in directory", "linux-headers-"),
                             ("could not insert 'r8169_lro': Invalid argument", "/etc/modprobe.d")):
            with self.subTest(said=said):
                self.machine.broken["r8169_lro"] = f"FATAL: {said}"
                self.assertIn(wanted, self.xenlro("use", "eth0", "lro", code=1))
                self.assertEqual(self.machine.driver("pci", CARD), "r8169")
                self.assertEqual((self.machine.sys / "bus/pci/devices" / CARD / "driver_override").read_text(), "(null)\n")
                self.assertFalse((self.machine.choices / CARD).exists())

    def test_driver_that_does_not_bind_gives_the_device_back(self):
        self.machine.deaf.update({"r8169_lro", "netfront_lro"})
        for name in ("eth0", "vif-0"):
            self.assertIn("see `dmesg`", self.xenlro("use", name, "lro", code=1))
        self.assertEqual(self.drivers(), ["r8169", "r8169", "vif", "vif"])

    def test_card_that_another_driver_has_is_not_taken(self):
        card = self.machine.sys / "bus/pci/devices" / CARD
        (card / "driver").unlink()
        (card / "driver").symlink_to(self.machine.sys / "bus/pci/drivers/pciback")
        (card / "driver").resolve().mkdir()
        self.assertIn("is busy: pciback has it", self.xenlro("use", CARD, "lro", code=1))
        self.choose(CARD)
        self.assertIn("xl pci-assignable-remove", self.xenlro("apply", CARD, code=1))
        self.assertEqual(self.machine.driver("pci", CARD), "pciback")

    def test_misspelt_parameter_is_named(self):
        options = self.machine.root / "etc/modprobe.d/typo.conf"
        options.parent.mkdir(parents=True, exist_ok=True)
        options.write_text("# options r8169_lro xyz=1\noptions r8169_lro hold-us=30 lor=2\noptions r8169 debug=1\n")
        wanted = "typo.conf sets 'lor', which r8169_lro does not have: correct it to one of lro, hold_us"
        self.assertIn(wanted, self.xenlro("use", "eth0", "lro"))
        self.assertIn(wanted, self.xenlro("status"))
        options.write_text("options r8169_lro hold_us=30 lro=2\n")
        self.assertIn("Wrong:  nothing", self.xenlro("status"))

    def test_options_of_the_stock_driver_are_named(self):
        options = self.machine.root / "etc/modprobe.d/card.conf"
        options.parent.mkdir(parents=True, exist_ok=True)
        options.write_text("# options r8169 eee=0\noptions r8169 debug=16\noptions xen_netfront max_queues=1\n")
        for name, words in (("eth0", ()), ("eth1", ("--at-boot",))):
            self.assertIn("card.conf sets 'debug' of r8169, which r8169_lro does not get", self.xenlro("use", name, "lro", *words))
        self.assertIn("card.conf sets 'max_queues' of xen-netfront", self.xenlro("use", "vif-0", "lro"))
        self.assertNotIn("Note", self.xenlro("use", "eth0", "stock"))
        with options.open("a") as file:
            print("options r8169_lro debug=16", file=file)
        self.assertNotIn("does not get", self.xenlro("use", "eth0", "lro"))
        (self.machine.root / "proc").mkdir(exist_ok=True)
        (self.machine.root / "proc/cmdline").write_text("quiet r8169.use_dac=1\n")
        self.assertIn("the kernel's command line sets 'use_dac' of r8169", self.xenlro("use", "eth0", "lro"))

    def test_unknown_device_lists_what_there_is(self):
        said = self.xenlro("use", "eth2", "lro", code=2)
        self.assertIn(CARD, said)
        self.assertIn("vif-1", said)
        self.xenlro("use", "eth0", "fast", code=2)


class Apply(OnMachine):
    def test_chosen_card_gets_its_driver(self):
        self.choose(CARD)
        self.xenlro("apply", CARD)
        self.xenlro("apply", SECOND)
        self.assertEqual(self.drivers(), ["r8169_lro", "r8169", "vif", "vif"])

    def test_card_is_served_by_stock_when_ours_cannot_load(self):
        card = self.machine.add("pci", "0000:00:06.0", "eth6", None)
        # As udev's rule leaves it.
        (card / "driver_override").write_text("r8169_lro\n")
        self.choose(card.name)
        self.machine.broken["r8169_lro"] = "FATAL: Module r8169_lro not found"
        self.xenlro("apply", card.name, code=1)
        self.assertEqual(self.machine.driver("pci", card.name), "r8169")

    def test_vif_that_was_not_chosen_stays_with_stock(self):
        self.machine.add("xen", "vif-2", "eth7", None)
        self.machine.add("xen", "vif-3", "eth8", None)
        self.choose("vif-3")
        self.xenlro("apply", "vif-3")
        self.assertEqual([self.machine.driver("xen", f"vif-{n}") for n in range(4)],
                         ["vif", "vif", "vif", "netfront_lro"])

    def test_vif_that_ours_took_without_a_choice_goes_back(self):
        self.machine.add("xen", "vif-2", "eth7", "netfront_lro")
        self.xenlro("apply", "vif-2")
        self.assertEqual(self.machine.driver("xen", "vif-2"), "vif")

    def test_card_given_by_hand_stays_when_another_device_appears(self):
        self.xenlro("use", "eth1", "lro")
        (self.machine.choices / SECOND).unlink()
        self.machine.add("xen", "vif-2", "eth7", None)
        for name in (CARD, "vif-2"):
            self.choose(name)
            self.xenlro("apply", name)
            self.assertEqual(self.machine.driver("pci", SECOND), "r8169_lro")

    def test_device_that_is_gone_is_no_error(self):
        self.xenlro("apply", "vif-9")


class Shown(OnMachine):
    def test_status(self):
        self.xenlro("use", "eth0", "lro")
        report = json.loads(self.xenlro("status", "--json"))
        first = report["devices"][0]
        self.assertEqual((first["device"], first["driver"], first["chosen"], first["lro_ratio"]),
                         (CARD, "r8169_lro", "lro", 20.0))
        self.assertEqual([entry["interface"] for entry in report["devices"]], ["eth0", "eth1", "eth3", "eth4"])
        text = self.xenlro("status")
        self.assertIn("20.0", text)
        self.assertIn("Wrong:  nothing", text)

    def test_status_says_why_a_choice_is_not_in_force(self):
        self.choose(SECOND)
        told = f"Wrong:  {SECOND} is served by r8169 although lro is chosen: "
        self.assertIn(f"{told}`xenlro use {SECOND} lro` says why", self.xenlro("status"))
        self.machine.built.clear()
        self.assertIn(f"{told}r8169_lro is not built for Linux {KERNEL}: install the headers", self.xenlro("status"))

    def kernel_says(self, path: str, value: str | bytes) -> None:
        """Leave a file of the kernel's behind."""
        file = self.machine.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(value if isinstance(value, bytes) else value.encode())

    def test_status_says_that_the_key_is_not_enrolled(self):
        refused = "the kernel accepts only modules signed with an enrolled key"
        key = "0f1e I------ 1 perm 1f030000 0 0 asymmetri {}: 4c6e: X509.rsa 6e3b []\n"
        self.kernel_says("proc/keys", key.format("Debian Secure Boot CA"))
        self.assertNotIn(refused, self.xenlro("status"))
        self.kernel_says("sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
        self.assertIn(f"Wrong:  the stock drivers serve: lro_core cannot be loaded: {refused}", self.xenlro("status"))
        self.choose(CARD)
        self.assertIn(f"{CARD} is served by r8169 although lro is chosen: r8169_lro cannot be loaded: {refused} "
                      "(Secure Boot): enrol DKMS's key by `mokutil --import /var/lib/dkms/mok.pub`", self.xenlro("status"))
        self.kernel_says("proc/keys", key.format(self.machine.signer))
        self.assertNotIn(refused, self.xenlro("status"))
        # Without root no key can be seen, and nothing is claimed.
        self.kernel_says("proc/keys", "")
        self.assertNotIn(refused, self.xenlro("status"))

    def test_status_tells_of_secure_boot(self):
        self.assertIn("Secure Boot unknown, lockdown unknown", self.xenlro("status"))
        for value, wanted in ((b"\6\0\0\0\1", "Secure Boot enabled"), (b"\6\0\0\0\0", "Secure Boot disabled")):
            self.kernel_says(f"sys/{modules.SECURE_BOOT}", value)
            self.assertIn(wanted, self.xenlro("status"))

    def test_status_tells_of_a_copy_in_the_initramfs(self):
        report = json.loads(self.xenlro("status", "--json"))
        self.assertEqual({entry["in_initramfs"] for entry in report["modules"].values()}, {None})
        image = self.machine.root / "boot" / f"initrd.img-{KERNEL}"
        image.parent.mkdir()
        image.touch()
        report = json.loads(self.xenlro("status", "--json"))
        self.assertEqual([name for name, entry in report["modules"].items() if entry["in_initramfs"]], ["r8169_lro"])
        self.assertIn("`update-initramfs -u`", self.xenlro("status"))

    def test_status_says_whether_signatures_are_required(self):
        self.assertIn("module signatures unknown", self.xenlro("status"))
        for value, wanted in (("Y", "module signatures required"), ("N", "module signatures not required")):
            self.kernel_says("sys/module/module/parameters/sig_enforce", f"{value}\n")
            self.assertIn(wanted, self.xenlro("status"))
        # A kernel that is locked down requires signatures, for any value of that parameter.
        self.kernel_says("sys/kernel/security/lockdown", "none [integrity] confidentiality\n")
        self.assertIn("lockdown integrity, module signatures required", self.xenlro("status"))

    def test_watch(self):
        self.xenlro("use", "eth0", "lro")
        entry = json.loads(self.xenlro("watch", "--interval", "0.01", "--count", "1", "--json"))
        self.assertEqual((entry["interface"], entry["merged"], entry["lro_ratio"]), ("eth0", 0, None))

    def test_watch_of_a_stock_device_says_what_to_do(self):
        self.assertIn("xenlro use eth1 lro", self.xenlro("watch", "eth1", code=1))
        self.xenlro("watch", "--interval", "0", code=2)


class Completion(unittest.TestCase):
    """The completions of bash after some words."""

    def offered(self, *words: str) -> set[str]:
        script = (f"source {TOP}/packaging/xenlro.bash-completion; COMP_WORDS=(xenlro \"$@\"); COMP_CWORD=$#; _xenlro; "
                  "printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "-euc", script, "bash", *words], capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    def test_words_of_the_command_line(self):
        self.assertEqual(self.offered(""), {"status", "use", "confirm", "watch", "report", "--help"})
        self.assertEqual(self.offered("s"), {"status"})
        self.assertEqual(self.offered("use", "eth0", ""), {"lro", "stock"})
        self.assertEqual(self.offered("use", "eth0", "lro", "--"), {"--now", "--at-boot"})
        self.assertEqual(self.offered("status", "--"), {"--json"})
        self.assertEqual(self.offered("watch", "--"), {"--interval", "--count", "--json"})
        # No such device is here, and bash is not to offer files instead.
        self.assertEqual(self.offered("use", "no-such-"), set())


if __name__ == "__main__":
    unittest.main()
