# SPDX-License-Identifier: GPL-2.0-only
"""Debian's kernels of three series: image, modules, headers and the source of the drivers that get grafted.

Of each series the newest release, and as OLDEST the oldest that the package mirror still has. Those in DEBUG are built here and used like them, by tests only.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

from graft import tree

from . import apt, bzimage, cache, proc, steps
from .kernel import Kernel, places
from .paths import BUILD, LOGS
from .steps import EnvironmentFault, LabError

SERIES = ("6.1", "6.12", "7.3")
DEFAULT = "6.12"
# The first release of each series that the mirror has complete. Only tests boot them.
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
    """Mounts for chroot(), besides a kernel's own binds(), to build for its flavour with PREEMPT_RT.

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
    return places(made / "headers")


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
