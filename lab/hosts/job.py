# SPDX-License-Identifier: GPL-2.0-only
"""The main job on the user's hosts: the configurations that they can form, and the results in the lab's schema.

Unlike in the emulated laboratory, `perf stat` counts instructions and cycles, on all CPUs of a host in the middle of
the transfer, if its PMU is exposed; nothing is subtracted for other work of the host. If perf counts nothing, the
fields are absent and `uncounted` of the run says why.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

from .. import attempts, configs, experiments, measure, results, steps, vm
from ..configs import Config
from ..steps import EXIT_USAGE, LabError
from ..traffic import Transfer
from . import perf
from .inventory import HostEntry, read
from .lab import HostsLab
from .session import DIRECTORY, Session

NOT_EMULATED = "none"
# Seconds that perf may take to print its counts.
PATIENCE = 10


def run(names: str, path: Path, count: int, repeats: int, logs: Path = vm.LOGS,
        save: Callable[[dict], None] = lambda found: None) -> dict:
    """Send `count` bytes `repeats` times through each configuration; return the results.

    save: gets the results so far after each run.
    """
    entries = read(path)
    wanted = configs.in_order(possible(configs.select(names), entries, bool(names.strip())))
    with HostsLab(entries, logs) as lab:
        uncounted = {role: why for role in ("native", "driver", "guest") if role in entries
                     if (why := perf.probe(lab.sessions[role].host))}
        for role, why in uncounted.items():
            steps.say(f"    {role}: no cycles and instructions, because {why}.")
        found = _describe(lab, count, uncounted)
        runs: list[dict] = []
        for _, members in itertools.groupby(wanted, key=lambda config: config.xen):
            made = experiments.run_all(_Bench(lab, count, uncounted), list(members), repeats)
            experiments.collect(made, found, runs, save)
    return experiments.complete(found, runs)


def possible(wanted: list[Config], entries: dict[str, HostEntry], named: bool) -> list[Config]:
    """The configurations for which there are hosts; naming another one is an error."""
    fit = [config for config in wanted if ("guest" if config.xen else "native") in entries]
    if named and len(fit) < len(wanted):
        lacking = next(config for config in wanted if config not in fit)
        needs = "[driver] and [guest]" if lacking.xen else "[native]"
        raise LabError(f"CONFIGS names {lacking.name}, for which the file of HOSTS has no {needs}", code=EXIT_USAGE)
    if changed := next((config for config in fit if config.back_end != configs.STOCK_BACK), None):
        raise LabError(f"CONFIGS names {changed.name}, and the back end of hosts stays as it is: load {changed.back_end} "
                       "there and measure the configuration without that", code=EXIT_USAGE)
    return fit


def _describe(lab: HostsLab, count: int, uncounted: dict[str, str]) -> dict:
    """The results' head: versions and models of the machines that receive."""
    owner = lab.sessions.get("driver") or lab.sessions["native"]
    said = {name: owner.host.run(command, check=False).strip() for name, command in {
        "kernel": "uname -r",
        "xen": "cd /sys/hypervisor/version 2>/dev/null && echo $(cat major).$(cat minor)$(cat extra)",
        "cores": "grep -c ^processor /proc/cpuinfo",
        "cpu_model": "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1",
        "nic": f"cd /sys/class/net/{owner.interface}/device && echo $(cat vendor):$(cat device) | sed 's/0x//g'",
    }.items()}
    machine: dict[str, object] = {
        "cores": int(said["cores"]) if said["cores"].isdigit() else 0, "cpu_model": said["cpu_model"] or "unknown",
        "hosts": [f"{role} {session.host.entry.ssh}, {session.interface}" for role, session in lab.sessions.items()]}
    if uncounted:
        machine["cycles_absent_because"] = "; ".join(f"{role}: {why}" for role, why in uncounted.items())
    return {"schema": results.SCHEMA, "kernel": said["kernel"], "xen": said["xen"] or NOT_EMULATED,
            "qemu": NOT_EMULATED, "nic": said["nic"] or "unknown", "machine": machine, "bytes": count}


