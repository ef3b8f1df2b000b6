# SPDX-License-Identifier: GPL-2.0-only
"""One host during a run: recording it, changing it, and restoring it.

The host itself keeps the record, in DIRECTORY. A watchdog on it restores everything when the lab gives no sign of life
for LIMIT seconds or its connection ends. See host.sh.
"""

from __future__ import annotations

import os
import threading
import time
from importlib import resources

from graft import tree

from .. import console, proc
from ..agent import CommandFailed
from ..steps import EXIT_ENVIRONMENT, LabError
from .ssh import SshHost

DIRECTORY = "/run/xenlro-lab"
# Seconds without a sign of life after which the host restores itself, and between two signs.
LIMIT, BEAT = 60, 10
# Seconds that a change of drivers may take.
CHANGE = 150
TOOLS = {"ip": "iproute2", "ethtool": "ethtool", "iperf": "iperf", "ping": "iputils-ping", "flock": "util-linux",
         "setsid": "util-linux", "timeout": "coreutils", "base64": "coreutils", "awk": "mawk", "modprobe": "kmod"}
# Exit status of a command that found the host's record gone.
_GONE = 75
_SCRIPT = resources.files(__package__).joinpath("host.sh").read_bytes()
_CLAIM = f"""if mkdir -m 700 {DIRECTORY} 2>/dev/null; then echo fresh
elif [ -e {DIRECTORY}/watch.pid ] && kill -0 $(cat {DIRECTORY}/watch.pid) 2>/dev/null; then echo busy
else echo left; fi"""
# Time of the kernel's latest message, by its own clock.
_KERNEL_CLOCK = "dmesg | tail -n 1 | sed 's/^<[0-9]*>//' | awk -F '[][]' '{ print $2 + 0 }'"
# The kernel's messages after the time `since` of its own clock.
_KERNEL_LOG = "dmesg | sed 's/^<[0-9]*>//' | awk -F '[][]' -v since={since} '$2 + 0 > since'"


