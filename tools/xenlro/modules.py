# SPDX-License-Identifier: GPL-2.0-only
"""The project's modules on this machine: loading them, and what is known of those installed and loaded."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import XenlroError
from .system import System, read

# What modprobe says, and what it means for who gave the command.
REASONS = (
    ("Key was rejected", "the kernel accepts only modules signed with an enrolled key (Secure Boot): enrol DKMS's key "
     "by `mokutil --import /var/lib/dkms/mok.pub`, reboot and confirm it there"),
    ("Operation not permitted", "the kernel is locked down and the module is not signed with an enrolled key: enrol "
     "DKMS's key by `mokutil --import /var/lib/dkms/mok.pub`, reboot and confirm it there"),
    ("Exec format error", "it was built for another kernel: run `dkms autoinstall`"),
    ("Unknown symbol", "it does not fit this kernel: run `dkms autoinstall`"),
    ("Invalid argument", "a parameter in /etc/modprobe.d is wrong: see `dmesg`"),
)


def load(system: System, module: str) -> None:
    """Load a module with what it depends on; XenlroError says why it cannot be, and what to do."""
    done = system.run("modprobe", module)
    if done.returncode == 0:
        return
    said = " ".join(done.stderr.split())
    if "not found" in said:
        raise XenlroError(f"{module} is not built for Linux {system.kernel}: install the headers of this kernel "
                          f"(linux-headers-{system.kernel}) and run `dkms autoinstall`; `dkms status xenlro` shows "
                          "what there is")
    for sign, reason in REASONS:
        if sign in said:
            raise XenlroError(f"{module} cannot be loaded: {reason}")
    raise XenlroError(f"{module} cannot be loaded: {said or 'modprobe gives no reason'}; see `dmesg`")


def parameters(system: System, module: str) -> dict[str, str]:
    """Parameters of a loaded module with their values."""
    folder = system.sys / "module" / module.replace("-", "_") / "parameters"
    return {path.name: read(path) for path in sorted(folder.iterdir())} if folder.is_dir() else {}


def describe(system: System, module: str) -> dict:
    """`loaded`, and of the module on disk: `version`, `file`, `signer` (None: unsigned); None where nothing is known.

    `version` is that of the loaded module if it is loaded. `same_as_file` is False when the file was replaced since.
    """
    loaded = system.sys / "module" / module.replace("-", "_")
    on_disk = _fields(system.output("modinfo", "-k", system.kernel, module))
    version = read(loaded / "version") or None
    source = read(loaded / "srcversion")
    return {
        "loaded": loaded.is_dir(), "version": version or on_disk.get("version"),
        "file": on_disk.get("filename"), "signer": on_disk.get("signer"),
        "same_as_file": source == on_disk["srcversion"] if source and "srcversion" in on_disk else None,
    }


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


def secure_boot(system: System) -> str:
    """`enabled`, `disabled` or `unknown`, whether the kernel is locked down and insists on signatures, in one line."""
    said = system.output("mokutil", "--sb-state").lower()
    state = next((word for word in ("enabled", "disabled") if word in said), "unknown")
    lockdown = read(system.sys / "kernel/security/lockdown")
    current = lockdown.partition("[")[2].partition("]")[0]
    enforced = read(system.sys / "module/module/parameters/sig_enforce")
    required = {"Y": "required", "N": "not required"}.get(enforced, "unknown")
    return f"{state}, lockdown {current or 'unknown'}, module signatures {required}"
