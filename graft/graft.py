#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Graft a receive path onto the kernel's own driver.

Takes the driver's source for the kernel that is being built for, applies the
rules of DRIVER/graft.cocci in their order, proves that each of them fired, and
leaves the result beside the driver's own files, ready for Kbuild. `modinfo -F base`
of the module tells which version of the kernel's driver that was.

With --packed the archive's own grafts are used if the source or Coccinelle is
missing, or if the source on this machine is older.

Exit codes: 0 grafted, 1 the source does not match the rules, 2 wrong usage,
3 something is missing on this machine.
"""

import argparse
import contextlib
import difflib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BASE = 'MODULE_INFO(base, "{}");\n'  # the last line of a grafted driver
KEY = "graft.key"  # hash of all that the grafted folder was made from
SPATCH_TIMEOUT = 120  # seconds for one run; a rule or all of them take a few seconds, most of them for reading the file
# A line put before each file, the rule that adds another one below it where a rule fired, and what finds both.
MARK = '#include "graft.mark"\n'
FIRED_RULE = """
@ fired_{0} depends on {0} @
@@
 #include "graft.mark"
+#include "graft.fired.{0}"
"""
MARKS = re.compile(r'#include "graft\.(?:mark|fired\.(\w+))"\n')


class GraftError(Exception):
    """A sentence for the user, and its exit code."""

    def __init__(self, message: str, code: int):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Spec:
    """The description of the kernel's driver in DRIVER/graft.toml.

    All @files are taken; they may be patterns such as "*.c". The rules apply to @target, which is one of them, and to
    those of @also; each has to match in one of these.
    """

    driver: str
    directory: str
    files: tuple[str, ...]
    optional: tuple[str, ...]
    target: str
    also: tuple[str, ...] = ()

    @staticmethod
    def load(driver: str) -> "Spec":
        path = TOP / driver / "graft.toml"
        if not path.is_file():
            raise GraftError(f"{driver} is not a grafted driver: {path} does not exist", 2)
        data = tomllib.loads(path.read_text())
        return Spec(driver, data["directory"], tuple(data["files"]),
                    tuple(data.get("optional", ())), data["target"], tuple(data.get("also", ())))

    @property
    def changed(self) -> tuple[str, ...]:
        """The files that the rules are applied to."""
        return self.target, *self.also

    def paths(self) -> list[str]:
        return [f"{self.directory}/{name}" for name in self.files + self.optional]

    def sources(self, tree: Path) -> list[Path]:
        """The driver's files in a kernel tree, in an order that is always the same."""
        folder = tree / self.directory
        found = {name: sorted(path for path in folder.glob(name) if path.is_file())
                 for name in (*self.files, *self.optional, *self.changed)}
        missing = [name for name in (*self.files, *self.changed) if not found[name]]
        if missing:
            raise GraftError(f"{tree} lacks {self.directory}/{missing[0]}: it is not a complete kernel source", 3)
        return list(dict.fromkeys(path for paths in found.values() for path in paths))


def series_of(kver: str) -> str:
    """'6.12' for '6.12.117+deb13-amd64'."""
    match = re.match(r"(\d+\.\d+)(?!\d)", kver)
    if not match:
        raise GraftError(f"'{kver}' is not a kernel release such as 6.12.117+deb13-amd64; set KVER=", 2)
    return match[1]


