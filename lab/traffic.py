# SPDX-License-Identifier: GPL-2.0-only
"""Traffic between two hosts of the lab: an iperf stream with the kernels' counters around it, and a checked file.

How the LRO ratio is measured, for every configuration alike: TCP segments sent during the transfer, divided by the
packets that reached the receiver's IP layer during it.

- Segments are the sender's `Tcp OutSegs`. Its segmentation offloads are off, so each is one frame on the wire;
  handshake and retransmissions are among them. The receiver cannot count them itself: the kernel's xen-netfront
  marks a merged packet with `gso_segs` 0, and IP's own segment counters then count it as one.
- Packets are the receiver's `Ip InReceives`. They are read on the receiver just before iperf starts to listen and as
  soon as it has ended, without any other traffic in between, so that the lab's own control connections are not counted.

Nothing is subtracted. Without merging the ratio is 1.00; a packet of the control connection that comes late on a busy
machine may make it 0.9999.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from .agent import Host
from .console import MachineFault
from .steps import LabError

WRITE_SIZE = "64K"
IPERF_PORT = 5001
FILE_PORT = 5002
# The slowest rate at which a transfer still counts as alive, in bytes/s, and seconds added for its set-up.
SLOWEST = 200_000
SETTLE = 60
# Seconds without control traffic before and after a transfer.
QUIET = 1

COUNTERS = "cat /proc/net/snmp /proc/net/netstat"
# `before` is taken when the connection that started this script is quiet. The session's number allows to end the
# script, and likewise the source.
_SINK = f"""rm -f {{scratch}}/sink.*
setsid sh -c 'echo $$ >{{scratch}}/sink.session; sleep {QUIET}; {COUNTERS} >{{scratch}}/sink.before
timeout {{limit}} iperf -s -P {{streams}} -p {IPERF_PORT} -l {WRITE_SIZE} -y C >{{scratch}}/sink.report 2>&1
{COUNTERS} >{{scratch}}/sink.counters
mv {{scratch}}/sink.counters {{scratch}}/sink.after' </dev/null >/dev/null 2>&1 &"""
# iperf refuses to wait for a listener: try again until it is there, with fresh counters each time.
_SOURCE = f"""cut -d ' ' -f 6 /proc/$$/stat >{{scratch}}/source.session
trap 'rm -f {{scratch}}/source.session' EXIT
sleep {QUIET}
sleep 0.3
for try in $(seq 60); do
	{COUNTERS} >{{scratch}}/source.before
	iperf -c {{address}} -p {IPERF_PORT} -l {WRITE_SIZE} -n {{count}} -y C >{{scratch}}/source.report 2>&1
	{COUNTERS} >{{scratch}}/source.after
	grep -q ,{{count}}, {{scratch}}/source.report && sleep {QUIET} && exit 0
	grep -q refused {{scratch}}/source.report || exit 1
	sleep 0.3
done
exit 1"""
_AWAIT_SINK = "until [ -e {scratch}/sink.after ]; do sleep 0.05; done"

# busybox's nc ends when its own input does; with -e it leaves the connection to another program.
_FILE_SINK = f"""rm -f /tmp/received*
setsid sh -c 'timeout {{limit}} nc -l -p {FILE_PORT} -e dd of=/tmp/received bs=64K
touch /tmp/received.done' </dev/null >/dev/null 2>&1 &"""
_FILE_SOURCE = f"""for try in $(seq 60); do
	nc {{address}} {FILE_PORT} -e cat /tmp/sent && exit 0
	usleep 300000
done
exit 1"""


@dataclass(frozen=True)
class Transfer:
    """One transfer: payload `bytes`, `seconds` at the receiver, counter differences of both kernels.

    The counters are named as in /proc/net, for example "Tcp RetransSegs" or "IpExt InNoECTPkts".
    """

    bytes: int
    seconds: float
    source: dict[str, int] = field(repr=False)
    sink: dict[str, int] = field(repr=False)

    @property
    def mbps(self) -> float:
        """Payload rate in Mbit/s (10^6 bit/s) as the receiver saw it."""
        return self.bytes * 8 / self.seconds / 1e6

    @property
    def segments(self) -> int:
        """TCP segments that the sender put on the wire."""
        return self.source["Tcp OutSegs"]

    @property
    def packets(self) -> int:
        """IP packets that the receiver's stack took."""
        return self.sink["Ip InReceives"]

    @property
    def lro_ratio(self) -> float:
        """Segments per packet; see the top of this file."""
        return self.segments / max(self.packets, 1)

    @property
    def retransmits(self) -> int:
        """Segments that the sender retransmitted."""
        return self.source["Tcp RetransSegs"]


