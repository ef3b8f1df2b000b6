# SPDX-License-Identifier: GPL-2.0-only
"""A back end that lies (liar.c) in netback's place.

What the guest's stack is given of the lies is looked at (witness.c): no byte may be from outside the granted pages.
"""

from __future__ import annotations

from collections.abc import Sequence

from .bed import Bed, program

# Packets that lie, of each kind.
COUNT = 100
LIES = ("sizes", "offsets", "extras", "gso", "fragments", "checksums", "headers", "changing", "anything", "storm")
# Of these at least every third is one that the front end has to drop, and to count.
DROPPED = ("sizes", "offsets", "extras", "gso", "fragments", "changing", "anything")


class Lies(Bed):
    """What a front end has to survive, and to go on afterwards as if nothing had been."""

    told: Sequence[str] = LIES

    def lie(self, kind: str, count: int = COUNT) -> None:
        """Have the liar take netback's place, and netback take it back if it can."""
        dom0 = self.lab.dom0
        dom0.put(program("liar"), "/tmp/liar", 0o755)
        number = dom0.run("xl domid guest").strip()
        driver, ring = "/sys/bus/xen-backend/drivers/vif", f"/local/domain/{number}/device/vif/0"
        dom0.run(f"echo vif-{number}-0 >{driver}/unbind; "
                 f"/tmp/liar {number} $(xenstore-read {ring}/rx-ring-ref) $(xenstore-read {ring}/event-channel-rx) "
                 f"{kind} {count}; told=$?; echo vif-{number}-0 >{driver}/bind; {self.join(number)}; exit $told",
                 timeout=120)

    def test_2_back_end_lies(self):
        guest = self.lab.guest
        errors = "cat /sys/class/net/eth0/statistics/rx_errors"
        guest.put(program("witness"), "/tmp/witness", 0o755)
        guest.run("setsid /tmp/witness eth0 >/tmp/witness.said 2>&1 & "
                  "until grep -q watching /tmp/witness.said; do usleep 50000; done")
        for kind in self.told:
            with self.subTest(kind):
                before = int(guest.run(errors))
                self.lie(kind)
                self.flowing()
                dropped = int(guest.run(errors)) - before
                if kind in DROPPED:
                    self.assertGreater(dropped, COUNT // 3)
        guest.run("killall witness; while pidof witness >/dev/null; do usleep 50000; done")
        said = guest.run("tail -n 1 /tmp/witness.said").split()
        self.assertGreater(int(said[0]), COUNT, said)
        self.assertEqual(said[-2:], ["0", "strange"], said)


class Distrust(Lies):
    """A front end gives up a back end that has kept a page, or answered what was not asked, and takes another."""

    def test_2_back_end_is_not_trusted(self):
        for kind in ("kept", "overrun"):
            with self.subTest(kind):
                self.expect_replacement()
                self.lie(kind, 1)
                self.exchange()
                self.flowing()