class _Bench:
    """The hosts, through which runs of `count` bytes go. `uncounted`: role -> why perf counts nothing there."""

    def __init__(self, lab: HostsLab, count: int, uncounted: dict[str, str]) -> None:
        self._lab = lab
        self._count = count
        self._uncounted = uncounted

    def settle(self, config: Config) -> None:
        self._lab.apply(config)

    def apply(self, config: Config) -> None:
        self._lab.apply(config)

    def restart(self, config: Config) -> None:
        """The user's hosts are not booted: earlier messages of their kernels are ignored."""
        for session in self._lab.sessions.values():
            session.forget_complaints()
        self._lab.apply(config)

    def attempt(self, config: Config, repeat: int) -> attempts.Attempt:
        lab = self._lab
        before = _counters(lab, config)
        meter = Meter(lab, config, self._count, self._uncounted)
        done = lab.transfer(config, self._count, meter)
        record = experiments.record_of(config, repeat, done, before, _counters(lab, config))
        return attempts.Attempt(record, measure.storm(done), lambda: meter.fields(done) | lab.latency(config))


def _counters(lab: HostsLab, config: Config) -> dict[str, dict[str, int]]:
    """Counters of this project's drivers where they are loaded."""
    counters = {}
    for driver, ours, session in ((config.nic_driver, configs.OUR_NIC, lab.nic(config)),
                                  (config.guest_driver, configs.OUR_GUEST, lab.receiver(config))):
        if driver == ours:
            counters[ours] = experiments.driver_counters(session.host, session.interface)
    return counters


class Meter:
    """Lets perf count on the receiving hosts while the middle of the payload arrives; a context manager."""

    def __init__(self, lab: HostsLab, config: Config, count: int, uncounted: dict[str, str]) -> None:
        self._count = count
        # Domain -> its host, and the place where its payload is counted: on the wire, or at the end of TCP.
        domains: dict[str, tuple[Session, str]] = {"driver": (lab.nic(config), "wire" if config.xen else "ip")}
        if config.xen:
            domains["guest"] = (lab.receiver(config), "ip")
        self._why = {domain: uncounted[session.name] for domain, (session, _) in domains.items()
                     if session.name in uncounted}
        self._domains = {domain: pair for domain, pair in domains.items() if domain not in self._why}

    def __enter__(self) -> Meter:
        first, last = (round(share * self._count) for share in (measure.FIRST, measure.LAST))
        for session, how in self._domains.values():
            session.host.run(f"sh {DIRECTORY}/host count {session.interface} {how} {first} {last}")
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def fields(self, done: Transfer) -> dict:
        """cycles_per_byte and insn_per_byte of the domains where perf counted, and the reasons for the others."""
        why = dict(self._why)
        cycles: dict[str, float] = {}
        instructions: dict[str, dict[str, float]] = {}
        found: dict[str, object] = {"acks_per_mb": measure.acks_per_mb(done)}
        for domain, (session, _) in self._domains.items():
            counted = _interval(session)
            if not counted:
                why[domain] = "the transfer was over before perf had counted: give more BYTES"
                continue
            if counted.counts.why:
                why[domain] = counted.counts.why
            events = {name: round(value / counted.payload, measure.DIGITS)
                      for name, value in counted.counts.events.items()}
            if "cycles" in events:
                cycles[domain] = events["cycles"]
            if "instructions" in events:
                instructions[domain] = {"total": events["instructions"]}
                if "instructions:u" in events:
                    instructions[domain]["user"] = events["instructions:u"]
            if domain == "driver":
                found["interval"] = {"bytes": counted.payload, "seconds": round(counted.seconds, 2)}
        return found | {name: value for name, value in (
            ("cycles_per_byte", cycles), ("insn_per_byte", instructions), ("uncounted", why)) if value}


def _interval(session: Session) -> perf.Interval | None:
    """Perf's counts, once they are there."""
    deadline = time.monotonic() + PATIENCE
    while True:
        text = session.host.run(f"cat {DIRECTORY}/counts 2>/dev/null", check=False)
        if text or time.monotonic() > deadline:
            return perf.interval(text)
        time.sleep(0.3)
