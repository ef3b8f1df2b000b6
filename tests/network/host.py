# SPDX-License-Identifier: GPL-2.0-only
"""A machine for the command xenlro whose network is real: it runs in a network namespace of its own.

Its one card is a file tree, and binding a driver to that makes an interface, whose other end is on the gateway's bridge in
another namespace. All that this machine knows lies in its folder, so that several processes may be it at the same time.

    python3 -m tests.network.host FOLDER WORDS...       runs `xenlro WORDS...` on the machine in FOLDER
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
# Another tree's command can be put through the same tests.
TOOLS = os.environ.get("XENLRO_TOOLS", str(TOP / "tools"))
sys.path.insert(0, TOOLS)

from xenlro.cli import main  # noqa: E402  (needs that path)
from xenlro.errors import XenlroError  # noqa: E402
from xenlro.system import System  # noqa: E402

CARD, KERNEL, MAC = "0000:00:03.0", "6.12.0-test", "52:54:00:aa:bb:01"
STOCK, OURS = "r8169", "r8169_lro"
# Programs of the host that the command may use as they are.
REAL = ("ip", "bridge", "tc", "ethtool", "nsenter", "ss")


class Host(System):
    """The machine in a folder. `behaviour` in that folder says what is wrong with it; tests write it.

    gateway: namespace of the gateway. deaf: drivers that bind nothing. mute: drivers that bind and make no interface.
    dark: drivers with which there is no carrier. queues: how many each direction may have. kind: veth or tap.
    strange: the name that the interface gets, by driver. first: namespace of the first process, if it is another one.
    loaded: what modprobe says instead, by module. limits: constants of modules, to wait for less. at: what happens at a
    step, by its name, and from the second time on a number: a signal to "worker", "guard", "front" or "all", or a shell command.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root, KERNEL)
        # For the stand-ins of programs.
        os.environ["HOST"] = str(root)
        object.__setattr__(self, "behaviour", json.loads((root / "behaviour").read_text()))
        for name, value in self.behaviour.get("limits", {}).items():
            module, _, constant = name.rpartition(".")
            try:
                setattr(importlib.import_module(f"xenlro.{module}"), constant, value)
            except ModuleNotFoundError:
                pass    # another tree's command
        self._follow()

    @property
    def card(self) -> Path:
        return self.root / "sys/bus/pci/devices" / CARD

    @staticmethod
    def make(root: Path, gateway: str) -> None:
        """Lay the folder out; to be run in the machine's namespace, with its /sys mounted."""
        for folder in ("sys/bus/xen/devices", f"lib/modules/{KERNEL}", "etc", "run", "bin", f"sys/bus/pci/drivers/{STOCK}",
                       f"sys/bus/pci/devices/{CARD}/net"):
            (root / folder).mkdir(parents=True)
        (root / "proc").symlink_to("/proc")
        (root / "sys/class").symlink_to("/sys/class")
        for name, value in (("class", "0x020000"), ("vendor", "0x10ec"), ("device", "0x8168"), ("driver_override", "(null)"),
                            ("modalias", "pci:v000010ECd00008168sv00000000sd00000000bc02sc00i00")):
            (root / "sys/bus/pci/devices" / CARD / name).write_text(f"{value}\n")
        (root / f"lib/modules/{KERNEL}/modules.alias").write_text("alias pci:v000010ECd00008168sv*sd*bc*sc*i* r8169\n")
        if not (root / "behaviour").exists():
            (root / "behaviour").write_text(json.dumps({"gateway": gateway}))

    @property
    def first_network(self) -> Path:
        return Path("/run/netns", self.behaviour["first"]) if "first" in self.behaviour else self.proc / "self/ns/net"

    def _step(self, name: str) -> None:
        """Let happen what the test wants to happen at this step, the first time that it is reached."""
        with (self.root / "steps").open("a") as steps:
            print(name, file=steps)
        count = (self.root / "steps").read_text().splitlines().count(name)
        wanted = self.behaviour.get("at", {}).get(name if count == 1 else f"{name} {count}")
        if wanted is None:
            return
        if "run" in wanted:
            subprocess.run(["sh", "-euc", wanted["run"]], check=True)
            return
        order = json.loads((self.root / "run/xenlro/switch.json").read_text())
        pids = {"worker": os.getpid(), "guard": int(order["guard"].split()[0]),
                "front": int((self.root / "front").read_text())}
        for who in ("front", "guard", "worker") if wanted["to"] == "all" else wanted["to"].split():
            try:
                os.kill(pids[who], getattr(signal, f"SIG{wanted['signal']}"))
            except ProcessLookupError:
                pass    # it was told before

    def write(self, path: Path, text: str) -> None:
        if path.parent.name in (STOCK, OURS) and path.name == "unbind":
            self._step("unbind")
            (self.card / "driver").unlink()
            for entry in (self.card / "net").iterdir():
                self._real("ip", "link", "del", entry.name)
                entry.rmdir()
            self._step("unbound")
        elif path.name == "drivers_probe":
            self._step("probe")
            override = (self.card / "driver_override").read_text().strip()
            self._bind(STOCK if override in ("", "(null)") else override)
            self._step("probed")
        else:
            super().write(path, text)

    def _bind(self, driver: str) -> None:
        if (self.card / "driver").exists() or driver in self.behaviour.get("deaf", ()):
            return
        (self.card / "driver").symlink_to(self.root / "sys/bus/pci/drivers" / driver)
        if driver not in self.behaviour.get("mute", ()):
            self.plug(driver)

    def plug(self, driver: str) -> None:
        """Make the interface that a driver makes."""
        name = self.behaviour.get("strange", {}).get(driver, "eth0")
        if self.behaviour.get("kind") == "tap":
            self._real("ip", "tuntap", "add", "dev", name, "mode", "tap")
            self._real("ip", "link", "set", name, "address", MAC)
        else:
            gateway = self.behaviour["gateway"]
            most = self.behaviour.get("queues", 1)
            self._real("ip", "link", "add", name, "address", MAC, *f"numrxqueues {most} numtxqueues {most}".split(),
                       "type", "veth", "peer", "name", "wire", "netns", gateway)
            self._real("ip", "-n", gateway, "link", "set", "wire", "master", "lan")
            if driver not in self.behaviour.get("dark", ()):
                self._real("ip", "-n", gateway, "link", "set", "wire", "up")
        (self.card / "net" / name).mkdir()
        (self.root / "index").write_text(str(socket.if_nametoindex(name)))

    def _follow(self) -> None:
        """Let the card's folder have the name that its interface has now, as sysfs does."""
        for entry in (self.card / "net").iterdir() if (self.card / "net").is_dir() else ():
            try:
                name = socket.if_indextoname(int((self.root / "index").read_text()))
            except OSError:
                continue
            if name != entry.name:
                entry.rename(entry.with_name(name))

    def run(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        program = self.root / "bin" / command[0]
        if command[0] == "modprobe":
            self._step(f"modprobe {command[1]}")
            said = self.behaviour.get("loaded", {}).get(command[1], "")
            if not said:
                (self.root / "sys/bus/pci/drivers" / command[1]).mkdir(exist_ok=True)
            return subprocess.CompletedProcess(command, bool(said), "", said)
        if command[0] == "modinfo":
            return subprocess.CompletedProcess(command, 0, f"filename: /lib/{command[-1]}.ko\n", "")
        if not program.exists() and command[0] not in REAL:
            raise XenlroError(f"the program {command[0]} is missing: install the package that has it")
        # What is only tried with an interface that there is not changes nothing.
        if "-batch" in command and "xenlro-no-dev" not in (text or ""):
            self._step(f"{command[0]} -batch")
        done = super().run(str(program) if program.exists() else command[0], *command[1:], text=text)
        self._follow()
        return done

    @staticmethod
    def _real(*command: str) -> None:
        subprocess.run(command, check=True)

    def detach(self, words: Sequence[str], log: Path) -> None:
        """As a copy of this process: tests start the command so often that its start counts."""
        sys.stdout.flush()
        if os.fork():
            return
        code = 1
        try:
            os.setsid()
            # A lock belongs to all who have its file open.
            os.closerange(3, 256)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            for number in (1, 2):
                os.dup2(said, number)
            code = main(words, Host(self.root))
            sys.stdout.flush()
        finally:
            os._exit(code)


def be(folder: Path, words: Sequence[str]) -> int:
    """Run `xenlro WORDS` on the machine in a folder, or `make GATEWAY` to lay it out; the exit code."""
    if words[0] == "make":
        Host.make(folder, words[1])
        made = Host(folder)
        (made.card / "driver").symlink_to(folder / "sys/bus/pci/drivers" / STOCK)
        made.plug(STOCK)
        return 0
    if user := os.environ.get("XENLRO_AS"):
        os.setuid(int(user))
    elif words[0] in ("use", "confirm"):
        (folder / "front").write_text(str(os.getpid()))
    return main(words, Host(folder))


if __name__ == "__main__":
    sys.exit(be(Path(sys.argv[1]), sys.argv[2:]))
