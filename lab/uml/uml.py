# SPDX-License-Identifier: GPL-2.0-only
"""Builds user-mode Linux, a kernel that runs as a process at native speed, and modules for it.

Source and compiler are those of the lab's package snapshot, so that the kernel does not depend on what the machine has
installed. Source and build tree are always seen at the same paths while building: the products can be moved.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import apt, cache, proc, roots
from ..paths import BUILD, LOGS, ROOT
from ..steps import EnvironmentFault, LabError, step
from .packages import COMPILER

HERE = Path(__file__).resolve().parent
CACHE = BUILD / "uml"

# Each with the fragments of its configuration, lab/uml/*.config.
FLAVOURS = {"bench": ("common", "bench"), "debug": ("common", "consumers", "debug")}
SERIES = ("6.12", "7.3")  # the first one unless another is asked for

# Options that have another name in newer series.
RENAMED = {"7.3": {"PROC_SYSCTL": "SYSCTL"}}

# Places of source, build tree and out-of-tree modules during a build.
AT_SOURCE, AT_TREE, AT_MODULES = "/mnt/source", "/mnt/tree", "/mnt/modules"

# Sources that no configuration here reaches, by far the most of the archive.
UNUSED = (
    "*/arch/[!ux]*/*.[chS]", "*/dts", "*/Documentation/*/*", "*/tools/testing",
    *(f"*/{folder}/*.[ch]" for folder in (
        "sound", "drivers/gpu", "drivers/media", "drivers/staging", "drivers/net/ethernet/[!ir]*", "drivers/net/wireless",
    )),
)

MAKE = ("make", "-s", "ARCH=um", f"CC={COMPILER}", f"HOSTCC={COMPILER}")

UNPACK = ('dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$2.tar.xz" | '
          'tar -xJ -C "$3" --strip-components=1 "${@:4}"')


@dataclass(frozen=True)
class Uml:
    """A built kernel: its flavour, its series, its build tree and the source it was built from."""

    flavour: str
    series: str
    tree: Path
    source: Path

    @property
    def name(self) -> str:
        """Names its folders and logs."""
        return _name(self.flavour, self.series)

    @property
    def kernel(self) -> Path:
        """The kernel: an executable that depends on no library."""
        return self.tree / "linux"

    @property
    def key(self) -> str:
        """The identity of this build in cache keys."""
        return (self.tree / cache.KEY_FILE).read_text()

    def make(self, what: str, folder: str, *arguments: str, log: Path, timeout: float,
             binds: Mapping[Path, str] | None = None) -> None:
        """Run make in a folder of the root with source and tree mounted.

        Raises LabError, which names `what` was to be made, when it fails.
        """
        mounts = {self.source: AT_SOURCE, self.tree: AT_TREE, **(binds or {})}
        try:
            roots.chroot([*MAKE, "-C", folder, *arguments], binds=mounts, log=log, timeout=timeout)
        except EnvironmentFault:
            raise
        except LabError as error:
            raise LabError(f"{what} could not be built for user-mode Linux ({self.name})", log) from error


def configuration(flavour: str, series: str = SERIES[0]) -> str:
    """Text of the configuration fragments of a flavour, with the names that options have in a series."""
    text = "".join((HERE / f"{name}.config").read_text() for name in FLAVOURS[flavour])
    for old, new in RENAMED.get(series, {}).items():
        text = text.replace(f"CONFIG_{old}=", f"CONFIG_{new}=")
    return text


def _name(what: str, series: str) -> str:
    return what if series == SERIES[0] else f"{what}-{series}"


def ensure(flavour: str = "bench", series: str = SERIES[0]) -> Uml:
    """Return the kernel of a flavour, built when the cache does not hold it; the first time takes some minutes.

    `bench` is built for speed, `debug` with all checkers. Raises LabError.
    """
    if flavour not in FLAVOURS:
        raise LabError(f"no flavour {flavour!r} of user-mode Linux; choose one of {', '.join(FLAVOURS)}")
    source, version = kernel_source(series)
    inputs = (version, roots.package_version(COMPILER), configuration(flavour, series), MAKE)
    tree = cache.keyed(CACHE / _name(flavour, series), inputs,
                       lambda folder: _build(Uml(flavour, series, folder, source)))
    return Uml(flavour, series, tree, source)


def kernel_source(series: str = SERIES[0]) -> tuple[Path, str]:
    """The kernel source, unpacked once for all that is built of it, and its version."""
    snapshot = apt.snapshot()
    name = f"linux-source-{series}"
    package = snapshot.candidates([name]).get(name)
    if not package:
        raise EnvironmentFault(f"the package mirror has no {name}; run `python3 -m lab setup --refresh`")

    def unpack(folder: Path) -> None:
        log = LOGS / f"{_name('uml-source', series)}.log"
        log.unlink(missing_ok=True)
        with step(f"Fetching {name} {package.version}"):
            deb, = snapshot.download([package], folder / "debs", log)
            exclude = [f"--exclude={pattern}" for pattern in UNUSED]
            proc.run(["bash", "-o", "pipefail", "-euc", UNPACK, "unpack", str(deb), name, str(folder), *exclude],
                     log=log, timeout=600)
            cache.remove(folder / "debs")

    return cache.keyed(CACHE / _name("source", series), (package.version, UNUSED), unpack), package.version


def _build(uml: Uml) -> None:
    """Configure and build a kernel in its tree."""
    log = LOGS / f"uml-{uml.name}.log"
    log.unlink(missing_ok=True)
    (uml.tree / "fragment.config").write_text(configuration(uml.flavour, uml.series))
    with step(f"Building user-mode Linux ({uml.name})"):
        uml.make("the configuration", AT_SOURCE, f"O={AT_TREE}", f"KCONFIG_ALLCONFIG={AT_TREE}/fragment.config",
                 "allnoconfig", log=log, timeout=300)
        _check_configuration(uml, log)
        # One after the other: both would write the same generated headers.
        for goal in ("linux", "modules"):
            uml.make("the kernel", AT_TREE, f"-j{os.cpu_count() or 1}", goal, log=log, timeout=3600)


def _check_configuration(uml: Uml, log: Path) -> None:
    """Refuse a kernel that silently lacks an option that was asked for."""
    have = set((uml.tree / ".config").read_text().splitlines())
    asked = [line for line in configuration(uml.flavour, uml.series).splitlines() if line.startswith("CONFIG_")]
    missing = [line for line in asked if line not in have]
    if missing:
        raise LabError(
            f"linux-source-{uml.series} does not accept {', '.join(missing)} for user-mode Linux; correct lab/uml/*.config", log
        )


def build_modules(uml: Uml, name: str, sources: Iterable[str], beside: Iterable[str] = ()) -> Path:
    """Build out-of-tree modules from folders of this project; return the folder that holds the results.

    `sources` are paths from the top of the project; those that have a Kbuild file are built. Those `beside` are there
    for others to include. The sources are mirrored
    to build/uml/modules/<kernel>-<name>/, as the objects of different kernels must not meet. Raises LabError.
    """
    stage = CACHE / "modules" / f"{uml.name}-{name}"
    wanted: dict[Path, bytes] = {}
    folders = []
    sources = tuple(sources)
    for source in (*sources, *beside):
        folder = ROOT / source
        if not folder.is_dir():
            raise LabError(f"there is no folder {source}/ to build a module from")
        if source in sources and (folder / "Kbuild").exists():
            folders.append(source)
        for path in folder.rglob("*"):
            if _is_source(path):
                wanted[path.relative_to(ROOT)] = path.read_bytes()
    wanted[Path("Kbuild")] = "".join(f"obj-m += {folder}/\n" for folder in folders).encode()
    stamp = stage / ".kernel"
    with cache.locked(stage):
        # Objects made for another kernel would look up to date.
        if not stamp.exists() or stamp.read_text() != uml.key:
            cache.remove(stage)
        _mirror(stage, wanted)
        stamp.write_text(uml.key)
        log = LOGS / f"uml-{uml.name}-{name}.log"
        log.unlink(missing_ok=True)
        with step(f"Building modules {name} ({uml.name})"):
            uml.make(f"the modules of {name}", AT_TREE, f"M={AT_MODULES}", "modules", log=log, timeout=600,
                     binds={stage: AT_MODULES})
    return stage


def _is_source(path: Path) -> bool:
    generated = path.name.endswith(".mod.c")
    return path.is_file() and not generated and (path.suffix in (".c", ".h") or path.name == "Kbuild")


def _mirror(stage: Path, wanted: dict[Path, bytes]) -> None:
    """Make the sources below `stage` those wanted; unchanged files keep their time, so that make can skip them."""
    for path in list(stage.rglob("*")):
        if _is_source(path) and path.relative_to(stage) not in wanted:
            path.unlink()
    for name, content in wanted.items():
        path = stage / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
