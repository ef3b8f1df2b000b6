# SPDX-License-Identifier: GPL-2.0-only
"""The measurements of each run beside throughput and LRO ratio, and the reasons to repeat a run.

`insn_per_byte.DOMAIN.{total,xen,kernel,modules,user}`, `waited_per_byte.DOMAIN`, `moved_per_byte.DOMAIN`
    Of each domain of the topology, by its name there; "driver" natively.
    Guest instructions, those in loops that wait for another CPU, which are not among the former, and bytes moved by
    string instructions, per byte of payload, in the interval from FIRST to LAST
    of the payload (see lab/insn/README.md). No agent is asked for anything meanwhile: what a serial port carries costs
    its domain more instructions than the payload. The payload of the interval is what the NIC process wrote to the
    receive ring: its `rx_bytes` less HEADERS for each of its `rx_frames`. That is exact for a bulk flow, where every
    frame carries the same headers; other frames, such as ARP, are a few among ten thousand. The NIC is asked just
    before and just after a snapshot, and its mean taken. Idling is taken out: its rate comes from a quiet interval
    before the first run with the same drivers.

`grant_copies_per_64k`, `grant_hypercalls_per_64k`, `grant_bytes_per_copy`
    Grant copies of the NIC's domain towards the next one during the whole transfer, over all of its payload (see
    lab/grants). Counting them costs the driver domain about 180 instructions in a hypercall of five copies.

`hops`
    The same of each hop, and the mean size of its packets, see lab/hops.py.

`acks_per_mb`
    TCP segments that the sender received during the transfer (its `Tcp InSegs`), per 10^6 bytes of payload. No capture
    is used: beside the acknowledgements it holds the answers to SYN and FIN.

`profile`
    With PROFILE=1, and moved out of the runs, see lab/symbols.py.

`interval`
    `bytes` of payload, `seconds`, and `busy`: for each domain the share of that time in which its CPU was not halted.

`window`
    The advertised window over time, and what else the capture tells, see lab/windows.py.

`latency_us.{p50,p99}`, `latency_count`
    Request and response, after the transfer: percentiles of that many of them, see lab/latency.py. One that is beyond
    200 ms is absent.

`latency_off_us.{p50,p99}`, `latency_off_count`
    The same with the engine of the same drivers switched off, in turns with it; where both drivers are this project's.

`latency_histogram`, `latency_off_histogram`
    Of these two, `bins`: answers by the upper edge of their bin in microseconds, `width`: of a bin, and `slower`.

`segs_histogram`
    Packets that the receiver's TCP took, by the segments they held: of one more transfer, as the counter's probe costs
    the receiver instructions (see lab/segments).

`discarded`, `discard_reasons`
    Attempts that were thrown away and why, see lab/attempts.py. A run without a sound attempt has none of the other
    fields.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from . import hops, symbols, vm, windows
from .agent import Host
from .insn.control import Control
from .insn.errors import InsnError
from .insn.pinning import domain_pcpus
from .insn.profile import SymbolTable
from .insn.reader import Snapshot, delta, idle_rate, per_byte
from .paths import BUILD
from .topology import Lab, XenLab
from .traffic import Transfer

# Shares of the payload between which instructions are counted: after slow start, before the end.
FIRST, LAST = 0.25, 0.85
# An interval that ends after this share may have seen the end of the transfer.
LATEST = 0.98
# Ethernet, IPv4, and TCP with timestamps.
HEADERS = 14 + 20 + 32
# Retransmitted segments per segment above which an attempt is discarded.
RETRANSMISSIONS = 0.0025
# The share that retransmissions and other frames may add to the NIC's count of payload, which is 0.8 % off without
# timestamps.
PAYLOAD_ERROR = 0.005
# Seconds between two looks at the NIC's counters: 0.2 MB at 200 Mbit/s.
POLL = 0.01
# Seconds that a domain has to settle after it was asked for something, length of the quiet interval, and how often to
# look for one.
SETTLE, QUIET, ATTEMPTS = 1.0, 2.0, 5
DIGITS = 4
# The capture of the latest transfer.
PACKETS = BUILD / "lab" / "capture.pcap"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Baseline:
    """The pCPUs of the domains, and their instructions while idle.

    domains: name -> vCPU, "driver" where there is no Xen. idle: vCPU -> its difference over a quiet interval.
    symbols: those of each domain, when a profile is wanted.
    """

    domains: dict[str, int]
    idle: dict[int, dict]
    symbols: dict[str, SymbolTable] = field(default_factory=dict)


def at_rest(lab: Lab, more: Sequence[str] = ()) -> Baseline:
    """Check the pinning and measure idling, after a boot or a change of drivers; the laboratory has to be idle.

    more: further guests under Xen, by name. They have to share the receiver's pCPU, whose count is then their sum.
    Raises InsnError when domains cannot be told apart or do not come to rest.
    """
    domains = (_patiently(lambda: _domains(lab.dom0, lab.counted_domains(), more)) if isinstance(lab, XenLab)
               else {"driver": 0})
    known = lab.symbols() if lab.profiled else {}
    return Baseline(domains, _patiently(lambda: _idle(lab.control, list(domains.values()))), known)


def _patiently(look: Callable[[], _T]) -> _T:
    """The result of `look`, which may need several tries: a destroyed domain lingers, a new one is busy at first."""
    for _ in range(1, ATTEMPTS):
        with suppress(InsnError):
            return look()
        time.sleep(SETTLE)
    return look()


def _domains(dom0: Host, counted: Mapping[str, str], more: Sequence[str] = ()) -> dict[str, int]:
    """The pCPU of each of `counted`, which gives Xen's name of each; `more` share that of the last."""
    expected = [*counted.values(), *more]
    guests = [expected[len(counted) - 1], *more]
    found = domain_pcpus(dom0.run("xl vcpu-list"), together=guests)
    if sorted(found) != sorted(expected):
        raise InsnError(f"the Xen host runs the domains {', '.join(sorted(found))} where "
                        f"{', '.join(expected)} are expected: instructions cannot be told apart")
    if len({found[name] for name in guests}) > 1:
        raise InsnError(f"the guests {', '.join(guests)} run on several pCPUs: their instructions cannot be summed")
    return {name: found[known] for name, known in counted.items()}


