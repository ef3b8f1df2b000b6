# SPDX-License-Identifier: GPL-2.0-only
"""Linux on NICs that QEMU emulates: the kernel's own e1000e and igb, unmodified, and this project's.

    sender VM -- relay -- QEMU's e1000e or igb in a machine with Linux

Any complaint of a kernel on its console fails the test during which it came up.
"""

from __future__ import annotations

import unittest

from lab import topology
from lab.paths import BUILD
from tests import engine
from tests.xen import bed

from . import stamps
from .lies import Lies
from .test_boot import OnTheNic

SMALL = 1 << 20
# Seconds: the kernel's test of suspend waits for five of the machine's, and a program of XDP is ended before.
LIMIT = 120
# Messages of PTP with a time stamp: QEMU's NIC gives it to the first one only, with the kernel's own driver, too.
STAMPS = 1


class OnQemusNic(Lies, OnTheNic):
    """The tests of OnTheNic, with sizes for this NIC, and tests of features that r8169 lacks."""

    size = 4 << 20
    switches = 100
    # QEMU's NICs do not count the multicasts that they leave out, and igb not the frames for which its ring has no room: 300
    # in 6 s, with the kernel's own driver as with ours.
    counts_all = False
    # rtl8169d's lies.
    test_lying_nic_does_no_harm = None

    def both_ways(self) -> None:
        """Files arrive and leave, and our driver merges those that arrive."""
        before = engine.counters(self.lab.nic_host)["rx0_lro_merged"]
        self.lab.send_file(SMALL)
        self.lab.send_file(SMALL, outward=True)
        self.assertGreater(engine.counters(self.lab.nic_host)["rx0_lro_merged"], before)

    def test_frames_as_they_are_on_the_wire(self):
        """Without rx-fcs: igb has no such feature, and with it the kernel's own e1000e receives nothing from QEMU's NIC."""
        host = self.lab.nic_host
        with self.controlled():
            for feature in ("rx-all", "rx"):
                with self.subTest(feature):
                    on = feature != "rx"
                    host.run(f"ethtool -K {topology.NIC} {feature} {'on' if on else 'off'}")
                    self.lab.wait_for_link()
                    self.lab.wait_for_ping()
                    self.lab.send_file(SMALL)
                    host.run(f"ethtool -K {topology.NIC} {feature} {'off' if on else 'on'}")
                    self.lab.wait_for_link()
                    self.lab.wait_for_ping()
                    self.parameter(1)
                    self.both_ways()

    def test_large_frames(self):
        host, sender = self.lab.nic_host, self.lab.sender
        with self.controlled():
            sender.run("ip link set eth0 mtu 9000", check=False)
            host.run(f"ip link set {topology.NIC} mtu 9000")
            try:
                self.lab.wait_for_link()
                self.lab.wait_for_ping()
                self.lab.send_file(self.size)
            finally:
                host.run(f"ip link set {topology.NIC} mtu 1500")
                sender.run("ip link set eth0 mtu 1500")
                self.lab.wait_for_link()
            self.lab.wait_for_ping()
            self.both_ways()

    def test_tags_with_and_without_the_nic_s_help(self):
        host, sender = self.lab.nic_host, self.lab.sender
        with self.controlled():
            for machine, name, address in ((sender, "eth0", "10.9.0.1"), (host, topology.NIC, "10.9.0.2")):
                machine.run(f"modprobe 8021q && ip link add link {name} name tagged type vlan id 9 && "
                            f"ip addr add {address}/24 dev tagged && ip link set tagged up")
            try:
                for state in ("on", "off"):
                    with self.subTest(rxvlan=state):
                        host.run(f"ethtool -K {topology.NIC} rxvlan {state}")
                        self.lab.wait_for_link()
                        before = engine.counters(host)["rx0_lro_merged"]
                        sender.run("until ping -c1 -W1 10.9.0.2 >/dev/null; do usleep 100000; done", timeout=60)
                        self.serve(5006)
                        sender.run("iperf -c 10.9.0.2 -p 5006 -n 4M", timeout=120)
                        host.run("killall iperf; true")
                        # Of some 2900 segments.
                        self.assertGreater(engine.counters(host)["rx0_lro_merged"] - before, 2000)
            finally:
                host.run(f"ip link del tagged; ethtool -K {topology.NIC} rxvlan on")
                sender.run("ip link del tagged")
                self.lab.wait_for_link()
                self.lab.wait_for_ping()

    def test_rings_and_resets_under_traffic(self):
        host = self.lab.nic_host
        with self.controlled():
            self.flood()
            for count in (64, 1024, 256):
                host.run(f"ethtool -G {topology.NIC} rx {count}; usleep 300000")
            # Changes that need a reset: the driver cleans its rings while packets come.
            for _ in range(8):
                host.run(f"ethtool -r {topology.NIC}; usleep 200000; ethtool -K {topology.NIC} rx-all on; "
                         f"usleep 200000; ethtool -K {topology.NIC} rx-all off; usleep 200000")
            self.lab.sender.run("killall iperf; true")
            host.run("killall iperf; true")
            self.lab.wait_for_link()
            self.lab.wait_for_ping()
            self.both_ways()
            self.assertEqual(engine.unbalanced(engine.counters(host)), [])

    def test_suspend_under_traffic(self):
        """The devices are suspended, and resume: the kernel's own test of that, which goes no further."""
        host = self.lab.nic_host
        with self.controlled():
            self.flood()
            host.run("echo devices >/sys/power/pm_test; echo freeze >/sys/power/state; echo none >/sys/power/pm_test",
                     timeout=LIMIT)
            self.lab.sender.run("killall iperf; true")
            host.run("killall iperf; true")
            self.assertIn("PM: suspend exit", host.run("dmesg"))
            self.lab.wait_for_link()
            self.lab.wait_for_ping()
            self.both_ways()
            self.assertEqual(engine.unbalanced(engine.counters(host)), [])

    def test_counters_and_features_are_those_of_the_stock_driver_and_more(self):
        host, found = self.lab.nic_host, []
        for driver in (self.lab.model.stock, self.lab.model.ours):
            self.lab.use_nic_driver(driver)
            self.lab.wait_for_ping()
            names = [line.split(":")[0].strip() for line in host.run(f"ethtool -S {topology.NIC}").splitlines()[1:]]
            features = [line.split(":")[0] for line in host.run(f"ethtool -k {topology.NIC}").splitlines()[1:]]
            found.append((names, features))
        (stock, features), (ours, our_features) = found
        self.assertEqual([name for name in ours if "_lro_" not in name], stock)
        self.assertEqual(our_features, features)
        host.run(f"ethtool -g {topology.NIC} && ethtool -c {topology.NIC} && ethtool -T {topology.NIC}")


