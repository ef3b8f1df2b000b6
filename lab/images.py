# SPDX-License-Identifier: GPL-2.0-only
"""Initial RAM filesystems of the lab's machines, made from the lab's root and the kernels.

Each machine has nothing but its initial RAM filesystem: busybox, the control agent, iperf, ethtool, the kernel
modules it needs, and on the driver domain Xen's tools together with the guest's kernel and filesystem.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import configs, cpio, extras, grants, kernels, modules, nics, programs, roots, segments, wire
from .kernel import Kernel, module_info
from .paths import BUILD, ROOT
from .steps import LabError

GUEST = ROOT / "lab" / "guest"
IMAGES = BUILD / "lab" / "images"
AGENT = BUILD / "lab" / "guest" / "agent"

SENDER_SERIES = "6.12"
SENDER_MODULES = ("virtio_pci", "virtio_net", "e1000")
# r8169 finds its PHY's driver only if that is loaded first; these machines load no module on demand.
PHY_MODULES = ("realtek",)
NIC_MODULES = nics.STOCK
BRIDGE_MODULES = ("llc", "stp", "bridge")
# An interface that counts packets and drops them.
SINK_MODULES = ("dummy",)
# For tests without Xen: another NIC, and a port that takes aggregates.
PEER_MODULES = ("e1000", "veth")
# For tests of tagged and encapsulated packets.
TAG_MODULES = ("8021q", "ipip")
# Order matters: xenfs needs privcmd, the tools need the rest before xenstored starts.
XEN_MODULES = ("xen-privcmd", "xenfs", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xen-netback")
OUR_NIC_MODULES = ("lro_core", *nics.OURS, "br_linearize")
OUR_BACK_MODULES = (configs.OUR_BACK,)
OUR_GUEST_MODULES = ("lro_core", "netfront_lro")
# Of a domain that filters and translates, in the order in which they are loaded; some kernels lack the first one.
FILTER_MODULES = ("crc32c_generic", "nf_tables", "nf_conntrack", "nft_ct", "nft_chain_nat", "nft_nat", "nft_masq",
                  "nf_flow_table", "nf_flow_table_inet", "nft_flow_offload")

# Of Open vSwitch, in that order as well.
SWITCH_MODULES = ("crc32c_generic", "openvswitch")

COMMON_PROGRAMS = ("usr/bin/iperf", "usr/sbin/ethtool", "usr/bin/tcpdump")
# xl saves and restores a domain by the last one.
XEN_PROGRAMS = ("xl", "xenstored", "xenconsoled", "xen-init-dom0", "libxl-save-helper")
# Of a domain that serves vifs but is not dom0.
SERVICE_PROGRAMS = ("xl",)


@dataclass(frozen=True)
class Image:
    """The boot image of a machine: kernel and initial RAM filesystem."""

    kernel: Path
    initrd: Path


def agent_binary() -> Path:
    """The control agent, which the set-up builds."""
    if not AGENT.exists():
        raise LabError(f"{AGENT} is missing: run `make lab` or `python3 -m lab setup`")
    return AGENT


class _Modules:
    """Modules of one machine with everything they depend on, in /lib/modules with a modules.dep for modprobe."""

    def __init__(self, kernel: Kernel, *folders: Path | None):
        """`folders` hold modules that replace the kernel's own."""
        self._kernel = kernel
        self._folders = [folder for folder in folders if folder]
        self._builtin = kernel.builtin()
        self._found: dict[str, Path] = {}
        self._needs: dict[str, list[str]] = {}

    def _locate(self, name: str) -> Path:
        for spelling in (name, name.replace("-", "_")):
            for folder in self._folders:
                if (folder / f"{spelling}.ko").exists():
                    return folder / f"{spelling}.ko"
        return self._kernel.module(name)

    def add(self, name: str) -> list[str]:
        """Add a module; return its canonical name and those of all it needs, nothing if it is built in."""
        key = name.replace("-", "_")
        if key in self._builtin:
            return []
        if key not in self._found:
            self._found[key] = self._locate(name)
            # modprobe loads a line of modules.dep from its end: the modules that others need come last.
            first: list[str] = []
            depends = module_info(self._found[key].read_bytes()).get("depends", "")
            for needed in filter(None, depends.split(",")):
                first += [item for item in reversed(self.add(needed)) if item not in first]
            self._needs[key] = first[::-1]
        return [key, *self._needs[key]]

    def install(self, tree: cpio.Tree) -> None:
        """Put the modules and their modules.dep into the tree."""
        folder = f"/lib/modules/{self._kernel.release}"
        lines = []
        for key in sorted(self._found):
            tree.file(f"{folder}/{key}.ko", self._found[key].read_bytes())
            lines.append(f"{key}.ko: {' '.join(f'{need}.ko' for need in self._needs[key])}\n")
        tree.file(f"{folder}/modules.dep", "".join(lines))


