#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make packages for distributions with RPM from the source archive. They have been installed on none of these yet.

Exit codes: 0 made, 1 the build failed, 2 wrong usage, 3 something is missing on this machine, 130 interrupted.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab import proc, steps  # noqa: E402  (found by that path)
from lab.paths import LOGS  # noqa: E402
from packaging import dist  # noqa: E402

LOG = LOGS / "rpm.log"
SPEC = dist.TOP / "packaging/xenlro.spec"


def make() -> list[Path]:
    """Build the packages; return their paths."""
    if not shutil.which("rpmbuild"):
        raise steps.EnvironmentFault("building RPM packages needs rpmbuild: apt install rpm")
    return build(dist.make())


def build(archive: Path) -> list[Path]:
    """Build the packages of an archive; return their paths."""
    work = dist.OUT / "rpm"
    shutil.rmtree(work, ignore_errors=True)
    LOG.unlink(missing_ok=True)
    with steps.step("Building the RPM packages"):
        # --nodeps: a machine with dpkg does not know its programs as packages of RPM.
        proc.run(["rpmbuild", "-bb", "--nodeps", "--define", f"_topdir {work}", "--define", f"_sourcedir {archive.parent}",
                  str(SPEC)], log=LOG, timeout=300)
    return [Path(shutil.copy2(package, dist.OUT / package.name)) for package in sorted(work.glob("RPMS/*/*.rpm"))]


if __name__ == "__main__":
    sys.exit(dist.command(__doc__, make))
