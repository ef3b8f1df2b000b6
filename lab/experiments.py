# SPDX-License-Identifier: GPL-2.0-only
"""The main job: iperf through every configuration, and the results as the results file holds them."""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from . import (attempts, configs, domains, kernels, latency, measure, progress, ratios, results, roots, segments,
               steps, traffic, windows)
from .agent import Host
from .configs import Config
from .console import MachineFault
from .domains import Topology
from .nics import DEFAULT, MODELS, Model
from .steps import LabError
from .topology import NIC, Lab, NativeLab, XenLab, cpu_for
from .traffic import Transfer

# Seconds of requests and responses; the most bytes of the transfer for the histogram of segments.
LATENCY_SECONDS = 6
# Merging is compared with none by switching it on, off, off and on again: this number of times, for this number of
# seconds each. The p99 needs many answers, and disturbances of the machine last for seconds.
LATENCY_TURNS, TURN_SECONDS = 4, 2
HISTOGRAM_BYTES = 16 << 20
# A connection that is silent for longer has stalled, and the line of its run says so.
STALL_MS = 1000


@dataclass(frozen=True)
class Place:
    """The Xen host's topology and the kind of its guests, and what else is not as ever: see XenLab and Lab."""

    topology: Topology = domains.TOPOLOGIES[domains.DEFAULT]
    kind: str = domains.PV
    flowtable: bool = False
    mangle_id: bool = False
    fixed_id: bool = False

    @property
    def varied(self) -> list[str]:
        """What else is not as ever, as the results name it."""
        return [name for name in ("flowtable", "mangle_id", "fixed_id") if getattr(self, name)]


def run(wanted: list[Config], series: str, count: int, repeats: int, profiled: bool = False,
        save: Callable[[dict], None] = lambda found: None, model: Model = MODELS[DEFAULT],
        place: Place = Place()) -> dict:
    """Send `count` bytes `repeats` times through each configuration; return the results.

    profiled: attribute the instructions to symbols, see lab/symbols.py. save: is given what there is after each run.
    model: the NIC, which the configurations are made for. place: the domains of the Xen host.

    Native configurations come first; then those that need the same drivers, one repeat of each after the other, so
    that a slow change of the machine touches all alike.
    """
    found = described(series, count, model)
    if any(config.xen for config in wanted):
        found |= {"topology": place.topology.described(place.kind) | ({"varied": place.varied} if place.varied else {}),
                  "machine": measure.machine(cpu_for(place.kind))}
    laboratories: list[tuple[Lab, list[Config]]] = []
    for xen, members in itertools.groupby(configs.in_order(wanted), key=lambda config: config.xen):
        group = list(members)
        kind = (functools.partial(XenLab, topology=place.topology, kind=place.kind, flowtable=place.flowtable,
                                  mangle_id=place.mangle_id) if xen else NativeLab)
        lab = kind(series, with_ours=any(config.ours for config in group), chip=model.name, counted=True,
                   profiled=profiled, fixed_id=place.fixed_id)
        # All images before the first machine: a fault in one shows at once, and all are of the same sources.
        lab.prepare()
        laboratories.append((lab, group))
    runs: list[dict] = []
    memory: dict[str, int] = {}
    # How long a run takes depends on its bytes.
    size = f"{count / (1 << 20):g}M"
    where = progress.Progress("run", [f"{config.name} {size}" for _, group in laboratories for config in group
                                      for _ in range(repeats)])
    steps.say(where.opening())
    for lab, group in laboratories:
        with lab:
            made = run_all(_Bench(lab, count), group, repeats)
            collect(where.each(made, lambda record: f"{record['config']} {size}"), found, runs, save)
            memory[lab.name] = lab.machine.memory_used()
    return complete(found | {"memory_mib": memory}, runs)


def collect(made: Iterator[dict], found: dict, runs: list[dict], save: Callable[[dict], None]) -> None:
    """Add to `runs` what run_all() makes, and save the results after each."""
    for record in made:
        runs.append(record)
        save(complete(found, runs))


