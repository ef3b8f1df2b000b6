# SPDX-License-Identifier: GPL-2.0-only
"""A further driver is a further folder, and a kernel gets those modules that its configuration allows.

The tests run on this machine, in copies of the tree: nothing is compiled.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DRIVER = "e9000_lro"
FILES = {
    "Kbuild": "obj-m += e9000_lro.o\ne9000_lro-y := rx.o\n",
    "rx.c": "", "rx.h": "", "graft.cocci": "",
    "graft.toml": 'directory = "drivers/net/ethernet/e9000"\nfiles = ["main.c", "e9000.h"]\ntarget = "main.c"\n'
                  'needs = ["CONFIG_PCI", "CONFIG_E9000"]\nbus = "pci"\nstock = "e9000"\nstock_driver = "e9000"\n'
                  'serves = "E9000 NIC"\n',
}
# Files that look for the folders and so need not name each driver.
NAMELESS = ("Makefile", "Kbuild", "dkms.conf", "debian/rules", "debian/control", "packaging/*.py", "packaging/*.spec",
            "packaging/*completion", "tools/xenlro/*.py", "lab/modules.py", "lab/kernels.py", "graft/*")
# The steps of DKMS with dkms.conf before it builds.
DKMS = """
kernelver=$1 arch=$2 kernel_source_dir=$3 dkms_tree=$4
. "$5"
[[ $kernelver =~ $BUILD_EXCLUSIVE_KERNEL && $arch =~ $BUILD_EXCLUSIVE_ARCH ]] || echo skipped
for option in $BUILD_EXCLUSIVE_CONFIG; do grep -q "^${option#!}=y" "$kernel_source_dir/.config" && echo skipped; done
echo "${#BUILT_MODULE_NAME[@]} ${#BUILT_MODULE_LOCATION[@]} ${#DEST_MODULE_LOCATION[@]}"
echo "${BUILT_MODULE_NAME[@]}"
"""
ALL = ("CONFIG_R8169=m", "CONFIG_XEN_NETDEV_FRONTEND=y", "CONFIG_NETFILTER_FAMILY_BRIDGE=y")


class Copied(unittest.TestCase):
    """A copy of the tree, and headers of a kernel."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.top = self.folder / "tree"
        names = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--",
                                ":!tests/fuzz", ":!results"], capture_output=True, check=True).stdout.decode().split("\0")
        for name in names:
            if name and (TOP / name).is_file():
                (self.top / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, self.top / name)
        self.headers = self.folder / "headers"
        (self.headers / "include/config").mkdir(parents=True)
        self.configure(*ALL)

    def configure(self, *options: str) -> None:
        for name in (".config", "include/config/auto.conf"):
            (self.headers / name).write_text("".join(f"{option}\n" for option in options))

    def add_driver(self) -> None:
        (self.top / DRIVER).mkdir()
        for name, text in FILES.items():
            (self.top / DRIVER / name).write_text(text)

    def said(self, *command: str, **kwargs) -> str:
        done = subprocess.run(command, cwd=self.top, capture_output=True, text=True, check=False, **kwargs)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def python(self, code: str) -> str:
        return self.said(sys.executable, "-c", code, env={**os.environ, "PYTHONPATH": f"{self.top}:{self.top}/tools"}).strip()

    def make(self, *arguments: str) -> str:
        return self.said("make", "-s", f"KDIR={self.headers}", "KVER=6.12.1-test", *arguments)

    def dkms(self, kernel: str = "6.12.1-test", arch: str = "x86_64") -> tuple[bool, list[str]]:
        """Whether DKMS would skip the kernel, and the modules that it would look for."""
        lines = self.said("bash", "-uc", DKMS, "dkms", kernel, arch, str(self.headers), str(self.folder / "dkms"),
                          str(self.top / "dkms.conf"), env={**os.environ, "XENLRO_SOURCES": str(self.folder / "src")}).splitlines()
        modules = lines[-1].split()
        self.assertEqual(set(lines[-2].split()), {str(len(modules))})
        return "skipped" in lines, modules

    def pack(self, *series: str) -> None:
        """Leave grafted drivers behind, as the archive of `make dist` has them."""
        for name in series:
            (self.top / "grafted" / name).mkdir(parents=True)