def _idle(control: Control, vcpus: list[int]) -> dict[int, dict]:
    time.sleep(SETTLE)
    begin = control.snapshot("quiet")
    time.sleep(QUIET)
    found = delta(begin, control.snapshot("ready"))
    for vcpu in vcpus:
        # Raises InsnError when there was more than idling.
        idle_rate(found[vcpu])
    return found


@dataclass(frozen=True)
class Moment:
    """A snapshot, the payload that had passed the NIC when it was taken, and the most that it can have been.

    histogram: a snapshot with one, taken just outside of the interval when a profile is wanted.
    """

    snapshot: Snapshot
    payload: float
    most: int
    histogram: Snapshot | None = None


def payload(nic: dict[str, int]) -> int:
    """Payload bytes that the NIC process has written to the receive ring, by its counters."""
    return nic["rx_bytes"] - HEADERS * nic["rx_frames"]


class Meter:
    """Measures one attempt; a context manager around its traffic."""

    def __init__(self, lab: Lab, baseline: Baseline, count: int) -> None:
        self._lab = lab
        self._baseline = baseline
        self._count = count
        self._ended = threading.Event()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="meter")
        self._watcher: Future[list[Moment]]
        self._base: dict[str, int] = {}
        self._passed: dict[str, int] = {}
        self._moments: list[Moment] = []
        self._hops: list[list[hops.Passed]] = []
        self._recorder = windows.Recorder(lab.nic, PACKETS)

    def __enter__(self) -> Meter:
        self._read_hops()
        self._base = self._lab.nic.stats()
        self._recorder.__enter__()
        self._watcher = self._executor.submit(self._watch)
        return self

    def __exit__(self, kind, *_: object) -> None:
        self._ended.set()
        self._executor.shutdown()
        self._recorder.__exit__()
        if kind is None:
            self._moments = self._watcher.result()
            self._passed = self._lab.nic.stats()
            self._read_hops()

    def _payload(self) -> int:
        """Payload bytes that have passed the NIC since the beginning."""
        return payload(self._lab.nic.stats()) - payload(self._base)

    def _read_hops(self) -> None:
        if isinstance(self._lab, XenLab):
            self._hops.append(hops.read(self._lab.topology.hops, self._lab.hosts))

    def _watch(self) -> list[Moment]:
        moments: list[Moment] = []
        for label, share in (("begin", FIRST), ("end", LAST)):
            while (before := self._payload()) < share * self._count:
                if self._ended.wait(POLL):
                    return moments
            moments.append(self._moment(label, before))
        return moments

    def _moment(self, label: str, before: int) -> Moment:
        """A snapshot; writing a histogram takes a while and so stays outside of the interval."""
        histogram = self._histogram(label) if label == "begin" else None
        if histogram:
            before = self._payload()
        snapshot = self._lab.control.snapshot(label)
        after = self._payload()
        return Moment(snapshot, (before + after) / 2, after, histogram or self._histogram(label))

    def _histogram(self, label: str) -> Snapshot | None:
        return self._lab.control.snapshot(f"{label}-profile", histogram=True) if self._lab.profiled else None

    def fault(self, done: Transfer) -> str | None:
        """Why the attempt has to be discarded; None when it is sound."""
        return fault(self._moments, done)

    def window(self) -> dict:
        """The evaluation of the capture for the file of a run; CaptureError when it is impossible."""
        return self._recorder.read(self._count)

    def fields(self, done: Transfer) -> dict:
        """The fields of a sound attempt, as the results hold them; InsnError when its bytes are not the payload's."""
        passed = payload(self._passed) - payload(self._base)
        check_payload(passed, done)
        found = instructions(self._moments, self._baseline) | {"acks_per_mb": acks_per_mb(done)}
        if self._lab.profiled:
            frames = self._passed["rx_frames"] - self._base["rx_frames"]
            found["profile"] = profile(self._moments, self._baseline, frames / passed)
        if isinstance(self._lab, XenLab):
            before, after = self._hops
            found |= hops.fields(self._lab.topology.hops, before, after, done.bytes)
        return found