def complete(found: dict, runs: list[dict]) -> dict:
    """The results of some runs; found: the fields that do not come from them."""
    found = found | {"runs": in_table_order(runs)}
    # Long lists, of which one is enough.
    profiles = {run["config"]: run["profile"] for run in found["runs"] if "profile" in run}
    if profiles:
        found["profile"] = profiles
        found["runs"] = [{name: value for name, value in run.items() if name != "profile"} for run in found["runs"]]
    return results.validate(found | {"ratios": ratios.compute(found)})


def described(series: str, count: int, model: Model = MODELS[DEFAULT]) -> dict:
    """The fields of new results beside the measurements."""
    return {"schema": results.SCHEMA, "kernel": kernels.kernel(series).release, "xen": roots.xen_version(),
            "qemu": roots.qemu_version(), "nic": model.about, "machine": measure.machine(), "bytes": count}


class Bench(Protocol):
    """A laboratory, emulated or not, at which runs are made."""

    def settle(self, config: Config) -> None:
        """Bring it into a configuration after a change of drivers, and measure it at rest."""

    def apply(self, config: Config) -> None:
        """Bring it into a configuration; return when the receiver answers."""

    def attempt(self, config: Config, repeat: int) -> attempts.Attempt:
        """One transfer, and further measurements if it is sound."""

    def restart(self, config: Config) -> None:
        """Bring the machines in order again, for another attempt at a configuration."""


def run_all(bench: Bench, group: list[Config], repeats: int) -> Iterator[dict]:
    """Make all repeats of some configurations; yield each as the results hold it.

    The configurations, in the order of in_order(), take turns: how fast the machine is changes within minutes, and what
    is paid by the second, such as timer ticks, with it.
    """
    drivers = [list(members) for _, members in
               itertools.groupby(group, key=lambda config: (config.nic_driver, config.back_end, config.guest_driver))]
    for repeat, same_drivers in itertools.product(range(repeats), drivers):
        with steps.step(f"{same_drivers[0].name}: change drivers"):
            bench.settle(same_drivers[0])
        for config in same_drivers:
            with steps.step(f"{config.name}: run {repeat + 1} of {repeats}"):
                bench.apply(config)
                record = attempts.sound(functools.partial(bench.attempt, config, repeat),
                                        functools.partial(bench.restart, config))
            steps.say(_summary(record))
            yield record


class _Bench:
    """A laboratory with drivers in place, at which runs of `count` bytes are made."""

    def __init__(self, lab: Lab, count: int) -> None:
        self._lab = lab
        self._count = count
        self._baseline: measure.Baseline

    def settle(self, config: Config) -> None:
        """Bring the laboratory into a configuration and measure it at rest."""
        self.apply(config)
        self._baseline = measure.at_rest(self._lab)

    def apply(self, config: Config) -> None:
        """Bring the laboratory into a configuration."""
        self._lab.apply(config)

    def restart(self, config: Config) -> None:
        """Boot the machines again, for another attempt at a configuration."""
        self._lab.restart()
        self.settle(config)

    def attempt(self, config: Config, repeat: int) -> attempts.Attempt:
        """One transfer, and further measurements if it is sound."""
        lab = self._lab
        with self._judged():
            before = _counters(lab, config)
            meter = measure.Meter(lab, self._baseline, self._count)
            done = lab.transfer(self._count, around=meter)
            record = record_of(config, repeat, done, before, _counters(lab, config))

        def fields() -> dict:
            with self._judged():
                window = windows.save(meter.window(), config.name, repeat)
                return meter.fields(done) | {"window": window} | self._apart(config)
        return attempts.Attempt(record, meter.fault(done), fields)

    @contextlib.contextmanager
    def _judged(self) -> Iterator[None]:
        """A failure in this context is a machine's fault if one is gone or its kernel complained."""
        try:
            yield
        except MachineFault:
            raise
        except LabError:
            self._lab.check()
            raise

    def _apart(self, config: Config) -> dict:
        """Measurements that would disturb the transfer, and so follow it: latency, and segments per packet."""
        lab = self._lab
        found = self._latency(config)
        with segments.counted(lab.receiver, traffic.IPERF_PORT) as histogram:
            done = lab.transfer(min(self._count, HISTOGRAM_BYTES))
        segments.check(histogram, done.segments, done.retransmits)
        return found | {"segs_histogram": {str(size): packets for size, packets in sorted(histogram.packets.items())}}

    def _latency(self, config: Config) -> dict:
        if not (config.our_nic and config.guest_driver == configs.OUR_GUEST):
            found = self._bounce(LATENCY_SECONDS)
            return {"latency_us": latency.fields(found), "latency_count": found.count}
        # With and without merging by the same drivers, in turns, so that a change of the machine touches both alike.
        parts: dict[bool, list[latency.Latency]] = {True: [], False: []}
        try:
            for on in (True, False, False, True) * LATENCY_TURNS:
                self._merge(config, on)
                parts[on].append(self._bounce(TURN_SECONDS))
        finally:
            self._merge(config, True)
        merging, plain = (functools.reduce(operator.add, parts[on]) for on in (True, False))
        return {"latency_us": latency.fields(merging), "latency_count": merging.count,
                "latency_off_us": latency.fields(plain), "latency_off_count": plain.count,
                "latency_histogram": latency.kept(merging), "latency_off_histogram": latency.kept(plain)}

    def _bounce(self, seconds: int) -> latency.Latency:
        return latency.bounce(self._lab.sender, self._lab.receiver, self._lab.receiver_address, seconds)

    def _merge(self, config: Config, on: bool) -> None:
        self._lab.set_module_parameter(self._lab.nic_host, config.nic_driver, "lro", int(on))
        for host in self._lab.fronts.values():
            self._lab.set_module_parameter(host, configs.OUR_GUEST, "lro", int(on))


