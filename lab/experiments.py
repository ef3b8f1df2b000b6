# SPDX-License-Identifier: GPL-2.0-only
"""The main job: iperf through every configuration, and the results as the results file holds them."""

from __future__ import annotations

import itertools
from functools import partial

from . import configs, kernels, measure, ratios, results, roots, steps, topology
from .agent import Host
from .configs import Config
from .topology import NIC, Lab, NativeLab, XenLab

NIC_MODEL = "RTL8169sb (rtl8169d)"


def run(wanted: list[Config], series: str, count: int, repeats: int) -> dict:
    """Send `count` bytes `repeats` times through each configuration; return the results, which are not saved.

    Native configurations come first; then those that need the same drivers, one repeat of each after the other, so
    that a slow change of the machine touches all alike.
    """
    found = {"schema": results.SCHEMA, "kernel": kernels.kernel(series).release, "xen": roots.xen_version(),
             "qemu": roots.qemu_version(), "nic": NIC_MODEL, "machine": measure.machine(), "bytes": count}
    laboratories: list[tuple[Lab, list[Config]]] = []
    for xen, members in itertools.groupby(configs.in_order(wanted), key=lambda config: config.xen):
        group = list(members)
        lab = (XenLab if xen else NativeLab)(series, with_ours=any(config.ours for config in group),
                                                counted=True)
        # All images before the first machine: a fault in one shows at once, and all are of the same sources.
        lab.prepare()
        laboratories.append((lab, group))
    runs: list[dict] = []
    memory: dict[str, int] = {}
    for lab, group in laboratories:
        with lab:
            runs += _run_all(lab, group, count, repeats)
            memory[lab.name] = lab.nic_host.memory_used()
    # In the order of the study's table rather than that in which they ran.
    order = list(configs.ALL)
    runs.sort(key=lambda entry: (order.index(entry["config"]), entry["repeat"]))
    found |= {"memory_mib": memory, "runs": runs}
    return results.validate(found | {"ratios": ratios.compute(found)})


def _run_all(lab: Lab, group: list[Config], count: int, repeats: int) -> list[dict]:
    runs = []
    for _, members in itertools.groupby(group, key=lambda config: (config.nic_driver, config.guest_driver)):
        same_drivers = list(members)
        with steps.step(f"{same_drivers[0].name}: change drivers"):
            lab.apply(same_drivers[0])
            baseline = measure.at_rest(lab)
        for repeat, config in itertools.product(range(repeats), same_drivers):
            with steps.step(f"{config.name}: run {repeat + 1} of {repeats}"):
                lab.apply(config)
                runs.append(measure.sound(partial(_attempt, lab, config, repeat, count, baseline)))
            steps.say(_summary(runs[-1]))
    return runs


def _summary(run: dict) -> str:
    counted = "".join(f", {domain} {parts['total']:.2f} insn/B"
                      for domain, parts in run.get("insn_per_byte", {}).items())
    return (f"    {run['mbps']:.1f} Mbit/s, LRO ratio {run['lro_ratio']:.2f}, "
            f"{run['retransmits']} retransmissions{counted}")


def _attempt(lab: Lab, config: Config, repeat: int, count: int, baseline: measure.Baseline) -> measure.Attempt:
    before = _counters(lab, config)
    meter = measure.Meter(lab, baseline, count)
    done = lab.transfer(count, around=meter)
    after = _counters(lab, config)
    record = {
        "config": config.name, "repeat": repeat, "mbps": round(done.mbps, 3), "lro_ratio": round(done.lro_ratio, 4),
        "retransmits": done.retransmits, "seconds": round(done.seconds, 3), "segments": done.segments,
        "packets": done.packets,
        "counters": {name: _difference(before[name], after[name]) for name in after},
    }
    return measure.Attempt(record, meter.fault(done), lambda: meter.fields(done))


def _counters(lab: Lab, config: Config) -> dict[str, dict[str, int]]:
    """Counters of the NIC process, and of this project's drivers where they are loaded."""
    counters = {"rtl8169d": lab.nic.stats()}
    if config.nic_driver == configs.OUR_NIC:
        counters[configs.OUR_NIC] = driver_counters(lab.nic_host, NIC)
    if config.guest_driver == configs.OUR_GUEST:
        counters[configs.OUR_GUEST] = driver_counters(lab.receiver, NIC)
    return counters


def driver_counters(host: Host, interface: str) -> dict[str, int]:
    """What `ethtool -S` prints, by name."""
    counters = {}
    for line in host.run(f"ethtool -S {interface}").splitlines():
        name, _, value = line.partition(":")
        if value.strip().isdigit():
            counters[name.strip()] = int(value)
    return counters


def _difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """What changed, by how much."""
    return {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name, 0)}
