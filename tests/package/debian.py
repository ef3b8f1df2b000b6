# SPDX-License-Identifier: GPL-2.0-only
"""A Debian 13 system on a disk image: packages are installed by apt and dpkg, and it boots in the lab.

Packages are installed from outside, with the image mounted: DKMS compiles there at the machine's own speed. The steps
of a package at boot happen in the virtual machine, with the system's own systemd, udev and initramfs.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from lab import agent, apt, cache, images, kernels, proc, steps, topology, vm
from lab.paths import BUILD, LOGS

LOG = LOGS / "debian.log"
OLD, NEW = "6.12", "7.3"    # the kernel that Debian 13 has, and the one of its backports
SIZE = "4G"
PACKAGES = ("apt", "bash-completion", "busybox-static", "dkms", "ethtool", "initramfs-tools", "iperf", "iproute2",
            "iputils-ping", "kmod", "linux-base", "make", "mokutil", "openssl", "prometheus-node-exporter", "python3",
            "systemd-sysv", "udev", "xz-utils", "zstd")
# Further packages of stories: fetched with the base, so that all have versions of the same snapshot.
FETCHED = ("dhcpcd-base", "ifupdown", "network-manager", "nftables", "openssh-server")
# The NIC on the wire is lan0 and the other one spare0, whichever of their drivers comes first.
SPARE_SLOT = "1e"
LINKS = {
    "10-spare.link": f"[Match]\nPath=pci-0000:00:{SPARE_SLOT}.0\n\n[Link]\nName=spare0\n",
    "20-lan.link": "[Match]\nDriver=r8169 r8169_lro\n\n[Link]\nName=lan0\n",
}
NETWORK = """\
[Match]
{match}

[Network]
Address={address}/24
LinkLocalAddressing=no
"""
AGENT_UNIT = """\
[Unit]
Description=The laboratory's control agent
DefaultDependencies=no
After=systemd-networkd.service

[Service]
ExecStart=/usr/local/sbin/agent serve /dev/ttyS1
Restart=always

[Install]
WantedBy=multi-user.target
"""
# Settings that start the system sooner without a difference to drivers; an emulated CPU needs no mitigations.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dev-hugepages.mount", "dev-mqueue.mount", "dpkg-db-backup.timer",
          "e2scrub_all.timer", "e2scrub_reap.service", "getty-static.service", "getty@tty1.service", "ldconfig.service",
          "modprobe@configfs.service", "modprobe@drm.service", "modprobe@efi_pstore.service", "modprobe@fuse.service",
          "prometheus-node-exporter.service", "serial-getty@hvc0.service", "serial-getty@ttyS0.service",
          "sys-fs-fuse-connections.mount", "sys-kernel-config.mount", "sys-kernel-tracing.mount", "systemd-binfmt.service",
          "systemd-hwdb-update.service", "systemd-journal-catalog-update.service", "systemd-journal-flush.service",
          "systemd-pstore.service", "systemd-random-seed.service", "systemd-update-utmp.service")
ARGUMENTS = "rw mitigations=off audit=0 systemd.show_status=no"
# The lab's CPU without the instructions that copy bytes, which QEMU does one by one: nothing is measured here.
CPU = ("-cpu", "Opteron_G3")
# Seconds; a minute on an idle machine.
BOOT_LIMIT = 900
# Lists files that a purge has to remove.
LEFT_OVER = ("find /etc /usr /lib/modules /var/lib/dkms -name '*xenlro*' -o -name '*_lro.ko*' -o -name 'lro_core*' -o "
             "-name 'br_linearize*'")
# No service is started in the mounted system.
POLICY = "#!/bin/sh\nexit 101\n"
# The loop device of the mount before may take a moment to go.
_MOUNT = r"""
image=$1 at=$2
shift 2
for try in 1 2 3 4 5 6 7 8 9 10; do
	mount -o loop "$image" "$at" && break
	test $try != 10
	sleep 1
done
"""
# Arguments: image, folder to mount it on, command …
_MOUNTED = _MOUNT + r"""
mount -t proc proc "$at/proc"
for tree in sys dev; do mount --rbind "/$tree" "$at/$tree"; done
mount -t tmpfs tmpfs "$at/run"
exec chroot "$at" "$@"
"""


def release(series: str) -> str:
    """Release of Debian's kernel of a series, such as 6.12.117+deb13-amd64."""
    return kernels.kernel(series).release


