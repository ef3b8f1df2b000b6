# SPDX-License-Identifier: GPL-2.0-only
"""The engine's counters as ethtool shows them, and its modes switched back and forth while packets flow."""

from __future__ import annotations

import re

from lab.agent import Host

# The places of packets: the number of received packets is the sum of these.
PLACES = ("held", "merged", "singles", "passed", "to_gro", "dropped")


def counters(host: Host, device: str = "eth0") -> dict[str, int]:
    """The engine's counters of a host's interface; empty with a stock driver."""
    lines = host.run(f"ethtool -S {device}", check=False).splitlines()[1:]
    pairs = (line.rpartition(":") for line in lines)
    return {name.strip(): int(value) for name, _, value in pairs if "_lro_" in name}


def copied(counted: dict[str, int]) -> int:
    """Pages that the first queue has taken for payload in copy mode, from the counters of a device."""
    return counted["rx0_lro_pages_new"] + counted["rx0_lro_pages_recycled"]


def unbalanced(counted: dict[str, int]) -> list[str]:
    """Faults in the counters of a device at rest: queues with packets that are missing in the sum, or lost."""
    wrong = []
    for name, packets in counted.items():
        if queue := re.fullmatch(r"(rx\d+)_lro_packets", name):
            there = {place: counted[f"{queue[1]}_lro_{place}"] for place in PLACES}
            if sum(there.values()) != packets or there["dropped"] or there["held"]:
                wrong.append(f"{queue[1]}: {packets} packets, but {there}")
    return wrong


def switch(host: Host, driver: str, times: int, pause_us: int = 5000) -> None:
    """Change the parameter lro of a driver `times` times, with a pause between; leave it strict."""
    path = f"/sys/module/{driver}/parameters/lro"
    host.run(f"i=0; while [ $i -lt {times} ]; do echo $((i % 3)) >{path}; usleep {pause_us}; i=$((i + 1)); done; "
             f"echo 1 >{path}", timeout=60 + times)
