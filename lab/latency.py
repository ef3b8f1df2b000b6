# SPDX-License-Identifier: GPL-2.0-only
"""Request/response latency between two hosts of the lab: iperf's bounce-back and the percentiles of its histogram.

One request of 100 bytes is under way at a time; the next leaves when the answer of 100 bytes has come. Times are the
requester's, from before its write to after its read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .agent import Host
from .steps import LabError, say

PORT = 5003
# Microseconds in a bin of iperf's histogram, and bins; longer times are counted apart.
BIN, BINS = 5, 40_000
# Microseconds in a bin of the histogram that a run keeps.
KEPT = 50
# Seconds that starting and ending may take in addition to the traffic.
SETTLE = 60

_SINK = f"""rm -f {{scratch}}/latency.*
setsid sh -c 'echo $$ >{{scratch}}/latency.session
timeout {{limit}} iperf -s -P 1 -p {PORT} >{{scratch}}/latency.sink 2>&1
touch {{scratch}}/latency.done' </dev/null >/dev/null 2>&1 &"""
# iperf refuses to wait for a listener: try again until it is there.
_SOURCE = f"""cut -d ' ' -f 6 /proc/$$/stat >{{scratch}}/source.session
trap 'rm -f {{scratch}}/source.session' EXIT
sleep 0.3
for try in $(seq 60); do
	iperf -c {{address}} -p {PORT} --bounceback --bounceback-period 0 --histograms={BIN}u,{BINS} -t {{seconds}} \\
		>{{scratch}}/latency.report 2>&1
	grep -q refused {{scratch}}/latency.report || {{{{ cat {{scratch}}/latency.report; exit; }}}}
	sleep 0.3
done
exit 1"""
_AWAIT_SINK = "until [ -e {scratch}/latency.done ]; do sleep 0.05; done"
_HISTOGRAM = re.compile(r"BB8\S*-PDF: bin\(w=(\d+)us\):cnt\((\d+)\)=([\d:,]*) .*obl/obu=(\d+)/(\d+)")


@dataclass(frozen=True)
class Latency:
    """Answers by their time: upper edge of the bin in microseconds -> answers; `slower`: beyond all bins."""

    bins: dict[int, int]
    width: int
    slower: int = 0

    @property
    def count(self) -> int:
        """Answers."""
        return sum(self.bins.values()) + self.slower

    def __add__(self, other: Latency) -> Latency:
        """Both together; their bins have the same width."""
        edges = self.bins.keys() | other.bins.keys()
        return Latency({edge: self.bins.get(edge, 0) + other.bins.get(edge, 0) for edge in edges}, self.width,
                       self.slower + other.slower)

    def percentile(self, share: float) -> float:
        """Microseconds within which `share` (0 to 1) of the answers came, interpolated within a bin."""
        wanted = share * self.count
        below = 0
        for edge, count in sorted(self.bins.items()):
            if below + count >= wanted:
                return edge - self.width * (1 - (wanted - below) / count)
            below += count
        raise LabError(f"{self.slower} of {self.count} answers took longer than {BIN * BINS / 1000:.0f} ms: the "
                       f"{100 * share:g}th percentile of the latency is not known")


def parse(report: str) -> Latency:
    """The histogram in the report of iperf's client; LabError when there is none that fits its own count."""
    found = _HISTOGRAM.search(report)
    if not found:
        raise LabError(f"iperf printed no histogram of its bounce-back: {report.strip()[-200:]!r}")
    width, count, low, high = (int(found[group]) for group in (1, 2, 4, 5))
    pairs = (pair.split(":") for pair in found[3].split(",") if pair)
    latency = Latency({int(place) * width: int(answers) for place, answers in pairs}, width, high)
    if low or latency.count != count or not count:
        raise LabError(f"iperf's histogram of its bounce-back holds {latency.count} of {count} answers")
    return latency


def fields(latency: Latency) -> dict[str, float]:
    """Median and 99th percentile in microseconds, as a run holds them; an unknown one is left out, with a message."""
    found = {}
    for share in (50, 99):
        try:
            found[f"p{share}"] = round(latency.percentile(share / 100), 1)
        except LabError as error:
            say(f"    {error.sentence()}.")
    return found


def kept(latency: Latency) -> dict[str, object]:
    """The histogram as a run holds it, in bins of KEPT microseconds."""
    bins: dict[str, int] = {}
    for edge, count in sorted(latency.bins.items()):
        wider = str(-(-edge // KEPT) * KEPT)
        bins[wider] = bins.get(wider, 0) + count
    return {"width": KEPT, "bins": bins, "slower": latency.slower}


def restored(record: dict) -> Latency:
    """The histogram of a record that kept() made."""
    return Latency({int(edge): count for edge, count in record["bins"].items()}, record["width"], record["slower"])


def bounce(source: Host, sink: Host, address: str, seconds: int) -> Latency:
    """Let `source` send requests to `sink` at `address` for some seconds; LabError when they are not answered."""
    limit = SETTLE + seconds
    sink.run(_SINK.format(limit=limit, scratch=sink.scratch))
    report = source.run(_SOURCE.format(address=address, seconds=seconds, scratch=source.scratch),
                        timeout=limit)
    sink.run(_AWAIT_SINK.format(scratch=sink.scratch), timeout=SETTLE)
    return parse(report)
