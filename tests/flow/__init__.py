# SPDX-License-Identifier: GPL-2.0-only
"""Traffic whose bytes are all checked, and which goes on during disturbances: flow.c, on hosts of the lab."""

from __future__ import annotations

import gzip
import itertools
import time
from dataclasses import dataclass
from pathlib import Path

from lab import proc
from lab.agent import Host
from lab.paths import BUILD
from lab.steps import LabError

FOLDER = Path(__file__).parent
PORT = 5050
KINDS = ("bulk", "small", "echo", "udp")
# Seconds: longer than any test; and the limit for the end of a stopped flow. TCP may wait long for its next try.
FOR_EVER = 36000
PATIENCE = 120

_numbers = itertools.count(1)


def program() -> Path:
    """Build the program, if its sources changed, and return its path."""
    proc.run(["make", "-s", "-C", str(FOLDER), f"OUT={BUILD / 'tests/flow'}"], log=None, timeout=60)
    return BUILD / "tests/flow/flow"


def install(host: Host) -> None:
    """Put the program on a host that has none, and start its sink there."""
    if host.run("[ -e /tmp/flow ] || echo no").strip():
        host.put(gzip.compress(program().read_bytes()), "/tmp/flow.gz")
        host.run("gunzip /tmp/flow.gz && chmod +x /tmp/flow")
    host.run(f"pidof flow >/dev/null || (setsid /tmp/flow sink {PORT} >/tmp/flow.sink 2>&1 </dev/null &); "
             f"until grep -q ':{PORT:04X} ' /proc/net/tcp /proc/net/tcp6; do usleep 50000; done")


@dataclass(frozen=True)
class Flow:
    """A running source on `host`; its files there begin with `name`."""

    host: Host
    kind: str
    name: str

    def bytes(self) -> int:
        """Bytes sent so far."""
        return int(self.host.run(f"cat {self.name}.bytes 2>/dev/null || echo 0").strip() or 0)

    def progress(self, count: int, within: float = PATIENCE) -> None:
        """Return when `count` more bytes have been sent; raise LabError if that takes longer than `within` seconds."""
        wanted, deadline = self.bytes() + count, time.monotonic() + within
        while self.bytes() < wanted:
            if time.monotonic() > deadline:
                raise LabError(f"{self.kind} traffic from {self.host.name} stands still at {self.bytes()} bytes: "
                               f"{self._said()}")
            time.sleep(0.2)

    def stop(self) -> int:
        """End it; return the number of bytes sent; raise LabError unless all arrived intact."""
        self.host.run(f"kill $(cat {self.name}.pid) 2>/dev/null; true")
        self.host.run(f"for try in $(seq {PATIENCE * 10}); do [ -e {self.name}.status ] && exit; usleep 100000; done",
                      timeout=PATIENCE + 30)
        status = self.host.run(f"cat {self.name}.status 2>/dev/null", check=False).strip()
        if status != "0":
            raise LabError(f"{self.kind} traffic from {self.host.name} did not arrive intact "
                           f"(status {status or 'unknown: it did not end'}): {self._said()}")
        return self.bytes()

    def _said(self) -> str:
        return self.host.run(f"cat {self.name}.said", check=False).strip()


def start(host: Host, address: str, kind: str = "bulk", seconds: float = FOR_EVER) -> Flow:
    """Start a source on `host` towards the sink at `address`; it goes on until it is stopped or `seconds` are over."""
    name = f"/tmp/flow.{next(_numbers)}"
    host.run(f"rm -f {name}.*; "
             f"setsid sh -c '/tmp/flow {kind} {address} {PORT} {seconds} {name}.bytes >{name}.said 2>&1 & echo $! >{name}.pid; wait $!; echo $? >{name}.status.new; mv {name}.status.new {name}.status' "
             "</dev/null >/dev/null 2>&1 &")
    return Flow(host, kind, name)
