# SPDX-License-Identifier: GPL-2.0-only
"""The profile of a configuration: the symbols that the instructions of a measured interval belong to.

`profile.CONFIG.{driver,guest}` of the results is a list, most expensive first, of `symbol`, `owner` (xen, kernel, user
or a module's name), `share` of all instructions of the domain's CPU (0 to 1), `insn_per_packet` (per frame that the NIC
wrote to the receive ring) and `insn_per_byte` of payload. It is that of the last repeat. Idling is included.

A domain tells its symbols itself, with their present addresses: kernel, modules, and the hypervisor's through the
driver domain. They go to the sender by TCP and from there through its serial port, because a Xen domain's serial port
carries a kilobyte per second.
"""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from .agent import Host
from .insn.profile import ProfileRow, SymbolTable, profile
from .insn.reader import Snapshot
from .steps import LabError

TOP = 40
_PORT = 5003
_XENSYMS = "/proc/xen/xensyms"
# Digits of an instruction count per byte; a symbol's share of it is two orders of magnitude smaller.
_DIGITS = 5
_RECEIVE = f"""rm -f /tmp/symbols*
setsid sh -c 'timeout 60 nc -l -p {_PORT} -e dd of=/tmp/symbols.part bs=64K
mv /tmp/symbols.part /tmp/symbols' </dev/null >/dev/null 2>&1 &"""
# Symbols of data would be two thirds of the list.
_SEND = f"""echo 0 >/proc/sys/kernel/kptr_restrict
grep -F -e ' t ' -e ' T ' -e ' w ' -e ' W ' {{path}} | gzip -c >/tmp/symbols.gz
for try in $(seq 60); do
	nc {{address}} {_PORT} -e cat /tmp/symbols.gz && rm /tmp/symbols.gz && exit 0
	usleep 300000
done
exit 1"""
_AWAIT = "until [ -e /tmp/symbols ]; do usleep 50000; done"


def read(host: Host, sender: Host, address: str, path: str = "/proc/kallsyms") -> str:
    """The lines for symbols of code in a list on `host`; `address` is the sender's."""
    sender.run(_RECEIVE)
    host.run(_SEND.format(path=path, address=address), timeout=60)
    sender.run(_AWAIT, timeout=60)
    try:
        return gzip.decompress(sender.get("/tmp/symbols")).decode()
    except (OSError, EOFError) as error:
        raise LabError(f"the symbols of {host.name} did not arrive whole ({error})") from error


def tables(hosts: Mapping[str, Host], sender: Host, address: str, xen: bool) -> dict[str, SymbolTable]:
    """The symbols of each domain, by the names of `hosts`; with `xen` the first one also tells the hypervisor's.

    Call it again after a module was loaded, and while there is no traffic.
    """
    hypervisor = read(next(iter(hosts.values())), sender, address, _XENSYMS) if xen else ""
    found = {}
    for name, host in hosts.items():
        found[name] = SymbolTable().add_kallsyms(read(host, sender, address))
        if xen:
            found[name].add_xen(hypervisor)
    return found


@dataclass(frozen=True)
class Interval:
    """A measurement: instructions and frames per byte of payload, for each domain and the NIC."""

    insn_per_byte: Mapping[str, float]
    frames_per_byte: float


def rows(begin: Snapshot, end: Snapshot, domains: Mapping[str, int], known: Mapping[str, SymbolTable],
         interval: Interval) -> dict[str, list[dict]]:
    """The profile between two snapshots with histograms, TOP symbols of each of `domains` (name -> vCPU).

    The histograms are taken just outside of the interval, so they give shares; `interval` gives the amounts.
    """
    if not begin.histogram or not end.histogram:
        raise LabError("the snapshots hold no histogram: QEMU runs without profile=on")
    names = {vcpu: name for name, vcpu in domains.items()}
    found = profile(begin.histogram, end.histogram, {vcpu: known[name] for vcpu, name in names.items()}, TOP)
    return {names[vcpu]: [_row(row, interval.insn_per_byte[names[vcpu]], interval.frames_per_byte) for row in group]
            for vcpu, group in itertools.groupby(found, key=lambda row: row.vcpu)}


def _row(row: ProfileRow, insn_per_byte: float, frames_per_byte: float) -> dict:
    spent = row.share * insn_per_byte
    return {"symbol": row.symbol, "owner": row.owner, "share": round(row.share, _DIGITS),
            "insn_per_packet": round(spent / frames_per_byte, 2), "insn_per_byte": round(spent, _DIGITS)}


def render(profiles: Mapping[str, Mapping[str, list[dict]]], count: int = 12) -> str:
    """A short table for the terminal: the first `count` symbols of each configuration and domain."""
    lines = []
    for config, domains in profiles.items():
        for domain, symbols in domains.items():
            lines += ["", f"{config}, {domain}: where the instructions go", f"{'share':>7}  {'/packet':>8}  symbol"]
            lines += [f"{row['share']:>7.1%}  {row['insn_per_packet']:>8.1f}  {row['symbol']} [{row['owner']}]"
                      for row in symbols[:count]]
    return "\n".join(lines)
