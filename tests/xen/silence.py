# SPDX-License-Identifier: GPL-2.0-only
"""A back end that does not answer while the guest's driver lets go of the interface and takes it again."""

from __future__ import annotations

import re

from lab import topology

from .bed import Bed, expect_replacement

# States of xenbus.
CLOSING, CLOSED = 5, 6
# Seconds that each of the two may take, for a driver that waits 5 for each answer: closing takes two of them.
ENOUGH = 16


class Silence(Bed):
    """The front end waits for no more than some seconds, and its interface comes back with the back end."""

    def rebind(self, marker: str) -> tuple[str, list[float]]:
        """Make the guest unbind and bind its interface, with the back end gone meanwhile; return the number of the
        guest's domain, and how long each took, in seconds. The guest is told before, as it cannot be reached then."""
        lab, folder = self.lab, f"/sys/bus/xen/drivers/{self.driver.replace('xen-netfront', 'vif')}"
        expect_replacement(lab)
        lab.guest.run("setsid sh -c 'sleep 3; at() { cut -d\" \" -f1 /proc/uptime; }; a=$(at); "
                      f"echo vif-0 >{folder}/unbind; b=$(at); echo vif-0 >{folder}/bind; c=$(at); "
                      f"echo {marker}: $a $b $c >/dev/console' >/dev/null 2>&1 &")
        console = topology.GUEST_CONSOLE.format(name="guest")
        number = self.take_back_end()
        self.silenced(number)
        said = lab.dom0.run(f"until grep '{marker}: ' {console}; do usleep 100000; done", timeout=90)
        times = [float(text) for text in re.search(rf"{marker}: (\S+) (\S+) (\S+)", said).groups()]
        return number, [later - earlier for earlier, later in zip(times, times[1:])]

    def silenced(self, number: str) -> None:
        """What the dead back end has left in xenstore."""
        if self.state is not None:
            self.lab.dom0.run(f"xenstore-write /local/domain/0/backend/vif/{number}/0/state {self.state}")

    state: int | None = None

    def test_3_back_end_is_silent(self):
        for name, state in (("closed", CLOSED), ("closing", CLOSING), ("connected", None)):
            with self.subTest(name):
                self.state = state
                number, took = self.rebind(f"rebound-{name}")
                self.give_back_end(number)
                self.flowing()
                self.assertLess(max(took), ENOUGH, took)