def stream(source: Host, sink: Host, address: str, count: int,
           around: AbstractContextManager[object] | None = None) -> Transfer:
    """Send `count` bytes from `source` to `sink` at `address` by iperf; raise LabError if they do not arrive.

    `around` is entered QUIET seconds before the traffic, when the sink has started, and left QUIET seconds after it.
    """
    limit = SETTLE + count // SLOWEST
    listen(sink, limit)
    with around or nullcontext():
        try:
            source.run(_SOURCE.format(address=address, count=count, scratch=source.scratch), timeout=limit)
        except MachineFault:
            raise
        except LabError as error:
            said = source.run(f"cat {source.scratch}/source.report", check=False)
            raise LabError(f"iperf from {source.name} to {sink.name} failed: {said.strip() or error}") from error
    received, seconds, counters = arrival(sink)
    if received != count:
        raise LabError(f"{sink.name} received {received} of {count} bytes from {source.name}")
    return Transfer(count, seconds, difference(source, f"{source.scratch}/source"), counters)


def listen(sink: Host, limit: int, streams: int = 1) -> None:
    """Start a sink for iperf's streams on a host, of `limit` seconds at most, with its kernel's counters around it."""
    sink.run(_SINK.format(limit=limit, scratch=sink.scratch, streams=streams))


def arrival(sink: Host, streams: int = 1) -> tuple[int, float, dict[str, int]]:
    """Payload bytes and seconds of the streams at the sink of a host, and the differences of its counters."""
    sink.run(_AWAIT_SINK.format(scratch=sink.scratch), timeout=SETTLE)
    report = sink.run(f"cat {sink.scratch}/sink.report")
    return *parse_report(report, streams), difference(sink, f"{sink.scratch}/sink")


def parse_report(report: str, streams: int = 1) -> tuple[int, float]:
    """Bytes of all streams and seconds of the longest in iperf's comma-separated report.

    Its rate is exact where its interval is rounded. The number of a sum over streams is -1.
    """
    lines = [line.split(",") for line in report.splitlines()]
    found = [(int(fields[7]), int(fields[7]) * 8 / int(fields[8])) for fields in lines
             if len(fields) >= 9 and fields[5] != "-1" and fields[7].isdigit() and int(fields[8]) > 0]
    if len(found) < streams:
        raise LabError(f"iperf printed {len(found)} of {streams} reports: {report.strip()[-200:]!r}")
    return sum(count for count, _ in found[:streams]), max(seconds for _, seconds in found[:streams])


def parse_counters(text: str) -> dict[str, int]:
    """The counters of /proc/net/snmp and netstat, which come as pairs of lines: names, then values."""
    counters = {}
    lines = text.splitlines()
    for names, values in zip(lines[::2], lines[1::2]):
        group = names.partition(":")[0]
        for name, value in zip(names.split()[1:], values.split()[1:]):
            counters[f"{group} {name}"] = int(value)
    return counters


def difference(host: Host, prefix: str) -> dict[str, int]:
    """Differences of a host's counters between the files `prefix`.before and `prefix`.after."""
    before, after = (parse_counters(host.run(f"cat {prefix}.{when}")) for when in ("before", "after"))
    return {name: after[name] - before.get(name, 0) for name in after}


def send_file(source: Host, sink: Host, address: str, size: int) -> None:
    """Send `size` random bytes by a plain TCP connection; raise LabError unless their SHA-256 is the same."""
    limit = SETTLE + size // SLOWEST
    sent = source.run(f"head -c {size} /dev/urandom >/tmp/sent && sha256sum </tmp/sent", timeout=limit).split()[0]
    sink.run(_FILE_SINK.format(limit=limit))
    try:
        source.run(_FILE_SOURCE.format(limit=limit, address=address), timeout=limit)
        sink.run("until [ -e /tmp/received.done ]; do usleep 50000; done", timeout=SETTLE)
    except LabError:
        sink.run("killall -q nc; true", check=False)
        raise
    received = sink.run("stat -c %s /tmp/received; sha256sum </tmp/received", timeout=limit).split()
    if received[1] != sent:
        raise LabError(f"a file of {size} bytes from {source.name} arrived damaged at {sink.name}: "
                       f"{received[0]} bytes, SHA-256 {received[1]} instead of {sent}")
    source.run("rm -f /tmp/sent")
    sink.run("rm -f /tmp/received")
