# SPDX-License-Identifier: GPL-2.0-only
"""Scaling over flows: LRO ratio and instructions per byte of the driver domain's work with interleaved streams.

    rtl8169d, which makes the frames == Linux [ r8169 or r8169_lro - br0 - dummy0 ]

One machine without Xen forwards as a driver domain does, to a bridge port that counts and drops each packet: the
streams need no receiver, and no packet is answered. The frames are full segments without PSH (see
lab/rtl8169d/README.md), one of each flow in turn, or a burst of each as real senders do; nothing is lost. Their time
stamps never advance: in a stream of less than a packet per millisecond and flow they would differ from packet to
packet, and neither strict LRO nor GRO would merge any.

LRO ratio: frames that the NIC received / packets that the bridge transmitted to dummy0, over all of a run. Longest
wait: the longest time of any frame from the NIC to dummy0; in each packet that is its first frame. Both depend on time:
on the number of frames of a flow that come while an aggregate may be held, and on how long that is. By the host's clock
an emulated machine takes a tenth of the frames that a processor does. So both are measured on a machine whose clock
counts its instructions, a billion in a second, and on a wire of 1000 Mbit/s by that clock, which the machine tells the
NIC (lab/wire). On that machine each byte of a string instruction is an instruction, and idling cannot be separated. So
instructions are counted on another machine, which has the host's clock, with frames as fast as the receive ring takes
them.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from . import attempts, configs, experiments, images, measure, vm, wire
from .steps import LabError, say, step
from .topology import BOOT_LIMIT, NATIVE_MEMORY, NIC, Lab

FLOWS = (1, 8, 64, 256, 1024)
# Frames of a flow before those of the next one: a sender with TSO puts several on the wire at once.
BURSTS = (1, 16)
# 256 frames of each flow at 1024 flows: twenty times as many as make a flow bulk, five aggregates of full size.
FRAMES = 1 << 18
SINK = "dummy0"
# An address that is not the bridge's own, so that it forwards.
BEYOND = "52:54:00:00:00:99"
# The slowest rate, in frames/s, at which a run still counts as alive.
SLOWEST = 100
# Seconds in which the last frames that the NIC received pass the bridge.
REST = 1.0

_BRIDGE = f"""echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
modprobe dummy
ip link add br0 type bridge
echo 0 >/sys/class/net/br0/bridge/forward_delay
echo 0 >/sys/class/net/br0/bridge/multicast_snooping
ip link set {SINK} master br0
ip link set {SINK} up
ip link set br0 up"""


@dataclass(frozen=True)
class Engine:
    """Merging in the driver domain: a NIC driver, and whether GRO is on."""

    name: str
    driver: str
    gro: bool


ENGINES = (Engine("gro", configs.STOCK_NIC, True), Engine("lro", configs.OUR_NIC, False))


class FlowsLab(Lab):
    """Linux without Xen that bridges the frames of its NIC to a port that drops them; there is no sender.

    own_clock: as of a Machine of lab/vm.py.
    """

    name = "flows"
    bridge = True

    def __init__(self, series: str, logs: Path = vm.LOGS, own_clock: bool = False, counted: bool = False) -> None:
        super().__init__(series, with_ours=True, logs=logs, counted=counted)
        self.own_clock = own_clock

    def _image(self) -> images.Image:
        return images.native(self.series, self.with_ours)

    def _boot(self) -> None:
        _, image = self._images
        with step("flows: boot the machine"):
            self._start_nic()
            self.nic_host = self._start_nic_host("flows", NATIVE_MEMORY, 1, vm.linux_line(image, ""), self.own_clock)
            self.receiver = self.nic_host
            self.nic_host.wait(BOOT_LIMIT)
            self.nic_host.run(_BRIDGE)

    def use(self, engine: Engine) -> None:
        """Let an engine merge; return when the link is up."""
        self.use_nic_driver(engine.driver)
        if engine.driver == configs.OUR_NIC:
            self.set_module_parameter(self.nic_host, configs.OUR_NIC, "lro", 1)
        # Ours merges only while GRO is on, but no TCP reaches it there.
        self.set_nic_gro(engine.gro or engine.driver == configs.OUR_NIC)

    def passed(self) -> int:
        """Packets that the bridge has transmitted to the port that drops them."""
        return int(self.nic_host.run(f"cat /sys/class/net/{SINK}/statistics/tx_packets"))


@dataclass(frozen=True)
class Passage:
    """A run's numbers of frames and packets, and the two moments of the measured interval.

    longest_wait: microseconds of the slowest frame, by the machine's own clock; None if it has none.
    """

    frames: int
    packets: int
    moments: list[measure.Moment]
    longest_wait: float | None = None

    @property
    def lro_ratio(self) -> float:
        """Frames per packet."""
        return self.frames / max(self.packets, 1)


def send(lab: FlowsLab, flows: int, frames: int, burst: int = 1, counted: bool = True) -> Passage:
    """Send `frames` frames of `flows` flows through the machine; raise LabError when any is lost.

    They come at the rate of the wire by the machine's clock if it has one, otherwise as fast as it takes them.
    counted: take the moments for measure.instructions().
    """
    if not lab.own_clock:
        return _send(lab, frames, counted, flows=flows, burst=burst)
    lab.nic.ctl("rate", mbit=wire.MBIT)
    with wire.ticking(lab.nic_host, SINK) as waits:
        done = _send(lab, frames, counted, flows=flows, burst=burst, clock="guest")
    if waits.packets != done.packets:
        raise LabError(f"{waits.packets} packets were timed, and {done.packets} were transmitted")
    return replace(done, longest_wait=round(waits.longest, 1))


def _send(lab: FlowsLab, frames: int, counted: bool, **traffic: object) -> Passage:
    before, packets = lab.nic.stats(), lab.passed()
    lab.nic.ctl("generate", frames=frames, mac=BEYOND, **traffic)
    base, deadline = before["rx_generated"], time.monotonic() + REST + frames / SLOWEST
    moments: list[measure.Moment] = []
    for label, share in (("begin", measure.FIRST), ("end", measure.LAST)) if counted else ():
        reached = _wait(lab, base + share * frames, deadline)
        snapshot = lab.control.snapshot(label)
        after = lab.nic.stats()
        if after["rx_generated"] - base < frames:
            most = measure.payload(after)
            moments.append(measure.Moment(snapshot, (measure.payload(reached) + most) / 2, most))
    _wait(lab, base + frames, deadline)
    time.sleep(REST)
    received = lab.nic.stats()["rx_frames"] - before["rx_frames"]
    if received != frames:
        raise LabError(f"the NIC received {received} of {frames} frames", lab.nic.log)
    lab.check()
    return Passage(frames, lab.passed() - packets, moments)


def _wait(lab: FlowsLab, generated: float, deadline: float) -> dict[str, int]:
    """Wait until this number of frames has passed the NIC since it began; return its counters."""
    while (stats := lab.nic.stats())["rx_generated"] < generated:
        lab.check()
        if time.monotonic() > deadline:
            raise LabError(f"the NIC's machine takes fewer than {SLOWEST} frames/s: it hangs, or this machine is "
                           "far too busy", lab.nic.log)
        time.sleep(measure.POLL)
    return stats


def run(series: str, repeats: int) -> list[dict]:
    """Rows of the results: each engine at each number of flows and length of bursts, `repeats` times."""
    merged = _rows(FlowsLab(series, own_clock=True), _Merging, repeats)
    counted = _rows(FlowsLab(series, counted=True), _Counting, repeats)
    return [row | more | {"discarded": row["discarded"] + more["discarded"]} for row, more in zip(merged, counted)]


def _rows(lab: FlowsLab, bench_of: type[_Bench], repeats: int) -> list[dict]:
    rows: list[dict] = []
    lab.prepare()
    with lab:
        for engine in ENGINES:
            bench = bench_of(lab, engine)
            with step(f"{engine.name}: change drivers"):
                bench.settle()
            for repeat, burst, flows in itertools.product(range(repeats), BURSTS, FLOWS):
                with step(f"{engine.name}, flows: {flows}, bursts of {burst}, run {repeat + 1} of {repeats}"):
                    rows.append(attempts.sound(partial(bench.attempt, flows, burst, repeat), bench.restart))
                say(f"    {bench.summary(rows[-1])}")
    return rows


class _Bench:
    """The machine with an engine in place."""

    def __init__(self, lab: FlowsLab, engine: Engine) -> None:
        self._lab = lab
        self._engine = engine

    def settle(self) -> None:
        """Put the engine in place."""
        self._lab.use(self._engine)

    def restart(self) -> None:
        """Boot the machine again."""
        self._lab.restart()
        self.settle()

    def attempt(self, flows: int, burst: int, repeat: int) -> attempts.Attempt:
        """One run of FRAMES frames."""
        raise NotImplementedError

    def summary(self, row: dict) -> str:
        """What to tell of a row while the others are measured."""
        raise NotImplementedError


class _Merging(_Bench):
    """Frames per packet and their waiting time, on a machine with a clock of its own."""

    def attempt(self, flows: int, burst: int, repeat: int) -> attempts.Attempt:
        """One run of FRAMES frames."""
        before = experiments.driver_counters(self._lab.nic_host, NIC)
        done = send(self._lab, flows, FRAMES, burst, counted=False)
        after = experiments.driver_counters(self._lab.nic_host, NIC)
        # Only the engine's counters; a stock driver has none.
        counters = {name: value - before[name] for name, value in after.items()
                    if "_lro_" in name and value != before[name]}
        record = {"engine": self._engine.name, "flows": flows, "burst": burst, "repeat": repeat,
                  "lro_ratio": round(done.lro_ratio, 4), "longest_wait_us": done.longest_wait,
                  "frames": done.frames, "packets": done.packets, "counters": counters}
        return attempts.Attempt(record, None, dict)

    def summary(self, row: dict) -> str:
        """What to tell of a row while the others are measured."""
        return f"LRO ratio {row['lro_ratio']:.2f}, longest wait {row['longest_wait_us']:.0f} us"


class _Counting(_Bench):
    """The cost of a frame, on a machine with the instruction counter."""

    def settle(self) -> None:
        """Put the engine in place and measure the machine at rest."""
        super().settle()
        self._baseline = measure.at_rest(self._lab)

    def attempt(self, flows: int, burst: int, repeat: int) -> attempts.Attempt:
        """One run of FRAMES frames."""
        done = send(self._lab, flows, FRAMES, burst)

        def fields() -> dict:
            found = measure.instructions(done.moments, self._baseline)
            return {"insn_per_byte": found["insn_per_byte"]["driver"]["total"],
                    "moved_per_byte": found["moved_per_byte"]["driver"], "interval": found["interval"]}

        short = None if len(done.moments) == 2 else "the frames ended before the measured interval did"
        return attempts.Attempt({"insn_lro_ratio": round(done.lro_ratio, 4)}, short, fields)

    def summary(self, row: dict) -> str:
        """What to tell of a row while the others are measured."""
        cost = f"{row['insn_per_byte']:.3f} insn/B" if "insn_per_byte" in row else "not counted"
        return f"{cost} at an LRO ratio of {row['insn_lro_ratio']:.2f}"
