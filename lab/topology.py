# SPDX-License-Identifier: GPL-2.0-only
"""The two laboratories: a sender and a NIC in front of Linux alone, or of a Xen host with a guest.

    sender VM -- stream socket -- rtl8169d == vfio-user == Linux                              NativeLab
                                                        == Xen [ dom0: br0 | guest ]          XenLab

rtl8169d, or another NIC of lab/nics.py. Both are context managers that leave no process behind. `receiver` is where traffic ends.
"""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from . import agent, configs, console, domains, grants, images, kernels, nics, qemu_nic, rules, symbols, traffic, vm, xl
from .console import KernelComplaint
from .domains import GUEST_ADDRESS, NIC_ADDRESS, SENDER_ADDRESS, Topology  # noqa: F401 - the lab's addresses
from .insn import reader
from .insn.control import Control
from .insn.profile import SymbolTable
from .steps import LabError, step

SENDER_MAC = "52:54:00:00:00:01"
NIC = "eth0"

SENDER_MEMORY = 384
NATIVE_MEMORY = 512

# xenconsoled writes a guest's output here.
GUEST_CONSOLE = "/var/log/xen/console/guest-{name}.log"

# Seconds. Boots take 10-50 on an idle machine; a shared one may need several times that.
BOOT_LIMIT = 240
# Below 2^14 µs a sender takes its receiver to be near, and sends whole bursts (tcp_tso_rtt_log; 9 by default): answers
# take some thirty times as long here as in the network that is emulated.
NEAR_RTT_LOG = 14
LINK_LIMIT = 60
# From the first line of a kernel's report to its last.
REPORT_LIMIT = 10
# Bytes of a guest's console that are read at a time.
CONSOLE_PART = 1 << 16
# Frames come this many times as slowly as on the 1000 Mbit/s that is emulated (115 to 190 Mbit/s), so receivers wait as
# many times as long for more of them. Both in microseconds: the kernel's own delay of interrupts, which r8169 switches
# on for all kernels that have it, and hold_us of lro_core, by default.
SLOWER = 8
INTERRUPT_DELAY, HOLD = SLOWER * 20, SLOWER * 100


