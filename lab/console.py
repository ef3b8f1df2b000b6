# SPDX-License-Identifier: GPL-2.0-only
"""Watching a machine's console for complaints of a kernel or of Xen.

A run during which a kernel warned proves nothing, so every complaint fails it. All patterns are here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .steps import LabError

# The lines of a faulty machine. Each pattern is searched for in whole lines.
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


# A kernel's warning lies between these two lines. It is complete when the last one is there.
_BEGIN, _END = "------------[ cut here ]------------", "---[ end trace "
_REPORT = re.compile(rf"^[^\n]*{re.escape(_BEGIN)}.*?{re.escape(_END)}[^\n]*\n", re.M | re.S)
# The lines of a warning that are complaints: the first, "WARNING:" and "Call Trace:".
_REPORT_COMPLAINTS = 3


@dataclass(frozen=True)
class Excuse:
    """A fault that is not ours: a warning with this message, for a call through these functions."""

    message: str
    functions: tuple[str, ...]

    def holds(self, report: str) -> bool:
        """Whether a complete report is about this fault only."""
        return (self.message in report and all(f" {function}+0x" in report for function in self.functions) and
                len(complaints(report)) == _REPORT_COMPLAINTS)


def without(text: str, excuses: Sequence[Excuse]) -> str:
    """A console log without the reports that are excused."""
    def judged(report: re.Match[str]) -> str:
        return "" if any(excuse.holds(report[0]) for excuse in excuses) else report[0]
    return _REPORT.sub(judged, text) if excuses else text


class MachineFault(LabError):
    """A machine's fault during a measurement: the measurement is void, and the machine has to boot again."""


class KernelComplaint(MachineFault):
    """A kernel or Xen reported a fault."""


class MachineGone(MachineFault):
    """A machine ended that should run."""


class Watch:
    """Follows one console log; each byte is judged once, line by line."""

    def __init__(self, machine: str, log: Path, excuses: Sequence[Excuse] = ()):
        self.machine = machine
        self.log = log
        self._excuses = excuses
        self._seen = 0

    def check(self) -> None:
        """Raise KernelComplaint, showing the lines, when the log has a complaint that is new since the last call."""
        fresh = self._fresh()
        self.judge(fresh.decode(errors="replace"))
        self._seen += len(fresh)

    def amid_report(self) -> bool:
        """Whether the last lines are an incomplete report that may turn out to be excused."""
        text = self._fresh().decode(errors="replace")
        return bool(self._excuses) and text.rfind(_BEGIN) > text.rfind(_END)

    def _fresh(self) -> bytes:
        """The lines that have not been judged."""
        try:
            with self.log.open("rb") as console:
                console.seek(self._seen)
                fresh = console.read()
        except FileNotFoundError:
            return b""
        return fresh[:fresh.rfind(b"\n") + 1]

    def judge(self, text: str) -> None:
        """Raise KernelComplaint when `text` has a complaint that is not excused."""
        text = without(text, self._excuses)
        if complaints(text):
            raise KernelComplaint(f"{self.machine}: its kernel complained:\n{excerpt(text)}\n", self.log)

    def tail(self, lines: int = 12) -> str:
        """The end of the log."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(_ESCAPES.sub("", line).rstrip("\r") for line in text.rstrip().split("\n")[-lines:])
