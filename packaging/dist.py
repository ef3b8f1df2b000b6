#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make the source archive: this tree, and the grafted drivers of each supported kernel series.

With the grafted drivers in it the modules build from kernel headers alone. They are made in the lab's root from
Debian's source packages, and are kept in the archive only.

Exit codes: 0 made, 1 it could not be, 2 wrong usage, 3 something is missing on this machine, 130 interrupted.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from graft import tree  # noqa: E402  (found by that path)
from lab import guard, kernels, prereq, roots, steps  # noqa: E402
from lab.paths import BUILD, LOGS  # noqa: E402

OUT = BUILD / "dist"


def version() -> str:
    """Version of the project, from dkms.conf."""
    found = re.search(r'^PACKAGE_VERSION="(.+)"$', (TOP / "dkms.conf").read_text(), re.M)
    if not found:
        raise steps.LabError("dkms.conf names no PACKAGE_VERSION")
    return found[1]


def graft(series: str) -> Path:
    """Folder with the grafted drivers for the kernels of a series."""
    kernel = kernels.kernel(series)
    out = OUT / "grafted" / series
    binds = {path: str(path) for path in (TOP, BUILD)} | kernel.binds()
    roots.chroot(["python3", "graft/graft.py", "--kver", kernel.release, "--ksrc", str(kernel.source),
                  "--out", str(out), *tree.drivers()], binds=binds, log=LOGS / f"graft-{series}.log", timeout=300, cwd=str(TOP))
    return out


def tracked() -> list[Path]:
    """Files of the project, by git."""
    try:
        names = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z"], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise steps.EnvironmentFault("the archive is made from a git checkout, and this folder is none") from error
    return [TOP / name for name in names.decode().split("\0") if name and (TOP / name).is_file()]


def pack(archive: Path, prefix: str, files: list[tuple[Path, str]]) -> None:
    """Write the archive; the same files give the same bytes."""
    newest = int(subprocess.run(["git", "-C", str(TOP), "log", "-1", "--format=%ct"], capture_output=True,
                                check=True, text=True).stdout)

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        info.mtime = newest
        info.mode = 0o755 if info.mode & 0o100 else 0o644
        return info

    with tarfile.open(archive, "w:xz") as out:
        for path, name in sorted(files, key=lambda item: item[1]):
            out.add(path, f"{prefix}/{name}", recursive=False, filter=plain)


def make() -> Path:
    """Make the archive; return its path."""
    prefix = f"xenlro-{version()}"
    files = [(path, str(path.relative_to(TOP))) for path in tracked()]
    for series in kernels.SERIES:
        with steps.step(f"Grafting the drivers of Linux {series}"):
            folder = graft(series)
        files += [(path, f"grafted/{series}/{path.relative_to(folder)}")
                  for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in (".c", ".h")]
    archive = OUT / f"{prefix}.tar.xz"
    pack(archive, prefix, files)
    return archive


def command(doc: str, job: Callable[[], Sequence[Path]]) -> int:
    """The command line of a module here: do its job, print what it made; return the exit code."""
    parser = argparse.ArgumentParser(description=doc.split("\n\n", maxsplit=1)[0], epilog=doc.split("\n\n")[-1])
    name = Path(parser.prog).stem
    parser.parse_args()

    def made() -> None:
        prereq.ensure(machines=False)
        for path in job():
            print(path)

    return guard.main_guard(made, name)


if __name__ == "__main__":
    sys.exit(command(__doc__, lambda: [make()]))
