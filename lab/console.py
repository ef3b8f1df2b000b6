# SPDX-License-Identifier: GPL-2.0-only
"""Watching a machine's console for anything a kernel or Xen complains about.

A run during which a kernel warned proves nothing, so every complaint fails it. All patterns are here.
"""

from __future__ import annotations

import re
from pathlib import Path

from .steps import LabError

# What a sick machine prints. Each is searched for in whole lines.
COMPLAINTS = (
    r"Kernel panic",
    r"\bBUG:",
    r"kernel BUG at",
    r"\bOops:",
    r"general protection fault",
    # "WARNING: CPU: 0 PID: 12 at file:line function", in newer kernels "WARNING: file:line at function, CPU#0".
    r"WARNING: CPU:",
    r"WARNING: \S+:\d+ at ",
    r"WARNING: .*(lock|RCU|rcu|inconsistent|circular|suspicious)",
    r"\bKASAN:",
    r"\bUBSAN:",
    r"\bKFENCE:",
    r"------------\[ cut here \]------------",
    r"INFO: task .* blocked for more than",
    r"INFO: rcu_.* (detected|self-detected) stall",
    r"rcu: INFO: .* stall",
    r"soft lockup",
    r"hard LOCKUP",
    r"possible (circular|recursive) locking",
    r"turning off the locking correctness validator",
    r"DMA-API: .*(device driver|mapping|debugging|leak)",
    r"\bODEBUG:",
    r"suspicious RCU usage",
    r"sleeping function called from invalid context",
    r"scheduling while atomic",
    r"unregister_netdevice: waiting for",
    r"NETDEV WATCHDOG",
    r"Out of memory: Killed",
    r"page allocation failure",
    r"Bad page state",
    r"refcount_t:",
    r"list_(add|del) corruption",
    r"hw csum failure",
    r"received packets cannot be forwarded while LRO is enabled",
    r"Call Trace:",
    r"segfault at",
    r"\(XEN\) .*(Assertion .* failed|Xen BUG|Xen WARN|FATAL|Panic on CPU|page fault|crash|WARNING)",
    r"\(XEN\) mm\.c:.*[Bb]ad",
    r"\blab-setup:",
)

_BAD = re.compile("|".join(f"(?:{pattern})" for pattern in COMPLAINTS))
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SHOWN_LINES = 30


def complaints(text: str) -> list[str]:
    """The lines of a console log that report a fault, without terminal escapes."""
    lines = (_ESCAPES.sub("", line).rstrip("\r") for line in text.split("\n"))
    return [line for line in lines if _BAD.search(line)]


def excerpt(text: str) -> str:
    """The log from the first complaint on, cut to a screenful."""
    lines = [_ESCAPES.sub("", line).rstrip("\r") for line in text.split("\n")]
    for number, line in enumerate(lines):
        if complaints(line):
            return "\n".join(lines[number:number + SHOWN_LINES])
    return ""


class MachineFault(LabError):
    """What a machine does to whatever was being measured: nothing of it counts, and the machine has to boot anew."""


class KernelComplaint(MachineFault):
    """A kernel or Xen reported a fault."""


class MachineGone(MachineFault):
    """A machine ended that was meant to run."""


class Watch:
    """Follows one console log; each byte is judged once, line by line."""

    def __init__(self, machine: str, log: Path):
        self.machine = machine
        self.log = log
        self._seen = 0

    def check(self) -> None:
        """Raise KernelComplaint, showing the lines, when the log has a complaint that is new since the last call."""
        try:
            with self.log.open("rb") as console:
                console.seek(self._seen)
                fresh = console.read()
        except FileNotFoundError:
            return
        complete = fresh.rfind(b"\n") + 1
        self.judge(fresh[:complete].decode(errors="replace"))
        self._seen += complete

    def judge(self, text: str) -> None:
        """Raise KernelComplaint when `text` has a complaint."""
        if complaints(text):
            raise KernelComplaint(f"{self.machine}: its kernel complained:\n{excerpt(text)}\n", self.log)

    def tail(self, lines: int = 12) -> str:
        """The end of the log."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(_ESCAPES.sub("", line).rstrip("\r") for line in text.rstrip().split("\n")[-lines:])