def _base(root: Path, role: str) -> cpio.Tree:
    """The files that all machines have; `role` names the script in lab/guest that sets the machine up."""
    tree = cpio.Tree()
    for path in ("/proc", "/sys", "/dev", "/run", "/etc", "/lib64", "/var/log", "/root"):
        tree.directory(path)
    tree.directory("/tmp", 0o1777)
    tree.character_device("/dev/console", 5, 1)
    tree.file("/bin/busybox", (root / "usr/bin/busybox").read_bytes(), 0o755)
    tree.file("/bin/agent", agent_binary().read_bytes(), 0o755)
    tree.symlink("/bin/sh", "busybox")
    tree.symlink("/init", "bin/busybox")
    tree.symlink("/sbin", "bin")
    for program in COMMON_PROGRAMS:
        programs.install(tree, root, program)
    for name in ("common", role):
        tree.file(f"/lab/{name}", (GUEST / f"{name}.sh").read_bytes(), 0o755)
    port = "listen 2323" if role in ("guest", "service") else "serve /dev/ttyS1"
    tree.file("/etc/inittab", f"::sysinit:/lab/{role}\n::respawn:/bin/agent {port}\n")
    return tree


def _finish(tree: cpio.Tree, kernel: Kernel, ours: Path | None, loaded: tuple[str, ...],
            available: tuple[str, ...], name: str, *counters: Path) -> Path:
    """Add modules (`loaded` at boot in that order, `available` for later) and write the archive."""
    wanted = _Modules(kernel, ours, *counters)
    present = [module for module in loaded if wanted.add(module)]
    for module in available:
        wanted.add(module)
    wanted.install(tree)
    tree.file("/lab/modules", "".join(f"{module}\n" for module in present))
    return cpio.write(tree, IMAGES, f"{name}-{kernel.series}")


def _ours(wanted: tuple[str, ...], folder: Path | None) -> tuple[str, ...]:
    return wanted if folder else ()


def sender() -> Image:
    """The traffic's source, always on the same kernel."""
    kernel = kernels.kernel(SENDER_SERIES)
    tree = _base(roots.lab_root(), "linux")
    return Image(kernel.vmlinuz, _finish(tree, kernel, None, SENDER_MODULES, TAG_MODULES, "sender"))


def native(series: str, with_ours: bool = False) -> Image:
    """Linux without Xen on the lab's NIC; with_ours adds this project's modules, not loaded."""
    kernel = kernels.kernel(series)
    ours = modules.build(series) if with_ours else None
    tree = _base(roots.lab_root(), "linux")
    extra = _ours(OUR_NIC_MODULES, ours)
    name = "native-lro" if with_ours else "native"
    return Image(kernel.vmlinuz, _finish(tree, kernel, ours, PHY_MODULES + BRIDGE_MODULES,
                                         NIC_MODULES + SINK_MODULES + PEER_MODULES + TAG_MODULES
                                         + (segments.MODULE, wire.MODULE) + extra, name,
                                         modules.segment_counter(series), modules.wire_clock(series)))


def testing(series: str, name: str, folder: Path, available: Sequence[str], tools: Sequence[str],
            files: Mapping[str, Path]) -> Image:
    """Linux with nothing but a test: modules of the kernel and of `folder`, not loaded, programs of the root, files.

    Of the modules those are left out that the kernel does not have.
    """
    kernel = kernels.kernel(series)
    tree = _base(roots.lab_root(), "linux")
    for tool in tools:
        programs.install(tree, roots.lab_root(), tool)
    for place, path in files.items():
        tree.file(place, path.read_bytes(), 0o755)
    present = tuple(module for module in available if kernel.has(module) or (folder / f"{module}.ko").exists())
    return Image(kernel.vmlinuz, _finish(tree, kernel, folder, (), present, name))


def guest(series: str, with_ours: bool = False) -> Path:
    """The Xen guest's initial RAM filesystem."""
    kernel = kernels.kernel(series)
    ours = modules.build(series) if with_ours else None
    tree = _base(roots.lab_root(), "guest")
    extra = _ours(OUR_GUEST_MODULES, ours)
    name = "guest-lro" if with_ours else "guest"
    return _finish(tree, kernel, ours, (), ("xen-netfront", segments.MODULE) + extra, name,
                   modules.segment_counter(series))