def fault(moments: list[Moment], done: Transfer) -> str | None:
    """Why an attempt has to be discarded; None when it is sound."""
    if why := storm(done):
        return why
    if len(moments) < 2 or moments[1].most > LATEST * done.bytes:
        return "the transfer ended before the measured interval did"
    return None


def storm(done: Transfer) -> str | None:
    """A sentence about a transfer with too many retransmissions; None when they are few."""
    if done.retransmits > RETRANSMISSIONS * done.segments:
        return (f"{done.retransmits} of {done.segments} segments were sent again, "
                f"more than {RETRANSMISSIONS:.2%}")
    return None


def check_payload(passed: int, done: Transfer) -> None:
    """Raise InsnError when the payload that passed the NIC is not that of the transfer."""
    if abs(passed - done.bytes) > PAYLOAD_ERROR * done.bytes:
        raise InsnError(f"the NIC passed {passed} bytes of payload where {done.bytes} were sent: the frames do not "
                        f"carry {HEADERS} bytes of headers (are TCP timestamps off?), or there was other traffic")


def instructions(moments: list[Moment], baseline: Baseline) -> dict:
    """Instructions, waiting and moved bytes per byte of payload of each domain, and the interval they are from."""
    begin, end = moments
    count = round(end.payload - begin.payload)
    spent = delta(begin.snapshot, end.snapshot)
    domains = {name: per_byte(spent[vcpu], count, baseline.idle[vcpu]) for name, vcpu in baseline.domains.items()}
    seconds = (end.snapshot.monotonic_ns - begin.snapshot.monotonic_ns) / 1e9
    return {
        "insn_per_byte": {name: {part: round(value, DIGITS) for part, value in found["insn"].items()}
                          for name, found in domains.items()},
        "waited_per_byte": {name: round(found["waited"], DIGITS) for name, found in domains.items()},
        "moved_per_byte": {name: round(found["moved"], DIGITS) for name, found in domains.items()},
        "interval": {"bytes": count, "seconds": round(seconds, 3),
                     "busy": {name: round(found["busy"], DIGITS) for name, found in domains.items()}},
    }


def profile(moments: list[Moment], baseline: Baseline, frames_per_byte: float) -> dict[str, list[dict]]:
    """The symbols of each domain, see lab/symbols.py; the histograms are removed."""
    begin, end = moments
    count = round(end.payload - begin.payload)
    spent = delta(begin.snapshot, end.snapshot)
    amounts = {name: spent[vcpu]["insns"]["total"] / count for name, vcpu in baseline.domains.items()}
    try:
        return symbols.rows(begin.histogram, end.histogram, baseline.domains, baseline.symbols,
                            symbols.Interval(amounts, frames_per_byte))
    finally:
        for moment in moments:
            if moment.histogram and moment.histogram.histogram:
                moment.histogram.histogram.unlink(missing_ok=True)


def acks_per_mb(done: Transfer) -> float:
    """TCP segments that the sender received, per 10^6 bytes of payload."""
    return round(done.source["Tcp InSegs"] * 1e6 / done.bytes, DIGITS)


def machine(cpu: str = vm.CPU) -> dict[str, object]:
    """The host of the lab, and the emulated CPU."""
    with open("/proc/cpuinfo") as info:
        models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return {"cores": len(os.sched_getaffinity(0)), "cpu_model": models[0] if models else "unknown",
            "emulated_cpu": cpu}
