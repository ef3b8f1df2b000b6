# SPDX-License-Identifier: GPL-2.0-only
"""The grant copy counter of a Xen driver domain: a kernel module, and its reader."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..agent import Host
from ..steps import LabError

MODULE = "grant_count"
COUNTERS = f"/sys/module/{MODULE}/parameters/counters"


@dataclass(frozen=True)
class Copies:
    """Copies towards guests: hypercalls that held at least one, operations, bytes."""

    hypercalls: int
    ops: int
    bytes: int

    def __sub__(self, earlier: Copies) -> Copies:
        return Copies(self.hypercalls - earlier.hypercalls, self.ops - earlier.ops, self.bytes - earlier.bytes)


def parse(line: str) -> Copies:
    """Copies towards guests from the module's line."""
    try:
        found = json.loads(line)["to_guest"]
        return Copies(found["hypercalls"], found["ops"], found["bytes"])
    except (ValueError, KeyError, TypeError):
        raise LabError(f"the grant copy counter printed {line.strip()[:100]!r}, not its line of counters") from None


def read(driver_domain: Host) -> Copies:
    """Copies towards guests since the module was loaded."""
    return parse(driver_domain.run(f"cat {COUNTERS}"))
