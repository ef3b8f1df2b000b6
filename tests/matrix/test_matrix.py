# SPDX-License-Identifier: GPL-2.0-only
"""The four modules on each kernel series: no warning of the compiler or of sparse, one symbol namespace.

Runs in the lab's root, with KSRC_6_1 and so on naming the kernels' sources (see tests/__main__.py).
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERIES = ("6.1", "6.12", "7.3")
MODULES = ("lro_core", "br_linearize", "r8169_lro", "netfront_lro")
# What the kernel's coding style says differently here: names that the chip's documentation and the drivers have.
STYLE = ("--no-tree", "--strict", "--terse", "--max-line-length=100", "--ignore", "CAMELCASE")
SLOW = 60  # seconds for one semantic check


def source(series: str) -> Path:
    """The kernel's source of a series."""
    return Path(os.environ["KSRC_" + series.replace(".", "_")])


def headers(series: str) -> Path:
    """The kernel's headers of a series, as the root has them in place."""
    found = [path for path in Path("/usr/src").glob(f"linux-headers-{series}.*") if path.name.endswith("amd64")]
    return found[0]


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command; its output and errors as one text."""
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def complaints(text: str) -> list[str]:
    """Lines that tell of a warning or an error."""
    return [line for line in text.splitlines() if re.search(r"\b(warning|error|ERROR|WARNING|CHECK):", line)]


class Built(unittest.TestCase):
    """Each series builds with all warnings on and as errors, and sparse has nothing to say."""

    def test_no_warning_and_one_namespace(self):
        for series in SERIES:
            with self.subTest(series=series), tempfile.TemporaryDirectory() as out:
                tree = headers(series)
                done = run("make", "-j2", "modules", f"KVER={tree.name.removeprefix('linux-headers-')}", f"KDIR={tree}",
                           f"KSRC={source(series)}", f"OUT={out}", "KBUILD_FLAGS=W=1 C=2 KCFLAGS=-Werror")
                self.assertEqual((done.returncode, complaints(done.stdout)), (0, []), done.stdout[-4000:])
                self.check_symbols(Path(out))

    def check_symbols(self, out: Path) -> None:
        """Only lro_core exports, only names of its own, and only into the namespace that the drivers import."""
        for module in MODULES:
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


class Style(unittest.TestCase):
    """The kernel's own checkers of style and of common mistakes."""

    def files(self) -> list[Path]:
        return sorted(path for folder in ("include", *MODULES) for path in (ROOT / folder).glob("*.[ch]"))

    def test_checkpatch(self):
        script = source("6.12") / "scripts/checkpatch.pl"
        for folder in ("include", *MODULES):
            names = [path.name for path in self.files() if path.parent.name == folder]
            with self.subTest(folder=folder):
                done = run("perl", str(script), *STYLE, "-f", *names, cwd=ROOT / folder)
                self.assertEqual(complaints(done.stdout), [])
                self.assertIn("total: 0 errors, 0 warnings, 0 checks", done.stdout)

    def test_semantic_checks(self):
        scripts = sorted((source("6.12") / "scripts/coccinelle").glob("*/*.cocci"))
        self.assertGreater(len(scripts), 40)
        for script in scripts:
            with self.subTest(script=script.name):
                done = subprocess.run(["spatch", "--very-quiet", "-D", "report", "--no-includes", "--sp-file", str(script),
                                       *map(str, self.files())], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      text=True, check=False, timeout=SLOW)
                self.assertEqual(done.stdout.strip(), "")

    def test_kernel_doc(self):
        script = next(Path("/usr/lib").glob("linux-kbuild-6.12*/scripts/kernel-doc"))
        done = run("perl", str(script), "-none", "-Wall", *map(str, self.files()))
        self.assertEqual(complaints(done.stdout), [])


if __name__ == "__main__":
    unittest.main()