class Lab:
    """The common part of both laboratories: the NIC process, the sender, and the machine that owns the NIC.

    series: kernel of the receiving side. with_ours: put this project's modules into its images.
    logs: folder for console and process logs; give concurrent laboratories different ones.
    chip: a NIC of lab/nics.py. nic_options: passed to rtl8169d. counted: count the instructions of the machine that owns the NIC, and its
    grant copies; `control` takes snapshots then. profiled: count them by address as well. fixed_id: the sender's datagrams
    all have the same identification.
    """

    name = ""
    bridge = False
    # The model that the machine with the NIC has.
    cpu = vm.CPU

    def __init__(self, series: str = "6.12", with_ours: bool = False, logs: Path = vm.LOGS, chip: str = nics.DEFAULT,
                 nic_options: tuple[str, ...] = (), counted: bool = False,
                 profiled: bool = False, fixed_id: bool = False):
        self.series = series
        self.with_ours = with_ours
        self.logs = logs
        self.model = nics.select(chip)
        self._nic_options = nic_options
        self._counted = counted
        self.profiled = profiled
        self._fixed_id = fixed_id
        self._stack = ExitStack()
        self._parts: list[vm.Nic | vm.Vm] = []
        self._images: tuple[images.Image, images.Image] | None = None
        self.nic_driver: str | None = None
        self.control: Control
        self.nic: vm.Nic
        self.sender: vm.Vm
        # The machine with the NIC, and the NIC's driver there.
        self.machine: vm.Vm
        self.nic_host: agent.AgentHost
        self.receiver: agent.AgentHost
        self.receiver_address = NIC_ADDRESS

    def prepare(self) -> None:
        """Make the images, so that only the boot is left for later. Entering the context does so, too."""
        if not self._images:
            with step(f"{self.name}: images"):
                self._images = (images.sender(), self._image())

    def _image(self) -> images.Image:
        raise NotImplementedError

    def __enter__(self):
        self.prepare()
        try:
            self._stack.enter_context(vm.log_folder(self.logs))
            self._run = self._stack.enter_context(vm.RunFolder())
            self._boot()
        except LabError:
            with self._stack:
                self._explain()
            raise
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind, *_: object) -> None:
        try:
            if kind is None:
                self.check()
            elif issubclass(kind, LabError):
                self._explain()
        finally:
            self._stack.close()

    def restart(self) -> None:
        """Boot all machines again; their logs so far are kept in a folder of their own, the first free restart-N."""
        self._stack.close()
        kept = next(folder for number in itertools.count(1)
                    if not (folder := self.logs / f"restart-{number}").exists())
        kept.mkdir(parents=True)
        for log in self.logs.glob("*.log"):
            shutil.copy2(log, kept)
        self._forget()
        self.__enter__()

    def _forget(self) -> None:
        """Nothing is known of machines that are gone."""
        self._parts.clear()
        self.nic_driver = None

    def _explain(self) -> None:
        """A kernel's own messages explain a failure better than its consequences; raise them if there are any."""
        try:
            self.check()
        except KernelComplaint:
            raise
        except LabError:
            # The first detection has reported the failure already.
            return

    def _boot(self) -> None:
        raise NotImplementedError

    def _start(self, machine: vm.Machine) -> vm.Vm:
        started = vm.Vm(machine, self._run, self.logs)
        self._stack.callback(started.stop)
        self._parts.append(started)
        # A wait for one machine ends with the death of any.
        started.link.alive = self._check_parts
        return started

    def _start_nic(self) -> None:
        self.nic = qemu_nic.start(self.model, self._run, self.logs, self._nic_options)
        self._stack.callback(self.nic.stop)
        self._parts.append(self.nic)

    def _start_nic_and_sender(self, image: images.Image) -> None:
        self._start_nic()
        self.sender = self._start(vm.Machine(
            "sender", SENDER_MEMORY, 1, vm.linux_line(image, f"lab.ip={SENDER_ADDRESS}"),
            vm.wire_nic(self.nic, SENDER_MAC)))

    def _start_nic_host(self, name: str, memory: int, cpus: int, kernel_line: list[str],
                        own_clock: bool = False) -> vm.Vm:
        """Start the machine with the NIC, with the instruction plugin if it was asked for."""
        plugin: list[str] = []
        if self._counted:
            counts, port = self.logs / f"{name}.insn.jsonl", self._run / f"{name}.insn"
            counts.unlink(missing_ok=True)
            self.control = Control(port, self.logs)
            plugin = reader.plugin_argument(vm.insn_plugin(), counts, port, profile=self.profiled)
        kind, bus = self._bus()
        started = self._start(vm.Machine(name, memory, cpus, kernel_line, [*bus, *self.nic.plug(), *plugin], own_clock,
                                         kind, self.cpu))
        if self._counted:
            self.control.wait(alive=started.check)
        self.machine = started
        return started

    def _bus(self) -> tuple[str, list[str]]:
        """The machine that QEMU emulates, and its options for devices that have to precede the NIC."""
        return self.model.machine, []

    def _prepare_sender(self) -> None:
        self.sender.wait(BOOT_LIMIT)
        # One frame per segment; no transfer inherits what TCP learned from the one before; and the receiver, which is
        # milliseconds away because it is emulated, counts as near.
        self.sender.run("ethtool -K eth0 tso off gso off && echo 1 >/proc/sys/net/ipv4/tcp_no_metrics_save && "
                        f"echo {NEAR_RTT_LOG} >/proc/sys/net/ipv4/tcp_tso_rtt_log")
        if self._fixed_id:
            self.nic.ctl("identification", state="cleared")

    def _check_parts(self) -> None:
        for part in self._parts:
            part.check()

    def check(self) -> None:
        """Raise LabError when a machine is gone or a kernel complained, the guest's included."""
        self._check_parts()

    def use_nic_driver(self, driver: str, options: str = "") -> None:
        """Replace the NIC's driver at runtime by the kernel's or this project's; return when the link is up.

        `options` are module parameters, such as "lro=2". Does nothing when that driver is there already and
        no options are given.
        """
        if driver == self.nic_driver and not options:
            return
        host = self.nic_host
        if self.nic_driver:
            host.run(f"rmmod {self.nic_driver}", timeout=60)
            self.nic_driver = None
        # This project's drivers serve only the cards that are assigned to them.
        host.run(f"for card in $(grep -l {self.model.device} /sys/bus/pci/devices/*/device); do "
                 f"echo {driver} >${{card%/*}}/driver_override; done; modprobe {driver} {options}", timeout=60)
        self.nic_driver = driver
        host.run(f"{self._join()} && ip link set {NIC} up")
        self.wait_for_link()

    def _join(self) -> str:
        """The command that puts the NIC where its packets are to go."""
        return f"ip link set {NIC} master br0" if self.bridge else f"ip addr add {NIC_ADDRESS}/24 dev {NIC}"

    def wait_for_link(self, up: bool = True) -> None:
        """Return when the NIC's link is up (or down)."""
        wanted = "1" if up else "0"
        self.nic_host.run(f"until [ $(cat /sys/class/net/{NIC}/carrier) = {wanted} ]; do usleep 50000; done",
                          timeout=LINK_LIMIT)

    def set_nic_gro(self, on: bool) -> None:
        """Switch GRO of the NIC."""
        self.nic_host.run(f"ethtool -K {NIC} gro {'on' if on else 'off'}")

    def _slow_down(self, host: agent.AgentHost) -> None:
        """Set a receiving machine's waiting times for packets to the pace of the laboratory."""
        host.run(f"delay=/sys/class/net/{NIC}/gro_flush_timeout; "
                 f"[ $(cat $delay) = 0 ] || echo {1000 * INTERRUPT_DELAY} >$delay; "
                 f"hold=/sys/module/lro_core/parameters/hold_us; [ ! -e $hold ] || echo {HOLD} >$hold")

    def set_module_parameter(self, host: agent.AgentHost, module: str, name: str, value: object) -> None:
        """Write a module parameter of a running host, for example (lab.nic_host, "r8169_lro", "lro", 1)."""
        host.run(f"echo {value} >/sys/module/{module.replace('-', '_')}/parameters/{name}")

    def counted_domains(self) -> dict[str, str]:
        """The domains whose instructions are counted: Xen's names of them, by those in the results. None without Xen."""
        return {}

    def symbols(self) -> dict[str, SymbolTable]:
        """The present symbols of the kernels whose instructions are counted, by domain."""
        return symbols.tables({"driver": self.nic_host}, self.sender, SENDER_ADDRESS, xen=False)

    def wait_for_ping(self, timeout: float = LINK_LIMIT) -> None:
        """Return when the receiver answers the sender."""
        self.sender.run(f"until ping -c1 -W1 {self.receiver_address} >/dev/null; do usleep 100000; done",
                        timeout=timeout)

    def transfer(self, count: int, outward: bool = False,
                 around: AbstractContextManager[object] | None = None) -> traffic.Transfer:
        """Send `count` bytes by iperf to the receiver, or from it (outward), and check all machines after.

        `around` is entered when the receiving end has been told to listen and left when all is sent.
        """
        if outward:
            done = traffic.stream(self.receiver, self.sender, SENDER_ADDRESS, count, around)
        else:
            done = traffic.stream(self.sender, self.receiver, self.receiver_address, count, around)
        self.check()
        return done

    def send_file(self, size: int, outward: bool = False) -> None:
        """Send a random file of `size` bytes to the receiver, or from it, and compare checksums."""
        if outward:
            traffic.send_file(self.receiver, self.sender, SENDER_ADDRESS, size)
        else:
            traffic.send_file(self.sender, self.receiver, self.receiver_address, size)
        self.check()

    @property
    def fronts(self) -> dict[str, agent.AgentHost]:
        """The machines with a front end, by name; none without Xen."""
        return {}

    def apply(self, config: configs.Config) -> None:
        """Bring the laboratory into a configuration; return when the receiver answers."""
        self.use_nic_driver(config.nic_driver)
        self.nic_host.run(f"ethtool -K {NIC} rx {'on' if config.verified else 'off'}")
        if config.our_nic:
            self.set_module_parameter(self.nic_host, config.nic_driver, "lro", config.mode)
        self.set_nic_gro(config.nic_gro_feature)
        self.wait_for_link()
        self._slow_down(self.nic_host)
        self.wait_for_ping()


