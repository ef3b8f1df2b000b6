# SPDX-License-Identifier: GPL-2.0-only
"""The documentation against the tree: links lead somewhere, commands exist, names are those of the code."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import unittest
from collections.abc import Iterable
from pathlib import Path

from graft import tree
from lab import kernels
from lab.paths import ROOT

sys.path.insert(0, str(ROOT / "tools"))

from xenlro import cli, modules  # noqa: E402  (needs that path)

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("lab/*.md"), *ROOT.glob("lab/*/README.md"),
                *ROOT.glob("tests/*/README.md")])
LONGEST = 250  # lines of a page
DASHBOARD = ROOT / "docs/dashboards/xenlro.json"
MAN = ROOT / "packaging/xenlro.8"
# What lines of shell begin with in the documentation.
PROGRAMS = {"apt", "cat", "cd", "dkms", "echo", "insmod", "ip", "make", "modprobe", "mokutil", "prometheus-node-exporter",
            "python3", "reboot", "xenlro", "xl"}
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def headings(page: Path) -> set[str]:
    """Anchors of a page's headings, as forges make them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    return {re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower()).replace(" ", "-")
            for line in text.splitlines() if line.startswith("#")}


def code(page: Path) -> str:
    """The code in a page, blocks and single words, without the comments of shell lines."""
    text = page.read_text()
    blocks = re.findall(r"```(?:sh)?\n(.*?)```", text, flags=re.S)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
    return "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in "\n".join([*blocks, *inline]).splitlines())


def counters() -> set[str]:
    """Names of all counters and reasons of the engine."""
    sources = [(ROOT / "lro_core" / name).read_text() for name in ("engine.h", "reasons.h")]
    return {name for text in sources for name in re.findall(r'\b[CR]\(\w+, "(\w+)"\)', text)}


class Pages(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for page in PAGES:
            for link in _LINK.findall(page.read_text()):
                if "://" in link:
                    continue
                with self.subTest(page=page.name, link=link):
                    path, _, anchor = link.partition("#")
                    target = (page.parent / path).resolve() if path else page
                    self.assertTrue(target.exists(), f"{target} does not exist")
                    if anchor:
                        self.assertIn(anchor, headings(target))

    def test_every_page_is_linked(self):
        linked = {(page.parent / link.partition("#")[0]).resolve()
                  for page in PAGES for link in _LINK.findall(page.read_text()) if "://" not in link}
        mentioned = "".join(page.read_text() for page in PAGES)
        for page in ROOT.glob("docs/*.md"):
            with self.subTest(page=page.name):
                self.assertTrue(page in linked or str(page.relative_to(ROOT)) in mentioned)

    def test_no_page_is_too_long_to_be_read(self):
        for page in PAGES:
            with self.subTest(page=page.name):
                self.assertLessEqual(len(page.read_text().splitlines()), LONGEST)

    def test_files_that_are_named_exist(self):
        for page in PAGES:
            for path in re.findall(rf"`((?:lab|tests|docs|tools|packaging|include|graft|{'|'.join(tree.modules())})/[\w./-]*)`",
                                   page.read_text()):
                with self.subTest(page=page.name, path=path):
                    self.assertTrue((ROOT / path).exists())

    def test_lines_of_shell_begin_with_a_program(self):
        """Rewrapping a block like a paragraph joins its commands: a line then begins in the middle of one."""
        for page in PAGES:
            for block in re.findall(r"```sh\n(.*?)```", page.read_text(), flags=re.S):
                for line in re.sub(r"\\\n", " ", block).splitlines():
                    with self.subTest(page=page.name, line=line):
                        first = (line.split() or ["#"])[0]
                        self.assertTrue(first.startswith("#") or first in PROGRAMS or "=" in first)

    def test_make_targets_exist(self):
        targets = set(" ".join(re.findall(r"^([a-z -]+):", (ROOT / "Makefile").read_text(), re.M)).split())
        for page in PAGES:
            for line in re.findall(r"(?:^|[&;|] *|`)make ((?:[\w.]+=?\S* ?)+)", code(page), re.M):
                words = [word for word in line.split() if re.fullmatch(r"[a-z-]+", word)]
                if page.parent in (ROOT, ROOT / "docs") and words:
                    with self.subTest(page=page.name, line=line):
                        self.assertIn(words[0], targets)

    def test_commands_of_xenlro_exist(self):
        named = {command for page in PAGES for command in re.findall(r"(?:^|\n|`)xenlro (\w+)", code(page))}
        self.assertGreaterEqual(named, {"status", "use", "watch"})
        for command in sorted(named):
            with self.subTest(command=command), contextlib.redirect_stdout(io.StringIO()) as said:
                with self.assertRaises(SystemExit) as ended:
                    cli.main([command, "--help"])
                self.assertEqual(ended.exception.code, 0)
                for option in re.findall(r"--[a-z]+", said.getvalue()):
                    if option != "--help":
                        self.assertIn(option.replace("-", r"\-"), MAN.read_text())

    def test_every_driver_is_told_of(self):
        for page in (MAN, *(ROOT / name for name in ("README.md", "CHANGELOG.md", "docs/architecture.md", "docs/hardware.md",
                                                     "docs/parameters.md"))):
            for driver in tree.drivers():
                with self.subTest(page=page.name, driver=driver):
                    self.assertIn(driver, page.read_text())
        for driver in tree.drivers():
            stock = tree.described(driver)["stock"]
            for page in (MAN, ROOT / "debian/copyright"):
                with self.subTest(page=page.name, stock=stock):
                    self.assertIn(stock, page.read_text().replace("\\-", "-"))

    def test_parameters_that_are_shown_exist(self):
        sources = "".join(path.read_text() for folder in tree.modules()
                          for path in (ROOT / folder).glob("*.c"))
        kernels_own = {"max_queues", "trusted"}
        for page in PAGES:
            for module, name in re.findall(r"/sys/module/(\w+)/parameters/(\w+)", page.read_text()):
                with self.subTest(page=page.name, parameter=f"{module}.{name}"):
                    self.assertTrue(name in kernels_own or re.search(rf"\bmodule_param\w*\(\s*{name}\b", sources))


class FileMaps(unittest.TestCase):
    """Tables of files name each file that they are about."""

    def named(self, page: str, heading: str, paths: Iterable[Path]) -> None:
        text = (ROOT / page).read_text()
        part = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]
        names = [f"`{path.name}{'/' if path.is_dir() else ''}`" for path in paths if not path.name.startswith(("__", "."))]
        self.assertGreater(len(names), 8)
        self.assertEqual([name for name in names if name not in part], [])

    def test_laboratory(self):
        self.named("docs/lab.md", "Its files", [path for path in (ROOT / "lab").iterdir()
                                                if path.suffix == ".py" or path.is_dir()])

    def test_emulated_nic(self):
        self.named("lab/rtl8169d/README.md", "Files", (ROOT / "lab/rtl8169d").glob("*.c"))

    def test_modules_and_other_folders(self):
        self.named("docs/architecture.md", "The parts", [ROOT / name for name in
                                                         (*tree.modules(), "include", "graft", "lab", "tests", "tools")])