def base() -> Path:
    """An image with Debian 13, DKMS, the headers of its kernel, and the newer kernel's packages in apt's cache."""
    snapshot = apt.snapshot()
    agent = images.agent_binary()
    inputs = ("debian", snapshot.identity, PACKAGES, FETCHED, SIZE, NETWORK, LINKS, AGENT_UNIT, MASKED, release(OLD), release(NEW),
              agent, _RECIPE)
    return cache.keyed(BUILD / "roots" / "debian", inputs, lambda fresh: _make(fresh, snapshot, agent)) / "disk.img"


def _make(fresh: Path, snapshot: apt.Snapshot, agent: Path) -> None:
    with steps.step("Making a Debian 13 system"):
        LOG.unlink(missing_ok=True)
        root = fresh / "root"
        seed = (f'mkdir -p "$1/etc/apt/preferences.d" "$1/var/lib/apt" "$1/usr/sbin" && '
                f'cp {shlex.quote(str(snapshot.directory / "preferences"))} "$1/etc/apt/preferences.d/lab" && '
                f'cp -r {shlex.quote(str(snapshot.lists))} "$1/var/lib/apt/"')
        wanted = [*PACKAGES, *(f"linux-{part}-{release(OLD)}" for part in ("image", "headers"))]
        proc.run(["unshare", "--mount", "--propagation", "private", "mmdebstrap", "--mode=root", "--variant=minbase",
                  "--format=directory", f"--include={','.join(wanted)}", f"--setup-hook={seed}",
                  "--skip=update,cleanup/apt,download/empty", '--aptopt=APT::Install-Recommends "false"',
                  '--aptopt=APT::Sandbox::User "root"', '--dpkgopt=path-exclude=/usr/share/doc/*',
                  '--dpkgopt=path-exclude=/usr/share/locale/*',
                  f'--customize-hook=rm -f "$1"/var/cache/apt/archives/*.deb; chroot "$1" apt-get install -y '
                  f"--download-only -t trixie-backports linux-image-{release(NEW)} linux-headers-{release(NEW)}; "
                  f'chroot "$1" apt-get install -y --download-only {" ".join(FETCHED)}',
                  "trixie", str(root), *snapshot.sources], log=LOG, timeout=1200, env=apt.ENVIRONMENT)
        _configure(root, agent)
        proc.run(["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(root), str(fresh / "disk.img"), SIZE],
                 log=LOG, timeout=300)
        cache.remove(root)


def _configure(root: Path, agent: Path) -> None:
    files: Mapping[str, str] = {
        "etc/fstab": "/dev/vda / ext4 defaults 0 0\n", "etc/hostname": "debian\n",
        "etc/systemd/network/10-lab.network": NETWORK.format(match="Name=lan0", address=topology.NIC_ADDRESS),
        "etc/systemd/system/agent.service": AGENT_UNIT, "etc/kernel-img.conf": "do_symlinks = yes\n",
        **{f"etc/systemd/network/{name}": text for name, text in LINKS.items()},
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text(POLICY)
    policy.chmod(0o755)
    shutil.copy2(agent, root / "usr/local/sbin/agent")
    # Programs that the laboratory's traffic uses on a receiver.
    for applet in ("nc", "usleep"):
        (root / "usr/local/bin" / applet).symlink_to("/usr/bin/busybox")
    for verb, units in (("enable", ("agent.service", "systemd-networkd.service")), ("mask", MASKED)):
        proc.run(["chroot", str(root), "systemctl", verb, *units], log=LOG, timeout=60)


_RECIPE = cache.recipe(_make, _configure)


class System:
    """A copy of the base image that packages are installed to and that boots. Files go below `folder`."""

    def __init__(self, folder: Path, image: Path | None = None) -> None:
        """`image`: the base by default."""
        self.folder = folder
        self.image = folder / "disk.img"
        self._mount = folder / "mounted"
        shutil.rmtree(folder, ignore_errors=True)
        self._mount.mkdir(parents=True)
        proc.run(["cp", "--sparse=always", str(image or base()), str(self.image)], log=None, timeout=120)

    def run(self, *command: str, timeout: float = 1800) -> str:
        """Run a command in the system while it is not booted; its output. Raises LabError when it fails."""
        log = self.folder / "packages.log"
        # Background processes of a package end with the namespace, and so release the image.
        with steps.step(f"debian: {' '.join(command[:2])}"):
            return proc.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private",
                             "/bin/sh", "-euc", _MOUNTED, "mounted", str(self.image), str(self._mount), *command],
                            log=log, timeout=timeout,
                            env={**apt.ENVIRONMENT, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def install(self, *packages: Path | str) -> str:
        """Install .deb files, which are copied in first, or packages by name."""
        names = []
        for package in packages:
            if isinstance(package, Path):
                self.put(package, f"/var/tmp/{package.name}")
                names.append(f"/var/tmp/{package.name}")
            else:
                names.append(package)
        return self.run("apt-get", "install", "-y", *names)

    def put(self, source: Path, path: str) -> None:
        """Copy a file of this machine into the system."""
        proc.run(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-euc",
                  _MOUNT + 'cp "$1" "$at$2"', "put", str(self.image), str(self._mount), str(source), path],
                 log=None, timeout=60)

    def boot_files(self) -> tuple[Path, Path]:
        """Kernel and initramfs of the newest kernel in the system, copied out."""
        found = [self.folder / name for name in ("vmlinuz", "initrd.img")]
        proc.run(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-euc",
                  _MOUNT + 'cp -L "$at/vmlinuz" "$at/initrd.img" "$1/"', "boot", str(self.image), str(self._mount),
                  str(self.folder)], log=None, timeout=60)
        return found[0], found[1]


