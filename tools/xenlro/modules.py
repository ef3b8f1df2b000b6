# SPDX-License-Identifier: GPL-2.0-only
"""The project's modules on this machine: loading them, and facts about installed and loaded ones."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from . import drivers
from .errors import EXIT_ENVIRONMENT, XenlroError
from .system import System, read

# The firmware's state of Secure Boot, if it is UEFI.
SECURE_BOOT = "firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
OLDEST = (6, 1)     # series, as in dkms.conf
UNENROLLED = ("the kernel accepts only modules signed with an enrolled key (Secure Boot): enrol DKMS's key by `mokutil "
              "--import /var/lib/dkms/mok.pub`, reboot and confirm it there")
# Words of modprobe, and their meaning for the user. A kernel that is locked down does not permit loading.
REASONS = (
    ("Key was rejected", UNENROLLED),
    ("Operation not permitted", UNENROLLED),
    ("Exec format error", "it was built for another kernel: run `dkms autoinstall`"),
    ("Unknown symbol", "it does not fit this kernel: run `dkms autoinstall`"),
    ("Invalid argument", "a parameter in /etc/modprobe.d is wrong: see `dmesg`"),
)


def load(system: System, module: str) -> None:
    """Load a module with its dependencies; XenlroError says why that fails, and what to do."""
    done = system.run("modprobe", module)
    if done.returncode == 0:
        return
    if not system.privileged:
        raise XenlroError("loading a module needs root: run the same command with sudo", EXIT_ENVIRONMENT)
    said = " ".join(done.stderr.split())
    if "not found" in said:
        raise XenlroError(not_built(system, module))
    for sign, reason in REASONS:
        if sign in said:
            raise XenlroError(f"{module} cannot be loaded: {reason}")
    raise XenlroError(f"{module} cannot be loaded: {said or 'modprobe gives no reason'}; see `dmesg`")


def not_built(system: System, module: str) -> str:
    """What to do when there is no such module for the running kernel."""
    kernel, series = system.kernel, re.match(r"(\d+)\.(\d+)", system.kernel)
    if series and (int(series[1]), int(series[2])) < OLDEST:
        return (f"{module} cannot be built for Linux {kernel}: the oldest kernel for it is {OLDEST[0]}.{OLDEST[1]}; boot a "
                "newer one, or stay with the stock driver")
    if lacking := _lacks(system, module):
        return (f"{module} cannot be built for Linux {kernel}, which has no {lacking}: boot a kernel that has it, or stay "
                "without")
    missing = f"{module} is not built for Linux {kernel}: "
    if not (system.root / "lib/modules" / kernel / "build").exists():
        return (missing + f"install the headers of this kernel (linux-headers-{kernel}) and run `dkms autoinstall`; "
                "`dkms status xenlro` shows what there is")
    if series and not _graftable(system, series[0]):
        return (missing + f"its drivers are not packed for this series: install linux-source-{series[0]} and coccinelle and "
                "run `dkms autoinstall`, or stay with the stock driver")
    return missing + "run `dkms autoinstall`, and look at what it says; `dkms status xenlro` shows what there is"


def _lacks(system: System, module: str) -> str | None:
    """The first option that the module needs and the kernel lacks; None also if its configuration cannot be read."""
    needs = next((bus.needs for bus in drivers.known() if bus.ours == module), ())
    config = _config(system) if needs else ""
    return next((need for need in needs if config and not re.search(rf"^{need}=[ym]$", config, re.M)), None)


def _config(system: System) -> str:
    """Configuration of the running kernel, wherever a distribution keeps it; empty when there is none."""
    modules = system.root / "lib/modules" / system.kernel
    for path in (system.root / f"boot/config-{system.kernel}", modules / "config", modules / "build/.config",
                 modules / "build/include/config/auto.conf"):
        if text := read(path):
            return text
    with suppress(OSError):
        return gzip.decompress((system.root / "proc/config.gz").read_bytes()).decode()
    return ""


def _graftable(system: System, series: str) -> bool:
    """Whether DKMS has, or can make, the drivers for kernels of a series."""
    sources = system.root / "usr/src"
    packed = any(sources.glob(f"xenlro-*/grafted/{series}"))
    return packed or any(sources.glob(f"linux-source-{series}*")) and bool(system.output("spatch", "--version"))


def hindrance(system: System, module: str, described: dict) -> str | None:
    """Why the kernel will not load a module of which `described` is known, and what to do; None: nothing speaks
    against it."""
    if described["loaded"]:
        return None
    if not described["file"]:
        return not_built(system, module)
    if signatures_required(system) and described["enrolled"] is False:
        return f"{module} cannot be loaded: {UNENROLLED}"
    return None


def parameters(system: System, module: str) -> dict[str, str]:
    """Parameters of a loaded module with their values."""
    folder = system.sys / "module" / module.replace("-", "_") / "parameters"
    return {path.name: read(path) for path in sorted(folder.iterdir())} if folder.is_dir() else {}


def describe(system: System, module: str) -> dict:
    """`loaded`, and of the module on disk: `version`, `file`, `signer` (None: unsigned); None where nothing is known.

    `base` is the version of the kernel's driver that it was made from, None where it was made from none. `version` is
    that of the loaded module if it is loaded. `same_as_file` is False when the file was replaced since.
    `enrolled` says whether the kernel knows the signer's key.
    """
    loaded = system.sys / "module" / module.replace("-", "_")
    on_disk = _fields(system.output("modinfo", "-k", system.kernel, module))
    version = read(loaded / "version") or None
    source = read(loaded / "srcversion")
    return {
        "loaded": loaded.is_dir(), "version": version or on_disk.get("version"),
        "file": on_disk.get("filename"), "signer": on_disk.get("signer"),
        "base": on_disk.get("base"),
        "enrolled": _enrolled(system, on_disk.get("signer")),
        "same_as_file": source == on_disk["srcversion"] if source and "srcversion" in on_disk else None,
    }


def misspelt(system: System, module: str) -> str | None:
    """A sentence about options in modprobe's configuration that name no parameter of a module, which the kernel ignores."""
    known = re.findall(r"^(\w+):", system.output("modinfo", "-k", system.kernel, "-F", "parm", module), re.M)
    for path, name in _options(system, module):
        if known and name not in known:
            return (f"{path} sets '{name}', which {module} does not have: correct it to one of {', '.join(known)} and "
                    "reload the module")
    return None