class E1000e612(OnQemusNic, unittest.TestCase):
    series, chip = "6.12", "e1000e"
    counted = ("long", "short", "tiny", "header")


class Igb612(OnQemusNic, unittest.TestCase):
    series, chip = "6.12", "igb"
    counted = ("long", "stamp")
    # Each frame that follows a piece is a part of the same one.
    uncounted = ("piece", *Lies.uncounted)

    def copied(self) -> int:
        """Pages that copy mode has taken for payload."""
        return engine.copied(engine.counters(self.lab.nic_host))

    def test_programs_of_xdp_see_frames_first(self):
        host = self.lab.nic_host
        with self.controlled():
            host.put(bed.program("xdp"), "/tmp/xdp")
            host.run("chmod +x /tmp/xdp")
            for verdict in ("pass", "drop"):
                with self.subTest(verdict):
                    host.run(f"setsid /tmp/xdp {verdict} {topology.NIC} {LIMIT} >/tmp/xdp.said 2>&1 & "
                             "until grep -q . /tmp/xdp.said; do usleep 50000; done")
                    self.assertEqual(host.get("/tmp/xdp.said").decode(), "attached\n")
                    self.lab.wait_for_link()
                    before = self.copied()
                    if verdict == "pass":
                        self.lab.wait_for_ping()
                        self.both_ways()
                    else:
                        self.lab.sender.run(f"! ping -c 5 -i 0.2 -W 1 {topology.NIC_ADDRESS}")
                    self.assertEqual(self.copied(), before)
                    host.run("killall xdp; sleep 1")
                    self.lab.wait_for_link()
                    self.lab.wait_for_ping()
                    self.both_ways()
                    self.assertGreater(self.copied(), before)
            self.assertEqual(engine.unbalanced(engine.counters(host)), [])

    def test_the_nic_s_time_stamps_are_kept(self):
        """QEMU's 82576 stamps messages of PTP; this one keeps a stamp in a register and tells of it in the frame's status."""
        program = stamps.program().read_bytes()
        host, sender = self.lab.nic_host, self.lab.sender
        for machine in (host, sender):
            machine.put(program, "/tmp/stamps")
            machine.run("chmod +x /tmp/stamps")
        for driver in self.drivers():
            with self.served_by(driver):
                host.run(f"rm -f /tmp/read; setsid /tmp/stamps read {topology.NIC} {STAMPS} >/tmp/read 2>&1 & "
                         "until grep -q . /tmp/read; do usleep 50000; done")
                self.lab.wait_for_link()
                sender.run(f"sleep 1; /tmp/stamps send eth0 {2 * STAMPS}")
                ready, *times = host.run("cat /tmp/read").split()
                self.assertEqual((ready, len(times)), ("ready", STAMPS), times)
                # The NIC's clock goes forward, and no message has the stamp of another.
                self.assertEqual(sorted(set(map(int, times))), list(map(int, times)))


class TwoQueues(topology.NativeLab):
    """igb has as many queues as there are processors."""

    cpus = 2


