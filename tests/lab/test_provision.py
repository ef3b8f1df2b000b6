# SPDX-License-Identifier: GPL-2.0-only
"""The foundations of the lab's set-up: caches, steps, processes, and the choice of mirror and kernels."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import lzma
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from lab import apt, bzimage, cache, cli, guard, kernels, mirror, prereq, proc, steps
from lab.kernel import Kernel
from lab.paths import ROOT

HOST_12 = """\
MetaKey: main/binary-amd64/Packages
Component: main
Created-By: Packages
Origin: Vendor
Release: bookworm
Repo-URI: http://vendor.example/debian/

MetaKey: main/i18n/Translation-en
Component: main
Created-By: Translations
Origin: Debian
Release: bookworm
Repo-URI: http://wrong.example/debian/

MetaKey: main/binary-amd64/Packages
Component: main
Created-By: Packages
Origin: Debian
Release: bookworm-updates
Repo-URI: http://wrong.example/debian/

MetaKey: main/binary-amd64/Packages
Description: http://mirror.example/debian bookworm/main amd64 Packages
Component: main
Created-By: Packages
Origin: Debian
Release: bookworm
Repo-URI: http://mirror.example/debian/

MetaKey: main/binary-amd64/Packages
Component: main
Created-By: Packages
Origin: Debian
Release: bookworm-security
Repo-URI: http://security.example/debian-security/
"""

HOST_13 = """\
MetaKey: stable/binary-amd64/Packages
Component: stable
Created-By: Packages
Release: trixie
Repo-URI: https://containers.example/linux/

MetaKey: main/binary-amd64/Packages
Component: main
Created-By: Packages
Release: trixie
Repo-URI: mirror+file:/etc/apt/mirrors/debian.list/

