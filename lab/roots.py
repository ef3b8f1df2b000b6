# SPDX-License-Identifier: GPL-2.0-only
"""The lab's root: Debian trixie with QEMU and Xen, the tools for the VMs, and the tools that build modules.

Its packages are unpacked, not installed: the lab only needs programs and libraries in their places. No maintainer
script runs, which is quicker and leaves the machine unchanged.
"""

from __future__ import annotations

import functools
import gzip
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from . import apt, cache, proc, steps
from .paths import BUILD, LOGS
from .steps import LabError
from .uml import packages as uml_packages

LOG = LOGS / "root.log"
XEN = "4.20"
PACKAGES = (
    # Programs that shell scripts and makefiles expect on any Debian system.
    "base-files", "bash", "coreutils", "dash", "diffutils", "dpkg", "findutils", "grep", "gzip", "libc-bin", "mawk",
    "perl", "python3", "sed", "tar", "util-linux",
    # Virtual machines.
    "qemu-system-x86", f"xen-hypervisor-{XEN}-amd64", f"xen-utils-{XEN}",
    # Programs that go into them.
    "busybox-static", "ethtool", "iperf", "iproute2", "kmod", "tcpdump",
    # For hosts reached by ssh.
    "openssh-client", "openssh-server",
    # The report's plots.
    "gnuplot-nox",
    # Kernel modules: each series' headers name their compiler.
    "coccinelle", "cpio", "gcc-12", "gcc-14", "gcc-14-for-host", "libc6-dev", "make", "pahole", "sparse", "xz-utils",
    "zstd",
    # The tests: user-mode Linux, and fuzzing.
    *uml_packages.PACKAGES, "clang", "libclang-rt-19-dev",
)
# Never needed here, and a third of the root.
SUPERFLUOUS = (
    "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "usr/share/lintian", "usr/share/bug",
    "usr/share/zoneinfo", "usr/lib/udev/hwdb.d", "var/lib/apt/lists", "var/cache/apt", "usr/bin/qemu-system-i386",
    "usr/bin/spgen*", "usr/bin/*lto-dump*", "usr/lib*/gcc/x86_64-linux-gnu/*/lto1", "boot/*.efi",
)
MANIFEST = "packages.txt"

_CHROOT = r"""
root=$1 dir=$2
shift 2
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
while [ "$1" != -- ]; do
	if [ -d "$1" ]; then
		mkdir -p "$root$2"
	else
		mkdir -p "$(dirname "$root$2")"
		: >>"$root$2"
	fi
	mount --bind "$1" "$root$2"
	shift 2
done
shift
exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$dir" "$@"
"""


@functools.cache
def lab_root() -> Path:
    """The root; it is made first if there is none of the current recipe and package snapshot."""
    snapshot = apt.snapshot()
    inputs = ("root", snapshot.identity, PACKAGES, SUPERFLUOUS, _RECIPE)
    return cache.keyed(BUILD / "roots" / "lab", inputs, lambda fresh: _make(fresh, snapshot))


def _make(root: Path, snapshot: apt.Snapshot) -> None:
    with steps.step("Making the root with QEMU, Xen and compilers"):
        LOG.unlink(missing_ok=True)
        # The lists are there already, and hooks run before mmdebstrap would look for them.
        seed = (f'mkdir -p "$1/etc/apt/preferences.d" "$1/var/lib/apt" && '
                f'cp {shlex.quote(str(snapshot.directory / "preferences"))} "$1/etc/apt/preferences.d/lab" && '
                f'cp -r {shlex.quote(str(snapshot.lists))} "$1/var/lib/apt/"')
        command = ["mmdebstrap", "--mode=root", "--variant=extract", "--format=directory",
                   f"--include={','.join(PACKAGES)}", f"--setup-hook={seed}",
                   "--skip=update,cleanup/apt,download/empty",
                   '--aptopt=APT::Install-Recommends "false"', '--aptopt=APT::Sandbox::User "root"',
                   "trixie", str(root), *snapshot.sources]
        try:
            # In a separate mount namespace: all mounts vanish with the process.
            proc.run(["unshare", "--mount", "--propagation", "private", *command], log=LOG, timeout=1200,
                     env=apt.ENVIRONMENT)
        except LabError as error:
            raise apt.explain(error) from error
        _finish(root)


def _finish(root: Path) -> None:
    debs = sorted(path.name for path in root.glob("var/cache/apt/archives/*.deb"))
    # name_version_architecture.deb, with the epoch's colon escaped
    (root / MANIFEST).write_text("".join("{} {}\n".format(*unquote(name).split("_")[:2]) for name in debs))
    with gzip.open(root / f"boot/xen-{XEN}-amd64.gz") as packed, open(root / "boot/xen", "wb") as plain:
        shutil.copyfileobj(packed, plain)
    for pattern in SUPERFLUOUS:
        for path in root.glob(pattern):
            cache.remove(path)
    # Links that maintainer scripts would make.
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (root / "usr/bin/awk").symlink_to("mawk")


# Read when the module is loaded: that is the running code, even if the file changes.
_RECIPE = cache.recipe(_make, _finish)


def chroot(cmd: Sequence[str], *, binds: Mapping[Path, str] | None = None, log: Path | None, timeout: float,
           env: Mapping[str, str] | None = None, cwd: str = "/") -> str:
    """Run a command in the root and return its output.

    `binds` maps paths of the machine to paths in the root, `cwd` is a path in the root. /proc, /dev and an empty /tmp
    exist. All mounts are in a namespace of the command, and vanish at its end.
    """
    root = lab_root()
    pairs = [part for source, target in (binds or {}).items() for part in (str(source), target)]
    variables = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb", **(env or {})}
    return proc.run(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-euc", _CHROOT, "chroot",
                     str(root), cwd, *pairs, "--", *cmd], log=log, timeout=timeout, env=variables)


def by_loader(program: str) -> list[str]:
    """Command prefix that runs a program of the root on the machine itself, with the root's libraries."""
    root = lab_root()
    return [str(root / "usr/lib64/ld-linux-x86-64.so.2"), "--inhibit-cache", "--library-path",
            f"{root}/usr/lib/x86_64-linux-gnu:{root}/usr/lib", str(root / program)]


def qemu() -> list[str]:
    """Command prefix of the root's qemu-system-x86_64, run on the machine itself."""
    data = lab_root() / "usr/share"
    return [*by_loader("usr/bin/qemu-system-x86_64"), "-L", str(data / "qemu"), "-L", str(data / "seabios")]


@functools.cache
def qemu_version() -> str:
    """Such as '11.1.3'."""
    text = proc.run([*qemu(), "--version"], log=None, timeout=30)
    match = re.search(r"version (\S+)", text)
    if not match:
        raise LabError(f"the root's QEMU does not tell its version: {text.strip()[:100]}", LOG)
    return match[1]


def package_version(name: str) -> str:
    """Version of a package in the root."""
    for line in (lab_root() / MANIFEST).read_text().splitlines():
        package, _, version = line.partition(" ")
        if package == name:
            return version
    raise LabError(f"the package {name} is not in the root {lab_root()}")


def xen_version() -> str:
    """Such as '4.20.4'."""
    return re.split(r"[+-]", package_version(f"xen-hypervisor-{XEN}-amd64"))[0]


def xen_hypervisor() -> Path:
    """The hypervisor as QEMU's multiboot loader wants it, not compressed."""
    return lab_root() / "boot/xen"
