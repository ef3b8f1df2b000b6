# SPDX-License-Identifier: GPL-2.0-only
"""A snapshot of the package lists of the suites that the lab uses, separate from the machine's own apt.

The whole set-up comes from one snapshot, so that hypervisor, kernels, headers and sources fit each other, and a
complete set-up does not need the network.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import cache, mirror, proc, steps
from .paths import BUILD, LOGS
from .steps import EnvironmentFault, LabError

LOG = LOGS / "apt.log"
# QEMU with vfio-user-pci is in backports only; from bookworm only its kernel is taken.
PREFERENCES = """\
Package: *
Pin: release n=bookworm*
Pin-Priority: 100

Package: qemu-* seabios ipxe-qemu
Pin: release n=trixie-backports
Pin-Priority: 990
"""
ENVIRONMENT = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


class Gone(EnvironmentFault):
    """A package of the snapshot is no longer on the mirror: a new snapshot is needed."""


@dataclass(frozen=True)
class Package:
    """One version of a package in the snapshot."""

    name: str
    version: str


@dataclass(frozen=True)
class Snapshot:
    """Package lists in a directory; `identity` is the hash of the archives' signed release files."""

    directory: Path
    identity: str

    @property
    def lists(self) -> Path:
        return self.directory / "lists"

    @property
    def sources(self) -> list[str]:
        """Lines of sources.list."""
        return (self.directory / "sources.list").read_text().splitlines()

    def names(self, pattern: str) -> list[str]:
        """Names of packages that match a whole regular expression, which has to begin with literal text."""
        prefix = re.match(r"[a-z0-9-]*", pattern)[0]  # type: ignore[index] # it matches the empty string too
        known = _apt(self.directory, ["apt-cache", "pkgnames", prefix]).split()
        return [name for name in known if re.fullmatch(pattern, name)]

    def candidates(self, names: Iterable[str]) -> dict[str, Package]:
        """The versions that apt would install, for the packages that exist."""
        wanted = list(names)
        try:
            text = _apt(self.directory, ["apt-cache", "show", "--no-all-versions", *wanted])
        except LabError:
            # apt fails when it knows none of them.
            return {}
        return {fields["Package"]: Package(fields["Package"], fields["Version"])
                for fields in mirror.stanzas(text) if fields.get("Package") in wanted}

    def versions(self, names: Iterable[str]) -> dict[str, list[str]]:
        """All versions of packages in the snapshot, the newest first; unknown packages are left out."""
        found: dict[str, list[str]] = {}
        for line in _apt(self.directory, ["apt-cache", "madison", *names]).splitlines():
            name, version, _ = (part.strip() for part in line.split("|"))
            if version not in found.setdefault(name, []):
                found[name].append(version)
        return found

    def all_versions(self, pattern: str) -> set[tuple[str, str]]:
        """All versions, with their names, of packages whose names match as in names()."""
        wanted = self.names(pattern)
        try:
            text = _apt(self.directory, ["apt-cache", "show", *wanted]) if wanted else ""
        except LabError:
            return set()
        return {(fields["Package"], fields["Version"]) for fields in mirror.stanzas(text) if "Package" in fields}

    def download(self, packages: list[Package], into: Path, log: Path, timeout: float = 1200) -> list[Path]:
        """Fetch the .deb files, checked against the snapshot, to a directory; return them in order."""
        into.mkdir(parents=True, exist_ok=True)
        wanted = [f"{package.name}={package.version}" for package in packages]
        try:
            _apt(self.directory, ["apt-get", "download", *wanted], log=log, cwd=into, timeout=timeout)
        except LabError as error:
            raise explain(error) from error
        found = []
        for package in packages:
            match = sorted(into.glob(f"{package.name}_*.deb"))
            if not match:
                raise LabError(f"apt did not deliver {package.name} {package.version}", log)
            found.append(match[0])
        return found


