# SPDX-License-Identifier: GPL-2.0-only
"""What every topology has to do: data arrives intact both ways, merged where a configuration says and nowhere else."""

from __future__ import annotations

import unittest

from lab import configs, topology
from lab.agent import AgentHost

FILE = 8 << 20
BULK = 16 << 20


def counters(host: AgentHost) -> dict[str, int]:
    """The engine's counters of a host's interface; empty with a stock driver."""
    lines = host.run("ethtool -S eth0", check=False).splitlines()[1:]
    pairs = (line.rpartition(":") for line in lines)
    return {name.strip(): int(value) for name, _, value in pairs if "_lro_" in name}


def carries(test: unittest.TestCase, lab: topology.XenLab, name: str) -> None:
    """A configuration passes a file both ways and merges where its definition says."""
    config = configs.ALL[name]
    lab.apply(config)
    lab.send_file(FILE)
    lab.send_file(FILE, outward=True)
    hosts = [lab.nic_host, *lab.fronts.values()]
    before = [counters(host) for host in hosts]
    done = lab.transfer(BULK)
    after = [counters(host) for host in hosts]
    merged = [sum(now[key] - then[key] for key in now if key.endswith("_lro_merged"))
              for then, now in zip(before, after)]
    for host, seen, driver, ours in zip(hosts, after, [config.nic_driver, *[config.guest_driver] * len(lab.fronts)],
                                        [configs.OUR_NIC, *[configs.OUR_GUEST] * len(lab.fronts)]):
        if driver == ours:
            test.assertTrue(seen, f"{driver} shows no counters in {host.name}")
        else:
            test.assertEqual(seen, {}, f"{driver} shows the engine's counters in {host.name}")
    test.assertEqual(merged[0] > 0, config.nic_driver == configs.OUR_NIC, merged)
    # What arrives merged from the NIC's domain leaves the engines behind it next to nothing.
    if config.nic_driver != configs.OUR_NIC:
        test.assertEqual(merged[1] > 0, config.guest_driver == configs.OUR_GUEST, merged)
    if config.aggregates:
        test.assertGreater(done.lro_ratio, 2)
    else:
        test.assertLess(done.lro_ratio, 1.1)
