# SPDX-License-Identifier: GPL-2.0-only
"""A Debian 13 system as a guest of the lab's Xen host, which hands it a disk and a vif."""

from __future__ import annotations

from pathlib import Path

from lab import configs, images, topology, xl
from lab.agent import AGENT_PORT
from lab.steps import step
from tests.package import debian

VIF = "/sys/bus/xen/devices/vif-0"
MEMORY = 640    # MiB
# Seconds; three minutes where nothing else runs, five on a busy machine.
BOOT_LIMIT = 900
# What the driver domain serves a disk with.
DISK_MODULES = ("virtio_blk", "xen-blkback")
DISK, INITRD_DISK, INITRD = "/dev/vda", "/dev/vdb", "/lab/debian.initrd"
# What xl runs for a disk: it tells the back end which one that is.
BLOCK_SCRIPT = """\
#!/bin/sh
export PATH=/bin:/usr/bin:/usr/sbin
[ "$1" = add ] || exit 0
disk=$(xenstore-read "$XENBUS_PATH/params")
xenstore-write "$XENBUS_PATH/physical-device" "$(stat -L -c %t:%T "$disk")" "$XENBUS_PATH/hotplug-status" connected
"""
FILES = {
    "/etc/fstab": "/dev/xvda / ext4 defaults 0 0\n",
    "/etc/systemd/network/10-lab.network": debian.NETWORK.format(
        match=f"MACAddress={xl.GUEST_MAC}", address=topology.GUEST_ADDRESS),
    "/etc/systemd/system/agent.service": debian.AGENT_UNIT.replace("serve /dev/ttyS1", f"listen {AGENT_PORT}"),
    # As on the lab's other machines: a window that netback's queue holds.
    "/usr/lib/sysctl.d/lab.conf": "net.ipv4.tcp_rmem = 4096 131072 524288\n",
}


class System(debian.System):
    """A copy of the base image that boots as a guest."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        written = folder / "written"
        for path, text in FILES.items():
            written.write_text(text)
            self.put(written, path)


class GuestLab(topology.XenLab):
    """The lab's sender, the emulated NIC with its stock driver, and a Xen host whose guest is the Debian system.

    The guest's kernel comes with the driver domain, which runs the same one: `series` has to be that of the newest
    kernel in the system, whose initramfs the guest gets.
    """

    name = "debian guest"

    def __init__(self, system: System, series: str) -> None:
        super().__init__(series, logs=system.folder / "logs")
        _, initrd = system.boot_files()
        self.plugged = ("-drive", f"file={system.image},format=raw,if=virtio,cache=unsafe",
                        "-drive", f"file={initrd},format=raw,if=virtio,readonly=on", *debian.CPU)

    def _image(self) -> images.Image:
        return images.dom0(self.series, also=DISK_MODULES)

    def _boot(self) -> None:
        super()._boot()
        self.dom0.put(BLOCK_SCRIPT.encode(), "/etc/xen/scripts/block-lab", 0o755)
        self.dom0.run(f"cat {INITRD_DISK} >{INITRD}", timeout=120)
        self.use_nic_driver(configs.STOCK_NIC)
        # Merging is left to the guest.
        self.set_nic_gro(False)
        with step(f"{self.name}: boot"):
            description = xl.describe_guest(1, MEMORY, INITRD, f"root=/dev/xvda {debian.ARGUMENTS}")
            disk = f"format=raw,vdev=xvda,access=w,backendtype=phy,script=block-lab,target={DISK}"
            self._create_guest("guest", f'{description}disk = ["{disk}"]\n')
            self.guest_driver = "chosen by the system"
            self._booted()

    def _booted(self) -> None:
        self.guest.wait(BOOT_LIMIT)
        debian.booted(self.guest)

    def reboot_guest(self) -> None:
        """Have the system shut down and boot again; return when it has."""
        with step(f"{self.name}: reboot"):
            self.dom0.run("old=$(xl domid guest); xl reboot guest; "
                          "until new=$(xl domid guest 2>/dev/null) && [ $new != $old ]; do usleep 500000; done",
                          timeout=BOOT_LIMIT)
            self._booted()

    def shut_down(self) -> None:
        """Let the system write what it has; the lab is left after that."""
        self.guest.run("sync", timeout=120)