def options(directory: Path) -> list[str]:
    """Options that make apt work on the snapshot in `directory` instead of on the machine."""
    settings = {
        "Dir::State": directory, "Dir::State::lists": directory / "lists", "Dir::State::status": directory / "status",
        "Dir::Cache": directory / "cache", "Dir::Cache::pkgcache": "pkgcache.bin",
        "Dir::Cache::srcpkgcache": "", "Dir::Etc::sourcelist": directory / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null", "Dir::Etc::preferences": directory / "preferences",
        "Dir::Etc::preferencesparts": "/dev/null", "APT::Architecture": "amd64", "APT::Architectures": "amd64",
        "APT::Sandbox::User": "root", "Acquire::Languages": "none", "Acquire::Retries": "2",
        "Acquire::http::Timeout": "20", "Acquire::https::Timeout": "20", "APT::Default-Release": "",
        "APT::Get::List-Cleanup": "false", "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _apt(directory: Path, command: list[str], log: Path | None = None, cwd: Path | None = None,
         timeout: float = 120) -> str:
    return proc.run([command[0], *options(directory), *command[1:]], log=log, timeout=timeout, cwd=cwd,
                    env=ENVIRONMENT)


def explain(error: LabError) -> LabError:
    """The error that tells the user about a failure of apt."""
    text = str(error)
    if isinstance(error, EnvironmentFault):
        return error
    if "NO_PUBKEY" in text or "Missing key" in text or "not signed" in text:
        return EnvironmentFault("this machine's keys of the Debian archive are too old for trixie: "
                                "apt-get update && apt-get install debian-archive-keyring", error.log)
    if "404 " in text or "Can't find" in text or "Hash Sum mismatch" in text or "was not found" in text:
        return Gone("the package mirror no longer has a package of the lists taken earlier: "
                    "run `python3 -m lab setup --refresh`", error.log)
    if re.search(r"Could not (resolve|connect)|Temporary failure|[Tt]imed? ?out|Unable to connect|Failed to fetch|"
                 r"did not end within", text):
        return EnvironmentFault("the package mirror that this machine is configured for cannot be reached; "
                                "check the network and the proxy settings of apt", error.log)
    return error


def snapshot(refresh: bool = False) -> Snapshot:
    """The package lists; they are fetched the first time, and with `refresh`."""
    if refresh:
        cache.remove(BUILD / "apt")
        _snapshot.cache_clear()
    return _snapshot()


@functools.cache
def _snapshot() -> Snapshot:
    directory = BUILD / "apt"
    lines = mirror.sources().lines()
    inputs = ("snapshot", lines, PREFERENCES, options(Path("/")), _RECIPE)
    cache.keyed(directory, inputs, lambda fresh: _take(fresh, lines))
    return Snapshot(directory, (directory / "identity").read_text())


def _take(directory: Path, lines: list[str]) -> None:
    with steps.step("Fetching the package lists"):
        for name in ("lists/partial", "cache/archives/partial"):
            (directory / name).mkdir(parents=True)
        (directory / "status").touch()
        (directory / "preferences").write_text(PREFERENCES)
        (directory / "sources.list").write_text("\n".join(lines) + "\n")
        try:
            # Without the option a list that could not be fetched is only a warning.
            _apt(directory, ["apt-get", "-o", "APT::Update::Error-Mode=any", "update"], log=LOG, timeout=300)
        except LabError as error:
            raise explain(error) from error
        releases = sorted(directory.glob("lists/*Release"))
        if len(releases) < len(lines):
            raise EnvironmentFault("the package mirror that this machine is configured for lacks a suite of "
                                   + ", ".join(mirror.SUITES), LOG)
        (directory / "identity").write_text(cache.digest(releases))


def take(directory: Path, lines: list[str]) -> None:
    """Fetch the lists of other suites than the lab's, for a separate Snapshot."""
    _take(directory, lines)


_RECIPE = cache.recipe(_take)
