# SPDX-License-Identifier: GPL-2.0-only
"""The modules on each kernel series: no warning of the compiler or of sparse, one symbol namespace.

Runs in the lab's root. The environment names the kernels' sources, and the grafted drivers of the laboratory's modules
(see tests/__main__.py).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from graft import tree
from lab.kernels import SERIES

ROOT = Path(__file__).resolve().parents[2]
MODULES = tree.modules()
# Modules with sources of this project and at most two files of the kernel. The drivers of Intel's NICs are a dozen
# files of the kernel each, with warnings of their own; the laboratory builds them.
CHECKED = tuple(name for name in MODULES if name not in ("e1000e_lro", "igb_lro", "igc_lro"))
# Not for here: names of the chip and the drivers, one tree for several kernels, tables of X-macros.
IGNORED = ("CAMELCASE", "LINUX_VERSION_CODE", "CONSTANT_COMPARISON", "COMPLEX_MACRO", "MACRO_ARG_REUSE",
           "MACRO_ARG_UNUSED",
           # Operations of a driver with the engine's before them are put together when it is loaded.
           "CONST_STRUCT")
STYLE = ("--no-tree", "--strict", "--terse", "--max-line-length=100", "--ignore", ",".join(IGNORED))
# TRACE_EVENT() is a language of its own; the kernel's trace headers have the same complaints.
UNSTYLED = ("trace.h",)
# Checks with wrong results here: they do not see the assignments in a list_for_each_entry() without the headers, and
# pure C that the unit tests compile has no min().
MISTAKEN = ("returnvar.cocci", "minmax.cocci")
# Results of a build among its sources.
BUILT = shutil.ignore_patterns("*.o", "*.ko", "*.mod", "*.mod.c", "*.order", ".*")
SLOW = 60  # seconds for one semantic check


def source(series: str) -> Path:
    """The kernel's source of a series."""
    return Path(os.environ["KSRC_" + series.replace(".", "_")])


def grafted(series: str) -> Path:
    """Folder with the drivers that the laboratory grafted for a series."""
    return Path(os.environ["STAGE_" + series.replace(".", "_")])


def headers(series: str, real_time: bool = False) -> Path:
    """The kernel's headers of a series, or of its flavour with PREEMPT_RT, as the root has them in place.

    Those of other versions have left empty folders there.
    """
    found, = [path for path in Path("/usr/src").glob(f"linux-headers-{series}.*")
              if path.name.endswith("amd64") and path.name.endswith("-rt-amd64") == real_time
              and (path / "Makefile").exists()]
    return found


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command; its output and errors as one text."""
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def complaints(text: str) -> list[str]:
    """Lines that tell of a warning or an error."""
    return [line for line in text.splitlines() if re.search(r"\b(warning|error|ERROR|WARNING|CHECK):", line)]


class Built(unittest.TestCase):
    """Each series builds with all warnings on and as errors, and without a message of sparse."""

    def build(self, series: str, out: str, real_time: bool = False) -> None:
        tree = headers(series, real_time)
        flags = "W=1 C=2 KCFLAGS=-Werror"
        for module in CHECKED:
            if (ROOT / module / "graft.toml").exists():
                shutil.copytree(grafted(series) / module, Path(out, "src", module), ignore=BUILT)
        # The grafts are there.
        done = run("make", "-j2", "modules", f"KVER={tree.name.removeprefix('linux-headers-')}", f"KDIR={tree}",
                   f"OUT={out}", f"KBUILD_FLAGS={flags}", "GRAFTED=", f"MODULES={' '.join(CHECKED)}")
        self.assertEqual((done.returncode, complaints(done.stdout)), (0, []), done.stdout[-4000:])

    def test_no_warning_and_one_namespace(self):
        for series in SERIES:
            with self.subTest(series=series), tempfile.TemporaryDirectory() as out:
                self.build(series, out)
                self.check_symbols(Path(out))

    def check_symbols(self, out: Path) -> None:
        """Only lro_core exports, only names of its own, and only into the namespace that the drivers import."""
        for module in CHECKED:
            path = str(out / f"{module}.ko")
            exported = re.findall(r" __ksymtab_(?!strings)(\w+)$", run("nm", path).stdout, re.M)
            if module == "lro_core":
                self.assertGreater(len(exported), 8)
                self.assertEqual([name for name in exported if not name.startswith("lro_")], [])
            else:
                self.assertEqual(exported, [])
            spaces = run("modinfo", "-F", "import_ns", path).stdout.split()
            uses = bool(re.search(r" U lro_", run("nm", path).stdout))
            self.assertEqual("XENLRO" in spaces, uses, f"{module} imports {spaces}")


class RealTime(unittest.TestCase):
    """The same where local_bh_disable() is no lock."""

    build = Built.build

    def test_with_real_time(self):
        """Per-CPU data have a lock where local_bh_disable() is none: spinlocks are another function there."""
        for series in SERIES:
            with self.subTest(series=series), tempfile.TemporaryDirectory() as out:
                self.build(series, out, real_time=True)
                locks = "U rt_spin_lock" in run("nm", f"{out}/br_linearize.ko").stdout
                self.assertEqual(locks, series != "6.1")


class Style(unittest.TestCase):
    """The kernel's own checkers of style and of common mistakes."""

    def files(self) -> list[Path]:
        return sorted(path for folder in ("include", *MODULES) for path in (ROOT / folder).glob("*.[ch]"))

    def test_checkpatch(self):
        script = source("6.12") / "scripts/checkpatch.pl"
        for folder in ("include", *MODULES):
            names = [path.name for path in self.files() if path.parent.name == folder and path.name not in UNSTYLED]
            with self.subTest(folder=folder), tempfile.TemporaryDirectory() as empty:
                # Only the options here count, and its state file is not left in the tree.
                paths = [str(ROOT / folder / name) for name in names]
                done = run("perl", str(script), *STYLE, "-f", *paths, cwd=Path(empty))
                self.assertEqual((done.returncode, complaints(done.stdout)), (0, []), done.stdout[-2000:])

    def test_semantic_checks(self):
        scripts = [script for script in sorted((source("6.12") / "scripts/coccinelle").glob("*/*.cocci"))
                   if script.name not in MISTAKEN and re.search(r"^virtual context$", script.read_text(), re.M)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(self.matches, scripts))
        judged = 0
        for script, done in zip(scripts, results):
            if re.search("Python library|OCaml compiler", done.stderr):
                continue
            judged += 1
            with self.subTest(script=script.name):
                self.assertEqual((done.returncode, done.stdout.strip()), (0, ""), done.stderr[-2000:])
        self.assertGreater(judged, 40)

    def matches(self, script: Path) -> subprocess.CompletedProcess[str]:
        """A report would need Python or OCaml within spatch; matches shown in their context mostly do not."""
        return subprocess.run(["spatch", "--very-quiet", "-D", "context", "--no-includes", "--sp-file", str(script),
                               *map(str, self.files())], capture_output=True, text=True, check=False, timeout=SLOW)

    def test_kernel_doc(self):
        script = next(Path("/usr/lib").glob("linux-kbuild-6.12*/scripts/kernel-doc"))
        done = run("perl", str(script), "-none", *map(str, self.files()))
        # The script does not expand the X-macros that make the enums.
        self.assertEqual([line for line in complaints(done.stdout) if not re.search(r"[Ee]num value", line)], [])


if __name__ == "__main__":
    unittest.main()
