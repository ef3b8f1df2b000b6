# SPDX-License-Identifier: GPL-2.0-only
"""What memory a host of the lab uses at rest, told so exactly that a leak of one packet in some thousands shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.agent import Host

# The kernel keeps freed objects and pages at hand, so that two looks at an idle host differ by some. In KiB and buffers.
PAGES_SLACK = 256
SLAB_SLACK = 1024
SKB_SLACK = 64

# Shrinking empties the lists of free packet buffers, except for 64 of them.
_LOOK = """for try in 1 2 3; do
	echo 3 >/proc/sys/vm/drop_caches
	for cache in /sys/kernel/slab/skbuff_*; do echo 1 >$cache/shrink; done
	echo 1 >/proc/sys/vm/compact_memory
	cat /proc/sys/vm/stat_refresh >/dev/null
	sleep 1
done
cat /proc/meminfo; grep '^ *count:' /proc/zoneinfo; grep ^skbuff_ /proc/slabinfo"""

# What the kernel knows the owner of; VmallocUsed has the stacks and the modules.
_OWNED = ("MemFree", "Buffers", "Cached", "AnonPages", "Slab", "PageTables", "Percpu", "VmallocUsed")


@dataclass(frozen=True)
class Memory:
    """What is in use: pages that drivers and the stack took one by one and slab, in KiB, and buffers of packets."""

    pages: int
    slab: int
    skbs: int

    def leaked(self, before: Memory) -> list[str]:
        """What this host has in use that it had not before, beyond what the kernel keeps at hand."""
        more = {"KiB of pages": (self.pages - before.pages, PAGES_SLACK),
                "KiB of slab": (self.slab - before.slab, SLAB_SLACK),
                "packet buffers": (self.skbs - before.skbs, SKB_SLACK)}
        return [f"{amount} {what}" for what, (amount, slack) in more.items() if amount > slack]


def parse(text: str) -> Memory:
    """Memory from /proc/meminfo, the pages at hand of each CPU in /proc/zoneinfo, and /proc/slabinfo."""
    sizes = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    at_hand = 4 * sum(map(int, re.findall(r"^ +count: +(\d+)", text, re.M)))
    buffers = re.findall(r"^skbuff_\S+ +(\d+)", text, re.M)
    return Memory(sizes["MemTotal"] - at_hand - sum(sizes[name] for name in _OWNED), sizes["SUnreclaim"],
                  sum(map(int, buffers)))


def look(host: Host) -> Memory:
    """What a host at rest uses, once it has let go of all that it need not keep."""
    return parse(host.run(_LOOK, timeout=60))
