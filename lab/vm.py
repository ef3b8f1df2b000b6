# SPDX-License-Identifier: GPL-2.0-only
"""The lab's processes: QEMU machines with their console logs and control ports, and the NIC process."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from . import agent, console, images, proc, roots
from .paths import BUILD
from .steps import EXIT_ENVIRONMENT, LabError

LOGS = BUILD / "lab" / "logs"
RTL8169D = BUILD / "lab" / "rtl8169d"
INSN_PLUGIN = BUILD / "lab" / "insn" / "insn.so"
# Unix socket addresses hold 108 bytes with the terminating zero; leave room for the longest name in a run folder.
SOCKET_PATH_LIMIT = 107
LONGEST_SOCKET_NAME = len("/sender.agent")
# Milliseconds that QEMU waits for the NIC process: a shorter stall must not break the device for good.
NIC_PATIENCE = 60000

# An AMD CPU needs no page-table isolation (which doubles the cost of a Xen guest), and without SMAP Xen's driver domain
# boots. Every server CPU since 2020 has fast short `rep movs` (FSRM): with it a kernel's memcpy() is one instruction,
# whose bytes the plugin counts separately. Without it 6.12 executes 12 instructions for 32 bytes, which would hide all
# other costs. QEMU emulates the instruction byte by byte, which costs throughput by the host's clock.
CPU = "Opteron_G3,level=7,+erms,+fsrm"
# With nested page tables Xen can have PVH domains: it has no others for them.
VIRTUALIZING_CPU = f"{CPU},+npt"
# Options of all kernels but a guest's: a warning ends the machine, so that it cannot be missed.
WATCHED = "loglevel=5 panic=-1 panic_on_warn=1"
LINUX_ARGUMENTS = f"console=ttyS0 {WATCHED}"


class RunFolder:
    """A private folder for the sockets of one laboratory; a context manager that removes it."""

    def __init__(self) -> None:
        parent = BUILD / "lab" / "run"
        parent.mkdir(parents=True, exist_ok=True)
        longest = len(os.fsencode(str(parent))) + len("/lab-xxxxxxxx") + LONGEST_SOCKET_NAME
        self.path = Path(tempfile.mkdtemp(prefix="lab-", dir=parent if longest <= SOCKET_PATH_LIMIT else None))

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


@contextmanager
def log_folder(path: Path) -> Iterator[None]:
    """Make a folder for logs and lock it for this laboratory; raise LabError when another one writes there."""
    path.mkdir(parents=True, exist_ok=True)
    with (path / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(f"another run of the lab writes its logs to {path}: wait for its end, or end it",
                           code=EXIT_ENVIRONMENT) from None
        yield


class Nic:
    """rtl8169d: the NIC as a process. Its wire is a unix socket on which it waits for the sender."""

    program = "rtl8169d"

    def __init__(self, run: Path, logs: Path, chip: str = "8169", options: tuple[str, ...] = ()):
        self.vfio = run / "nic.vfio"
        self.wire = run / "nic.wire"
        self._ctl = run / "nic.ctl"
        self.log = logs / "rtl8169d.log"
        self.chip = chip
        self.log.unlink(missing_ok=True)
        if not RTL8169D.exists():
            raise LabError(f"{RTL8169D} is missing: run `make lab` or `python3 -m lab setup`")
        self.child = proc.Child([str(RTL8169D), "--vfio", str(self.vfio), "--wire", f"unix:{self.wire}",
                                 "--wire-listen", "--ctl", str(self._ctl), "--chip", chip, *options], log=self.log)
        self._await(self.vfio, self.wire)

    def _await(self, *sockets: Path) -> None:
        deadline = time.monotonic() + 10
        while not all(path.exists() for path in sockets):
            self.check()
            if time.monotonic() > deadline:
                raise LabError(f"{self.program} did not open its sockets within 10 s", self.log)
            time.sleep(0.02)

    def plug(self) -> list[str]:
        """QEMU options that plug the NIC into a machine."""
        return vfio_nic(self)

    def check(self) -> None:
        """Raise LabError when the process has ended."""
        if not self.child.alive():
            raise console.MachineGone(f"{self.program} ended unexpectedly", self.log)

    def ctl(self, command: str, **arguments: object) -> dict:
        """Send one control command, such as ctl("link", state="down"); return its answer."""
        self.check()
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
                stream.settimeout(10)
                stream.connect(str(self._ctl))
                stream.sendall(json.dumps({"cmd": command, **arguments}).encode() + b"\n")
                with stream.makefile("rb") as lines:
                    answer = json.loads(lines.readline())
        except (OSError, ValueError) as error:
            raise LabError(f"{self.program} does not answer on its control socket ({error})", self.log) from error
        if not answer.get("ok"):
            raise LabError(f"{self.program} refused {command!r}: {answer.get('error')}", self.log)
        return answer

    def stats(self) -> dict[str, int]:
        """All counters of the NIC process."""
        return self.ctl("stats")["stats"]

    def stop(self) -> None:
        """End the process."""
        self.child.stop()


@dataclass(frozen=True)
class Machine:
    """How a VM is built. `memory` in MiB; `kernel_line` = QEMU's -kernel/-append/-initrd; `devices` = the rest;
    `kind` = the machine that QEMU emulates.

    own_clock: the machine's clock advances by a nanosecond with each of its instructions, and by the host's clock while
    the machine is idle. On that clock the machine is as fast as real hardware, so its timers fire at the right point in
    the traffic.
    cpu: QEMU's model.
    """

    name: str
    memory: int
    cpus: int
    kernel_line: list[str]
    devices: list[str]
    own_clock: bool = False
    kind: str = "pc"
    cpu: str = CPU


class Vm(agent.AgentHost):
    """A running QEMU machine; commands run on it through its agent. Always stop() it."""

    def __init__(self, machine: Machine, run: Path, logs: Path):
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{machine.name}.log"
        self.qemu_log = logs / f"{machine.name}.qemu.log"
        for old in (self.log, self.qemu_log):
            old.unlink(missing_ok=True)
        self.watch = console.Watch(machine.name, self.log)
        port = run / f"{machine.name}.agent"
        self.child = proc.Child(roots.qemu() + _options(machine, self.log, port), log=self.qemu_log)
        self._name = machine.name
        try:
            link = agent.connect(machine.name, port, self.check, self.log)
        except BaseException:
            self.child.stop()
            raise
        super().__init__(machine.name, link)

    def check(self) -> None:
        """Raise LabError when the machine is gone or its kernel complained."""
        running = self.child.alive()
        self.watch.check()
        if running:
            return
        said = self.watch.tail() or proc.tail(self.qemu_log)
        raise console.MachineGone(f"{self._name}: its QEMU ended unexpectedly; console {self.log}; "
                                  f"the last lines were:\n{said}\n", self.qemu_log)

    def memory_used(self) -> int:
        """Resident memory of the machine's QEMU in MiB, shared guest memory included."""
        with suppress(OSError):
            for line in Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) // 1024
        return 0

    def stop(self) -> None:
        """End the machine at once."""
        self.link.close()
        self.child.stop()