def tree_version(tree: Path) -> str:
    """Version of a kernel tree such as 6.12.117, from its top-level Makefile."""
    try:
        text = (tree / "Makefile").read_text()
    except OSError:
        raise GraftError(f"{tree} is not a kernel source tree: it has no Makefile; set KSRC= to one", 3) from None
    found = [re.search(rf"^{name}\s*=\s*(\d+)", text, re.M) for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
    if None in found[:2]:
        raise GraftError(f"{tree}/Makefile names no kernel version; set KSRC= to a kernel source tree", 3)
    return ".".join(match[1] if match else "0" for match in found)


def tree_series(tree: Path) -> str:
    """Series of a kernel tree."""
    return series_of(tree_version(tree))


def numbers(version: str) -> list[int]:
    """The numbers of a version, to compare it by."""
    return [int(part) for part in re.findall(r"\d+", version)]


def packed_base(folder: Path) -> str | None:
    """The version that a packed graft was made from."""
    found = re.findall(r'^MODULE_INFO\(base, "(.*)"\);$', "".join(path.read_text() for path in folder.glob("*.c")), re.M)
    return found[-1] if found else None


def find_source(series: str, ksrc: Path | None, packages: Path, specs: list[Spec], cache: Path) -> Path:
    """A tree that holds at least the files of @specs, for kernels of @series.

    Without @ksrc the distribution's source package in @packages is used; only
    the files that are needed are unpacked, once, below @cache.
    """
    package = f"linux-source-{series}"
    if ksrc:
        found = tree_series(ksrc)
        if found != series:
            raise GraftError(f"KSRC={ksrc} is the source of Linux {found}, but the kernel to build for is "
                             f"{series}; install {package} or name a {series} tree", 3)
        return ksrc
    unpacked = packages / package
    if (unpacked / "Makefile").is_file():
        return find_source(series, unpacked, packages, specs, cache)
    archive = next(iter(sorted(packages.glob(f"{package}.tar.*"))), None)
    if not archive:
        raise GraftError(f"the source of Linux {series} is missing: install the package {package}, or name "
                         f"a {series} source tree with KSRC=", 3)
    return unpack(archive, package, specs, cache)


def unpack(archive: Path, package: str, specs: list[Spec], cache: Path) -> Path:
    stat = archive.stat()
    wanted = sorted({path for spec in specs for path in spec.paths()} | {"Makefile"})
    key = hashlib.sha256(repr((archive.name, stat.st_size, stat.st_mtime_ns, wanted)).encode()).hexdigest()[:12]
    tree = cache / f"{package}-{key}"
    if tree.is_dir():
        return tree
    with scratch_beside(tree) as scratch:
        # A pattern that matches nothing is an error to tar, yet optional files may be absent.
        command = ["tar", "-xf", str(archive), "-C", str(scratch), "--wildcards", "--strip-components=1",
                   "--ignore-command-error", *(f"{package}/{path}" for path in wanted)]
        subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
        if not (scratch / "Makefile").is_file():
            raise GraftError(f"{archive} cannot be unpacked; install the package {package} again", 3)
        scratch.rename(tree)
    return tree


def split_rules(text: str) -> list[tuple[str, str]]:
    """The named rules of a semantic patch, each as a separate patch."""
    starts = list(re.finditer(r"^@\s*(\w+)[^@\n]*@", text, re.M))
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return [(match[1], text[match.start():end]) for match, end in zip(starts, ends)]


def spatch(script: Path, paths: list[Path]) -> subprocess.CompletedProcess[str]:
    """Run a semantic patch on files; subprocess.TimeoutExpired when it takes too long."""
    return subprocess.run(["spatch", "--very-quiet", "--no-includes", "--in-place", "--sp-file", str(script), *map(str, paths)],
                          capture_output=True, text=True, timeout=SPATCH_TIMEOUT, check=False)


def apply_together(rules: list[tuple[str, str]], paths: list[Path], scratch: Path) -> bool:
    """Apply all rules to the files at @paths in one run; unless each fired, leave the files and return False.

    spatch does not report a rule that matches nothing, but another rule can depend on it.
    """
    names = {name for name, _ in rules}
    script = scratch / "rules.cocci"
    script.write_text("".join(rule for _, rule in rules) + "".join(FIRED_RULE.format(name) for name in sorted(names)))
    results = [scratch / path.name for path in paths]
    for path, result in zip(paths, results):
        result.write_text(MARK + path.read_text())
    try:
        done = spatch(script, results)
    except subprocess.TimeoutExpired:
        return False
    texts = [result.read_text() for result in results]
    if done.returncode or set(filter(None, MARKS.findall("".join(texts)))) != names:
        return False
    for path, text in zip(paths, texts):
        path.write_text(MARKS.sub("", text))
    return True


def apply_rule(name: str, rule: str, paths: list[Path], scratch: Path, cocci: str) -> None:
    """Apply one rule to the files at @paths; GraftError unless it changes one of them."""
    script = scratch / "rule.cocci"
    script.write_text(rule)
    results = [Path(shutil.copyfile(path, scratch / path.name)) for path in paths]
    try:
        done = spatch(script, results)
    except subprocess.TimeoutExpired:
        raise GraftError(f"{cocci}: rule '{name}' did not end within {SPATCH_TIMEOUT} s", 1) from None
    if done.returncode:
        reason = " ".join(done.stderr.split())
        raise GraftError(f"{cocci}: rule '{name}' was refused by spatch: {reason}", 1)
    fired = [(result, path) for result, path in zip(results, paths) if result.read_bytes() != path.read_bytes()]
    if not fired:
        names = " or ".join(path.name for path in paths)
        raise GraftError(f"{cocci}: rule '{name}' matches nothing in {names}: this kernel's driver differs "
                         "from the ones the rules were written for; keep using the stock driver", 1)
    for result, path in fired:
        shutil.move(result, path)


def graft(spec: Spec, tree: Path, out: Path, cache: Path) -> str:
    """Write the grafted driver to @out, unless it is there already; return what was done.

    spatch is slow, so the result is also kept below @cache.
    """
    sources = spec.sources(tree)
    cocci = TOP / spec.driver / "graft.cocci"
    rules = split_rules(cocci.read_text())
    base = tree_version(tree)
    inputs = [Path(__file__), cocci, *sources]
    key = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in inputs)).hexdigest()
    if (out / KEY).is_file() and (out / KEY).read_text() == f"{key} {base}":
        return f"{len(rules)} rules applied before, nothing changed since"
    kept = cache / f"{spec.driver}-{key[:16]}"
    if not kept.is_dir():
        with scratch_beside(kept) as work:
            apply_rules(spec, rules, sources, work)
            with contextlib.suppress(OSError):  # another run made it first
                work.rename(kept)
    with scratch_beside(out) as work:
        shutil.copytree(kept, work, dirs_exist_ok=True)
        # Other point releases may have the same driver.
        with open(work / spec.target, "a") as target:
            target.write(BASE.format(base))
        (work / KEY).write_text(f"{key} {base}")
        replace(out, work)
    return f"{len(rules)} rules applied"


