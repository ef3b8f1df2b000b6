# SPDX-License-Identifier: GPL-2.0-only
"""Debian's kernels of three series: image, modules, headers and the source of the drivers that get grafted.

Of each series the newest release, and as OLDEST the oldest that the package mirror still has. Those in DEBUG are built here and used like them, by tests only.
"""

from __future__ import annotations

import functools
import lzma
import os
import re
from dataclasses import dataclass
from pathlib import Path

from graft import tree

from . import apt, bzimage, cache, proc, steps
from .paths import BUILD, LOGS
from .steps import EnvironmentFault, LabError

SERIES = ("6.1", "6.12", "7.3")
DEFAULT = "6.12"
# The first release of each series that can be had with all that belongs to it. Only tests boot them.
OLDEST = tuple(f"{series}-oldest" for series in SERIES)
# Built here, not packages: those that lab/debug makes.
KASAN, PV_DEBUG = DEBUG = ("kasan", "pv-debug")
_IMAGES = {
    "6.1": r"linux-image-(6\.1\.0-\d+-amd64)",
    "6.12": r"linux-image-(6\.12\.\d+\+deb13-amd64)",
    "7.3": r"linux-image-(7\.3\.\d+\+deb13-amd64)",
}
# From here on the image package is an empty one that depends on its parts.
_SPLIT = {"7.3": ("linux-binary-", "linux-modules-", "linux-base-")}
# Hardware that no machine of the lab has; with it 6.1 would take 380 MB.
_UNWANTED = ("sound", "drivers/gpu", "drivers/iio", "drivers/infiniband", "drivers/media", "drivers/net/wireless",
             "drivers/scsi", "drivers/staging", "drivers/usb")
_SOURCES = ("Makefile", *tree.sources(),
            # The kernel's own checkers, for the tests.
            "scripts/checkpatch.pl", "scripts/const_structs.checkpatch", "scripts/spelling.txt", "scripts/coccinelle")


@dataclass(frozen=True)
class Kernel:
    """One kernel, unpacked. All paths are below build/kernels/SERIES and belong to the cache: do not write there."""

    series: str
    release: str  # what uname -r prints
    version: str  # of the packages
    vmlinuz: Path
    vmlinux: Path  # uncompressed ELF file
    system_map: Path
    modules_dir: Path  # lib/modules/RELEASE
    headers: Path  # a tree with usr/src/linux-headers-* and usr/lib/linux-kbuild-*
    source: Path  # a kernel tree that holds the drivers that get grafted
    kbuild_flags: tuple[str, ...] = ()  # what make needs to be told to build a module for it

    @property
    def key(self) -> str:
        """What tells this kernel from any other."""
        return (self.vmlinuz.parent / cache.KEY_FILE).read_text()

    def module(self, name: str) -> Path:
        """Path of an uncompressed module; LabError when the kernel has it built in or not at all."""
        packed = _index(self.modules_dir).get(_plain(name))
        if not packed:
            kind = "built into" if _plain(name) in self.builtin() else "not part of"
            raise LabError(f"the module {name} is {kind} Linux {self.release}")
        if packed.suffix == ".ko":
            return packed
        unpacked = self.modules_dir / "unpacked" / packed.stem
        if not unpacked.exists():
            unpacked.parent.mkdir(exist_ok=True)
            fresh = unpacked.with_name(f".{unpacked.name}.{steps.unique()}")
            fresh.write_bytes(_decompress(packed))
            fresh.rename(unpacked)
        return unpacked

    def has(self, name: str) -> bool:
        """Whether there is a module of that name."""
        return _plain(name) in _index(self.modules_dir)

    def depends(self, name: str) -> list[Path]:
        """The modules to load for this one, in order, itself last; empty when it is built in."""
        order: list[Path] = []
        self._collect(_plain(name), order)
        return order

    def _collect(self, name: str, order: list[Path]) -> None:
        if name in self.builtin():
            return
        path = self.module(name)
        for needed in module_info(path.read_bytes()).get("depends", "").split(","):
            if needed:
                self._collect(_plain(needed), order)
        if path not in order:
            order.append(path)

    def builtin(self) -> set[str]:
        """Names of what could be modules but is part of the image."""
        lines = (self.modules_dir / "modules.builtin").read_text().split()
        return {_plain(Path(line).name.split(".")[0]) for line in lines}

    def binds(self) -> dict[Path, str]:
        """What chroot() has to mount so that headers and /lib/modules/RELEASE/build are where makefiles look.

        Those of several kernels go together.
        """
        return _places(self.headers)


def _places(headers: Path) -> dict[Path, str]:
    """Folders of unpacked headers, and where makefiles look for them."""
    folders = [path for pattern in ("usr/src/linux-headers-*", "usr/lib/linux-kbuild-*", "lib/modules/*",
                                    "usr/lib/modules/*") for path in sorted(headers.glob(pattern))]
    return {path: f"/{path.relative_to(headers)}" for path in folders}