MetaKey: main/binary-amd64/Packages
Component: main
Created-By: Packages
Release: stable-security
Repo-URI: mirror+file:/etc/apt/mirrors/debian-security.list/
"""


class Scratch(unittest.TestCase):
    """A test with a directory of its own and nothing printed."""

    def setUp(self) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="provision-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.out = io.StringIO()
        silence = contextlib.redirect_stdout(self.out)
        silence.__enter__()
        self.addCleanup(silence.__exit__, None, None, None)

    def lab(self, code: str) -> subprocess.Popen[str]:
        """A process that runs `code` with the lab's package; `D` is the test's directory."""
        text = f"from pathlib import Path\nD = Path({str(self.dir)!r})\n" + textwrap.dedent(code)
        process = subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)

        def end() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

        self.addCleanup(end)
        return process

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)


class MirrorTest(Scratch):
    def test_debian_12_ignores_other_vendors_and_suites(self) -> None:
        self.assertEqual(mirror.parse(HOST_12),
                         ("http://mirror.example/debian", "http://security.example/debian-security"))

    def test_debian_13_without_release_information(self) -> None:
        self.assertEqual(mirror.parse(HOST_13), ("mirror+file:/etc/apt/mirrors/debian.list",
                                                 "mirror+file:/etc/apt/mirrors/debian-security.list"))

    def test_suites_come_from_their_archive(self) -> None:
        lines = mirror.MirrorUris("http://m/debian", "http://s/security", Path("/k.gpg")).lines()
        self.assertEqual(len(lines), 5)
        self.assertIn("deb [signed-by=/k.gpg] http://m/debian trixie-backports main", lines)
        self.assertIn("deb [signed-by=/k.gpg] http://s/security bookworm-security main", lines)

    def test_machine_without_debian_archive_gets_a_sentence(self) -> None:
        for text, lacking in (("", "no Debian archive"), (HOST_12.rpartition("MetaKey")[0], "security archive")):
            with mock.patch.object(proc, "run", return_value=text), mock.patch.object(mirror, "BUILD", self.dir), \
                    self.assertRaisesRegex(steps.EnvironmentFault, lacking):
                mirror.sources()

    def test_lists_are_fetched_when_apt_knows_nothing_yet(self) -> None:
        answers = iter(["", "updated", HOST_12])
        with mock.patch.object(proc, "run", side_effect=lambda *_, **__: next(answers)), \
                mock.patch.object(mirror, "BUILD", self.dir), \
                mock.patch.object(mirror, "KEYRINGS", (Path(__file__),)):
            self.assertEqual(mirror.sources().main, "http://mirror.example/debian")

    def test_apt_is_asked_again_only_when_its_configuration_changed(self) -> None:
        settings = self.dir / "sources.list"
        settings.write_text("one")
        with mock.patch.object(proc, "run", return_value=HOST_12) as asked, \
                mock.patch.object(mirror, "BUILD", self.dir / "build"), \
                mock.patch.object(mirror, "CONFIGURATION", (settings, self.dir / "absent")), \
                mock.patch.object(mirror, "KEYRINGS", (Path(__file__),)):
            first = mirror.sources()
            self.assertEqual((mirror.sources(), asked.call_count), (first, 1))
            settings.write_text("two")
            self.assertEqual((mirror.sources(), asked.call_count), (first, 2))


class AptTest(Scratch):
    def test_failures_are_explained(self) -> None:
        for text, kind, sentence in (
                ("E: Failed to fetch http://m/x  404  Not Found", apt.Gone, "--refresh"),
                ("Err:1 http://m trixie InRelease / Could not resolve 'm'", steps.EnvironmentFault,
                 "cannot be reached"),
                ("The following signatures couldn't be verified: NO_PUBKEY 78DBA3BC47EF2265",
                 steps.EnvironmentFault, "debian-archive-keyring")):
            told = apt.explain(steps.LabError(text, Path("a.log")))
            self.assertIs(type(told), kind)
            self.assertIn(sentence, str(told))
            self.assertEqual((told.log, told.code), (Path("a.log"), steps.EXIT_ENVIRONMENT))

    def test_commands_that_messages_advise_exist(self) -> None:
        texts = [path.read_text() for path in (ROOT / "lab").rglob("*.py")]
        advised = {command for text in texts for command in re.findall(r"python3 -m lab ([a-z]+ --[a-z-]+)`", text)}
        self.assertIn("setup --refresh", advised)
        for command in advised:
            cli.parser().parse_args(command.split())

    def test_other_failures_stay_what_they_are(self) -> None:
        error = steps.LabError("something else")
        self.assertIs(apt.explain(error), error)


class KernelTest(Scratch):
    def make(self, builtin: str = "", **modules: str) -> Kernel:
        folder = self.dir / "lib/modules/1.2-lab"
        for name, depends in modules.items():
            file = folder / "kernel/net" / f"{name.replace('_', '-')}.ko.xz"
            file.parent.mkdir(parents=True, exist_ok=True)
            image = b"\x7fELF junk\0license=GPL\0depends=%s\0name=%s\0" % (depends.encode(), name.encode())
            file.write_bytes(lzma.compress(image))
        (folder / "modules.builtin").write_text(builtin)
        return Kernel("1.2", "1.2-lab", "1", *[self.dir] * 3, folder, self.dir, self.dir)

    def test_newest_goes_by_number(self) -> None:
        names = [f"linux-image-6.1.0-{abi}-amd64" for abi in (9, 56, 100, 48)] + ["linux-image-6.1.0-200-cloud-amd64"]
        self.assertEqual(kernels.newest(names, r"linux-image-(6\.1\.0-\d+-amd64)"), "6.1.0-100-amd64")

    def test_newest_of_none(self) -> None:
        self.assertIsNone(kernels.newest(["linux-image-amd64"], r"linux-image-(6\.1\.0-\d+-amd64)"))

    def test_oldest_has_all_that_belongs_to_it(self) -> None:
        has = {f"linux-{part}": [version] for abi, version in (("9", "6.1.9-1"), ("47", "6.1.170-3"), ("56", "6.1.192-2"))
               for part in (f"image-6.1.0-{abi}-amd64", f"headers-6.1.0-{abi}-amd64", f"headers-6.1.0-{abi}-common")}
        has |= {"linux-kbuild-6.1": ["6.1.192-2", "6.1.176-1"], "linux-source-6.1": ["6.1.192-2", "6.1.170-3"]}
        snapshot = mock.Mock()
        snapshot.names.return_value = [name for name in has if "image" in name]
        snapshot.versions.side_effect = lambda names: {name: has[name] for name in names if name in has}
        release, wanted = kernels._oldest("6.1-oldest", snapshot)
        self.assertEqual(release, "6.1.0-47-amd64")
        self.assertEqual({package.version for package in wanted if "kbuild" not in package.name}, {"6.1.170-3"})
        self.assertIn(apt.Package("linux-kbuild-6.1", "6.1.176-1"), wanted)

    def test_packages_of_each_layout(self) -> None:
        self.assertEqual(kernels.packages("6.1", "6.1.0-56-amd64"), (
            ["linux-image-6.1.0-56-amd64"],
            ["linux-headers-6.1.0-56-amd64", "linux-headers-6.1.0-56-common", "linux-kbuild-6.1"], "linux-source-6.1"))
        images, headers, _ = kernels.packages("7.3", "7.3.4+deb13-amd64")
        self.assertEqual(images, [f"linux-{part}-7.3.4+deb13-amd64" for part in ("binary", "modules", "base")])
        self.assertIn("linux-kbuild-7.3.4+deb13", headers)

    def test_module_is_unpacked_whichever_way_it_is_spelt(self) -> None:
        kernel = self.make(xen_netback="")
        self.assertTrue(kernel.module("xen-netback").read_bytes().startswith(b"\x7fELF"))
        self.assertEqual(kernel.module("xen_netback"), kernel.module("xen-netback"))

    def test_dependencies_come_first_and_once(self) -> None:
        kernel = self.make("kernel/lib/crc.ko\n", bridge="stp,llc,crc", stp="llc", llc="")
        self.assertEqual([path.name for path in kernel.depends("bridge")], ["llc.ko", "stp.ko", "bridge.ko"])
        self.assertEqual(kernel.depends("crc"), [])

    def test_absent_and_builtin_modules_are_told_apart(self) -> None:
        kernel = self.make("kernel/lib/crc-t10.ko\n", llc="")
        with self.assertRaisesRegex(steps.LabError, "built into"):
            kernel.module("crc_t10")
        with self.assertRaisesRegex(steps.LabError, "not part of"):
            kernel.module("nothing")

    def test_unknown_series_is_wrong_usage(self) -> None:
        with self.assertRaises(steps.LabError) as caught:
            kernels.kernel("5.10")
        self.assertEqual(caught.exception.code, steps.EXIT_USAGE)


class BzImageTest(Scratch):
    ELF = b"\x7fELF" + bytes(range(256)) * 40

    def image(self, payload: bytes, sectors: int = 3, magic: bytes = b"HdrS", version: int = 0x20F,
              offset: int = 100) -> bytes:
        head = bytearray((sectors + 1) * 512 + offset)
        head[0x1F1] = sectors
        head[0x202:0x206] = magic
        struct.pack_into("<H", head, 0x206, version)
        struct.pack_into("<II", head, 0x248, offset, len(payload))
        return bytes(head) + payload + b"what follows the payload"

    def sized(self, packed: bytes, size: int | None = None) -> bytes:
        return packed + struct.pack("<I", len(self.ELF) if size is None else size)

    def test_xz(self) -> None:
        self.assertEqual(bzimage.vmlinux(self.image(self.sized(lzma.compress(self.ELF)))), self.ELF)

    def test_gzip_carries_its_own_length(self) -> None:
        self.assertEqual(bzimage.vmlinux(self.image(gzip.compress(self.ELF), sectors=7)), self.ELF)

    @unittest.skipUnless(shutil.which("zstd"), "zstd is not installed")
    def test_zstd(self) -> None:
        packed = proc.filtered(["zstd", "-cq"], self.ELF, timeout=20)
        self.assertEqual(bzimage.vmlinux(self.image(self.sized(packed))), self.ELF)

    def test_refusals(self) -> None:
        good = self.sized(lzma.compress(self.ELF))
        for image, reason in ((self.image(good, magic=b"XXXX"), "no bzImage"), (b"short", "no bzImage"),
                              (self.image(good, version=0x207), "too old"), (self.image(good)[:-200], "cut short"),
                              (self.image(self.sized(lzma.compress(self.ELF), 17)), "kernel of 17 bytes"),
                              (self.image(self.sized(b"\xfd7zXZ\0garbage")), "does not unpack"),
                              (self.image(self.sized(b"UNKNOWN method")), "unknown way")):
            with self.subTest(reason), self.assertRaisesRegex(steps.LabError, reason):
                bzimage.vmlinux(image)


class CacheTest(Scratch):
    def setUp(self) -> None:
        super().setUp()
        self.product = self.dir / "product"
        self.built = 0

    def build(self, fresh: Path) -> None:
        self.built += 1
        (fresh / "result").write_text(str(self.built))

    def test_same_inputs_are_built_once(self) -> None:
        for _ in range(2):
            self.assertEqual(cache.keyed(self.product, ("a", 1), self.build), self.product)
        self.assertEqual((self.built, (self.product / "result").read_text()), (1, "1"))

    def test_changed_inputs_are_built_anew(self) -> None:
        source = self.dir / "source.c"
        source.write_text("old")
        cache.keyed(self.product, {"source": source}, self.build)
        (self.product / "stale").touch()
        source.write_text("new")
        cache.keyed(self.product, {"source": source}, self.build)
        self.assertEqual(self.built, 2)
        self.assertFalse((self.product / "stale").exists())

    def test_digest_tells_inputs_apart(self) -> None:
        (self.dir / "a").mkdir()
        (self.dir / "a/x").write_text("x")
        before = cache.digest(self.dir / "a")
        (self.dir / "a/x").rename(self.dir / "a/y")
        inputs = [("ab", "c"), ("a", "bc"), (("a",), "bc"), ("a", b"bc"), {"a": "bc"}, ("1",), (1,), (None,), ("None",)]
        digests = [cache.digest(item) for item in inputs] + [before, cache.digest(self.dir / "a")]
        self.assertEqual(len(set(digests)), len(digests))

    def test_interrupted_build_does_not_count(self) -> None:
        def interrupted(fresh: Path) -> None:
            self.build(fresh)
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            cache.keyed(self.product, "a", interrupted)
        self.assertFalse(self.product.exists())
        self.assertEqual(list(self.dir.glob(".product.new*")), [])
        cache.keyed(self.product, "a", self.build)
        self.assertEqual(self.built, 2)

    def test_failed_build_keeps_the_former_product(self) -> None:
        def failing(fresh: Path) -> None:
            raise steps.LabError("no")

        cache.keyed(self.product, "a", self.build)
        with self.assertRaises(steps.LabError):
            cache.keyed(self.product, "b", failing)
        cache.keyed(self.product, "a", self.build)
        self.assertEqual(self.built, 1)

    def test_what_a_killed_build_left_is_removed(self) -> None:
        process = self.lab("""
            import time
            from lab import cache
            def build(fresh):
                (fresh / "half").touch()
                print("building", flush=True)
                time.sleep(60)
            cache.keyed(D / "product", "a", build)
            """)
        assert process.stdout
        process.stdout.readline()
        process.kill()
        process.wait()
        self.assertEqual(len(list(self.dir.glob(".product.new*/half"))), 1)
        self.assertFalse(self.product.exists())
        cache.keyed(self.product, "a", self.build)
        self.assertEqual(list(self.dir.glob(".product.new*")), [])
        self.assertEqual(self.built, 1)

    def test_two_at_once_build_once(self) -> None:
        def slow(fresh: Path) -> None:
            self.build(fresh)
            time.sleep(0.2)

        steps.parallel(*[lambda: cache.keyed(self.product, "a", slow)] * 3)
        self.assertEqual(self.built, 1)


class StepsTest(Scratch):
    def test_duration_and_failure(self) -> None:
        with steps.step("Good"), steps.step("Inner"):
            pass
        with contextlib.suppress(ValueError), steps.step("Bad"):
            raise ValueError
        self.assertRegex(self.out.getvalue(), r"^Good \.\.\.\n  Inner \.\.\.\n  Inner: done in \d+\.\d s\n"
                                              r"Good: done in \d+\.\d s\nBad \.\.\.\nBad: failed after \d+\.\d s\n$")
        self.assertNotIn("\x1b", self.out.getvalue())

    def test_signs_of_life_name_what_runs_in_each_thread(self) -> None:
        with mock.patch.object(steps, "HEARTBEAT", 0.1):
            def work(title: str) -> None:
                with steps.step(title) as running:
                    running.detail = "halfway"
                    time.sleep(0.5)

            steps.parallel(lambda: work("one"), lambda: work("two"))
        beats = [line for line in self.out.getvalue().splitlines() if "still running" in line]
        self.assertGreaterEqual(len(beats), 2)
        self.assertTrue(any("one (0 s, halfway)" in beat and "two (" in beat for beat in beats), beats)

    def test_silence_is_broken_only_while_a_step_runs(self) -> None:
        with mock.patch.object(steps, "HEARTBEAT", 0.05):
            with steps.step("short"):
                pass
            time.sleep(0.2)
        self.assertNotIn("still", self.out.getvalue())

    def test_parallel_returns_in_order_and_raises_the_first_failure(self) -> None:
        self.assertEqual(steps.parallel(lambda: 1, lambda: 2), [1, 2])
        stop = threading.Event()

        def fail() -> None:
            raise steps.LabError("first")

        def wait() -> None:
            if not stop.wait(10):
                raise AssertionError("was not told to stop")
            raise steps.LabError("second")

        with self.assertRaisesRegex(steps.LabError, "first"):
            steps.parallel(wait, fail, on_failure=stop.set)

    def test_interrupt_waits_for_the_tasks_to_clean_up(self) -> None:
        process = self.lab("""
            import sys, threading, time
            from lab import guard, steps
            stop = threading.Event()
            def task():
                (D / "ready").touch()
                stop.wait(20)
                time.sleep(0.5)
                (D / "clean").touch()
            sys.exit(guard.main_guard(lambda: steps.parallel(task, on_failure=stop.set) and None))
            """)
        self.until((self.dir / "ready").exists, "the lab did not start")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, steps.EXIT_INTERRUPTED)
        self.assertTrue((self.dir / "clean").exists())

    def guarded(self, error: BaseException | None) -> tuple[int, str]:
        def main() -> None:
            if error:
                raise error

        with contextlib.redirect_stderr(io.StringIO()) as said:
            return guard.main_guard(main), said.getvalue()

    def test_exit_codes(self) -> None:
        self.assertEqual(self.guarded(None), (0, ""))
        self.assertEqual(self.guarded(steps.LabError("it broke", Path("x.log"))), (1, "lab: it broke (log: x.log)\n"))
        self.assertEqual(self.guarded(steps.EnvironmentFault("no root")), (3, "lab: no root\n"))
        self.assertEqual(self.guarded(KeyboardInterrupt())[0], 130)
        code, said = self.guarded(OSError(errno.ENOSPC, "No space left on device", "/there/file"))
        self.assertEqual(code, 3)
        self.assertRegex(said, r"^lab: disk full: /there/file .*\n$")
        with self.assertRaises(OSError):
            self.guarded(OSError(errno.EPERM, "other"))


class ProcTest(Scratch):
    def alive(self, name: str) -> bool:
        """Whether the process whose id is in the file `name` still runs."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            with open(f"/proc/{int((self.dir / name).read_text())}/stat") as stat:
                return stat.read().rpartition(")")[2].split()[0] not in "ZX"
        return False

    # A child that ignores TERM, and a grandchild; each leaves its id in a file.
    STUBBORN = "trap '' TERM; echo $$ >child; sh -c 'echo $$ >grandchild; exec sleep 100' & while :; do sleep 1; done"

    def test_output_and_log(self) -> None:
        log = self.dir / "logs/a.log"
        self.assertEqual(proc.run(["sh", "-c", "echo out; echo err >&2"], log=None, timeout=10), "out\n")
        for _ in range(2):
            self.assertEqual(proc.run(["sh", "-c", "echo out; echo err >&2"], log=log, timeout=10), "out\nerr\n")
        self.assertEqual(log.read_text(), "out\nerr\n" * 2)
        self.assertEqual(proc.run(["cat"], log=None, timeout=10, input="given"), "given")

    def test_failure_tells_last_lines_and_log(self) -> None:
        log = self.dir / "a.log"
        with self.assertRaises(steps.LabError) as caught:
            proc.run(["sh", "-c", "seq 100; exit 7"], log=log, timeout=10)
        self.assertEqual((str(caught.exception), caught.exception.log),
                         ("sh failed with status 7: 96 / 97 / 98 / 99 / 100", log))

    def test_missing_tool_and_full_disk_are_the_machines_fault(self) -> None:
        with self.assertRaisesRegex(steps.EnvironmentFault, "no-such-tool does not exist"):
            proc.run(["no-such-tool"], log=None, timeout=10)
        with self.assertRaisesRegex(steps.EnvironmentFault, "disk full"):
            proc.run(["sh", "-c", "cat /proc/version >/dev/full"], log=None, timeout=10)

    def test_time_limit_ends_the_whole_group(self) -> None:
        begin = time.monotonic()
        with mock.patch.object(proc, "PATIENCE", 0.3), self.assertRaisesRegex(steps.LabError, "did not end within"):
            proc.run(["sh", "-c", self.STUBBORN], log=None, timeout=0.5, cwd=self.dir)
        self.assertLess(time.monotonic() - begin, 8)
        self.assertFalse(self.alive("child") or self.alive("grandchild"))

    def test_child_stops_and_is_forgotten(self) -> None:
        child = proc.Child(["sh", "-c", self.STUBBORN], log=self.dir / "child.log", cwd=self.dir)
        self.until(lambda: self.alive("grandchild"), "grandchild did not start")
        self.assertTrue(child.alive())
        self.assertEqual(child.stop(0.3), -signal.SIGKILL)
        self.assertFalse(child.alive() or self.alive("child") or self.alive("grandchild"))

    def test_child_that_ended_is_reported_with_its_last_words(self) -> None:
        child = proc.Child(["sh", "-c", "echo cannot bind; exit 4"], log=self.dir / "nic.log", name="NIC")
        self.assertEqual(child.wait(10), 4)
        with self.assertRaisesRegex(steps.LabError, "NIC ended unexpectedly with status 4: cannot bind"):
            child.check()

    def lab_with_child(self) -> subprocess.Popen[str]:
        process = self.lab(f"""
            import sys, time
            from lab import guard, proc, steps
            proc.PATIENCE = 0.3
            def main():
                proc.Child(["sh", "-c", {self.STUBBORN!r}], log=D / "child.log", cwd=D)
                (D / "ready").touch()
                time.sleep(60)
            sys.exit(guard.main_guard(main))
            """)
        self.until(lambda: (self.dir / "ready").exists() and self.alive("grandchild"), "the lab did not start")
        return process

    def test_signals_end_the_lab_and_its_children(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                process = self.lab_with_child()
                process.send_signal(number)
                said = process.communicate(timeout=20)[1]
                self.assertEqual(process.returncode, steps.EXIT_INTERRUPTED, said)
                self.assertRegex(said, "^lab: interrupted[^\n]*\n$")
                self.assertFalse(self.alive("child") or self.alive("grandchild"))
                for name in ("ready", "child", "grandchild"):
                    (self.dir / name).unlink()

    def test_children_do_not_outlive_a_killed_lab(self) -> None:
        process = self.lab_with_child()
        process.kill()
        self.until(lambda: not (self.alive("child") or self.alive("grandchild")), "children outlived the lab", 5)

    def test_children_end_with_a_lab_that_merely_returns(self) -> None:
        process = self.lab(f"""
            import time
            from lab import proc
            proc.PATIENCE = 0.3
            proc.Child(["sh", "-c", {self.STUBBORN!r}], log=D / "child.log", cwd=D)
            while not (D / "grandchild").exists():
                time.sleep(0.02)
            """)
        process.communicate(timeout=20)
        self.assertFalse(self.alive("child") or self.alive("grandchild"))


class PrerequisitesTest(Scratch):
    def test_missing_packages_by_name(self) -> None:
        there, absent = str(self.dir), str(self.dir / "absent")
        packages = {"good": (there,), "half": (there, absent), "debian-archive-keyring": (absent, there)}
        with mock.patch.object(prereq, "PACKAGES", packages):
            self.assertEqual(prereq.missing(), ["half"])

    def test_offline_names_what_to_install(self) -> None:
        with mock.patch.object(prereq, "missing", return_value=["mmdebstrap", "zstd"]), \
                mock.patch.object(os, "geteuid", return_value=0), \
                mock.patch.object(prereq, "BUILD", self.dir), \
                self.assertRaisesRegex(steps.EnvironmentFault, "apt-get install mmdebstrap zstd"):
            prereq.ensure(need_network=False)

    def test_needs_root(self) -> None:
        with mock.patch.object(os, "geteuid", return_value=1000), \
                self.assertRaisesRegex(steps.EnvironmentFault, "root"):
            prereq.ensure()

    def test_full_disk(self) -> None:
        with mock.patch.object(os, "geteuid", return_value=0), mock.patch.object(prereq, "BUILD", self.dir), \
                mock.patch.object(shutil, "disk_usage", return_value=mock.Mock(free=1 << 20)), \
                self.assertRaisesRegex(steps.EnvironmentFault, "^disk full: .* 0.0 GiB free"):
            prereq.ensure()

    def test_build_folder_that_cannot_be_made(self) -> None:
        file = self.dir / "file"
        file.touch()
        for place in (file, file / "below"):
            with self.subTest(place=place.name), mock.patch.object(os, "geteuid", return_value=0), \
                    mock.patch.object(prereq, "BUILD", place), \
                    self.assertRaisesRegex(steps.EnvironmentFault, "cannot be made .*XENLRO_BUILD="):
                prereq.ensure()


if __name__ == "__main__":
    unittest.main()
