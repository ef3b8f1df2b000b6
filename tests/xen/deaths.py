# SPDX-License-Identifier: GPL-2.0-only
"""A back end dies again and again, each time in another way, under traffic in both directions."""

from __future__ import annotations

import os
import random
import time

from lab import steps, topology
from tests import flow
from tests.soak import memory

from .bed import Bed, expect_replacement, plug, program, unplug

# How often, unless the environment variable DEATHS says so.
DEATHS = 50
# After this number of deaths all traffic has to go on.
BETWEEN = 8
# KiB of pages, beside what the kernel may keep for itself anyway.
SLACK = 64
LOOK, LOOKED = "/tmp/look", "/tmp/looked"


class Deaths(Bed):
    """What a guest has to outlive. DEATHS_SEED repeats a run."""

    def die_by_reload(self) -> None:
        """netback connects to the rings that the guest has, and so has to allow as many queues as before."""
        module = self.lab.back_end.replace("-", "_")
        queues = self.lab.dom0.run(f"cat /sys/module/{module}/parameters/max_queues").strip()
        self.reload(f"max_queues={queues}")

    def die_by_exchange(self) -> None:
        self.expect_replacement()
        self.exchange()

    def die_by_interface(self) -> None:
        """The driver domain's interface goes down for a moment."""
        number = self.lab.dom0.run("xl domid guest").strip()
        self.lab.dom0.run(f"ip link set vif{number}.0 down; usleep {random.randrange(500000)}; "
                          f"ip link set vif{number}.0 up")

    def die_by_kill(self) -> None:
        """A back end that is a process is killed amid its work, with pages of the guest mapped."""
        dom0 = self.lab.dom0
        number = self.take_back_end()
        ring = f"/local/domain/{number}/device/vif/0"
        dom0.run(f"setsid /tmp/liar {number} $(xenstore-read {ring}/rx-ring-ref) "
                 f"$(xenstore-read {ring}/event-channel-rx) headers 100000 >/dev/null 2>&1 & "
                 f"liar=$!; usleep {100000 + random.randrange(300000)}; kill -9 $liar; usleep 100000")
        self.give_back_end(number)

    def at_rest(self, name: str) -> memory.Memory:
        """What the guest has in use while it has no interface."""
        lab, said = self.lab, f"memory: {name}"
        lab.guest.put(memory.looking(LOOKED).encode(), LOOK)
        expect_replacement(lab, f'sh {LOOK}; echo "{said}" >/dev/console')
        time.sleep(1)
        unplug(lab)
        lab.dom0.run(f"until grep -q '{said}' {topology.GUEST_CONSOLE.format(name='guest')}; do usleep 100000; done",
                     timeout=60)
        plug(lab)
        lab.guest.wait(60)
        return memory.parse(lab.guest.get(LOOKED).decode())

    def test_5_back_end_dies(self):
        count, seed = int(os.environ.get("DEATHS") or DEATHS), os.environ.get("DEATHS_SEED") or str(time.time_ns())
        ways = [self.die_by_reload, self.die_by_exchange, self.die_by_interface, self.die_by_kill]
        dice, told = random.Random(seed), time.monotonic()
        self.lab.dom0.put(program("liar"), "/tmp/liar", 0o755)
        more = [self.inward("small"), flow.start(self.lab.guest, topology.SENDER_ADDRESS, "echo"),
                flow.start(self.lab.guest, topology.SENDER_ADDRESS, "small")]
        self.flows += more
        self.flowing()
        self.die_by_exchange()
        before = self.at_rest("before")
        steps.say(f"     DEATHS_SEED={seed}")
        for number in range(count):
            dice.choice(ways)()
            if number % BETWEEN == BETWEEN - 1:
                self.flowing()
                self.lab.check()
            if time.monotonic() > told + 60:
                told = time.monotonic()
                steps.say(f"     {number + 1} of {count} deaths")
        self.flowing()
        after = self.at_rest("after")
        for one in more:
            one.stop()
            self.flows.remove(one)
        steps.say(f"     {before} -> {after}")
        self.assertLess(after.pages - before.pages, SLACK + memory.PAGES_SLACK)