def left_behind(system: System, stock: str, ours: str) -> str | None:
    """A sentence about options of the stock driver that ours does not get, because they go by the module's name."""
    taken = {name for _, name in _options(system, ours)}
    for path, name in _options(system, stock):
        if name not in taken:
            return (f"{path} sets '{name}' of {stock}, which {ours} does not get: write `options {ours} {name}=...` there too if "
                    "it is still wanted, and reload the module")
    return None


def _options(system: System, module: str) -> list[tuple[Path | str, str]]:
    """Names of the options that are set for a module, each with the place."""
    name = re.sub("[-_]", "[-_]", module)
    found: list[tuple[Path | str, str]] = [
        (path, word.replace("-", "_"))
        for folder in ("etc", "run", "usr/local/lib", "usr/lib")
        for path in sorted((system.root / folder / "modprobe.d").glob("*.conf"))
        for options in re.findall(rf"^\s*options\s+{name}\s+(.*)$", read(path), re.M)
        for word in re.findall(r"([\w-]+)(?:=\S*)?", options)]
    return found + [("the kernel's command line", word) for word in
                    re.findall(rf"(?:^|\s){name}\.(\w+)", read(system.proc / "cmdline"))]


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), value.strip())
    return found


def in_initramfs(system: System, names: Sequence[str]) -> dict[str, bool | None]:
    """Whether the running kernel's initramfs carries a copy of each module; None when that cannot be told."""
    image = system.root / "boot" / f"initrd.img-{system.kernel}"
    listed = system.output("lsinitramfs", str(image)) if image.is_file() else ""
    return {name: f"/{name}.ko" in listed if listed else None for name in names}


def _enrolled(system: System, signer: str | None) -> bool | None:
    """Whether one of the kernel's keys has the signer's name; None when they cannot be read, which takes root."""
    if signer is None:
        return False
    keys = [line for line in read(system.root / "proc/keys").splitlines() if " asymmetri" in line]
    return any(f" {signer}: " in line for line in keys) if keys else None


def signatures_required(system: System) -> bool | None:
    """Whether the kernel loads only modules signed with a key it knows; None when it does not say."""
    if _lockdown(system) in ("integrity", "confidentiality"):
        return True
    return {"Y": True, "N": False}.get(read(system.sys / "module/module/parameters/sig_enforce"))


def _lockdown(system: System) -> str:
    """`none`, `integrity` or `confidentiality`; empty when the kernel does not say."""
    return read(system.sys / "kernel/security/lockdown").partition("[")[2].partition("]")[0]


def secure_boot(system: System) -> str:
    """`enabled`, `disabled` or `unknown`, whether the kernel is locked down and insists on signatures, in one line."""
    state = "unknown"
    with suppress(OSError):
        # Four bytes of attributes come before the value.
        state = "enabled" if (system.sys / SECURE_BOOT).read_bytes()[4:] == b"\1" else "disabled"
    required = {True: "required", False: "not required", None: "unknown"}[signatures_required(system)]
    return f"{state}, lockdown {_lockdown(system) or 'unknown'}, module signatures {required}"


def kept_mode(system: System) -> str | None:
    """The mode that br_linearize has after a reboot; None when it is not loaded then."""
    def lines(folder: str) -> list[str]:
        return [line.strip() for place in ("etc", "run", "usr/local/lib", "usr/lib")
                for path in sorted((system.root / place / folder).glob("*.conf")) for line in read(path).splitlines()]

    if "br_linearize" not in [*lines("modules-load.d"), *read(system.root / "etc/modules").split()]:
        return None
    options = " ".join(line for line in lines("modprobe.d") if re.match(r"options\s+br_linearize\s", line))
    found = re.findall(r"\bmode=(\S+)", options)
    return found[-1] if found else "off"
