# SPDX-License-Identifier: GPL-2.0-only
"""A back end that lies (liar.c) in netback's place.

What the guest's stack is given of the lies is looked at (witness.c): no byte may be from outside the granted pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lab.agent import Host

from .bed import Bed, program

# Packets that lie, of each kind.
COUNT = 100
LIES = ("sizes", "offsets", "extras", "gso", "fragments", "checksums", "headers", "changing", "anything", "storm")
PEERS = ("validated", "blank", "both", "neither", "unsized", "offset", "header", "gso4", "gso6", "headroom",
         "multicast", "unnotified")
# Of these at least every third is one that the front end has to drop, and to count.
DROPPED = ("sizes", "offsets", "extras", "gso", "fragments", "changing", "anything")


def watch(guest: Host) -> None:
    """Have the witness look at all that the guest's stack is given."""
    guest.run("setsid /tmp/witness eth0 >/tmp/witness.said 2>&1 & "
              "until grep -q watching /tmp/witness.said; do usleep 50000; done")


def watched(guest: Host) -> str:
    """What the witness has seen."""
    guest.run("killall witness; while pidof witness >/dev/null; do usleep 50000; done")
    return guest.run("tail -n 1 /tmp/witness.said")


class Lies(Bed):
    """What a front end has to survive, and to go on afterwards as if nothing had been."""

    told: Sequence[str] = LIES

    def lie(self, kind: str, count: int = COUNT) -> None:
        """Have the liar take netback's place, and netback take it back if it can."""
        self.lab.dom0.put(program("liar"), "/tmp/liar", 0o755)
        self.in_place("liar", kind, count)

    def in_place(self, name: str, kind: str, count: int) -> str:
        """Run a program in netback's place; return what it says. Netback takes it back, whatever the program does."""
        number = self.take_back_end()
        ring = f"/local/domain/{number}/device/vif/0"
        return self.lab.dom0.run(
            f"/tmp/{name} {number} $(xenstore-read {ring}/rx-ring-ref) $(xenstore-read {ring}/event-channel-rx) "
            f"{kind} {count}; told=$?; echo vif-{number}-0 >{self.netback}/bind; {self.join(number)}; exit $told",
            timeout=120)

    def test_2_back_end_lies(self):
        guest = self.lab.guest
        errors = "cat /sys/class/net/eth0/statistics/rx_errors"
        guest.put(program("witness"), "/tmp/witness", 0o755)
        watch(guest)
        for kind in self.told:
            with self.subTest(kind):
                before = int(guest.run(errors))
                self.lie(kind)
                self.flowing()
                dropped = int(guest.run(errors)) - before
                if kind in DROPPED:
                    self.assertGreater(dropped, COUNT // 3)
        said = watched(guest).split()
        self.assertGreater(int(said[0]), COUNT, said)
        self.assertEqual(said[-2:], ["0", "strange"], said)


class Peers(Lies):
    """Back ends that are not netback, and say the same in their own way: all that they send arrives."""

    def test_2_peers_are_understood(self):
        dom0, guest = self.lab.dom0, self.lab.guest
        dom0.put(program("peer"), "/tmp/peer", 0o755)
        guest.put(program("witness"), "/tmp/witness", 0o755)
        errors = "cat /sys/class/net/eth0/statistics/rx_errors"
        for kind in PEERS:
            with self.subTest(kind):
                before = int(guest.run(errors))
                watch(guest)
                # More than a ring has slots, where it is about these.
                count = 3 * COUNT if kind == "unnotified" else COUNT
                sent = int(self.in_place("peer", kind, count).split()[-1])
                self.flowing()
                packets, arrived, strange = map(int, re.findall(r"(\d+) \w+", watched(guest)))
                self.assertEqual((arrived, strange), (sent, 0), f"{packets} packets")
                self.assertEqual(int(guest.run(errors)), before)


    def test_2_queues_that_are_offered_are_not_all_taken(self):
        for taken in (1, 4):
            with self.subTest(taken):
                self.use_queues(4, taken)
                self.flowing()
                self.assertEqual(len(self.interrupts()), taken)
        self.use_queues(1, 1)
        self.flowing()


class Distrust(Lies):
    """A front end gives up a back end that has kept a page, or answered what was not asked, and takes another."""

    def test_2_back_end_is_not_trusted(self):
        for kind in ("kept", "overrun"):
            with self.subTest(kind):
                self.expect_replacement()
                self.lie(kind, 1)
                self.exchange()
                self.flowing()