class Session:
    """Owns the recorded interface of `host` from begin() to end()."""

    def __init__(self, host: SshHost):
        self.host = host
        self.name = host.name
        self.interface = host.entry.interface
        host.scratch = DIRECTORY
        self.before = ""
        self._began = False
        self._since = "0"
        self._keeper: proc.Child | None = None
        self._pulse = -1
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, name=f"pulse-{self.name}", daemon=True)

    def recorded(self, key: str) -> str | None:
        """A setting of the record with one line, such as "driver"; None when it is not there."""
        for line in self.before.splitlines():
            name, _, value = line.partition(" ")
            if name == key:
                return value
        return None

    def begin(self) -> None:
        """Connect, record the interface and start the watchdog; raise LabError when the host is not fit for it."""
        self.host.connect()
        self._check_tools()
        self._check_path()
        self._claim()
        try:
            self.host.put(_SCRIPT, f"{DIRECTORY}/host", 0o700)
            self.before = self._script(f"begin {self.interface} {LIMIT}")
            self._began = True
        except BaseException:
            self.host.run(f"rm -rf {DIRECTORY}", check=False)
            raise
        self.forget_complaints()
        self._keep()

    def forget_complaints(self) -> None:
        """Judge only later messages of the kernel."""
        self._since = self.host.run(_KERNEL_CLOCK).strip()

    def _check_tools(self) -> None:
        if self.host.run("id -u").strip() != "0":
            raise self._unfit("the lab has to be root there to change drivers: give ssh = \"root@…\"")
        absent = self.host.run("PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; "
                               f"for tool in {' '.join(TOOLS)}; do command -v $tool >/dev/null || echo $tool; done")
        if absent:
            packages = " ".join(dict.fromkeys(TOOLS[tool] for tool in absent.split()))
            raise self._unfit(f"{', '.join(absent.split())} not found there; run: apt install {packages}")

    def _check_path(self) -> None:
        """The connection must not run over the interface that is going to change its driver."""
        if self.interface in self._ask("connection").split():
            raise self._unfit(f"ssh runs over {self.interface}, the interface that is measured and whose driver "
                              "changes: give an address of another interface in ssh =")

    def _claim(self) -> None:
        found = self.host.run(_CLAIM).strip()
        if found == "busy":
            raise self._unfit("another run of the lab uses it, or one ended that the host is putting back right now: "
                              f"try again in {LIMIT + CHANGE} s")
        if found == "left":
            self.host.run(f"[ ! -e {DIRECTORY}/record ] || sh {DIRECTORY}/host end", timeout=CHANGE, check=False)
            differences = self.host.run(f"cat {DIRECTORY}/differences 2>/dev/null || rm -rf {DIRECTORY}", check=False)
            if differences.strip():
                raise self._unfit("an earlier run could not put it back entirely: mend by hand, then remove "
                                  f"{DIRECTORY} there: {_listed(differences)}")
            self.host.run(f"mkdir -m 700 {DIRECTORY}")

    def _unfit(self, why: str) -> LabError:
        return LabError(f"{self.name} ({self.host.entry.ssh}): {why}", code=EXIT_ENVIRONMENT)

    def _ask(self, verb: str, timeout: float = 30) -> str:
        """Run the script before it is on the host."""
        return self.host.run(f"sh -s {verb}", timeout=timeout, given=_SCRIPT)

    def _script(self, verb: str, timeout: float = CHANGE) -> str:
        try:
            return self.host.run(f"[ -e {DIRECTORY}/host ] || exit {_GONE}; sh {DIRECTORY}/host {verb}", timeout=timeout)
        except CommandFailed as error:
            if error.status == _GONE:
                raise self._put_back_already() from None
            raise

    def _put_back_already(self) -> LabError:
        return LabError(f"{self.name}: {self.host.entry.ssh} was put back by its own watchdog, because it saw no sign "
                        f"of the lab for {LIMIT} s: run the lab again", self.host.log)

    def _keep(self) -> None:
        out, self._pulse = os.pipe()
        with open(out, "rb") as end:
            self._keeper = proc.Child(self.host.command(f"exec sh {DIRECTORY}/host keep"), log=self.host.log,
                                      name="ssh", stdin=end)
        self._heart.start()

    def _beat(self) -> None:
        while not self._stop.wait(BEAT):
            try:
                os.write(self._pulse, b"\n")
            except OSError:
                return

    def check(self) -> None:
        """Raise LabError when the connection is gone, the host restored itself, or its kernel complained."""
        self.host.check()
        if not self._keeper or not self._keeper.alive():
            raise self._put_back_already()
        said = self.host.run(_KERNEL_LOG.format(since=self._since), check=False)
        if console.complaints(said):
            raise console.KernelComplaint(f"{self.name}: its kernel complained:\n{console.excerpt(said)}\n")

    def load(self, module: str) -> None:
        """Load a module, by modprobe or from the folder that the user named."""
        if folder := self.host.entry.modules:
            files = (tree.ENGINE, module) if module in tree.drivers() else ()
        else:
            files = ()
        steps = [f"[ -d /sys/module/{name} ] || insmod '{folder}/{name}.ko'" for name in files]
        try:
            self.change(" && ".join(f"{{ {step}; }}" for step in steps) or
                        f"[ -d /sys/module/{module.replace('-', '_')} ] || modprobe {module}")
        except CommandFailed as error:
            raise LabError(f"{self.name}: the module {module} cannot be loaded on {self.host.entry.ssh}: install it "
                           f"there, or name its folder by modules = ({error.output.strip()[-200:]})") from error

    def bind(self, driver: str) -> None:
        """Give the interface another driver, with the recorded configuration."""
        self._script(f"bind {driver}")

    def change(self, command: str) -> None:
        """Run a command that changes a recorded setting."""
        quoted = "'" + command.replace("'", "'\\''") + "'"
        self._script(f"change {quoted}")

    def end(self) -> None:
        """Restore the host and close the connection; raise LabError with the differences if there are any.

        Does nothing the second time.
        """
        self._stop.set()
        began, self._began = self._began, False
        try:
            if began:
                self._put_back()
        finally:
            if self._keeper:
                os.close(self._pulse)
                self._keeper.stop()
                self._keeper = None
            self.host.close()

    def _put_back(self) -> None:
        try:
            self.host.run(f"[ ! -e {DIRECTORY}/host ] || sh {DIRECTORY}/host end", timeout=CHANGE)
        except CommandFailed as error:
            raise LabError(f"{self.name}: {self.host.entry.ssh} could not be put back entirely: "
                           f"{_listed(error.output)}; the record is in {DIRECTORY} there") from error
        except LabError:
            raise LabError(f"{self.name}: {self.host.entry.ssh} cannot be reached to put it back; it does so itself "
                           f"within {LIMIT + CHANGE} s, and keeps {DIRECTORY} if it could not", self.host.log) from None
        # The host's verdict about itself is not enough: compare its state.
        deadline = time.monotonic() + LIMIT
        while (after := self._ask(f"show {self.interface}", CHANGE)) != self.before:
            if time.monotonic() > deadline:
                changed = set(after.splitlines()) ^ set(self.before.splitlines())
                raise LabError(f"{self.name}: {self.host.entry.ssh} is not as it was: {', '.join(sorted(changed))}")
            time.sleep(1)


def _listed(differences: str) -> str:
    return ", ".join(line for line in differences.splitlines() if line.strip())[-600:]
