# SPDX-License-Identifier: GPL-2.0-only
"""Short segments through r8169_lro and a route to a port that has scatter-gather, but no TSO.

    rtl8169d, which replays frames == Linux [ r8169_lro -- route -- dummy0 ]

Frames of up to 256 bytes come in heads from kmalloc with 7.3, and in page fragments before. Whatever they come in has to
leave as it came. The machine panics as soon as its kernel warns.
"""

from __future__ import annotations

import struct
import time
import unittest

from lab import configs, topology, vm
from lab.paths import BUILD
from lab.steps import step
from tests.capture import packets

FAR, FAR_MAC = "10.9.0.2", "02:00:00:00:00:99"
SOURCE = "10.0.0.1"
# Bytes of payload of each kind of flight, and how many segments of them; headers take 66.
FLIGHTS = ((24, 8), (24, 40), (1, 30), (190, 20), (700, 20), (1448, 44))
PORT = """modprobe dummy; ip link add dummy0 type dummy; ip addr add 10.9.0.1/24 dev dummy0; ip link set dummy0 up
ip link set dummy0 arp on; echo 1 >/proc/sys/net/ipv4/ip_forward
ethtool -K dummy0 tx-tcp-segmentation off tx-tcp6-segmentation off
"""


def checksum(data: bytes) -> int:
    """The internet checksum."""
    words = struct.unpack(f"!{len(data + bytes(len(data) % 2)) // 2}H", data + bytes(len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(mac: bytes, port: int, number: int, payload: int, seq: int) -> bytes:
    """A segment with all its checksums."""
    data = bytes((seq + i) * 37 >> 3 & 0xff for i in range(payload))
    segment = packets.tcp((SOURCE, port), (FAR, 5001), packets.ACK, seq, 1, 501, options=packets.TIMESTAMPS) + data
    pseudo = packets.address4(SOURCE) + packets.address4(FAR) + struct.pack("!HH", 6, len(segment))
    segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    packet = bytearray(packets.ipv4((SOURCE, port), (FAR, 5001), segment))
    packet[4:8] = struct.pack("!HH", number, 0x4000)
    packet[10:12] = struct.pack("!H", checksum(bytes(packet[:20])))
    return mac + bytes.fromhex("525400000001") + b"\x08\x00" + bytes(packet)


def routed(one: bytes) -> bytes:
    """What leaves of a frame, from its IP header on."""
    packet = bytearray(one[14:])
    packet[8] -= 1
    packet[10:12] = b"\0\0"
    packet[10:12] = struct.pack("!H", checksum(bytes(packet[:20])))
    return bytes(packet)


def completed(packet: bytes) -> bytes:
    """A packet whose TCP checksum was left to dummy0, from its IP header on, as a device would send it."""
    segment = packet[20:]
    pseudo = packet[12:20] + struct.pack("!HH", 6, len(segment))
    if segment[16:18] != struct.pack("!H", ~checksum(pseudo) & 0xffff):
        return packet
    whole = checksum(pseudo + segment[:16] + b"\0\0" + segment[18:])
    return packet[:36] + struct.pack("!H", whole) + packet[38:]


def frames_of(capture: bytes) -> list[bytes]:
    """The frames in a pcap file of this machine's byte order."""
    found, at = [], 24
    while at < len(capture):
        length, = struct.unpack_from("=I", capture, at + 8)
        found.append(capture[at + 16:at + 16 + length])
        at += 16 + length
    return found


class ReplayLab(topology.NativeLab):
    """The machine without a sender: the NIC makes the frames."""

    name = "replay"

    def _boot(self) -> None:
        _, image = self._images
        with step("replay: boot the receiver"):
            self._start_nic()
            self.nic_host = self._start_nic_host("replay", topology.NATIVE_MEMORY, 1, vm.linux_line(image, ""))
            self.receiver = self.nic_host
            self.nic_host.wait(topology.BOOT_LIMIT)


class Replay:
    """Each class below is one kernel."""

    series: str

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(ReplayLab(cls.series, with_ours=True,
                                                  logs=BUILD / "check" / f"replay-{cls.series}"))
        cls.lab.use_nic_driver(configs.OUR_NIC)
        host = cls.lab.nic_host
        host.run(PORT + f"arp -i dummy0 -s {FAR} {FAR_MAC} 2>/dev/null || "
                        f"ip neigh replace {FAR} lladdr {FAR_MAC} dev dummy0 nud permanent")
        cls.mac = bytes.fromhex(host.run(f"cat /sys/class/net/{topology.NIC}/address").strip().replace(":", ""))

    def replay(self, sent: list[bytes]) -> list[bytes]:
        """Send frames; return what left."""
        host, path = self.lab.nic_host, BUILD / "check" / f"replay-{self.series}" / "frames.pcap"
        path.write_bytes(packets.pcap([(0, one) for one in sent]))
        # There is no other user.
        host.run("rm -f /tmp/left.pcap; tcpdump -Z root -i dummy0 -U -w /tmp/left.pcap tcp >/dev/null 2>&1 & "
                 "echo $! >/tmp/tcpdump; until [ -s /tmp/left.pcap ]; do usleep 50000; done")
        self.lab.nic.ctl("replay", file=str(path))
        deadline, left = time.monotonic() + 20, []
        while len(left) < len(sent) and time.monotonic() < deadline:
            time.sleep(0.3)
            self.lab.check()
            left = frames_of(bytes.fromhex(host.run("hexdump -v -e '1/1 \"%02x\"' /tmp/left.pcap")))
        host.run("kill $(cat /tmp/tcpdump)")
        return left

    def test_segments_leave_as_they_came(self):
        for mode in (1, 0):
            self.lab.set_module_parameter(self.lab.nic_host, configs.OUR_NIC, "lro", mode)
            for port, (payload, count) in enumerate(FLIGHTS, 10000 * (mode + 1)):
                sent = [frame(self.mac, port, n, payload, 1000 + n * payload) for n in range(count)]
                with self.subTest(lro=mode, payload=payload, count=count):
                    left = self.replay(sent)
                    self.assertEqual([completed(one[14:]) for one in left], [routed(one) for one in sent])

    def tearDown(self):
        self.lab.check()


class On61(Replay, unittest.TestCase):
    series = "6.1"


class On612(Replay, unittest.TestCase):
    series = "6.12"


class On73(Replay, unittest.TestCase):
    series = "7.3"


if __name__ == "__main__":
    unittest.main()