class FurtherDriver(Copied):
    """The effect of a further folder on each part of the project."""

    def setUp(self):
        super().setUp()
        self.add_driver()
        self.configure(*ALL, "CONFIG_PCI=y", "CONFIG_E9000=m")

    def test_build(self):
        self.assertIn(DRIVER, self.make("--eval", "show:;@echo $(GRAFTED)", "show").split())
        (self.top / "graft/graft.py").write_text("import sys; from pathlib import Path; out = sys.argv.index('--out') + 1\n"
                                                 "for name in sys.argv[out + 1:]: Path(sys.argv[out], name).mkdir(parents=True)\n")
        (self.headers / "Makefile").touch()
        out = self.folder / "out"
        (out / "src/old_lro").mkdir(parents=True)
        self.make(f"OUT={out}", "CC=true", "stage")
        self.assertTrue((out / "src" / DRIVER / "rx.c").is_file())
        # Leftovers of another time or configuration are not built.
        self.assertFalse((out / "src/old_lro").exists())
        shown = self.said("make", "-s", "-f", str(out / "src/Kbuild"), f"src={out}/src", "--eval", "show:;@echo $(obj-m)", "show")
        self.assertEqual(sorted(shown.split()), sorted(["br_linearize/", f"{DRIVER}/", "lro_core/", "netfront_lro/", "r8169_lro/"]))

    def test_dkms(self):
        self.pack("6.12")
        self.assertEqual(self.dkms(), (False, ["lro_core", "br_linearize", DRIVER, "netfront_lro", "r8169_lro"]))

    def test_laboratory_and_archive(self):
        self.assertIn(DRIVER, self.python("from lab import modules; print(*modules.NAMES)").split())
        self.assertIn("drivers/net/ethernet/e9000", self.python("from lab import kernels; print(*kernels._SOURCES)").split())
        self.assertIn(DRIVER, self.python("from packaging import dist; print(*dist.tree.drivers())").split())

    def test_command(self):
        self.assertIn(f"Bus(name='pci', stock='e9000', stock_driver='e9000', ours='{DRIVER}'",
                      self.python("from xenlro import drivers; print(drivers.known())"))
        self.assertIn(DRIVER, self.python("from xenlro import drivers; print(*drivers.modules())").split())

    def test_installation(self):
        root = self.folder / "root"
        self.make("install", f"DESTDIR={root}", "PREFIX=/usr")
        version = re.search(r'^PACKAGE_VERSION="(.*)"$', (TOP / "dkms.conf").read_text(), re.M)[1]
        for name in FILES:
            self.assertTrue((root / "usr/src" / f"xenlro-{version}" / DRIVER / name).is_file())
        said = self.said(sys.executable, "-c", "from xenlro import drivers; print(*drivers.modules())",
                         env={**os.environ, "PYTHONPATH": str(root / "usr/share")})
        self.assertIn(DRIVER, said.split())
        self.assertIn("/usr/sbin/xenlro apply", (root / "usr/lib/udev/rules.d/70-xenlro.rules").read_text())

    def test_nothing_lists_the_drivers(self):
        # Comments and messages may name a driver.
        drivers = [path.parent.name for path in TOP.glob("*/graft.toml")]
        for pattern in NAMELESS:
            for path in sorted(self.top.glob(pattern)):
                for number, line in enumerate(path.read_text().splitlines() if path.is_file() else (), 1):
                    code = re.sub(r"(^|\s)#.*|@echo.*|\"\"\".*", "", line)
                    with self.subTest(file=path.relative_to(self.top), line=number):
                        self.assertEqual([name for name in drivers if re.search(rf"['\" (]{name}['\" )]", code)], [])


class Configured(Copied):
    """Kernels that lack an option."""

    def test_each_module_is_built_where_its_needs_are_met(self):
        self.pack("6.12")
        for lacking, modules in ((0, ["lro_core", "br_linearize", "netfront_lro"]),
                                 (1, ["lro_core", "br_linearize", "r8169_lro"]),
                                 (2, ["lro_core", "netfront_lro", "r8169_lro"])):
            option = ALL[lacking].split("=")[0]
            with self.subTest(lacking=option):
                self.configure(*(given for given in ALL if option not in given), f"# {option} is not set")
                self.assertEqual(self.dkms(), (False, modules))
                self.assertEqual(self.make("--eval", "show:;@echo $(MODULES)", "show").split(), modules)
                self.assertRegex(self.said("sh", "graft/modules.sh", "--lacking", str(self.headers)), rf"(?m)^\w+ {option}$")

    def test_kernels_that_nothing_can_be_made_for_are_skipped(self):
        self.pack("5.15", "6.12", "6.17", "10.0")
        for kernel, skipped in (("6.12.118+deb13-amd64", False), ("6.17.3-arch1-1", False), ("10.0.1", False),
                                ("6.1.0-57-amd64", True), ("6.120.1", True), ("7.3.4", True), ("5.15.1", True)):
            with self.subTest(kernel=kernel):
                self.assertEqual(self.dkms(kernel)[0], skipped)
        # One for which the drivers can be made here.
        (self.folder / "src/linux-source-7.3").mkdir(parents=True)
        (self.folder / "src/linux-source-7.3/Makefile").touch()
        self.assertTrue(self.dkms("7.3.4")[0])
        (self.folder / "spatch").touch(0o755)
        with unittest.mock.patch.dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}"):
            self.assertFalse(self.dkms("7.3.4")[0])

    def test_architectures_and_page_sizes_that_cannot_work_are_skipped(self):
        self.pack("6.12")
        for arch, option, skipped in (("x86_64", "", False), ("i686", "", True), ("riscv64", "", True),
                                      ("aarch64", "CONFIG_ARM64_4K_PAGES=y", False), ("aarch64", "CONFIG_ARM64_16K_PAGES=y", True),
                                      ("aarch64", "CONFIG_ARM64_64K_PAGES=y", True)):
            with self.subTest(arch=arch, option=option):
                self.configure(*ALL, option)
                self.assertEqual(self.dkms(arch=arch)[0], skipped)

    def test_what_was_built_is_what_is_there(self):
        # The headers may be gone by then, or have further options.
        self.pack("6.12")
        built = self.folder / "dkms/xenlro/0.1.0/6.12.1-test/x86_64/module"
        built.mkdir(parents=True)
        for name in ("lro_core", "netfront_lro"):
            (built / f"{name}.ko.xz").touch()
        self.assertEqual(self.dkms(), (False, ["lro_core", "netfront_lro"]))


