# SPDX-License-Identifier: GPL-2.0-only
"""Reads the output of the instruction plugin: snapshots, differences, instructions per byte.

All counts are guest instructions or bytes, all times seconds unless a name ends in ``_ns``.
A vCPU is the QEMU vCPU, which is one domain only while the domains are pinned
(see :mod:`lab.insn.pinning`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

from .errors import InsnError
from .profile import ProfileRow, SymbolTable, profile

__all__ = ["CATEGORIES", "InsnError", "ProfileRow", "Snapshot", "SymbolTable", "delta", "header",
           "per_byte", "plugin_argument", "profile", "snapshots", "without_idle"]

SCHEMA = 2
PLUGIN_API = 7
CATEGORIES = ("xen", "kernel", "modules", "user", "other")

# A quiet interval in which a vCPU was busy for a larger share is no measure of idling.
QUIET_BUSY_LIMIT = 0.5


@dataclass(frozen=True)
class Snapshot:
    """All counters of all vCPUs at one moment."""

    label: str
    by: str                     # control, marker or exit
    seq: int
    monotonic_ns: int
    realtime_ns: int
    vcpus: tuple[dict[str, Any], ...]
    histogram: Path | None = None


def plugin_argument(plugin: Path, out: Path, control: Path | None = None, *,
                    profile: bool = False, exact: bool = False) -> list[str]:
    """QEMU arguments that load the plugin, with commas in paths escaped."""
    def escape(path: Path) -> str:
        return str(path).replace(",", ",,")

    text = f"{escape(plugin)},out={escape(out)}"
    if control is not None:
        text += f",control={escape(control)}"
    if profile:
        text += ",profile=on"
    if exact:
        text += ",exact=on"
    return ["-plugin", text]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise InsnError(
            f"no instruction counts at {path}: QEMU did not load the plugin, which needs plugin "
            f"API {PLUGIN_API} (QEMU 11.1); the reason is in QEMU's log") from None
    whole, _, rest = text.rpartition("\n")
    if rest:
        raise InsnError(f"{path} ends in the middle of a line: QEMU was killed while writing it "
                        "or the disk is full")
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            yield json.loads(line)
        except ValueError:
            raise InsnError(f"{path}, line {number}: not a line of the plugin") from None


def header(path: Path) -> dict[str, Any]:
    """The first line: schema, API versions, vCPUs, mode. Raises InsnError when it does not fit."""
    head = next(_lines(Path(path)), None)
    if not head or head.get("type") != "header":
        raise InsnError(f"{path} does not begin with the plugin's header line")
    if head.get("schema") != SCHEMA or head.get("plugin_api") != PLUGIN_API:
        raise InsnError(f"{path} was written by another version of the plugin (schema "
                        f"{head.get('schema')}, API {head.get('plugin_api')}): rebuild lab/insn")
    if head.get("qemu_api") != PLUGIN_API:
        raise InsnError(f"{path}: this QEMU has plugin API {head.get('qemu_api')}, the counts are "
                        f"correct only with API {PLUGIN_API} (QEMU 11.1)")
    return head


def parse_snapshot(line: dict[str, Any], folder: Path) -> Snapshot:
    """One line of the plugin as a Snapshot; histogram names are relative to `folder`."""
    try:
        name = line.get("histogram")
        return Snapshot(label=line["label"], by=line["by"], seq=line["seq"],
                        monotonic_ns=line["monotonic_ns"], realtime_ns=line["realtime_ns"],
                        vcpus=tuple(line["vcpus"]), histogram=folder / name if name else None)
    except (KeyError, TypeError) as error:
        raise InsnError(f"a snapshot without {error}: the plugin's output is damaged") from None


def snapshots(path: Path) -> list[Snapshot]:
    """Every snapshot in the file, oldest first."""
    path = Path(path)
    header(path)
    return [parse_snapshot(line, path.parent) for line in _lines(path)
            if line.get("type") == "snapshot"]


def _with_total(categories: dict[str, int]) -> dict[str, int]:
    return {"total": sum(categories.values()), **categories}


def delta(a: Snapshot, b: Snapshot) -> dict[int, dict[str, Any]]:
    """The work of each vCPU between two snapshots of one QEMU.

    Keys per vCPU: ``seconds``; ``insns``, ``waits`` (those of them in loops that wait for another
    CPU), ``work`` (= insns - waits), ``movs``, ``stos``, ``moved`` (= movs + stos, bytes), each
    split into total and CATEGORIES; ``halted_seconds``, ``busy`` (share of time not halted),
    ``halts``, ``empty_wakes``, ``empty_insns`` (wake-ups in which only the hypervisor ran).
    """
    span = b.monotonic_ns - a.monotonic_ns
    if span <= 0 or b.seq <= a.seq or len(a.vcpus) != len(b.vcpus):
        raise InsnError(f"snapshot {b.label!r} does not follow {a.label!r}: they are in the wrong "
                        "order or from different runs of QEMU")
    result: dict[int, dict[str, Any]] = {}
    for before, after in zip(a.vcpus, b.vcpus):
        groups = {name: {cat: after[name][cat] - before[name][cat] for cat in CATEGORIES}
                  for name in ("insns", "waits", "movs", "stos")}
        if min(min(group.values()) for group in groups.values()) < 0:
            raise InsnError(f"counters went backwards between {a.label!r} and {b.label!r}: "
                            "the snapshots are from different runs of QEMU")
        # Both counters are read while they run: a loop's turn may be in one of them only.
        groups["work"] = {cat: max(groups["insns"][cat] - groups["waits"][cat], 0)
                          for cat in CATEGORIES}
        groups["moved"] = {cat: groups["movs"][cat] + groups["stos"][cat] for cat in CATEGORIES}
        halted = min(max(after["halted_ns"] - before["halted_ns"], 0), span)
        result[after["vcpu"]] = {
            "seconds": span / 1e9,
            **{name: _with_total(group) for name, group in groups.items()},
            "halted_seconds": halted / 1e9,
            "busy": 1 - halted / span,
            **{name: after[name] - before[name] for name in ("halts", "empty_wakes",
                                                             "empty_insns")},
        }
    return result


def idle_rate(quiet: dict[str, Any]) -> dict[str, float]:
    """Instructions of work per halted second, by category, of a vCPU without traffic."""
    if quiet["busy"] > QUIET_BUSY_LIMIT:
        raise InsnError(f"the interval meant to be quiet was busy for {quiet['busy']:.0%} of the "
                        "time: measure the idle rate while nothing runs")
    return {cat: count / quiet["halted_seconds"] for cat, count in quiet["work"].items()}


def without_idle(vcpu: dict[str, Any], quiet: dict[str, Any]) -> dict[str, float]:
    """Instructions of work in one vCPU's delta with the cost of idling taken out, by category.

    The rate of the quiet interval is charged to the time that the vCPU was halted in the
    measured one: a vCPU that never halted did not idle, and nothing is subtracted.
    """
    rate = idle_rate(quiet)
    net = {cat: max(vcpu["work"][cat] - rate[cat] * vcpu["halted_seconds"], 0.0)
           for cat in CATEGORIES}
    return {"total": sum(net.values()), **net}


def per_byte(vcpu: dict[str, Any], payload_bytes: int,
             quiet: dict[str, Any] | None = None) -> dict[str, Any]:
    """One vCPU's delta per payload byte, as the results file wants it.

    ``insn``: total, xen, kernel, modules, user of work per byte, idling removed when `quiet` is
    given; ``waited``: instructions per byte in loops that wait for another CPU, which are not in
    ``insn``; ``moved``: bytes moved by string instructions per byte; ``idle``: instructions per
    byte that were removed as idling; ``busy``: share of the time the vCPU was running.
    """
    if payload_bytes <= 0:
        raise InsnError("no payload was transferred in the measured interval")
    insns = without_idle(vcpu, quiet) if quiet else vcpu["work"]
    return {
        "insn": {cat: insns[cat] / payload_bytes
                 for cat in ("total", "xen", "kernel", "modules", "user")},
        "waited": vcpu["waits"]["total"] / payload_bytes,
        "moved": vcpu["moved"]["total"] / payload_bytes,
        "copied": vcpu["movs"]["total"] / payload_bytes,
        "idle": (vcpu["work"]["total"] - insns["total"]) / payload_bytes,
        "busy": vcpu["busy"],
    }