class Dashboard(unittest.TestCase):
    def test_each_metric_is_a_counter(self):
        dashboard = json.loads(DASHBOARD.read_text())
        metrics = {f"node_ethtool_rx0_lro_{name}" for name in counters()}
        self.assertGreater(len(metrics), 40)
        selectors = re.findall(r'__name__=~"([^"]+)"', json.dumps(dashboard).replace('\\"', '"'))
        self.assertGreaterEqual(len(selectors), len(dashboard["panels"]))
        for selector in selectors:
            with self.subTest(selector=selector):
                self.assertTrue(any(re.fullmatch(selector, metric) for metric in metrics))

    def test_panels_have_a_place_and_a_query_each(self):
        panels = json.loads(DASHBOARD.read_text())["panels"]
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
        self.assertEqual(len(set(places)), len(places))
        for panel in panels:
            self.assertTrue(panel["targets"][0]["expr"])
            self.assertEqual(panel["targets"][0]["expr"].count("("), panel["targets"][0]["expr"].count(")"))


class Versions(unittest.TestCase):
    def test_one_version_everywhere(self):
        version = re.search(r'^PACKAGE_VERSION="(.+)"$', (ROOT / "dkms.conf").read_text(), re.M)[1]
        self.assertTrue((ROOT / "debian/changelog").read_text().startswith(f"xenlro ({version})"))
        self.assertRegex((ROOT / "CHANGELOG.md").read_text(), rf"(?m)^## {re.escape(version)}\b")
        self.assertIn(f'"xenlro {version}"', MAN.read_text())
        self.assertIn(f"Version:\t{version}\n", (ROOT / "packaging/xenlro.spec").read_text())

    def test_series_of_kernels_are_those_of_the_laboratory(self):
        told = re.search(r"KERNEL=([\d.|]+)", (ROOT / "Makefile").read_text())[1]
        self.assertEqual(set(told.split("|")), set(kernels.SERIES))
        booted = re.search(r"^\| ([\d., ]+): .* \| booted", (ROOT / "docs/hardware.md").read_text(), re.M)[1]
        self.assertEqual(booted.split(", "), list(kernels.SERIES))
        oldest = ".".join(map(str, modules.OLDEST))
        self.assertEqual(oldest, kernels.SERIES[0])
        pattern = re.search(r'^BUILD_EXCLUSIVE_KERNEL="(.*)"$', (ROOT / "dkms.conf").read_text(), re.M)[1]
        for kernel, taken in ((f"{oldest}.0-57-amd64", True), ("6.0.1", False), ("5.19.0", False), ("6.10.3", True),
                              ("7.3.4+deb13-amd64", True), ("10.0.0", True), ("4.19.0+1", False)):
            self.assertEqual(bool(re.search(pattern, kernel)), taken, kernel)


class ManPage(unittest.TestCase):
    def test_man_page_is_well_formed(self):
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(MAN)], capture_output=True,
                              text=True, check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
