# SPDX-License-Identifier: GPL-2.0-only
"""Attributes a histogram of executed instructions to the symbols of each domain."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .errors import InsnError

PC_USER = 0         # the plugin's address for user space, which has one counter
PC_FULL = 1         # all addresses without a counter

XEN_RANGE = (0xffff800000000000, 0xffff880000000000)
_KALLSYMS = re.compile(r"^([0-9a-f]{8,16}) ([a-zA-Z]) (\S+)(?:\s+\[([^\]]+)\])?$")


@dataclass(frozen=True)
class ProfileRow:
    """Instructions that one symbol took on one vCPU."""

    vcpu: int
    symbol: str
    owner: str              # xen, kernel, user, or the module's name
    instructions: int
    share: float            # of all instructions of this vCPU, 0 to 1

    def per(self, amount: float) -> float:
        """Instructions per unit of `amount`, such as packets or bytes."""
        return self.instructions / amount


class SymbolTable:
    """Text symbols of one domain, the hypervisor's included."""

    def __init__(self) -> None:
        self._symbols: dict[int, tuple[str, str]] = {}
        self._sorted: list[int] | None = None

    def add_kallsyms(self, text: str) -> "SymbolTable":
        """Adds /proc/kallsyms (kernel, modules, BPF). Needs kptr_restrict 0 when it was read."""
        found = self._add(text, "kernel")
        if not found:
            raise InsnError("kallsyms shows no addresses: write 0 to /proc/sys/kernel/kptr_restrict "
                            "in that domain and read it as root")
        return self

    def add_xen(self, text: str) -> "SymbolTable":
        """Adds /proc/xen/xensyms, or the xen-syms map that comes with a hypervisor."""
        if not self._add(text, "xen"):
            raise InsnError("xensyms holds no symbol: mount xenfs at /proc/xen in the driver domain")
        return self

    def _add(self, text: str, owner: str) -> int:
        count = 0
        for line in text.splitlines():
            match = _KALLSYMS.match(line.strip())
            if not match or match[2] not in "tTwWbBdDrRvVaAuU":
                continue
            address = int(match[1], 16)
            in_xen = XEN_RANGE[0] <= address < XEN_RANGE[1]
            if address == 0 or in_xen != (owner == "xen") or match[2] in "bBdDrRvVaAuU":
                continue
            # Several names share an address: the first one is a stable choice.
            self._symbols.setdefault(address, (match[3], match[4] or owner))
            count += 1
        self._sorted = None
        return count

    def find(self, address: int) -> tuple[str, str]:
        """(symbol, owner) that `address` belongs to."""
        if address == PC_USER:
            return "[user space]", "user"
        if address == PC_FULL:
            return "[not recorded]", "unknown"
        if self._sorted is None:
            self._sorted = sorted(self._symbols)
        index = bisect.bisect_right(self._sorted, address) - 1
        if index >= 0:
            start = self._sorted[index]
            # A symbol of another region far below does not contain this code.
            if address - start < 1 << 20 and _region(start) == _region(address):
                return self._symbols[start]
        region = _region(address)
        return f"[{region} {address & ~0xfff:#x}]", region


def _region(address: int) -> str:
    if XEN_RANGE[0] <= address < XEN_RANGE[1]:
        return "xen"
    if address >= 0xffffffffc0000000:
        return "modules"
    return "kernel" if address >= 0xffffffff80000000 else "unknown"


def read_histogram(path: Path) -> dict[int, list[int]]:
    """Address -> instructions per vCPU, from a file that the plugin wrote."""
    lines = Path(path).read_text().splitlines()
    if not lines or lines[-1] != "end":
        raise InsnError(f"{path} is not a whole histogram: QEMU was killed while writing it or the "
                        "disk is full")
    result: dict[int, list[int]] = {}
    for line in lines[:-1]:
        address, *counts = line.split()
        result[int(address, 16)] = [int(count) for count in counts]
    return result


def profile(hist_a: Path, hist_b: Path, symbols: dict[int, SymbolTable],
            top: int | None = None) -> list[ProfileRow]:
    """Instructions by symbol between two histograms, most expensive first within each vCPU.

    `symbols` maps a vCPU to the table of the domain pinned there; vCPUs without one are left out.
    `top` limits the rows per vCPU; shares are of the whole vCPU for any `top`.
    """
    before, after = read_histogram(hist_a), read_histogram(hist_b)
    rows: list[ProfileRow] = []
    for vcpu, table in sorted(symbols.items()):
        spent: Counter[tuple[str, str]] = Counter()
        for address, counts in after.items():
            earlier = before.get(address)
            used = counts[vcpu] - (earlier[vcpu] if earlier else 0)
            if used < 0:
                raise InsnError(f"{hist_b} is not later than {hist_a}: counters went backwards")
            if used:
                spent[table.find(address)] += used
        total = sum(spent.values())
        rows += [ProfileRow(vcpu, symbol, owner, count, count / total)
                 for (symbol, owner), count in spent.most_common(top)]
    return rows
