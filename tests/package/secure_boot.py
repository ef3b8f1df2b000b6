# SPDX-License-Identifier: GPL-2.0-only
"""A Debian 13 system that boots with UEFI's Secure Boot, and enrolling a key there.

    OVMF with Microsoft's keys -> shim -> GRUB -> Debian's kernel

Each checks the signature of the next. The EFI system partition is a folder, which QEMU shows as a disk.
"""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path

from lab import apt, cache, images, proc, roots, vm
from lab.paths import BUILD, LOGS
from lab.steps import LabError, step
from tests.package import debian

LOG = LOGS / "firmware.log"
PACKAGES = ("grub-efi-amd64-signed", "ovmf", "shim-helpers-amd64-signed", "shim-signed")
# Files of these packages, and their places: those outside of the partition are flash memory.
FILES = {
    "usr/share/OVMF/OVMF_CODE_4M.secboot.fd": "code.fd",
    "usr/share/OVMF/OVMF_VARS_4M.ms.fd": "vars.fd",
    "usr/lib/shim/shimx64.efi.signed": "esp/EFI/BOOT/BOOTX64.EFI",
    "usr/lib/shim/mmx64.efi.signed": "esp/EFI/BOOT/mmx64.efi",
    "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": "esp/EFI/BOOT/grubx64.efi",
}
# After the system's own disk, which stays the first one.
ESP_SLOT = "1d"
MENU = "linux /vmlinuz {arguments}\ninitrd /initrd.img\nboot\n"
# Seconds for each screen of shim's MokManager; the firmware takes twenty.
SCREEN_LIMIT = 300
LOOK = 0.2


def firmware() -> Path:
    """A folder with the files of the packages as FILES arranges them."""
    snapshot = apt.snapshot()
    inputs = ("firmware", snapshot.identity, PACKAGES, FILES, _RECIPE)
    return cache.keyed(BUILD / "roots" / "firmware", inputs, lambda fresh: _fetch(fresh, snapshot))


def _fetch(fresh: Path, snapshot: apt.Snapshot) -> None:
    with step("Fetching firmware and boot loader"):
        LOG.unlink(missing_ok=True)
        found = snapshot.candidates(PACKAGES)
        unpacked = fresh / "unpacked"
        for deb in snapshot.download([found[name] for name in PACKAGES], fresh / "debs", LOG):
            proc.run(["dpkg-deb", "-x", str(deb), str(unpacked)], log=LOG, timeout=60)
        for source, target in FILES.items():
            (fresh / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(unpacked / source, fresh / target)
        cache.remove(unpacked)
        cache.remove(fresh / "debs")


_RECIPE = cache.recipe(_fetch)


class System(debian.System):
    """A copy of the base image with firmware of its own, whose variables stay from boot to boot."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        shutil.copytree(firmware(), folder / "firmware")

    def boot_line(self, image: images.Image, arguments: str) -> list[str]:
        """QEMU options to boot the kernel of an image through the firmware."""
        esp = self.folder / "firmware/esp"
        (esp / "EFI/debian").mkdir(exist_ok=True)
        (esp / "EFI/debian/grub.cfg").write_text(MENU.format(arguments=arguments))
        shutil.copyfile(image.kernel, esp / "vmlinuz")
        shutil.copyfile(image.initrd, esp / "initrd.img")
        return self.firmware_line()

    def firmware_line(self) -> list[str]:
        """QEMU options for the firmware, its variables and the partition it boots from."""
        folder = self.folder / "firmware"
        return ["-M", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on",
                "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={folder}/code.fd",
                "-drive", f"if=pflash,unit=1,format=raw,file={folder}/vars.fd",
                "-drive", f"if=none,id=esp,format=raw,readonly=on,file=fat:{folder}/esp",
                "-device", f"virtio-blk-pci,drive=esp,bootindex=0,addr={ESP_SLOT}"]


class SecureLab(debian.DebianLab):
    """The laboratory of the Debian system, booted with Secure Boot."""

    name = "debian, Secure Boot"

    def _boot_line(self, image: images.Image, arguments: str) -> list[str]:
        return self._system.boot_line(image, f"{vm.LINUX_ARGUMENTS} {arguments}")


def confirm(system: System, password: str) -> None:
    """Boot as far as shim's MokManager, which starts after `mokutil --import`, and enrol the key there.

    Types as a person would: any key, Enroll MOK, Continue, Yes, the password, Reboot.
    """
    log = system.folder / "mokmanager.log"
    log.unlink(missing_ok=True)
    with step("MokManager"), vm.RunFolder() as run:
        monitor = run / "monitor"
        machine = proc.Child([*roots.qemu(), "-accel", "tcg", "-m", "512", "-nodefaults", "-display", "none", "-no-reboot",
                              *system.firmware_line(), "-serial", f"file:{log}",
                              "-monitor", f"unix:{monitor},server=on,wait=off"], log=system.folder / "mokmanager.qemu.log")
        with machine:
            for shown, keys in (("Press any key", ("ret",)), ("Enroll MOK", ("down", "ret")),
                                ("View key 0", ("down", "ret")), ("Enroll the key", ("down", "ret")),
                                ("Password", (*password, "ret")), ("Reboot", ("ret",))):
                _wait_for(shown, log, machine)
                _press(monitor, keys)
            machine.wait(SCREEN_LIMIT)


def _wait_for(shown: str, log: Path, machine: proc.Child) -> None:
    """Return when the words were printed after those of the call before."""
    deadline = time.monotonic() + SCREEN_LIMIT
    while shown not in (log.read_text(errors="replace") if log.exists() else ""):
        machine.check()
        if time.monotonic() > deadline:
            raise LabError(f"MokManager did not show '{shown}' within {SCREEN_LIMIT} s", log)
        time.sleep(LOOK)


def _press(monitor: Path, keys: tuple[str, ...]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.settimeout(30)
        stream.connect(str(monitor))
        for key in keys:
            stream.sendall(f"sendkey {key}\n".encode())
            # A key is held for a tenth of a second.
            time.sleep(0.5)
