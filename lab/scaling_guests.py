# SPDX-License-Identifier: GPL-2.0-only
"""Scaling over guests: streams from the one sender to 1, 2, 4 and 8 guests at once.

    sender VM -- rtl8169d == Xen [ dom0: br0 | guest, guest2, … guest8 ]

All guests run on one pCPU, so the guest's instructions are the sum of all guests, including Xen's switches between
them. Only the guests of a row exist; more are made for the next row.

`mbps` and `insn_per_byte` are those of an interval in which every stream runs, over the payload of all guests that passed
the NIC. The LRO ratio is that of the whole streams: segments that the sender sent / packets that the guests' IP layers
took, as in traffic.py.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from . import agent, attempts, configs, grants, hops, measure, topology, traffic
from .configs import Config
from .steps import LabError, say, step
from .topology import GuestConsole, XenLab
from .xl import guest_address, guest_config, guest_name

GUESTS = (1, 2, 4, 8)
CONFIGS = ("gro12", "guest12")
# Seconds that iperf sends, and of these the begin and the length of the measured interval.
STREAM, WARM, INTERVAL = 12, 4.0, 6.0

# Reports lie in one file for each guest. iperf refuses to wait for a listener: try again until it is there.
_SOURCE = f"""rm -f {{scratch}}/source.*
sleep {traffic.QUIET}
{traffic.COUNTERS} >{{scratch}}/source.before
streams=
for target in {{targets}}; do
	( address=${{{{target%/*}}}} report={{scratch}}/source.report.${{{{target%/*}}}}
	for try in $(seq 60); do
		iperf -c $address -p {traffic.IPERF_PORT} -l {traffic.WRITE_SIZE} -t {STREAM} -P ${{{{target#*/}}}} -y C >$report 2>&1
		grep -q '^[0-9]*,' $report && exit 0
		grep -q refused $report || break
		usleep 300000
	done
	exit 1 ) &
	streams="$streams $!"
done
status=0
for stream in $streams; do wait $stream || status=1; done
sleep {traffic.QUIET}
{traffic.COUNTERS} >{{scratch}}/source.after
exit $status"""


class GuestsLab(XenLab):
    """A Xen host with several guests; the first is XenLab's."""

    name = "guests"
    # Eight guests, and the driver domain with the image that all of them boot.
    memory = 2816
    guest_memory = 192

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._more: list[tuple[agent.AgentHost, GuestConsole]] = []

    @property
    def guests(self) -> list[agent.AgentHost]:
        """The running guests."""
        return [self.guest, *(guest for guest, _ in self._more)]

    def _forget(self) -> None:
        super()._forget()
        self._more.clear()

    def _remove_guests(self) -> None:
        while self._more:
            guest, _ = self._more.pop()
            self.dom0.run(f"xl destroy {guest.name}", timeout=60)
        super()._remove_guests()

    def check(self) -> None:
        super().check()
        for _, console in self._more:
            console.check(self.dom0)

    def apply_to(self, config: Config, count: int) -> None:
        """Bring the laboratory into a configuration with at least `count` guests; return when all of them answer."""
        self.apply(config)
        while len(self.guests) < count:
            self._add_guest(config.guest_driver)
        for number, guest in enumerate(self.guests, 1):
            self._adjust_guest(guest, config)
            self.sender.run(f"until ping -c1 -W1 {guest_address(number)} >/dev/null; do usleep 100000; done",
                            timeout=topology.LINK_LIMIT)

    def _add_guest(self, driver: str) -> None:
        number = len(self.guests) + 1
        name = guest_name(number)
        console = GuestConsole(name, self.logs, self.guest_excuses)
        console.clear()
        guest = agent.ForwardedHost(name, self.dom0, guest_address(number))
        self._more.append((guest, console))
        self._create_guest(name, guest_config(driver, number, self.guest_memory))
        guest.wait(topology.BOOT_LIMIT)


def run(series: str, repeats: int, wanted: list[Config]) -> list[dict]:
    """Rows of the results: each configuration with each number of guests, `repeats` times."""
    rows: list[dict] = []
    lab = GuestsLab(series, with_ours=any(config.ours for config in wanted), counted=True)
    lab.prepare()
    with lab:
        for config, count in itertools.product(configs.in_order(wanted), GUESTS):
            bench = Bench(lab, config, count)
            with step(f"{config.name}: make it {count} {'guests' if count > 1 else 'guest'}"):
                bench.settle()
            rows += bench.runs(f"{config.name}, guests: {count}", repeats)
    return rows