class Compiler(Copied):
    """The compiler at hand beside the one that the kernel was built with."""

    GCC = ("CONFIG_CC_IS_GCC=y", "CONFIG_GCC_VERSION=150101")

    def fits(self, *options: str, banner: str, code: int = 0, arguments: tuple[str, ...] = (), name: str = "gcc") -> str:
        """The output for a kernel with those options if the compiler `name` prints that banner."""
        self.configure(*ALL, *options)
        (self.headers / "Makefile").touch()
        program = self.folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{banner}'\n")
        program.chmod(0o755)
        done = subprocess.run(["make", "-s", "-C", str(self.top), f"KDIR={self.headers}", "KVER=6.12.1-test", *arguments, "fits"],
                              capture_output=True, text=True, check=False,
                              env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def test_versions_as_distributions_write_them(self):
        for text, banner in (("gcc (GCC) 15.1.1 20250425", "gcc (GCC) 15.1.1 20250425"),
                             ("gcc (SUSE Linux) 15.1.1 20250425", "gcc (SUSE Linux) 15.1.1 20250425 [revision 1234]"),
                             ("gcc (Gentoo 15.1.0 p1) 15.1.0", "gcc (Gentoo 15.1.1_p20250425 p2) 15.1.1 20250425"),
                             ("gcc (GCC) 15.1.0", "gcc (GCC) 15.1.0"),
                             ("gcc (Alpine 15.1.0) 15.1.0", "gcc (Alpine 15.1.0) 15.1.0"),
                             ("x86_64-linux-gnu-gcc-15 (Ubuntu 15.1.0-5ubuntu1) 15.1.0", "gcc (Ubuntu 15.1.0-5ubuntu1) 15.1.0")):
            with self.subTest(text=text):
                self.assertEqual(self.fits(*self.GCC, f'CONFIG_CC_VERSION_TEXT="{text}"', banner=banner), "")

    def test_another_version_is_worth_a_warning(self):
        told = "modules: warning: Linux 6.12.1-test was built with gcc 15, and gcc is 14:"
        self.assertIn(told, self.fits(*self.GCC, banner="gcc (GCC) 14.2.1 20250207"))
        self.assertIn("was built with clang 19, and clang is 18:",
                      self.fits("CONFIG_CC_IS_CLANG=y", "CONFIG_CLANG_VERSION=190107", "CONFIG_GCC_VERSION=0", name="clang",
                                banner="Debian clang version 18.1.8 (3)"))
        self.assertIn("and cc-9 is 9:", self.fits(*self.GCC, banner="cc-9 (GCC) 9.1.0", name="cc-9", arguments=("CC=cc-9",)))

    def test_clang_that_built_the_kernel_builds_the_modules(self):
        clang = ("CONFIG_CC_IS_CLANG=y", "CONFIG_CLANG_VERSION=190107", "CONFIG_GCC_VERSION=0")
        for options, wanted in (((*clang, "CONFIG_LD_IS_LLD=y"), "LLVM=1"), (clang, "CC=clang"), (self.GCC, "")):
            self.assertEqual(self.fits(*options, name="clang" if wanted else "gcc",
                                       banner="clang version 19.1.7" if wanted else "gcc (GCC) 15.1.1"), "")
            self.assertEqual(self.make("--eval", "show:;@echo $(COMPILER)", "show").strip(), wanted)

    def test_compiler_that_the_headers_insist_on_has_to_be_there(self):
        (self.headers / ".kernelvariables").write_text("CC = $(CROSS_COMPILE)gcc-15\n")
        text = 'CONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-gcc-99 (Debian 15.1.0-1) 15.1.0"'
        self.assertIn("x86_64-linux-gnu-gcc-99 is missing: install the package gcc-99",
                      self.fits(*self.GCC, text, banner="gcc (GCC) 15.1.0", code=2))


if __name__ == "__main__":
    unittest.main()