def replace(out: Path, work: Path) -> None:
    """Put a finished folder in the place of another."""
    if out.exists():
        shutil.rmtree(out)
    work.rename(out)


def put(folder: Path, out: Path) -> None:
    """Replace @out by a copy of a packed driver."""
    with scratch_beside(out) as work:
        shutil.copytree(folder, work, dirs_exist_ok=True)
        replace(out, work)


@contextlib.contextmanager
def scratch_beside(path: Path) -> Iterator[Path]:
    """A folder that may be renamed to @path, and is gone at the end if it was not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def apply_rules(spec: Spec, rules: list[tuple[str, str]], sources: list[Path], out: Path) -> None:
    """Copy @sources to @out and apply all rules to the files that they are for; leave a diff beside them."""
    for source in sources:
        shutil.copyfile(source, out / source.name)
    before = {name: (out / name).read_text() for name in spec.changed}
    paths = [out / name for name in before]
    with tempfile.TemporaryDirectory() as scratch:
        if not apply_together(rules, paths, Path(scratch)):
            # One by one, each has to change a file: the first that does not is told.
            for name, rule in rules:
                apply_rule(name, rule, paths, Path(scratch), f"{spec.driver}/graft.cocci")
    diffs = [difflib.unified_diff(text.splitlines(True), (out / name).read_text().splitlines(True),
                                  f"a/{spec.directory}/{name}", f"b/{spec.driver}/{name}") for name, text in before.items()]
    (out / "graft.diff").write_text("".join(line for diff in diffs for line in diff))


def newest_tree(specs: list[Spec], series: str, args: argparse.Namespace) -> Path:
    """The source on this machine; GraftError if the packed drivers are newer, or nothing can be grafted."""
    if not shutil.which("spatch"):
        raise GraftError("Coccinelle is missing: install the package coccinelle", 3)
    tree = find_source(series, args.ksrc, args.packages, specs, args.cache)
    for spec in specs if args.packed and not args.ksrc else ():
        base, has = packed_base(args.packed / spec.driver), tree_version(tree)
        if base and numbers(has) < min(numbers(base), numbers(args.point) or numbers(base)):
            raise GraftError(f"the source on this machine is that of Linux {has}: upgrade linux-source-{series}", 3)
    return tree


def graft_all(specs: list[Spec], series: str, args: argparse.Namespace) -> None:
    """Graft every driver, or take the packed one."""
    tree = why = None
    try:
        tree = newest_tree(specs, series, args)
    except GraftError as error:
        why = error

    def one(spec: Spec) -> str:
        refused = why
        packed = args.packed / spec.driver if args.packed and (args.packed / spec.driver).is_dir() else None
        if tree:
            try:
                done = graft(spec, tree, args.out / spec.driver, args.cache)
                return f"{done} ({spec.target} of Linux {tree_version(tree)})"
            except GraftError as error:
                refused = error
        if not packed:
            raise refused
        put(packed, args.out / spec.driver)
        return f"packed with this release ({spec.target} of Linux {packed_base(packed)}): {refused}"

    # spatch has one thread, and the drivers are independent.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for spec, done in zip(specs, pool.map(one, specs)):
            print(f"graft: {spec.driver}: {done}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], epilog=__doc__.split("\n\n")[-1])
    parser.add_argument("drivers", nargs="+", metavar="DRIVER", help="folder with graft.toml and graft.cocci")
    parser.add_argument("--kver", required=True, help="release of the kernel to build for")
    parser.add_argument("--point", default="", metavar="VERSION",
                        help="version of that kernel's source, such as 6.1.192, if the release does not tell")
    parser.add_argument("--ksrc", type=Path, help="kernel source tree (default: the package linux-source-X.Y)")
    parser.add_argument("--packages", type=Path, default=Path("/usr/src"), metavar="DIR",
                        help="where source packages are installed (default: /usr/src)")
    parser.add_argument("--packed", type=Path, metavar="DIR", help="grafted drivers to use if none can be made")
    parser.add_argument("--out", type=Path, required=True, help="folder that receives one folder per driver")
    parser.add_argument("--cache", type=Path, default=TOP / "build" / "source", metavar="DIR",
                        help="where unpacked sources and grafted drivers are kept (default: build/source)")
    args = parser.parse_args()
    try:
        graft_all([Spec.load(driver.rstrip("/")) for driver in args.drivers], series_of(args.kver), args)
    except GraftError as error:
        print(f"graft: {error}", file=sys.stderr)
        return error.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
