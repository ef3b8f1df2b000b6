#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make the Debian packages from the source archive.

Exit codes: 0 made, 1 the build failed, 2 wrong usage, 3 something is missing on this machine, 130 interrupted.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab import proc, steps  # noqa: E402  (found by that path)
from lab.paths import LOGS  # noqa: E402
from packaging import dist  # noqa: E402

LOG = LOGS / "deb.log"
NEEDED = {"debhelper": "/usr/bin/dh", "dh-dkms": "/usr/bin/dh_dkms", "dpkg-dev": "/usr/bin/dpkg-buildpackage"}


def make() -> list[Path]:
    """Build the packages; return their paths."""
    missing = [name for name, program in NEEDED.items() if not Path(program).exists()]
    if missing:
        raise steps.EnvironmentFault(f"building packages needs more programs: apt install {' '.join(missing)}")
    archive = dist.make()
    work = dist.OUT / "deb"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with tarfile.open(archive) as packed:
        packed.extractall(work, filter="data")
    LOG.unlink(missing_ok=True)
    return [Path(shutil.copy2(package, dist.OUT / package.name)) for package in build(source())]


def source() -> Path:
    """The unpacked archive of the latest build of the packages."""
    return dist.OUT / "deb" / f"xenlro-{dist.version()}"


def build(tree: Path) -> list[Path]:
    """Build the packages of an unpacked archive beside its folder; return their paths."""
    with steps.step("Building the Debian packages"):
        proc.run(["dpkg-buildpackage", "-us", "-uc", "-b"], cwd=tree, log=LOG, timeout=300)
    return sorted(tree.parent.glob("*.deb"))


if __name__ == "__main__":
    sys.exit(dist.command(__doc__, make))
