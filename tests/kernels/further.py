# SPDX-License-Identifier: GPL-2.0-only
"""Further kernels of the configured mirror: source of the drivers, and headers, of the oldest and the newest of each series.

They come from the lab's suites and from the suites below, as far as the mirror has them.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from lab import apt, cache, kernels, mirror, proc, steps
from lab.paths import BUILD, LOGS

SUITES = ("bookworm-backports", "forky", "sid", "experimental")
FOLDER = BUILD / "check" / "kernels"
LOG = LOGS / "further-kernels.log"
OLDEST = (6, 1)
# Modules that Debian's cloud kernels cannot have: they lack the stock drivers.
CLOUD_LACKS = {"r8169_lro", "e1000e_lro", "igb_lro", "igc_lro"}


@dataclass(frozen=True)
class Further:
    """A kernel by the version of its packages; release is what `uname -r` would print."""

    series: str
    version: str
    release: str
    snapshot: apt.Snapshot

    @property
    def name(self) -> str:
        return f"{self.version} ({self.release})"

    def packages(self) -> list[str]:
        """Names of the packages with the headers."""
        flavour = "-cloud-amd64" if self.release.endswith("-cloud-amd64") else "-amd64"
        base = self.release.removesuffix(flavour)
        return [f"linux-headers-{self.release}", f"linux-headers-{base}-common",
                f"linux-kbuild-{self.series if self.series == '6.1' else base}"]

    def fetch(self, source: bool = True) -> Path:
        """Folder with `headers`, unpacked packages, and `source`, a kernel tree with the drivers that get grafted."""
        inputs = ("further", self.version, self.packages(), source, kernels.tree.sources(), _RECIPE)
        return cache.keyed(FOLDER / self.release, inputs, lambda fresh: _fetch(fresh, self, source))


def _package(wanted: Further, name: str) -> apt.Package:
    """A package of the kernel; of the build programs, which a series shares, the mirror may have another version only."""
    if name.startswith("linux-kbuild-"):
        versions = {version for _, version in wanted.snapshot.all_versions(re.escape(name))}
        if versions and wanted.version not in versions:
            return apt.Package(name, max(versions, key=numbers))
    return apt.Package(name, wanted.version)


def _fetch(fresh: Path, wanted: Further, source: bool) -> None:
    package = f"linux-source-{wanted.series}"
    names = [*wanted.packages(), *([package] if source else [])]
    with steps.step(f"Fetching Linux {wanted.name}"):
        debs = wanted.snapshot.download([_package(wanted, name) for name in names], fresh / "debs", LOG)
        for deb in debs[:3]:
            proc.run(["dpkg-deb", "-x", str(deb), str(fresh / "headers")], log=LOG, timeout=300)
        if source:
            (fresh / "source").mkdir()
            members = [f"{package}/{path}" for path in ("Makefile", *kernels.tree.sources())]
            script = ('dpkg-deb --fsys-tarfile "$1" | tar -xO "$2" | xz -dc -T2 | '
                      'tar -x -C "$3" --strip-components=1 "${@:4}"')
            proc.run(["bash", "-o", "pipefail", "-euc", script, "unpack", str(debs[3]), f"./usr/src/{package}.tar.xz",
                      str(fresh / "source"), *members], log=LOG, timeout=900)
        cache.remove(fresh / "debs")


_RECIPE = cache.recipe(_package, _fetch)


@functools.cache
def snapshots() -> list[apt.Snapshot]:
    """Package lists of the lab's suites, and of each of the others that the mirror has."""
    found = [apt.snapshot()]
    for suite in SUITES:
        lines = mirror.sources().lines((suite,))
        inputs = ("further", lines, apt.PREFERENCES)
        try:
            folder = cache.keyed(FOLDER / "apt" / suite, inputs, lambda fresh, lines=lines: apt.take(fresh, lines))
        except steps.EnvironmentFault as error:
            steps.say(f"{suite} is left out: {error}")
            continue
        found.append(apt.Snapshot(folder, (folder / "identity").read_text()))
    return found


def numbers(version: str) -> list[int]:
    """Key to sort versions by; a release candidate goes before its release."""
    return [int(part) if part != "~" else -1 for part in re.findall(r"\d+|~", version)]


def known(flavour: str = "amd64") -> list[Further]:
    """All kernels of that flavour for which the mirror has headers and the source of one version."""
    found: dict[str, Further] = {}
    for snapshot in snapshots():
        sources = snapshot.all_versions(r"linux-source-\d+\.\d+")
        for name, version in snapshot.all_versions(rf"linux-headers-\d+\.\d[^-]*(-\d+)?-{flavour}"):
            series = re.match(r"(\d+)\.(\d+)", version)
            if series and (f"linux-source-{series[0]}", version) in sources and (int(series[1]), int(series[2])) >= OLDEST:
                found.setdefault(version, Further(series[0], version, name.removeprefix("linux-headers-"), snapshot))
    return sorted(found.values(), key=lambda kernel: numbers(kernel.version))


def chosen() -> list[Further]:
    """The oldest and the newest of each series, without those that `make check` boots."""
    by_series: dict[str, list[Further]] = {}
    for kernel in known():
        by_series.setdefault(kernel.series, []).append(kernel)
    booted = {kernels.kernel(series).release for series in kernels.SERIES}
    ends = [kernel for of_one in by_series.values() for kernel in dict.fromkeys((of_one[0], of_one[-1]))]
    return [kernel for kernel in ends if kernel.release not in booted]