class NativeLab(Lab):
    """Linux without Xen on the NIC; `receiver` is that machine."""

    name = "native"
    cpus = 1
    # What the kernel is told besides.
    arguments = ""

    def _image(self) -> images.Image:
        return images.native(self.series, self.with_ours)

    def _boot(self) -> None:
        sender, image = self._images
        with step("native: boot sender and receiver"):
            self._start_nic_and_sender(sender)
            self.nic_host = self._start_nic_host("native", memory_for(self.series, NATIVE_MEMORY), self.cpus,
                                                 vm.linux_line(image, self.arguments))
            self.receiver = self.nic_host
            self.nic_host.wait(BOOT_LIMIT)
            self._prepare_sender()


class GuestConsole:
    """A guest's output, fetched from the driver domain into a file in `logs` and watched for complaints."""

    def __init__(self, name: str, logs: Path, excuses: Sequence[console.Excuse] = ()):
        self._name = name
        self._log = logs / f"{name}.log"
        self._seen = 0
        self._watch = console.Watch(name, self._log, excuses)

    def clear(self) -> None:
        """Make the file empty."""
        self._log.write_bytes(b"")

    def check(self, dom0: agent.Host) -> None:
        """Raise KernelComplaint when the guest has complained since the last call."""
        deadline = time.monotonic() + REPORT_LIMIT
        self._fetch(dom0)
        while self._watch.amid_report() and time.monotonic() < deadline:
            time.sleep(0.2)
            self._fetch(dom0)
        self._watch.check()

    def _fetch(self, dom0: agent.Host) -> None:
        path = GUEST_CONSOLE.format(name=self._name)
        # A kernel that prints without end must not hide the reason.
        fresh = dom0.run(f"tail -c +{self._seen + 1} {path} 2>/dev/null | head -c {CONSOLE_PART}", check=False)
        self._seen += len(fresh.encode())
        with self._log.open("a") as log:
            log.write(fresh)