def _summary(run: dict) -> str:
    counted = "".join(f", {domain} {parts['total']:.2f} insn/B"
                      for domain, parts in run.get("insn_per_byte", {}).items())
    answered = f", p99 {run['latency_us']['p99']:.0f} µs" if "p99" in run.get("latency_us", {}) else ""
    silent = run.get("window", {}).get("longest_silence_ms", 0)
    stalled = f", silent for {silent / 1000:.1f} s" if silent > STALL_MS else ""
    return (f"    {run['mbps']:.1f} Mbit/s, LRO ratio {run['lro_ratio']:.2f}, "
            f"{run['retransmits']} retransmissions{counted}{answered}{stalled}")


def record_of(config: Config, repeat: int, done: Transfer, before: dict[str, dict[str, int]],
              after: dict[str, dict[str, int]]) -> dict:
    """A run as the results hold it, without what was measured beside; `before` and `after` are counters by source."""
    return {
        "config": config.name, "repeat": repeat, "mbps": round(done.mbps, 3), "lro_ratio": round(done.lro_ratio, 4),
        "retransmits": done.retransmits, "seconds": round(done.seconds, 3), "segments": done.segments,
        "packets": done.packets,
        "counters": {name: _difference(before[name], after[name]) for name in after},
    }


def in_table_order(runs: list[dict]) -> list[dict]:
    """Runs in the order of the study's table instead of the order in time."""
    order = list(configs.ALL)
    return sorted(runs, key=lambda entry: (order.index(entry["config"]), entry["repeat"]))


def _counters(lab: Lab, config: Config) -> dict[str, dict[str, int]]:
    """Counters of the NIC process, and of this project's drivers where they are loaded."""
    counters = {lab.nic.program: lab.nic.stats()}
    if config.our_nic:
        counters[config.nic_driver] = driver_counters(lab.nic_host, NIC)
    if config.guest_driver == configs.OUR_GUEST:
        for name, host in lab.fronts.items():
            between = "" if host is lab.receiver else f" ({name})"
            counters[configs.OUR_GUEST + between] = driver_counters(host, NIC)
    if config.back_end == configs.OUR_BACK:
        vif, = lab.nic_host.run("ls -d /sys/class/net/vif*").split()
        counters[configs.OUR_BACK] = driver_counters(lab.nic_host, vif.rpartition("/")[2])
    if config.rewrite:
        lines = lab.nic_host.run("cat /proc/net/br_linearize").splitlines()
        counters["br_linearize"] = {name: int(value) for name, value in map(str.split, lines)}
    return counters


def driver_counters(host: Host, interface: str) -> dict[str, int]:
    """The counters of `ethtool -S`, by name."""
    counters = {}
    for line in host.run(f"ethtool -S {interface}").splitlines():
        name, _, value = line.partition(":")
        if value.strip().isdigit():
            counters[name.strip()] = int(value)
    return counters


def _difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """The increase of each counter that changed."""
    return {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}