class DebianLab(topology.NativeLab):
    """The lab's sender, the emulated NIC, and the Debian system as its host, with a second NIC on no wire."""

    name = "debian"
    # QEMU's options for further devices.
    plugged: tuple[str, ...] = ()

    def __init__(self, system: System, arguments: str = "", **kwargs) -> None:
        """`arguments` are added to the kernel's command line."""
        super().__init__(logs=system.folder / "logs", **kwargs)
        self._system = system
        self._arguments = arguments

    def _image(self) -> images.Image:
        return images.Image(*self._system.boot_files())

    def _boot(self) -> None:
        sender, image = self._images
        with steps.step("debian: boot"):
            self._start_nic_and_sender(sender)
            spare = self._run / "2"
            spare.mkdir()
            second = vm.Nic(spare, self.logs / "spare", "8168")
            self._stack.callback(second.stop)
            disk = ["-drive", f"file={self._system.image},format=raw,if=virtio,cache=unsafe"]
            line = self._boot_line(image, f"root=/dev/vda {ARGUMENTS} {self._arguments}")
            plugged = at_slot(vm.vfio_nic(second), SPARE_SLOT)
            self.nic_host = self._start_nic_host("debian", 768, 1, [*line, *disk, *plugged, *self.plugged, *CPU])
            self.receiver = self.nic_host
            self.nic_host.wait(BOOT_LIMIT)
            booted(self.nic_host)
            self._prepare_sender()

    def _boot_line(self, image: images.Image, arguments: str) -> list[str]:
        """QEMU options to boot the system's kernel."""
        return vm.linux_line(image, arguments)

    def shut_down(self) -> None:
        """Shut the system down, so that it writes its data; the lab is left after that."""
        self.nic_host.run("sync", timeout=60)


def at_slot(options: list[str], slot: str) -> list[str]:
    """QEMU's options for a device, with its slot of the bus."""
    option, device = options
    return [option, json.dumps(json.loads(device) | {"addr": slot})]


def booted(host: agent.AgentHost) -> None:
    """Wait until a Debian system whose agent answers has started all units, and udev has handled every device."""
    host.run("systemctl is-system-running --wait >/dev/null || true; udevadm settle --timeout=120",
             timeout=BOOT_LIMIT)


def device_of(report: dict, interface: str) -> dict:
    """The entry of an interface in the output of `xenlro status --json`."""
    return next(entry for entry in report["devices"] if entry["interface"] == interface)


def complaints(text: str) -> list[str]:
    """Lines of apt's or DKMS's output that report an error."""
    return [line for line in text.splitlines() if re.search(r"^(Error|E:|dpkg: error)", line)]