class XenLab(Lab):
    """A Xen host with the domains of a topology, of which the last is the receiver, `guest`.

    topology: see lab/domains.py. kind: of the guests. flowtable: whether firewalls have one, see lab/rules.py. mangle_id:
    whether vifs take aggregates of datagrams with the same identification whole, which netback leaves off.
    """

    name = "xen"
    topology: Topology = domains.TOPOLOGIES[domains.DEFAULT]
    kind = domains.PV
    # MiB of the guest, where it is not what the topology says.
    guest_memory: int | None = None
    # MiB of the machine, likewise.
    memory: int | None = None
    dom0_cpus = 1
    # The guest's kernel, if it is not the driver domain's, its arguments, and excused faults of that kernel.
    guest_series: str | None = None
    guest_arguments = ""
    guest_excuses: Sequence[console.Excuse] = ()
    # Further parameters of dom0's kernel.
    arguments = ""
    # QEMU's options for further devices of the host.
    plugged: tuple[str, ...] = ()

    def __init__(self, *args, topology: Topology | None = None, kind: str | None = None, flowtable: bool = False,
                 mangle_id: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        if topology:
            self.topology = topology
        if kind:
            self.kind = kind
        self.cpu = cpu_for(self.kind)
        self._flowtable = flowtable
        self._mangle_id = mangle_id
        self.dom0: vm.Vm
        # All reachable hosts, by name.
        self.hosts: dict[str, agent.AgentHost] = {}
        self.guest: agent.AgentHost
        # The front end in each domain behind the NIC's.
        self.guest_driver: str | None = None
        self.back_end = configs.STOCK_BACK
        self.receiver_address = self.topology.hops[-1].address
        self._consoles = self._new_consoles()

    def _new_consoles(self) -> dict[str, GuestConsole]:
        made = self.topology.path if self.topology.assigned else self.topology.behind
        return {name: GuestConsole(name, self.logs, self.guest_excuses) for name in made}

    def _image(self) -> images.Image:
        return images.dom0(self.series, self.with_ours, also=("xen-pciback",) if self.topology.assigned else (),
                           guest_series=self.guest_series, serving=self._serving,
                           switching=self.topology.hops[0].way == domains.OVS)

    @property
    def _serving(self) -> bool:
        """Whether domains other than dom0 have back ends."""
        return any(name != self.topology.domains[0].name for name in self.topology.backs)

    def _bus(self) -> tuple[str, list[str]]:
        if not self.topology.assigned:
            return super()._bus()
        # Xen lets a PV domain have a device where there is an IOMMU. It leads the DMA of QEMU's own devices; that of
        # rtl8169d it leaves alone, whose addresses are the machine's in a PV domain anyway.
        return "q35", ["-device", "amd-iommu"]

    def _boot(self) -> None:
        sender, image = self._images
        with step(f"{self.name}: boot sender and Xen host"):
            for console_of_guest in self._consoles.values():
                console_of_guest.clear()
            self._start_nic_and_sender(sender)
            self.dom0 = self._start_nic_host(
                "xen", self.memory or self.topology.memory, self.topology.cpus,
                [*vm.xen_line(image, self._xen_arguments(), self._dom0_arguments()), *self.plugged])
            self._reach()
            self.dom0.wait(BOOT_LIMIT)
            if self.guest_excuses:
                # The program that copies the guest's console to this machine's, where no fault is excused.
                self.dom0.run("killall tail")
            if self.topology.assigned:
                self._assign_nic()
            self._count_copies(self.topology.owner)
            self._prepare_sender()

    def _dom0_arguments(self) -> str:
        address = domains.DOM0_ADDRESS if self.topology.assigned else NIC_ADDRESS
        way = f" lab.way={domains.OVS}" if self.topology.hops[0].way == domains.OVS else ""
        return f"lab.ip={address}{way} lab.domains={':'.join(self._consoles)} {self.arguments}".rstrip()

    def _assign_nic(self) -> None:
        """Make the domain that is to own the NIC, and give it the NIC."""
        cards = self.dom0.run(f"grep -l {self.model.device} /sys/bus/pci/devices/*/device").splitlines()
        if len(cards) != 1:
            raise LabError(f"the Xen host has {len(cards)} cards like the NIC where one is expected")
        card = cards[0].split("/")[-2]
        self.dom0.run(f"xl pci-assignable-add {card}", timeout=60)
        owner = self.topology.owner
        self._create_guest(owner, xl.describe_owner(self.topology, card.removeprefix("0000:"), "panic_on_warn=1"))
        self.hosts[owner].wait(BOOT_LIMIT)
        if self.profiled:
            # The symbols of dom0 and of the hypervisor go to the sender by this way.
            self.hosts[owner].run("echo 1 >/proc/sys/net/ipv4/ip_forward")
            self.dom0.run(f"ip route add default via {domains.OWNER_ADDRESS}")

    def _count_copies(self, name: str) -> None:
        if self._counted and name in self.topology.backs:
            self.hosts[name].run(f"modprobe {grants.MODULE}")

    def _prepare_sender(self) -> None:
        super()._prepare_sender()
        for net in [domains.ROUTED_NET] * self.topology.routed + [domains.MANAGEMENT_NET] * self.topology.assigned:
            self.sender.run(f"ip route add {net} via {NIC_ADDRESS}")

    def _xen_arguments(self) -> str:
        memory = self.topology.domains[0].memory
        return f"dom0_mem={memory}M,max:{memory}M dom0_max_vcpus={self.dom0_cpus} dom0_vcpus_pin bootscrub=0"

    def _reach(self) -> None:
        """The hosts by name. Each is reached through the domain that has the back end of its vif."""
        self.hosts[self.topology.domains[0].name] = self.dom0
        if self.topology.assigned:
            owner = self.topology.owner
            self.hosts[owner] = agent.ForwardedHost(owner, self.dom0, domains.OWNER_ADDRESS)
        for hop in self.topology.hops:
            self.hosts[hop.front] = agent.ForwardedHost(hop.front, self.hosts[hop.back], hop.address)
        self.nic_host = self.hosts[self.topology.owner]
        self.guest = self.receiver = self.hosts[self.topology.receiver]

    def _join(self) -> str:
        return {domains.BRIDGE: f"ip link set {NIC} master br0", domains.ROUTE: super()._join(),
                # It remembers the port when the NIC is gone for another driver.
                domains.OVS: f"ovs-vsctl --may-exist add-port br0 {NIC}"}[self.topology.hops[0].way]

    def use_guest_driver(self, driver: str) -> None:
        """Give each domain behind the NIC's the front end xen-netfront or netfront_lro; return when all answer.

        The domains are made again with another kernel parameter. A front end that is exchanged in place would need its
        back end to close and start again, which is a further source of failures and proves nothing.
        """
        if driver == self.guest_driver:
            return
        self._remove_guests()
        for name in self.topology.behind:
            self._create_guest(name, self._description(name, driver))
            self.guest_driver = driver
            self.hosts[name].wait(BOOT_LIMIT)
            self._count_copies(name)
        for name in self.topology.backs:
            if self._mangle_id:
                self.hosts[name].run("for vif in /sys/class/net/vif*; do "
                                     "ethtool -K ${vif##*/} tx-tcp-mangleid-segmentation on || exit; done")
        for name in self.topology.filters:
            rules.load(self.hosts[name], flowtable=self._flowtable)

    def _description(self, name: str, driver: str) -> str:
        """xl's description of a domain with a front end."""
        memory = memory_for(self.guest_series, self.guest_memory or self.topology.domain(name).memory)
        # An excused warning must not end the guest.
        more = self.guest_arguments if self.guest_excuses else f"{self.guest_arguments} panic_on_warn=1"
        return xl.describe(self.topology, name, self.kind, driver, memory, more)

    def _remove_guests(self) -> None:
        if self.guest_driver:
            self.check()
            for name in reversed(self.topology.behind):
                self.dom0.run(f"xl destroy {name}", timeout=60)
            self.guest_driver = None

    def use_back_end(self, module: str, options: str = "") -> None:
        """Serve guests by xen-netback or netback_lro; a guest that there is has to go, as its interface would.

        `options` are module parameters, such as "napi=0".
        """
        if module == self.back_end and not options:
            return
        self._remove_guests()
        # An interface goes a moment after its guest. The counter looks for the functions of a back end when it is loaded.
        self.nic_host.run(f"until rmmod {self.back_end}; do usleep 100000; done && modprobe {module} {options} && "
                          f"if [ -e /sys/module/{grants.MODULE} ]; then rmmod {grants.MODULE}; modprobe {grants.MODULE}; fi",
                          timeout=60)
        self.back_end = module

    def _forget(self) -> None:
        super()._forget()
        self.guest_driver = None
        self.back_end = configs.STOCK_BACK
        self.hosts.clear()
        self._consoles = self._new_consoles()

    def counted_domains(self) -> dict[str, str]:
        return {domain.name: self.topology.xen_name(domain.name) for domain in self.topology.domains}

    def symbols(self) -> dict[str, SymbolTable]:
        return symbols.tables(self.hosts, self.sender, SENDER_ADDRESS, xen=True)

    @property
    def fronts(self) -> dict[str, agent.AgentHost]:
        return {name: self.hosts[name] for name in self.topology.behind}

    def _create_guest(self, name: str, description: str) -> None:
        path = f"/lab/{name}.cfg"
        self.dom0.put(description.encode(), path)
        self.dom0.run(f"xl create {path}", timeout=BOOT_LIMIT)

    def _adjust_guest(self, guest: agent.AgentHost, config: configs.Config) -> None:
        """Set the merging of a guest's interface to that of the configuration."""
        if config.guest_driver == configs.OUR_GUEST:
            self.set_module_parameter(guest, configs.OUR_GUEST, "lro", 1)
        guest.run(f"ethtool -K eth0 gro {'on' if config.guest_gro_feature else 'off'}")
        self._slow_down(guest)

    def check(self) -> None:
        super().check()
        if self.hosts and (self.guest_driver or self.topology.assigned):
            for console_of_guest in self._consoles.values():
                console_of_guest.check(self.dom0)

    def apply(self, config: configs.Config) -> None:
        if config.guest_driver is None:
            raise LabError(f"{config.name} is a configuration without Xen")
        self.use_nic_driver(config.nic_driver)
        self.use_back_end(config.back_end)
        self.use_guest_driver(config.guest_driver)
        for host in self.fronts.values():
            self._adjust_guest(host, config)
        self.set_rewriting(config.rewrite)
        super().apply(config)

    def set_rewriting(self, mode: str | None) -> None:
        """Choose br_linearize's mode for packets that the NIC's domain forwards, None: off and unloaded."""
        if mode:
            hook = "bridge" if self.topology.hops[0].way == domains.BRIDGE else "egress"
            self.nic_host.run(f"[ -e /sys/module/br_linearize ] || modprobe br_linearize hook={hook}")
            self.set_module_parameter(self.nic_host, "br_linearize", "mode", mode)
        else:
            self.nic_host.run("[ ! -e /sys/module/br_linearize ] || rmmod br_linearize")


def cpu_for(kind: str) -> str:
    """The model of the Xen host's CPU with guests of a kind."""
    return vm.VIRTUALIZING_CPU if kind == domains.PVH else vm.CPU


def memory_for(series: str | None, memory: int) -> int:
    """MiB for a machine that needs `memory` MiB otherwise: the checkers of this kernel take and keep much memory."""
    return 2 * memory if series in kernels.DEBUG else memory
