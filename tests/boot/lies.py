# SPDX-License-Identifier: GPL-2.0-only
"""Lies of a NIC that the drivers of QEMU's NICs have to survive, for any class that has `lab` and flood()."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from lab import topology
from tests import engine

from . import liars

FILE = 1 << 20
LIES = 50
LIMIT = 60
JUMBO = 9000
# Polls that the NIC did not ask for, one each 100 us: more than the resets take time for. How often the NIC is reset
# meanwhile.
POLLS = 600000
RESETS = 20


class Liar:
    """Lengths beyond the buffer, frames without an end, missing time stamps: see tests/boot/liar."""

    # Kinds that are counted as dropped, and others.
    counted: Sequence[str] = ()
    uncounted: Sequence[str] = ("fragment", "status")

    def parameter_of_liar(self, name: str) -> str:
        return f"/sys/module/{self.lab.model.stock}_liar/parameters/{name}"

    @contextlib.contextmanager
    def liar(self):
        """A part of the test with our driver, whose NIC can be made to lie."""
        lab, host, name = self.lab, self.lab.nic_host, f"{self.lab.model.stock}_liar"
        lab.use_nic_driver(lab.model.ours)
        lab.wait_for_ping()
        host.put((liars.build(self.series) / f"{name}.ko").read_bytes(), f"/tmp/{name}.ko")
        host.run(f"insmod /tmp/{name}.ko")
        try:
            yield
        finally:
            host.run(f"rmmod {name}; ip link set {topology.NIC} mtu 1500; ethtool -K {topology.NIC} rx-all off")

    def dropped(self) -> int:
        """Frames that driver and stack have dropped."""
        return int(self.lab.nic_host.run(f"cat /sys/class/net/{topology.NIC}/statistics/rx_dropped"))

    def tell(self, kind: str) -> None:
        """Make the NIC lie in LIES polls, and return when it has."""
        host, parameter = self.lab.nic_host, self.parameter_of_liar("lie")
        host.run(f"echo {kind} {LIES} >{parameter}")
        deadline = time.monotonic() + LIMIT
        while int(host.run(f"cat {parameter}")) > 0:
            self.assertLess(time.monotonic(), deadline, f"{kind}: the lies found no end")
            self.lab.sender.run(f"ping -c {LIES} -i 0.01 -s 1000 -W 1 {topology.NIC_ADDRESS} >/dev/null", check=False)

    def lied_to(self, kinds: Sequence[str], counted: Sequence[str]) -> None:
        """The driver goes on after each kind, and has counted the frames of the lies."""
        for kind in kinds:
            with self.subTest(kind):
                before = self.dropped()
                self.tell(kind)
                if kind in counted:
                    self.assertGreaterEqual(self.dropped() - before, LIES)
                self.lab.wait_for_ping()
                self.lab.send_file(FILE)


class Lies(Liar):
    """In each mode of the driver, and what else a NIC may do at the wrong moment."""

    def test_nic_that_lies_does_no_harm(self):
        lab, host = self.lab, self.lab.nic_host
        kinds = (*self.counted, *self.uncounted)
        with self.liar():
            for rx_all in ("off", "on"):
                host.run(f"ethtool -K {topology.NIC} rx-all {rx_all}")
                lab.wait_for_ping()
                self.lied_to(kinds, self.counted)
            host.run(f"ethtool -K {topology.NIC} rx-all off; ip link set {topology.NIC} mtu {JUMBO}")
            lab.wait_for_link()
            lab.wait_for_ping()
            self.lied_to(kinds, self.counted)
            host.run(f"ip link set {topology.NIC} mtu 1500")
            lab.wait_for_link()
            # Lies about slots that are not the NIC's: its position is known again after a reset.
            self.tell("owner")
            host.run(f"ip link set {topology.NIC} down; ip link set {topology.NIC} up")
            lab.wait_for_link()
            lab.wait_for_ping()
            lab.send_file(FILE)
        self.assertEqual(engine.unbalanced(engine.counters(host)), [])

    def test_polls_at_any_moment_of_a_reset(self):
        """The engine asks for polls by its timer: also while the driver cleans its rings and fills them."""
        lab, host = self.lab, self.lab.nic_host
        with self.liar():
            self.flood()
            host.run(f"echo {POLLS} >{self.parameter_of_liar('polls')}")
            host.run(f"for i in $(seq {RESETS}); do ethtool -r {topology.NIC}; usleep 100000; done", timeout=LIMIT)
            self.assertGreater(int(host.run(f"cat {self.parameter_of_liar('polls')}")), 0, "the polls ended too early")
            host.run(f"echo 0 >{self.parameter_of_liar('polls')}")
            lab.sender.run("killall iperf; true")
            host.run("killall iperf; true")
            lab.wait_for_link()
            lab.wait_for_ping()
            lab.send_file(FILE)
        self.assertEqual(engine.unbalanced(engine.counters(host)), [])