def _summary(row: dict) -> str:
    counted = "".join(f", {domain} {value:.2f} insn/B" for domain, value in row.get("insn_per_byte", {}).items())
    each = ", ".join(f"{rate:.1f}" for rate in row["mbps_per_guest"])
    return (f"    {row['mbps']:.1f} Mbit/s in all ({each}), LRO ratio {row['lro_ratio']:.2f}, "
            f"{row['retransmits']} retransmissions{counted}")


class Bench:
    """The laboratory in one configuration with `count` guests."""

    # Streams to the first guest; each other one gets one.
    first = 1

    def __init__(self, lab: GuestsLab, config: Config, count: int) -> None:
        self._lab = lab
        self._config = config
        self._count = count
        self._baseline: measure.Baseline

    def settle(self) -> None:
        """Bring the laboratory there and measure it at rest."""
        self._lab.apply_to(self._config, self._count)
        self._baseline = measure.at_rest(self._lab, [guest.name for guest in self._lab.guests[1:]])

    def restart(self) -> None:
        """Boot the machines again."""
        self._lab.restart()
        self.settle()

    def runs(self, title: str, repeats: int) -> Iterator[dict]:
        """Make sound runs; yield the record of each."""
        for repeat in range(repeats):
            with step(f"{title}, run {repeat + 1} of {repeats}"):
                row = attempts.sound(partial(self.attempt, repeat), self.restart)
            say(_summary(row))
            yield row

    def attempt(self, repeat: int) -> attempts.Attempt:
        """Streams to all guests."""
        lab = self._lab
        copies, base = grants.read(lab.dom0), measure.payload(lab.nic.stats())
        streams = [self.first, *(1 for _ in lab.guests[1:])]
        for guest, number in zip(lab.guests, streams):
            traffic.listen(guest, traffic.SETTLE, number)
        moments = _stream(lab, base, streams)
        arrivals = [traffic.arrival(guest, number) for guest, number in zip(lab.guests, streams)]
        passed = measure.payload(lab.nic.stats()) - base
        copies = grants.read(lab.dom0) - copies
        lab.check()
        done = _sum(arrivals, traffic.difference(lab.sender, f"{lab.sender.scratch}/source"))
        record = {"config": self._config.name, "guests": len(arrivals), "repeat": repeat, "mbps": round(done.mbps, 3),
                  "lro_ratio": round(done.lro_ratio, 4), "retransmits": done.retransmits, "segments": done.segments,
                  "packets": done.packets, "bytes_per_guest": [count for count, _, _ in arrivals],
                  "mbps_per_guest": [round(count * 8 / seconds / 1e6, 3) for count, seconds, _ in arrivals]}

        def fields() -> dict:
            measure.check_payload(passed, done)
            found = measure.instructions(moments, self._baseline)
            interval = found["interval"]
            return {"mbps": round(interval["bytes"] * 8 / interval["seconds"] / 1e6, 3),
                    "insn_per_byte": {name: parts["total"] for name, parts in found["insn_per_byte"].items()},
                    "moved_per_byte": found["moved_per_byte"], "interval": interval,
                    **hops.copy_fields(copies, done.bytes)}

        return attempts.Attempt(record, measure.fault(moments, done), fields)


def _sum(arrivals: list[tuple[int, float, dict[str, int]]], source: dict[str, int]) -> traffic.Transfer:
    """All streams as one transfer."""
    sink = {name: sum(counters[name] for _, _, counters in arrivals) for name in arrivals[0][2]}
    return traffic.Transfer(sum(count for count, _, _ in arrivals), max(seconds for _, seconds, _ in arrivals),
                            source, sink)


def _stream(lab: GuestsLab, base: int, streams: Sequence[int]) -> list[measure.Moment]:
    """Stream to all guests, as often to each as `streams` says, by number.

    Return the two moments of the measured interval, fewer when the streams end before.
    """
    targets = " ".join(f"{guest_address(number)}/{count}" for number, count in enumerate(streams, 1))
    moments: list[measure.Moment] = []
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="source") as executor:
        command = _SOURCE.format(targets=targets, scratch=lab.sender.scratch)
        source = executor.submit(lab.sender.run, command, timeout=traffic.SETTLE)
        for label, seconds in (("begin", traffic.QUIET + WARM), ("end", INTERVAL)):
            time.sleep(seconds)
            before = measure.payload(lab.nic.stats()) - base
            snapshot = lab.control.snapshot(label)
            after = measure.payload(lab.nic.stats()) - base
            if not source.done():
                moments.append(measure.Moment(snapshot, (before + after) / 2, after))
        try:
            source.result()
        except LabError as error:
            said = lab.sender.run(f"cat {lab.sender.scratch}/source.report.*", check=False)
            raise LabError(f"iperf to {len(lab.guests)} guests failed: {said.strip()[-300:] or error}") from error
    return moments
