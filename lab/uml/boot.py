# SPDX-License-Identifier: GPL-2.0-only
"""Boots user-mode Linux with a few modules and reads its console.

The user space is busybox and a generated init that loads the modules in order, says how each load ended, and powers
off. A boot counts only when that init reached its end and the kernel complained of nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import cpio, proc, programs, roots
from ..paths import LOGS
from ..steps import LabError
from .uml import CACHE, Uml

# Lines by which the kernel reports a fault.
COMPLAINTS = re.compile(
    r"BUG:|WARNING:|KASAN|Oops|Kernel panic|Modules linked in|general protection|Call Trace|"
    r"possible (?:circular|recursive|irq lock)|inconsistent lock state|suspicious RCU usage|bad unlock balance|"
    r"held lock freed|unreferenced object|refcount_t:|list_(?:add|del) corruption|ODEBUG:|scheduling while atomic|"
    r"Unknown symbol|stack guard page|Segfault with no mm|blocked for more than"
)
# Words of messages that name a checker without any complaint.
HARMLESS = re.compile(r"KernelAddressSanitizer initialized|KASAN (?:shadow|is enabled)")
LEAK, BOOT_THREAD = "unreferenced object", 'comm "swapper"'

BEGIN, END = "init: begin", "init: end"

# The processes inside are clones of the kernel's process whose memory is then unmapped. The C library's restartable
# sequences area goes with it, and the machine's kernel kills them when it next writes there.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.pthread.rseq=0"}

INIT_HEAD = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t debugfs debugfs /sys/kernel/debug
/bin/busybox --install -s /bin
export PATH=/bin
echo "%s"
""" % BEGIN

# The first scan finds objects too young to report; objects that only a dead stack refers to are gone by the second.
LEAK_SCAN = """
if [ -e /sys/kernel/debug/kmemleak ]; then
	echo scan > /sys/kernel/debug/kmemleak
	sleep 6
	echo scan > /sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak
	echo "init: leaks scanned"
fi
"""


@dataclass(frozen=True)
class Load:
    """A module to load, with its parameters, and whether to unload it before the next one.

    `first` are shell commands to run before it is loaded.
    """

    module: Path
    parameters: str = ""
    unload: bool = False
    first: str = ""


def _init(before: str, loads: Sequence[Load], after: str) -> str:
    lines = [INIT_HEAD, before, "\n"]
    for load in loads:
        name = load.module.stem.replace("-", "_")
        if load.first:
            lines.append(f"{load.first}\n")
        lines.append(f'insmod /{load.module.name} {load.parameters}; echo "init: load {name} $?"\n')
        if load.unload:
            lines.append(f'rmmod {name}; echo "init: unload {name} $?"\n')
    return "".join(lines) + f"{after}\n{LEAK_SCAN}\necho '{END}'\npoweroff -f\n"


@dataclass(frozen=True)
class Boot:
    """The result of a boot: the console's text, its log, and the fault, if there was one."""

    text: str
    log: Path
    fault: LabError | None

    def checked(self) -> str:
        """The console's text; raises LabError when there was a fault."""
        if self.fault:
            raise self.fault
        return self.text


def boot(uml: Uml, name: str, loads: Iterable[Load], *, before: str = "", after: str = "", memory: int = 1024,
         timeout: float = 120, kernel_args: Sequence[str] = (), wrap: Sequence[str] = (), tools: Sequence[str] = (),
         files: Mapping[str, Path] | None = None) -> Boot:
    """Boot `uml`, load the modules, scan for leaks, power off.

    `tools` are programs of the lab's root, by their paths there; `files` are put at the places that they name.

    `before` and `after` are shell commands to run before and after the modules are loaded. `name` names the log,
    `memory` is in MiB, `timeout` in seconds; `wrap` is a command put before the kernel's. It is a fault when a load
    fails, init does not reach its end in time, or the kernel complains.
    """
    loads = list(loads)
    tree = cpio.Tree()
    tree.character_device("/dev/console", 5, 1)
    tree.file("/bin/busybox", (roots.lab_root() / "usr/bin/busybox").read_bytes(), 0o755)
    tree.file("/init", _init(before, loads, after), 0o755)
    for load in loads:
        tree.file(f"/{load.module.name}", load.module.read_bytes())
    for tool in tools:
        programs.install(tree, roots.lab_root(), tool)
    for place, path in (files or {}).items():
        tree.file(place, path.read_bytes(), 0o755)
    image = cpio.write(tree, CACHE / "images", f"{uml.name}-{name}")
    log = LOGS / f"uml-{uml.name}-{name}.console"
    log.unlink(missing_ok=True)
    argv = [
        *wrap, str(uml.kernel), f"mem={memory}M", f"initrd={image}", "con=null", "con0=null,fd:1", "ssl=null",
        "panic=-1", *kernel_args,
    ]
    fault = None
    try:
        proc.run(argv, log=log, timeout=timeout, env=os.environ | ENVIRONMENT)
    except LabError as error:
        fault = error
    text = log.read_text(errors="replace") if log.exists() else ""
    # The kernel's messages explain more than the exit status of its process.
    return Boot(text, log, complaint(text, log) or fault or _unfinished(text, log))


def own_clock(uml: Uml) -> tuple[str, ...]:
    """Kernel parameters for a clock on which code takes no time and sleep is exact: a busy machine changes no result.

    A source of random numbers that measures jitter would wait for ever on it: a kernel that has it starts without it.
    User-mode Linux knows initial calls by their addresses only. Raises LabError if the address cannot be found.
    """
    clock = "time-travel=inf-cpu"
    if "CONFIG_CRYPTO_JITTERENTROPY=y\n" not in (uml.tree / ".config").read_text():
        return (clock,)
    jitter = re.search(r"^0*([0-9a-f]+) . jent_mod_init$", (uml.tree / "System.map").read_text(), re.MULTILINE)
    if not jitter:
        raise LabError(f"the kernel {uml.name} of user-mode Linux has no jent_mod_init; correct lab/uml/boot.py")
    return clock, f"initcall_blacklist=0x{jitter[1]}"


def complaint(text: str, log: Path) -> LabError | None:
    """The first complaint of the kernel, or the first module that failed to load or unload.

    Faults of user-mode Linux itself while it boots are not the modules': only the console's lines after the start of
    init count, and only leaks of other threads than the boot's.
    """
    _, _, ours = text.partition(BEGIN)
    lines = ours.splitlines()
    for line, following in zip(lines, [*lines[1:], ""]):
        if LEAK in line and BOOT_THREAD in following:
            continue
        if COMPLAINTS.search(line) and not HARMLESS.search(line):
            return LabError(f"the kernel complained in user-mode Linux: {line.strip()}", log)
        load = re.search(r"init: (load|unload) (\S+) (\d+)", line)
        if load and load[3] != "0":
            return LabError(f"module {load[2]} could not be {load[1]}ed in user-mode Linux", log)
    return None


def _unfinished(text: str, log: Path) -> LabError | None:
    return None if END in text else LabError("user-mode Linux did not reach the end of its init", log)