def _options(machine: Machine, console_log: Path, port: Path) -> list[str]:
    return [
        "-name", machine.name, "-cpu", machine.cpu, "-smp", str(machine.cpus),
        *(["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=on"] if machine.own_clock else
          ["-accel", "tcg,thread=multi"]),
        "-M", f"{machine.kind},memory-backend=mem", "-m", str(machine.memory),
        "-object", f"memory-backend-memfd,id=mem,size={machine.memory}M,share=on",
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none",
        "-chardev", f"file,id=console,path={escaped(console_log)}", "-serial", "chardev:console",
        "-chardev", f"socket,id=agent,path={escaped(port)},server=on,wait=off", "-serial", "chardev:agent",
        *machine.kernel_line, *machine.devices,
    ]


def escaped(value: object) -> str:
    """A value inside one of QEMU's comma-separated options."""
    return str(value).replace(",", ",,")


def insn_plugin() -> Path:
    """QEMU's instruction plugin, which the set-up builds."""
    if not INSN_PLUGIN.exists():
        raise LabError(f"{INSN_PLUGIN} is missing: run `make lab` or `python3 -m lab setup`")
    return INSN_PLUGIN


def vfio_nic(nic: Nic) -> list[str]:
    """QEMU options that plug the NIC process in."""
    device = {"driver": "vfio-user-pci", "socket": {"type": "unix", "path": str(nic.vfio)},
              "x-msg-timeout": NIC_PATIENCE}
    return ["-device", json.dumps(device)]


def wire_nic(nic: Nic, mac: str) -> list[str]:
    """QEMU options for the sender's end of the NIC's wire."""
    return ["-netdev", f"stream,id=wire,server=off,addr.type=unix,addr.path={escaped(nic.wire)},reconnect-ms=200",
            "-device", f"virtio-net-pci,netdev=wire,mac={mac},romfile="]


def linux_line(image: images.Image, arguments: str) -> list[str]:
    """QEMU options to boot Linux."""
    return ["-kernel", str(image.kernel), "-initrd", str(image.initrd),
            "-append", f"{LINUX_ARGUMENTS} {arguments}"]


def xen_line(image: images.Image, xen_arguments: str, dom0_arguments: str) -> list[str]:
    """QEMU options to boot Xen with `image` as driver domain."""
    modules = (f"{escaped(image.kernel)} console=hvc0 {WATCHED} {dom0_arguments},"
               f"{escaped(image.initrd)}")
    return ["-kernel", str(roots.xen_hypervisor()), "-append", f"console=com1 com1=115200,8n1 {xen_arguments}",
            "-initrd", modules]