def _plain(name: str) -> str:
    return name.replace("-", "_")


@functools.cache
def _index(modules: Path) -> dict[str, Path]:
    """Modules by name, with _ for - as the kernel does."""
    found = {}
    for path in (modules / "kernel").rglob("*.ko*"):
        found[_plain(path.name.split(".")[0])] = path
    return found


def _decompress(path: Path) -> bytes:
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".zst":
        return proc.filtered(["zstd", "-dcq"], path.read_bytes(), timeout=60)
    raise LabError(f"{path} is compressed in an unknown way")


def module_info(image: bytes) -> dict[str, str]:
    """The fields that modinfo prints, from a module's bytes; of those given more than once the first."""
    # The section's strings stand together, and no other section has one that begins so.
    fields: dict[str, str] = {}
    for match in re.finditer(rb"\0(license|depends|vermagic|name|intree|version)=([^\0]*)", b"\0" + image):
        fields.setdefault(match[1].decode(), match[2].decode(errors="replace"))
    return fields


def _numbers(release: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", release)]


def releases(names: list[str], pattern: str) -> list[str]:
    """The releases among package names, oldest first; group 1 of `pattern` is the release."""
    return sorted((match[1] for name in names if (match := re.fullmatch(pattern, name))), key=_numbers)


def newest(names: list[str], pattern: str) -> str | None:
    """The release with the highest numbers among package names."""
    return max(releases(names, pattern), key=_numbers, default=None)


def is_older(series: str) -> bool:
    """Whether one of OLDEST is another kernel than the newest of its series."""
    snapshot = apt.snapshot()
    return _oldest(series, snapshot)[0] != _newest(_plain_series(series), snapshot)[0]


def _plain_series(series: str) -> str:
    return series.removesuffix("-oldest")


@functools.cache
def kernel(series: str) -> Kernel:
    """The newest kernel of a series in the package snapshot, or one of OLDEST or DEBUG.

    Fetched or built unless it was before.
    """
    if series in DEBUG:
        from .debug import kernel as built  # here, as it needs Kernel itself

        return built.kernel(series)
    if series not in (*SERIES, *OLDEST):
        raise LabError(f"there is no kernel series '{series}' here; known are {', '.join(SERIES)}",
                       code=steps.EXIT_USAGE)
    snapshot = apt.snapshot()
    plain = _plain_series(series)
    inputs = ("kernel", snapshot.identity, series, _IMAGES[plain], _SPLIT.get(plain), _UNWANTED, _SOURCES, _RECIPE)
    directory = cache.keyed(BUILD / "kernels" / series, inputs, lambda fresh: _make(fresh, series, snapshot))
    release, version = (directory / "release").read_text().split()
    return Kernel(series, release, version, directory / "vmlinuz", directory / "vmlinux", directory / "System.map",
                  directory / "lib/modules" / release, directory / "headers", directory / "source")


def packages(series: str, release: str) -> tuple[list[str], list[str], str]:
    """Names of the packages with image and modules, of those with the headers, and of that with the source."""
    series = _plain_series(series)
    base = release.removesuffix("-amd64")
    images = [part + release for part in _SPLIT.get(series, ("linux-image-",))]
    kbuild = f"linux-kbuild-{series if series == '6.1' else base}"
    return images, [f"linux-headers-{release}", f"linux-headers-{base}-common", kbuild], f"linux-source-{series}"


def real_time_binds(series: str) -> dict[Path, str]:
    """What chroot() has to mount, besides a kernel's own binds(), to build for its flavour with PREEMPT_RT.

    The headers are fetched unless they were before.
    """
    snapshot = apt.snapshot()
    release = kernel(series).release.removesuffix("-amd64") + "-rt-amd64"

    def fetch(directory: Path) -> None:
        with steps.step(f"Fetching the headers of Linux {release}"):
            log = LOGS / f"kernel-{series}-rt.log"
            log.unlink(missing_ok=True)
            name, common = f"linux-headers-{release}", f"linux-headers-{release.removesuffix('-rt-amd64')}-common-rt"
            found = snapshot.candidates([name, common])
            if name not in found:
                raise EnvironmentFault(f"the package mirror has no {name}; run `python3 -m lab setup --refresh`")
            # Newer kernels have the common headers of all flavours in one package.
            for deb in snapshot.download(list(found.values()), directory / "debs", log):
                _unpack(deb, directory / "headers", log)
            cache.remove(directory / "debs")

    made = cache.keyed(BUILD / "kernels" / f"{series}-rt", ("real time", snapshot.identity, release,
                                                            cache.recipe(fetch, _unpack)), fetch)
    return _places(made / "headers")


def _newest(series: str, snapshot: apt.Snapshot) -> tuple[str, list[apt.Package]]:
    """The newest release of a series and its packages, images first."""
    release = newest(snapshot.names(_IMAGES[series]), _IMAGES[series])
    if not release:
        raise EnvironmentFault(f"the package mirror has no Linux {series} (a package like {_IMAGES[series]})")
    images, headers, source = packages(series, release)
    known = snapshot.candidates([*images, *headers, source])
    version = known[images[0]].version if images[0] in known else "none"
    for name in (*images, *headers, source):
        if name not in known or known[name].version != version:
            has = known[name].version if name in known else "none"
            raise EnvironmentFault(f"the package mirror is being updated: {images[0]} is at {version} but {name} "
                                   f"at {has}; try again later with `python3 -m lab setup --refresh`")
    return release, [known[name] for name in (*images, *headers, source)]


def _oldest(series: str, snapshot: apt.Snapshot) -> tuple[str, list[apt.Package]]:
    """The oldest release of a series of which there is all that belongs to it, and its packages, images first.

    The programs that headers need are the same for all releases of a series that has one package of them.
    """
    pattern = _IMAGES[_plain_series(series)]
    for release in releases(snapshot.names(pattern), pattern):
        images, headers, source = packages(series, release)
        versions = snapshot.versions([*images, *headers, source])
        version = versions.get(images[0], [""])[0]
        shared = [name for name in headers if release.removesuffix("-amd64") not in name]
        if all(version in versions.get(name, []) for name in (*images, *headers, source) if name not in shared) and \
           all(versions.get(name) for name in shared):
            return release, [apt.Package(name, versions[name][-1] if name in shared else version)
                             for name in (*images, *headers, source)]
    raise EnvironmentFault(f"the package mirror has no Linux {series} (a package like {pattern})")


def _make(directory: Path, series: str, snapshot: apt.Snapshot) -> None:
    with steps.step(f"Fetching Linux {series}: image, headers, driver source") as running:
        log = LOGS / f"kernel-{series}.log"
        log.unlink(missing_ok=True)
        found = _oldest if series in OLDEST else _newest
        release, wanted = found(series, snapshot)
        images, headers, source = packages(series, release)
        version = wanted[0].version
        running.detail = "downloading"
        debs = dict(zip((package.name for package in wanted), snapshot.download(wanted, directory / "debs", log)))
        running.detail = "unpacking"
        for name in images:
            _unpack(debs[name], directory / "image", log)
        _arrange(directory, release)
        for name in headers:
            _unpack(debs[name], directory / "headers", log)
        running.detail = "unpacking the source"
        _unpack_source(debs[source], source, directory / "source", log)
        cache.remove(directory / "debs")
        (directory / "release").write_text(f"{release} {version}\n")


def _unpack(deb: Path, into: Path, log: Path) -> None:
    into.mkdir(exist_ok=True)
    excludes = [f"--exclude=*/kernel/{part}" for part in _UNWANTED] + ["--exclude=./usr/share"]
    _pipe('dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" "${@:3}"', [str(deb), str(into), *excludes], log)


def _unpack_source(deb: Path, package: str, into: Path, log: Path) -> None:
    into.mkdir()
    members = [f"{package}/{path}" for path in _SOURCES]
    _pipe('dpkg-deb --fsys-tarfile "$1" | tar -xO "$2" | xz -dc -T2 | tar -x -C "$3" --strip-components=1 "${@:4}"',
          [str(deb), f"./usr/src/{package}.tar.xz", str(into), *members], log)


def _pipe(script: str, arguments: list[str], log: Path) -> None:
    proc.run(["bash", "-o", "pipefail", "-euc", script, "unpack", *arguments], log=log, timeout=600)


def _arrange(directory: Path, release: str) -> None:
    """Bring the packages' differing layouts into one."""
    image = directory / "image"
    modules = next(path for path in (image / "lib/modules" / release, image / "usr/lib/modules" / release)
                   if path.is_dir())
    places = {name: (image / "boot" / f"{name}-{release}", modules / name)
              for name in ("vmlinuz", "System.map", "config")}
    for name, candidates in places.items():
        found = next((path for path in candidates if path.is_file()), None)
        if not found:
            raise LabError(f"the packages of Linux {release} have no {name} where it is known to be")
        os.rename(found, directory / name)
    (directory / "vmlinux").write_bytes(bzimage.vmlinux((directory / "vmlinuz").read_bytes()))
    (directory / "lib/modules").mkdir(parents=True)
    modules.rename(directory / "lib/modules" / release)
    cache.remove(image)


_RECIPE = cache.recipe(_make, _newest, _oldest, _unpack, _unpack_source, _arrange, packages, releases, newest,
                       bzimage.vmlinux)
