# SPDX-License-Identifier: GPL-2.0-only
"""The lab's running half without a virtual machine: agent, archives, console watch, measures, results, table."""

from __future__ import annotations

import contextlib
import json
import socket
import stat
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from lab import agent, cli, configs, console, cpio, experiments, images, nics, results, table, topology, traffic, vm
from lab.paths import ROOT
from lab.steps import LabError


class Agent(unittest.TestCase):
    """The real agent, built here, at the other end of a socket pair.

    1. output and exit status come back; 2. a command that takes too long is killed; 3. processes that it leaves behind
      do not delay the answer; 4. files pass unchanged; 5. noise and late answers do no harm; 6. requests are forwarded.
    """

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        subprocess.run(["make", "-s", "-C", str(ROOT / "lab/guest"), f"OUT={cls.folder}"], check=True, timeout=120)
        cls.binary = cls.folder / "agent"

    def setUp(self) -> None:
        self.ours, theirs = socket.socketpair()
        self.process = subprocess.Popen([str(self.binary), "serve", "-"], stdin=theirs, stdout=theirs)
        theirs.close()
        self.host = agent.AgentHost("machine", agent.Link("machine", self.ours))

    def tearDown(self) -> None:
        self.ours.close()
        self.assertEqual(self.process.wait(10), 0)

    def test_output_of_both_streams_comes_back(self) -> None:
        self.assertEqual(self.host.run("echo one; echo two >&2; printf three"), "one\ntwo\nthree")

    def test_long_output_is_whole(self) -> None:
        self.assertEqual(len(self.host.run("head -c 300000 /dev/zero | tr '\\0' x")), 300000)

    def test_status_and_output_are_in_the_failure(self) -> None:
        with self.assertRaises(agent.CommandFailed) as caught:
            self.host.run("echo because; exit 3")
        self.assertEqual((caught.exception.status, caught.exception.output), (3, "because\n"))
        self.assertIn("because", str(caught.exception))
        self.assertEqual(self.host.run("echo x; exit 3", check=False), "x\n")

    def test_signal_is_told(self) -> None:
        with self.assertRaises(agent.CommandFailed) as caught:
            self.host.run("kill -9 $$")
        self.assertEqual(caught.exception.status, 137)

    def test_slow_command_is_killed_with_its_children(self) -> None:
        begun = time.monotonic()
        with self.assertRaises(agent.CommandFailed) as caught:
            self.host.run(f"echo begun; sleep 77 & echo $! >{self.folder}/pid; sleep 78", timeout=0.5)
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual((caught.exception.status, caught.exception.output), (124, "begun\n"))
        pid = int((self.folder / "pid").read_text())
        deadline = time.monotonic() + 5
        while _runs(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertFalse(_runs(pid), "a child of the killed command still runs")

    def test_background_process_does_not_delay_the_answer(self) -> None:
        begun = time.monotonic()
        pid = int(self.host.run("sleep 30 & echo $!"))
        self.assertLess(time.monotonic() - begun, 10)
        self.assertTrue(_runs(pid))
        self.host.run(f"kill {pid}")

    def test_files_pass_unchanged(self) -> None:
        data = bytes(range(256)) * 700 + b"LROG" * 50
        path = str(self.folder / "file")
        self.host.put(b"longer than what follows" * 20000, path)
        self.host.put(data, path, 0o755)
        self.assertEqual(Path(path).read_bytes(), data)
        self.assertEqual(self.host.get(path), data)
        self.assertEqual(self.host.get(path, offset=100000), data[100000:])

    def test_empty_file(self) -> None:
        path = str(self.folder / "empty")
        self.host.put(b"", path, 0o640)
        self.assertEqual(stat.S_IMODE(Path(path).stat().st_mode), 0o640)
        self.assertEqual(self.host.get(path), b"")

    def test_missing_file_is_a_clear_failure(self) -> None:
        with self.assertRaisesRegex(LabError, "/no/such/file could not be read"):
            self.host.get("/no/such/file")
        with self.assertRaisesRegex(LabError, "/no/such/file could not be written"):
            self.host.put(b"x", "/no/such/file")

    def test_noise_before_a_request_is_skipped(self) -> None:
        self.ours.sendall(b"\x00garbage LROG" + b"\xff" * 12)
        self.assertEqual(self.host.run("echo fine"), "fine\n")

    def test_malformed_requests_are_refused(self) -> None:
        for kind in (agent.RUN, agent.PUT, agent.GET, agent.FORWARD, 77):
            self.assertEqual(self.host.link.request(kind, b"x", 5)[0], agent.FAILED, kind)
        self.assertEqual(self.host.run("echo alive"), "alive\n")

    def test_answer_that_comes_too_late_is_not_taken_for_another(self) -> None:
        with mock.patch.object(agent, "GRACE", 0.0), self.assertRaisesRegex(LabError, "no answer"):
            self.host._request(agent.RUN, b"\xe8\x03\0\0echo late; sleep 0.6", 0.2)
        self.assertEqual(self.host.run("echo mine"), "mine\n")

    def test_death_of_the_machine_is_told_at_once(self) -> None:
        def dead() -> None:
            raise LabError("machine: died")
        self.host.link.alive = dead
        begun = time.monotonic()
        with self.assertRaisesRegex(LabError, "died"):
            self.host.run("sleep 3")
        self.assertLess(time.monotonic() - begun, 2.5)

    def test_closed_port_is_told(self) -> None:
        with self.assertRaisesRegex(LabError, "closed"):
            self.host.run("kill $PPID; sleep 1")
        self.process.wait(5)
        self.process.returncode = 0

    def test_forwarding_to_another_agent(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        other = subprocess.Popen([str(self.binary), "listen", str(port)], cwd="/usr")
        try:
            far = agent.ForwardedHost("far", self.host, "127.0.0.1", port)
            far.wait(10)
            self.assertEqual(far.run("pwd"), "/usr\n")
            far.put(b"\x01" * 9000, str(self.folder / "far"))
            self.assertEqual(far.get(str(self.folder / "far")), b"\x01" * 9000)
            with self.assertRaisesRegex(agent.CommandFailed, "status 4"):
                far.run("exit 4")
            # A machine behind one that is itself behind another.
            farther = agent.ForwardedHost("farther", far, "127.0.0.1", port)
            farther.wait(10)
            with mock.patch.object(far, "_request", wraps=far._request) as asked:
                self.assertEqual(farther.run("pwd"), "/usr\n")
            self.assertEqual([call.args[0] for call in asked.call_args_list], [agent.FORWARD])
            farther.put(b"\x02" * 9000, str(self.folder / "farther"))
            self.assertEqual(farther.get(str(self.folder / "farther")), b"\x02" * 9000)
            with self.assertRaisesRegex(LabError, "nowhere: cannot be reached"):
                agent.ForwardedHost("nowhere", far, "127.0.0.1", 1).run("true")
        finally:
            other.kill()
            other.wait()
        with self.assertRaisesRegex(LabError, "far: cannot be reached"):
            far.run("true")


def _runs(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _unpack(raw: bytes) -> dict[str, tuple[int, bytes]]:
    """Mode and contents by name, by the description of the format in the kernel's documentation."""
    found, at = {}, 0
    while True:
        fields = [int(raw[at + 6 + 8 * n:at + 14 + 8 * n], 16) for n in range(13)]
        assert raw[at:at + 6] == b"070701", at
        name = raw[at + 110:at + 110 + fields[11] - 1].decode()
        data = (at + 110 + fields[11] + 3) & ~3
        if name == "TRAILER!!!":
            return found
        found[name] = (fields[1], raw[data:data + fields[6]])
        at = (data + fields[6] + 3) & ~3


class Cpio(unittest.TestCase):
    """Archives hold what was put in, parents first, and are the same each time."""

    def tree(self) -> cpio.Tree:
        tree = cpio.Tree()
        tree.file("/a/b/file", b"12345", 0o755)
        tree.symlink("/a/link", "b/file")
        tree.directory("/tmp", 0o1777)
        tree.character_device("/dev/console", 5, 1)
        tree.file("a-b", "text")
        return tree

    def test_contents(self) -> None:
        found = _unpack(b"".join(self.tree().records()))
        self.assertEqual(found["a/b/file"], (stat.S_IFREG | 0o755, b"12345"))
        self.assertEqual(found["a/link"], (stat.S_IFLNK | 0o777, b"b/file"))
        self.assertEqual(found["tmp"][0], stat.S_IFDIR | 0o1777)
        self.assertTrue(stat.S_ISCHR(found["dev/console"][0]))
        self.assertEqual(found["a-b"], (stat.S_IFREG | 0o644, b"text"))
        names = list(found)
        for name in names:
            for parent in list(Path(name).parents)[:-1]:
                self.assertLess(names.index(str(parent)), names.index(name))

    def test_file_in_place_of_a_directory_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            self.tree().file("/a/b", b"")

    def test_same_tree_same_file_and_old_ones_go(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            other = cpio.write(cpio.Tree(), folder, "image-lro")
            first = cpio.write(self.tree(), folder, "image")
            self.assertEqual(cpio.write(self.tree(), folder, "image"), first)
            changed = self.tree()
            changed.file("/more", b"")
            second = cpio.write(changed, folder, "image")
            self.assertNotEqual(second, first)
            self.assertEqual(sorted(folder.iterdir()), sorted([other, second]))


class ModuleOrder(unittest.TestCase):
    """modules.dep lists what a module needs such that modprobe, which starts at the end, meets it first."""

    def test_needed_first(self) -> None:
        needs = {"r8169_lro": "lro_core,libphy,mdio_devres", "lro_core": "", "libphy": "",
                 "mdio_devres": "libphy,fwnode-mdio", "fwnode_mdio": "libphy"}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for module, depends in needs.items():
                (folder / f"{module}.ko").write_bytes(b"ELF\0depends=" + depends.encode() + b"\0")
            kernel = mock.Mock(release="6.0-test", builtin=lambda: {"bridge"},
                               module=lambda wanted: folder / f"{wanted.replace('-', '_')}.ko")
            chosen = images._Modules(kernel, folder)
            self.assertEqual(chosen.add("bridge"), [])
            chosen.add("r8169_lro")
            tree = cpio.Tree()
            chosen.install(tree)
            lines = _unpack(b"".join(tree.records()))["lib/modules/6.0-test/modules.dep"][1].decode().splitlines()
        for line in lines:
            module, _, rest = line.partition(":")
            order = [item.removesuffix(".ko") for item in reversed(rest.split())] + [module.removesuffix(".ko")]
            for position, item in enumerate(order):
                for needed in filter(None, needs[item].replace("-", "_").split(",")):
                    self.assertIn(needed, order[:position], line)
        self.assertEqual(len(lines), len(needs))


# Lines of boots that were fine, among them those that come nearest to a complaint.
HEALTHY = """\
(XEN) Xen version 4.20.5-pre (Debian 4.20.2+7-1) (pkg-xen-devel@lists.alioth.debian.org)
(XEN) Latest ChangeSet:
(XEN) Speculative mitigation facilities:
(XEN)   Xen settings: BTI-Thunk: RETPOLINE, SPEC_CTRL: No, Other: BRANCH_HARDEN
(XEN) Std. Loglevel: Errors, warnings and info
(XEN) Guest Loglevel: Nothing (Rate-limited: Errors and warnings)
(XEN) Freed 656kB init memory
[    0.056000] tsc: Unable to calibrate against PIT
[    2.555046] acpi PNP0A03:00: fail to add MMCONFIG information, can't access extended configuration space
[    5.094031] amd_pstate: the _CPC object is not present in SBIOS or ACPI disabled
[    0.000000] Warning: unable to open an initial console.
[   14.250000] r8169_lro: loading out-of-tree module taints kernel.
[   14.260000] r8169_lro: module verification failed: signature and/or required key missing - tainting kernel
[   99.522180] br0: port 1(eth0) entered blocking state
[  101.281819] vif vif-1-0 vif1.0 (unregistering): left promiscuous mode
[    0.100000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on
[    0.200000] debug: BUGs are welcome; no Call Tracer here
"""

SICK = (
    "[   12.1] BUG: kernel NULL pointer dereference, address: 0000000000000010",
    "[   12.1] Oops: 0000 [#1] PREEMPT SMP NOPTI",
    "[   12.1] Oops: general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1]",
    "[   12.1] Kernel panic - not syncing: Fatal exception in interrupt",
    "[   12.1] kernel BUG at net/core/skbuff.c:112!",
    "[   12.1] WARNING: CPU: 0 PID: 12 at net/core/dev.c:3300 skb_warn_bad_offload+0xc5/0x110",
    "[   12.1] WARNING: net/core/skbuff.c:1184 at skb_release_head_state+0x9e/0xb0, CPU#0: ksoftirqd/0/15",
    "[   12.1] WARNING: possible circular locking dependency detected",
    "[   12.1] WARNING: suspicious RCU usage",
    "[   12.1] BUG: KASAN: slab-use-after-free in lro_flush+0x12/0x30",
    "[   12.1] BUG: sleeping function called from invalid context at mm/slab.h:500",
    "[   12.1] INFO: task xl:231 blocked for more than 120 seconds.",
    "[   12.1] watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [iperf:99]",
    "[   12.1] rcu: INFO: rcu_preempt self-detected stall on CPU",
    "[   12.1] unregister_netdevice: waiting for eth0 to become free. Usage count = 2",
    "[   12.1] r8169 0000:00:02.0 eth0: NETDEV WATCHDOG: CPU: 0: transmit queue 0 timed out 5120 ms",
    "[   12.1] br0: hw csum failure",
    "[   12.1] eth0: received packets cannot be forwarded while LRO is enabled",
    "[   12.1] refcount_t: underflow; use-after-free.",
    "[   12.1] \x1b[31m------------[ cut here ]------------\x1b[0m\r",
    "(XEN) Xen BUG at common/grant_table.c:1234",
    "(XEN) Xen WARN at arch/x86/mm.c:100",
    "(XEN) Panic on CPU 0:",
    "(XEN) domain_crash called from arch/x86/traps.c:100",
    "(XEN) Domain 1 (vcpu#0) crashed on cpu#1:",
    "(XEN) Assertion 'page_list_empty(&d->page_list)' failed at common/domain.c:800",
    "lab-setup: modprobe bridge failed",
)


class Console(unittest.TestCase):
    """Every kind of complaint is found, and a healthy boot has none."""

    def test_healthy_boot_passes(self) -> None:
        self.assertEqual(console.complaints(HEALTHY), [])

    def test_each_complaint_is_found(self) -> None:
        for line in SICK:
            with self.subTest(line):
                found = console.complaints(f"{HEALTHY}{line}\n")
                self.assertEqual(len(found), 1)

    def test_watch_judges_each_line_once_and_whole(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            log = Path(name) / "machine.log"
            watch = console.Watch("machine", log)
            watch.check()
            log.write_text(HEALTHY + "[   12.1] BUG: ker")
            watch.check()
            with log.open("a") as more:
                more.write("nel NULL pointer dereference\n[   12.2] RIP: 0010:lro_receive_skb\n")
            with self.assertRaises(LabError) as caught:
                watch.check()
            self.assertIn("BUG: kernel NULL pointer dereference", str(caught.exception))
            self.assertIn("lro_receive_skb", str(caught.exception))
            self.assertNotIn("Freed 656kB", str(caught.exception))


KNOWN = ("xenbus_read_driver_state", "xennet_remove")
EXCUSED = """[   30.1] ------------[ cut here ]------------
[   30.1] do not call blocking ops when !TASK_RUNNING; state=2 set at [<0>] prepare_to_wait_event+0x1b0/0x210
[   30.1] WARNING: CPU: 0 PID: 9 at kernel/sched/core.c:8670 __might_sleep+0x6a/0x80
[   30.1] Call Trace:
[   30.1]  xs_talkv+0x5b/0x2a0
[   30.1]  xenbus_read_driver_state+0x2e/0x40
[   30.1]  xennet_remove+0x1b6/0x2f0 [xen_netfront]
[   30.1] ---[ end trace 0000000000000000 ]---
"""


class Excuses(unittest.TestCase):
    """Only the known report is left out."""

    def setUp(self):
        self.log = Path(self.enterContext(tempfile.TemporaryDirectory())) / "machine.log"
        self.watch = console.Watch("machine", self.log, [console.Excuse("when !TASK_RUNNING", KNOWN)])

    def test_known_report_passes_each_time(self) -> None:
        self.log.write_text(f"{HEALTHY}{EXCUSED}{HEALTHY}{EXCUSED}")
        self.watch.check()

    def test_anything_else_does_not(self) -> None:
        for name, text in (("caller", EXCUSED.replace("xennet_remove", "xennet_poll")),
                           ("called", EXCUSED.replace("xenbus_read", "xenbus_write")),
                           ("message", EXCUSED.replace("!TASK_RUNNING", "atomic")),
                           ("within", EXCUSED.replace("[   30.1]  xs", "[   30.1] BUG: unable to handle\n[   30.1]  xs")),
                           ("behind", f"{EXCUSED}[   30.2] WARNING: possible circular locking dependency detected\n"),
                           ("before", f"[   30.0] Call Trace:\n{EXCUSED}"),
                           ("another", EXCUSED + EXCUSED.replace("!TASK_RUNNING", "atomic")),
                           ("not whole", EXCUSED.replace("---[ end", "---[ and"))):
            with self.subTest(name):
                self.log.write_text(text)
                with self.assertRaises(console.KernelComplaint):
                    self.watch.check()

    def test_report_is_waited_for(self) -> None:
        half = EXCUSED.index("[   30.1]  xs")
        self.log.write_text(EXCUSED[:half])
        self.assertTrue(self.watch.amid_report())
        self.log.write_text(EXCUSED)
        self.assertFalse(self.watch.amid_report())
        self.watch.check()


class LogFolder(unittest.TestCase):
    """Two laboratories never write to the same logs."""

    def test_second_one_is_refused_until_the_first_ends(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            with vm.log_folder(Path(name)):
                with self.assertRaisesRegex(LabError, "another run of the lab"), vm.log_folder(Path(name)):
                    pass
            with vm.log_folder(Path(name)):
                pass


class Traffic(unittest.TestCase):
    """The output of iperf and of the kernels gives a rate and a ratio."""

    SNMP = ("Ip: Forwarding InReceives\nIp: 2 {packets}\nTcp: RtoMin OutSegs RetransSegs MaxConn\n"
            "Tcp: 200 {segments} {again} -1\nIpExt: InOctets\nIpExt: 7\n")

    def test_report(self) -> None:
        count, seconds = traffic.parse_report(
            "20261122130735,10.0.0.3,5001,10.0.0.1,33498,1,0.0-5.4,67108864,100000000\n")
        self.assertEqual(count, 67108864)
        self.assertAlmostEqual(count * 8 / seconds / 1e6, 100.0)
        three = "".join(f"20261122130735,10.0.0.3,5001,10.0.0.1,33498,{number},0.0-8.0,{count},{count}\n"
                        for number, count in ((1, 5000), (-1, 9000), (2, 4000)))
        self.assertEqual(traffic.parse_report(three, 2), (9000, 8.0))
        with self.assertRaisesRegex(LabError, "2 of 3 reports"):
            traffic.parse_report(three, 3)
        with self.assertRaisesRegex(LabError, "connect failed"):
            traffic.parse_report("connect failed: Connection refused\n")

    def test_ratio_and_rate(self) -> None:
        before, after = (traffic.parse_counters(self.SNMP.format(packets=packets, segments=segments, again=again))
                         for packets, segments, again in ((10, 100, 5), (1010, 4100, 7)))
        self.assertEqual(after["Tcp MaxConn"], -1)
        change = {name: after[name] - before[name] for name in after}
        done = traffic.Transfer(1_000_000, 2.0, change, change)
        self.assertEqual((done.segments, done.packets, done.retransmits), (4000, 1000, 2))
        self.assertEqual((done.lro_ratio, done.mbps), (4.0, 4.0))

    def test_damaged_file_is_told(self) -> None:
        class Fake:
            def __init__(self, name: str, answers: list[str]):
                self.name, self.answers = name, answers

            def run(self, command: str, timeout: float = 30, check: bool = True) -> str:
                return self.answers.pop(0) if "sha256sum" in command else ""
        with self.assertRaisesRegex(LabError, "arrived damaged at b: 9 bytes"):
            traffic.send_file(Fake("a", ["aaaa  -\n"]), Fake("b", ["9\nbbbb  -\n"]), "10.0.0.3", 10)
        traffic.send_file(Fake("a", ["aaaa  -\n"]), Fake("b", ["10\naaaa  -\n"]), "10.0.0.3", 10)

    def test_driver_counters(self) -> None:
        host = mock.Mock()
        host.run.return_value = "NIC statistics:\n     tx_packets: 12\n     rx0_lro_packets: 7\n"
        self.assertEqual(experiments.driver_counters(host, "eth0"), {"tx_packets": 12, "rx0_lro_packets": 7})


def _sample() -> dict:
    run = {"config": "guest2", "repeat": 0, "mbps": 100.04, "lro_ratio": 12.5, "retransmits": 1, "counters": {}}
    return {"schema": 1, "kernel": "6.12.1", "xen": "4.20", "qemu": "11.1.3", "nic": "RTL8169sb", "bytes": 67108864,
            "later": "fields are welcome",
            "runs": [dict(run, config="native", mbps=400, lro_ratio=1),
                     run, dict(run, repeat=1, mbps=300.0), dict(run, repeat=2, mbps=200.0)]}


class Results(unittest.TestCase):
    """The file's schema is kept, and it is written whole or not at all."""

    def test_round_trip(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "deep" / "results.json"
            results.write(_sample(), path)
            self.assertEqual(results.read(path), _sample())
            self.assertEqual(json.loads(path.read_text())["runs"][1]["retransmits"], 1)

    def test_every_field_is_required(self) -> None:
        for name in results.TOP_FIELDS:
            broken = _sample()
            del broken[name]
            with self.subTest(name), self.assertRaisesRegex(LabError, name):
                results.validate(broken)
        for name in results.RUN_FIELDS:
            broken = _sample()
            broken["runs"][2][name] = None
            with self.subTest(name), self.assertRaisesRegex(LabError, name):
                results.validate(broken)
        with self.assertRaisesRegex(LabError, "schema 2"):
            results.validate(_sample() | {"schema": 2})

    def test_failed_write_keeps_the_old_file(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "results.json"
            results.write(_sample(), path)
            with self.assertRaises(TypeError):
                results.write(_sample() | {"later": object()}, path)
            self.assertEqual(results.read(path), _sample())
            self.assertEqual(list(Path(name).iterdir()), [path])

    def test_unreadable_files_are_told(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "results.json"
            with self.assertRaisesRegex(LabError, "does not exist"):
                results.read(path)
            path.write_text("{")
            with self.assertRaisesRegex(LabError, "is not JSON"):
                results.read(path)


class Table(unittest.TestCase):
    """The study's numbers stand beside the median of ours."""

    def test_rows(self) -> None:
        rows = {line.split()[0]: line.split() for line in table.render(_sample()).splitlines() if line}
        self.assertEqual(rows["native"], ["native", "560.1", "400.0", "-", "1.00", "1", "1"])
        self.assertEqual(rows["guest2"], ["guest2", "636.9", "200.0", "3.525", "12.50", "3", "3"])
        self.assertEqual({name: study[0] for name, study in table.STUDY.items()},
                         {"native": 560.1, "guest0": 514.6, "guest1": 523.0, "guest2": 636.9})


class Configs(unittest.TestCase):
    """The configurations are those of the design."""

    def test_where_each_aggregates(self) -> None:
        for config in configs.ALL.values():
            ours = config.name.startswith("guest")
            digits = config.name.removeprefix("guest").removeprefix("gro")
            with self.subTest(config.name):
                self.assertEqual(config.xen, not config.name.startswith("native"))
                if not config.xen:
                    lro, gro = (config.name.startswith(f"native-{what}") for what in ("lro", "gro"))
                    self.assertEqual((config.nic_driver, config.nic_gro), ("r8169_lro" if lro else "r8169", gro))
                    self.assertEqual((config.guest_gro, config.ours), (False, lro))
                    # Strict mode needs a NIC that checks the checksums.
                    self.assertEqual((config.verified, config.mode),
                                     (False, 2) if config.name.endswith("-unverified") else (True, 1))
                    continue
                one, two = "1" in digits, "2" in digits
                self.assertEqual(config.nic_driver, "r8169_lro" if ours and one or not config.merge else "r8169")
                self.assertEqual(config.guest_driver, "netfront_lro" if ours and two else "xen-netfront")
                self.assertEqual((config.nic_gro, config.guest_gro), (not ours and one, not ours and two))
                self.assertEqual(config.aggregates, one or two)

    def test_selection(self) -> None:
        self.assertEqual([config.name for config in configs.select("gro1, native gro1")], ["gro1", "native"])
        self.assertEqual(len(configs.select("")), 9)
        self.assertEqual([config.rewrite for config in configs.select("gro1-auto gro1")], ["auto", None])
        self.assertEqual([config.merge for config in configs.select("gro1-coherent gro1")], [False, True])
        with self.assertRaisesRegex(LabError, "'guest3'"):
            configs.select("guest1 guest3")

    def test_back_ends(self) -> None:
        ours = {name for name, config in configs.ALL.items() if config.back_end == configs.OUR_BACK}
        self.assertEqual(ours, {"guest1-napi", "guest12-napi", "gro1-napi", "gro12-napi"})
        for name in ours:
            config, plain = configs.ALL[name], configs.ALL[name.removesuffix("-napi")]
            self.assertEqual((config.nic_driver, config.nic_gro, config.guest_driver, config.guest_gro),
                             (plain.nic_driver, plain.nic_gro, plain.guest_driver, plain.guest_gro))
            self.assertTrue(config.ours and config.extra)

    def test_back_end_changes_once_the_guest_is_gone(self) -> None:
        lab = topology.XenLab()
        lab.dom0 = lab.nic_host = mock.Mock()
        lab.guest_driver = configs.STOCK_GUEST
        with mock.patch.object(lab, "check"):
            for module in (configs.STOCK_BACK, configs.OUR_BACK, configs.OUR_BACK):
                lab.use_back_end(module)
        told = [call.args[0] for call in lab.dom0.run.call_args_list]
        self.assertEqual(len(told), 2, told)
        self.assertEqual(told[0], "xl destroy guest")
        self.assertIn("rmmod xen-netback; do", told[1])
        self.assertIn("modprobe netback_lro", told[1])
        self.assertIsNone(lab.guest_driver)

    def test_each_nic_has_its_drivers(self) -> None:
        for name, drivers in (("8168", ("r8169", "r8169_lro")), ("e1000e", ("e1000e", "e1000e_lro")),
                              ("igb", ("igb", "igb_lro"))):
            with self.subTest(name):
                chosen = configs.select("gro1 guest1", nics.select(name))
                self.assertEqual(tuple(config.nic_driver for config in chosen), drivers)
                self.assertEqual([config.our_nic for config in chosen], [False, True])
                self.assertIn(drivers[1], chosen[1].about)
        with self.assertRaisesRegex(LabError, "NIC=e1000 is not one of 8169, 8168, e1000e, igb"):
            nics.select("e1000")

    def test_order_changes_the_guest_once(self) -> None:
        order = configs.in_order(configs.select(" ".join(configs.ALL)))
        self.assertEqual(sorted(c.name for c in order), sorted(configs.ALL))
        drivers = [config.guest_driver for config in order]
        self.assertEqual(sum(a != b for a, b in zip(drivers, drivers[1:])), 2)
        self.assertIsNone(drivers[0])

    def test_sizes_and_counts(self) -> None:
        self.assertEqual([cli.parse_bytes(text) for text in ("64M", "1GiB", "2097152", "2048k")],
                         [64 << 20, 1 << 30, 2 << 20, 2 << 20])
        for text in ("", "M", "-5M", "1.5M", "64T", "1000"):
            with self.subTest(text), self.assertRaises(LabError):
                cli.parse_bytes(text)
        for text in ("0", "x", "-1", ""):
            with self.subTest(text), self.assertRaises(LabError):
                cli.parse_repeats(text)


if __name__ == "__main__":
    unittest.main()