def service(series: str, with_ours: bool = False) -> Path:
    """The initial RAM filesystem of a domain, other than dom0, with back ends: it bridges, or routes and filters."""
    kernel = kernels.kernel(series)
    ours = modules.build(series) if with_ours else None
    tree = _base(roots.lab_root(), "service")
    _add_xen(tree, roots.lab_root(), SERVICE_PROGRAMS)
    programs.install(tree, roots.lab_root(), extras.NFT, extras.packages("nftables"))
    extra = _ours(OUR_NIC_MODULES + OUR_GUEST_MODULES, ours)
    available = (*NIC_MODULES, "xen-netfront", "xen-pcifront", segments.MODULE, grants.MODULE,
                 *kernel.having(FILTER_MODULES), *extra)
    name = "service-lro" if with_ours else "service"
    return _finish(tree, kernel, ours, PHY_MODULES + BRIDGE_MODULES + XEN_MODULES, available, name,
                   modules.segment_counter(series), modules.grant_counter(series))


def _add_xen(tree: cpio.Tree, root: Path, tools: tuple[str, ...]) -> None:
    """Programs of Xen's tools, what they need, and the scripts for vifs."""
    folder = next((root / "usr/lib").glob("xen-4.*/bin"), None)
    if folder is None:
        raise LabError("Xen's tools are missing in the lab root; remove build/roots and run `make lab`")
    for program in tools:
        path = str((folder / program).relative_to(root))
        programs.install(tree, root, path)
        tree.symlink(f"/bin/{program}", f"/{path}")
    for name in ("read", "write", "ls"):
        programs.install(tree, root, f"usr/bin/xenstore-{name}")
    for path in ("/var/lib/xen", "/var/log/xen", "/run/xen"):
        tree.directory(path)
    tree.symlink("/var/run", "/run")
    tree.symlink("/var/lock", "/run")
    tree.file("/etc/xen/xl.conf", 'autoballoon="off"\nrun_hotplug_scripts=1\n')
    for name in ("vif-lab", "vif-route", "vif-ovs"):
        tree.file(f"/etc/xen/scripts/{name}", (GUEST / f"{name}.sh").read_bytes(), 0o755)


def _add_switch(tree: cpio.Tree, root: Path) -> None:
    """Open vSwitch's programs."""
    packages = extras.packages("openvswitch")
    for path in extras.OVS_PROGRAMS:
        programs.install(tree, root, path, packages)
        tree.symlink(f"/bin/{Path(path).name}", f"/{path}")
    tree.file(f"/{extras.OVS_SCHEMA}", (packages / extras.OVS_SCHEMA).read_bytes())
    for path in ("/etc/openvswitch", "/run/openvswitch", "/var/log/openvswitch"):
        tree.directory(path)


def dom0(series: str, with_ours: bool = False, also: tuple[str, ...] = (), guest_series: str | None = None,
         serving: bool = False, switching: bool = False) -> Image:
    """dom0, which carries the guest's kernel and filesystem along; `also` are more modules to load.

    `guest_series`: the guest's kernel if it is another one. serving: the filesystem of domains with back ends as well.
    switching: Open vSwitch, too.
    """
    kernel = kernels.kernel(series)
    root = roots.lab_root()
    ours = modules.build(series) if with_ours else None
    tree = _base(root, "dom0")
    _add_xen(tree, root, XEN_PROGRAMS)
    for path in ("/var/lib/xenstored", "/run/xenstored"):
        tree.directory(path)
    tree.file("/lab/guest.vmlinux", kernels.kernel(guest_series or series).vmlinux.read_bytes())
    tree.file("/lab/guest.cpio", guest(guest_series or series, with_ours).read_bytes())
    if switching:
        _add_switch(tree, root)
        also += kernel.having(SWITCH_MODULES)
    if serving:
        tree.file("/lab/service.cpio", service(guest_series or series, with_ours).read_bytes())
    extra = _ours(OUR_NIC_MODULES + OUR_BACK_MODULES, ours)
    name = "-".join(["dom0-lro" if with_ours else "dom0", *also, *([f"guest-{guest_series}"] if guest_series else []),
                     *(["serving"] if serving else [])])
    loaded = PHY_MODULES + BRIDGE_MODULES + XEN_MODULES + also
    available = NIC_MODULES + (grants.MODULE,) + extra
    return Image(kernel.vmlinuz, _finish(tree, kernel, ours, loaded, available, name, modules.grant_counter(series)))