class IgbQueues(unittest.TestCase):
    """Each queue merges separately, and queues come and go under traffic."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(TwoQueues("6.12", with_ours=True, logs=BUILD / "check/boot-igb-queues",
                                                  chip="igb"))
        cls.lab.use_nic_driver(cls.lab.model.ours)

    def tearDown(self):
        self.lab.check()

    def merged(self) -> dict[str, int]:
        """Packets that each queue has merged."""
        return {name: count for name, count in engine.counters(self.lab.nic_host).items()
                if name.endswith("_lro_merged")}

    def stream(self, flows: int) -> None:
        """Send some megabytes over several flows, and wait for their end."""
        self.lab.nic_host.run("setsid iperf -s -p 5004 >/dev/null 2>&1 & sleep 1")
        self.lab.sender.run(f"iperf -c {topology.NIC_ADDRESS} -p 5004 -P {flows} -n 2M", timeout=120)
        self.lab.nic_host.run("killall iperf; true")

    def test_1_each_queue_merges(self):
        self.lab.wait_for_ping()
        before = self.merged()
        self.assertEqual(sorted(before), ["rx0_lro_merged", "rx1_lro_merged"])
        self.stream(16)
        for queue, count in self.merged().items():
            self.assertGreater(count - before[queue], 1000, queue)
        self.assertEqual(engine.unbalanced(engine.counters(self.lab.nic_host)), [])

    def test_2_queues_come_and_go_under_traffic(self):
        host = self.lab.nic_host
        host.run("setsid iperf -s -p 5004 >/dev/null 2>&1 & sleep 1")
        self.lab.sender.run(f"setsid iperf -c {topology.NIC_ADDRESS} -p 5004 -P 4 -t 60 >/dev/null 2>&1 & sleep 2")
        for count in (1, 2, 1, 2):
            host.run(f"ethtool -L {topology.NIC} combined {count}; usleep 700000")
            self.assertEqual(len(self.merged()), count)
        self.lab.sender.run("killall iperf; true")
        host.run("killall iperf; true")
        self.lab.wait_for_link()
        self.lab.wait_for_ping()
        self.lab.send_file(SMALL)
        self.assertEqual(engine.unbalanced(engine.counters(host)), [])


class Bouncing(topology.NativeLab):
    """No buffer of a driver is the NIC's own: what comes is only there after a sync of DMA."""

    arguments = "swiotlb=force"


class Bounced:
    """Where buffers stay mapped, each frame needs its syncs."""

    chip: str

    @classmethod
    def setUpClass(cls):
        logs = BUILD / "check" / f"boot-bounced-{cls.chip}"
        cls.lab = cls.enterClassContext(Bouncing("6.12", with_ours=True, logs=logs, chip=cls.chip))

    def test_frames_are_synced(self):
        lab = self.lab
        lab.use_nic_driver(lab.model.ours)
        lab.wait_for_ping()
        self.assertIn("software IO TLB", lab.nic_host.run("dmesg"))
        lab.send_file(8 << 20)
        lab.send_file(SMALL, outward=True)
        counted = engine.counters(lab.nic_host)
        # A frame that was not synced looks like no segment, and the kernel's function would take it.
        self.assertGreater(engine.copied(counted), 500)
        self.assertEqual(engine.unbalanced(counted), [])

    def tearDown(self):
        self.lab.check()


class E1000eBounced(Bounced, unittest.TestCase):
    chip = "e1000e"


class IgbBounced(Bounced, unittest.TestCase):
    chip = "igb"


class LoadAndTraffic:
    """What each kernel has to do."""

    series: str
    chip: str

    @classmethod
    def setUpClass(cls):
        logs = BUILD / "check" / f"boot-{cls.series}-{cls.chip}"
        cls.lab = cls.enterClassContext(topology.NativeLab(cls.series, with_ours=True, logs=logs, chip=cls.chip))

    def test_load_and_traffic(self):
        lab = self.lab
        for driver in (lab.model.stock, lab.model.ours):
            with self.subTest(driver=driver):
                lab.use_nic_driver(driver)
                lab.wait_for_ping()
                lab.send_file(4 << 20)
                lab.send_file(SMALL, outward=True)
        # The kernel's driver may serve other cards meanwhile.
        lab.nic_host.run(f"modprobe {lab.model.stock}")
        done = lab.transfer(8 << 20)
        self.assertGreater(done.lro_ratio, 3)
        self.assertEqual(engine.unbalanced(engine.counters(lab.nic_host)), [])
        lab.nic_host.run(f"rmmod {lab.model.stock} && rmmod {lab.model.ours}", timeout=60)
        lab.nic_driver = None

    def tearDown(self):
        self.lab.check()


class E1000e61(LoadAndTraffic, unittest.TestCase):
    series, chip = "6.1", "e1000e"


class E1000e73(LoadAndTraffic, unittest.TestCase):
    series, chip = "7.3", "e1000e"


class Igb61(LoadAndTraffic, unittest.TestCase):
    series, chip = "6.1", "igb"


class Igb73(LoadAndTraffic, unittest.TestCase):
    series, chip = "7.3", "igb"
