# SPDX-License-Identifier: GPL-2.0-only
"""Memory in use of a host of the lab at rest, exact enough to show a leak of one packet in some thousands.

It is exact only if the tested network interfaces are gone: rings and pages for reuse go with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Tolerated increases of memory in use, for memory that the kernel does not attribute to an owner.
#
# KiB of pages: page fragments, of which the kernel keeps 32 KiB each for NAPI, for drivers and for a task that sends,
# and the pages of processes; the lab's own processes come and go.
PAGES_SLACK = 256
# KiB of slab: tasks with all their structures, up to 20 KiB each, and first allocations.
SLAB_SLACK = 256
# Buffers by kind: NAPI keeps up to 63 freed struct sk_buff for each CPU, and the lab's hosts have one. Their data are
# not kept, so that skbuff_small_head may not grow. It shows leaks of TCP's clones as well: their struct is in a cache
# that the kernel may merge with others, and their data are here.
SKB_SLACK = {"skbuff_head_cache": 63}

# A CPU's free objects of a slab count as in use, so shrinking comes last. All is read before any of it is sent, because
# sending may need packets.
_LOOK = """for try in 1 2 3; do
	sleep 1
	echo 3 >/proc/sys/vm/drop_caches
	echo 1 >/proc/sys/vm/compact_memory
	cat /proc/sys/vm/stat_refresh >/dev/null
done
for cache in /sys/kernel/slab/*; do echo 1 >$cache/shrink; done
{ cat /proc/slabinfo /proc/meminfo; grep '^ *count:' /proc/zoneinfo; } >%(to)s.new
mv %(to)s.new %(to)s
"""

# Memory whose owner the kernel knows; VmallocUsed has the stacks and the modules.
_OWNED = ("MemFree", "Buffers", "Cached", "AnonPages", "Slab", "PageTables", "Percpu", "VmallocUsed")


@dataclass(frozen=True)
class Memory:
    """Memory in use: pages that drivers and the stack took one by one and slab, in KiB; buffers of packets by kind."""

    pages: int
    slab: int
    skbs: dict[str, int]

    def leaked(self, before: Memory) -> list[str]:
        """Increases of the memory in use of this host, beyond the tolerated ones."""
        more = {"KiB of pages": (self.pages - before.pages, PAGES_SLACK),
                "KiB of slab": (self.slab - before.slab, SLAB_SLACK)}
        more |= {kind: (count - before.skbs.get(kind, 0), SKB_SLACK.get(kind, 0)) for kind, count in self.skbs.items()}
        return [f"{amount} {what}" for what, (amount, slack) in more.items() if amount > slack]


def parse(text: str) -> Memory:
    """Memory from /proc/slabinfo, /proc/meminfo and the pages at hand of each CPU in /proc/zoneinfo."""
    sizes = {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    at_hand = 4 * sum(map(int, re.findall(r"^ +count: +(\d+)", text, re.M)))
    buffers = {kind: int(count) for kind, count in re.findall(r"^(skbuff_\S+) +(\d+)", text, re.M)}
    return Memory(sizes["MemTotal"] - at_hand - sum(sizes[name] for name in _OWNED), sizes["SUnreclaim"], buffers)


def looking(path: str) -> str:
    """A shell script that makes a host at rest drop memory for reuse, and writes the input of parse() to `path`.

    The file is there when it is complete; the script takes some seconds.
    """
    return _LOOK % {"to": path}
