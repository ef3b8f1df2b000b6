# SPDX-License-Identifier: GPL-2.0-only
"""vfio-user protocol, PCI configuration, command line, life and death of the virtual machine."""

import os
import re
import socket
import struct
import subprocess

import frames as fr
from client import CONFIG, DMA_MAP, GET_INFO, GET_IRQ_INFO, GET_REGION_INFO, RESET, SET_IRQS, VERSION, Client, Refused
from harness import Setup


def refused(call, *args) -> int:
    """The errno value with which a call is refused, 0 if it is not."""
    try:
        call(*args)
    except Refused as error:
        return error.args[0]
    return 0


def test_device_description(nic: str) -> None:
    """Regions, interrupts and ids of both chips."""
    for chip, device, bars, msi in (("8169", 0x8169, {0: 256, 1: 256}, 0), ("8168", 0x8168, {0: 256, 2: 4096}, 1)):
        with Setup(nic, chip=chip, start=False) as s:
            assert s.client.call(GET_INFO, bytes(16)) == struct.pack("<IIII", 16, 3, 9, 5)
            for index in range(9):
                reply = s.client.call(GET_REGION_INFO, struct.pack("<IIIIQQ", 32, 0, index, 0, 0, 0))
                size = struct.unpack_from("<Q", reply, 16)[0]
                assert size == (256 if index == CONFIG else bars.get(index, 0)), f"region {index}"
            counts = [struct.unpack_from("<I", s.client.call(GET_IRQ_INFO, struct.pack("<IIII", 16, 0, i, 0)), 12)[0]
                      for i in range(5)]
            assert counts == [1, msi, 0, 0, 0]
            assert s.client.region_read(CONFIG, 0, 4) == struct.pack("<HH", 0x10EC, device)
            at, seen = s.client.region_read(CONFIG, 0x34, 1)[0], []
            while at:
                ident, following = s.client.region_read(CONFIG, at, 2)
                seen.append(ident)
                at = following
            assert seen == ([1, 5, 16] if msi else [1])
            assert s.read(0x40, 4) >> 20 & 0xFCF == (0x3C0 if msi else 0x100), "hardware version"
            s.write(0x40, 4, 0xFFFFFFFF)
            assert s.read(0x40, 4) >> 20 & 0xFCF == (0x3C0 if msi else 0x100), "it is read-only"
            assert s.read(0, 6) == int.from_bytes(fr.STATION, "little")


def test_bars_keep_their_type(nic: str) -> None:
    """Addresses can be written, type bits and size bits cannot."""
    with Setup(nic, start=False) as s:
        s.client.region_write(CONFIG, 0x10, b"\xff" * 8)
        assert s.client.region_read(CONFIG, 0x10, 8) == struct.pack("<II", 0xFFFFFF01, 0xFFFFFF00)
        s.client.region_write(CONFIG, 0, b"\0" * 4)
        assert s.client.region_read(CONFIG, 0, 2) == b"\xec\x10"


def test_refusals(nic: str) -> None:
    """Senseless messages get an error reply, and the connection stays."""
    with Setup(nic) as s:
        c = s.client
        before = s.stats()["vfio_errors"]
        codes = [
            refused(c.call, 99), refused(c.call, DMA_MAP, b"short"), refused(c.call, GET_REGION_INFO, b""),
            refused(c.call, GET_REGION_INFO, struct.pack("<IIIIQQ", 32, 0, 9, 0, 0, 0)),
            refused(c.call, SET_IRQS, struct.pack("<IIIII", 20, 0x24, 7, 0, 1)),
            refused(c.call, SET_IRQS, struct.pack("<IIIII", 20, 0x24, 0, 1, 1)),
            refused(c.region_read, 1, 255, 2), refused(c.region_read, 1, 1 << 63, 4), refused(c.region_read, 5, 0, 1),
            refused(c.region_read, 1, 0, 0), refused(c.region_read, CONFIG, 0, 0xFFFFFFFF),
            refused(c.map, c.base, 4096, c.fd), refused(c.map, 1 << 40, 0, c.fd), refused(c.map, 1 << 40, 4096, c.fd, 5),
            refused(c.map, (1 << 64) - 4096, 8192, c.fd), refused(c.map, 1 << 40, 1 << 30, c.fd),
        ]
        assert all(codes), codes
        assert s.stats()["vfio_errors"] - before == len(codes)
        assert s.read(0x40, 4)


def test_version_comes_first(nic: str) -> None:
    """No command works before the exchange of versions, and only version 0 is accepted."""
    with Setup(nic, attach=False, wire=False) as s:
        s.client = Client(s.path + "/vfio")
        assert refused(s.client.call, GET_INFO, bytes(16))
        assert refused(s.client.call, VERSION, struct.pack("<HH", 1, 0))
        s.client.attach()


def test_broken_framing_ends_with_a_sentence(nic: str) -> None:
    """Impossible message sizes close the connection; with --once the process ends with 1."""
    for size in (0, 15, 1 << 20, 0xFFFFFFFF):
        with Setup(nic, "--once", start=False, wire=False) as s:
            s.client.raw(struct.pack("<HHIII", 1, 9, size, 0, 0))
            assert s.process.wait(5) == 1
            assert re.search(r"^rtl8169d: .*connection closed$", s.stderr(), re.M), s.stderr()


def test_death_of_the_virtual_machine(nic: str) -> None:
    """With --once exit code 0 and no files left; without it the next virtual machine finds a fresh NIC."""
    with Setup(nic, "--once") as s:
        s.client.close()
        s.client = None
        assert s.process.wait(5) == 0
        assert sorted(os.listdir(s.path)) == ["stderr"], os.listdir(s.path)
    with Setup(nic) as s:
        s.write(0x3C, 2, 0x1234)
        s.client.close()
        s.until(lambda: s.ask("info")["vm"] == "down", "disconnect")
        s.attach()
        assert s.read(0x3C, 2) == 0 and s.read(0x37, 1) == 0
        s.start()
        s.send(fr.tcp_frame(80))
        assert s.take()[2] == fr.tcp_frame(80)


def test_vanishing_memory(nic: str) -> None:
    """A client that shrinks the file it shares ends the process with a sentence, not with a crash."""
    with Setup(nic) as s:
        os.ftruncate(s.client.fd, 0)
        s.send(fr.tcp_frame(80))
        assert s.process.wait(5) == 1
        assert "guest memory is gone" in s.stderr()


def test_device_reset(nic: str) -> None:
    """DEVICE_RESET gives power-on values and keeps guest memory."""
    with Setup(nic) as s:
        s.client.call(RESET)
        assert s.client.region_read(CONFIG, 4, 2) == b"\0\0" and s.read(0x37, 1) == 0
        s.start()
        s.transmit(fr.tcp_frame(80))
        assert s.receive() == fr.tcp_frame(80)


def test_intx(nic: str) -> None:
    """Level-triggered with automask: one signal per level, a new one only for a level that outlives its unmask."""
    with Setup(nic) as s:
        s.client.unmask()
        s.client.interrupts(0)
        s.send(fr.tcp_frame(80))
        s.until(lambda: s.client.interrupts(0) == 1, "interrupt")
        s.send(fr.tcp_frame(80))
        s.until_count("rx_frames", 2)
        assert s.client.interrupts(0) == 0, "masked until unmasked"
        s.write(0x3C, 2, 0)
        s.write(0x3E, 2, 0xFFFF)
        s.client.unmask()
        s.until_count("intx_unmasks", 2)
        assert s.client.interrupts(0) == 0, "the level has dropped"
        s.write(0x3C, 2, 0xFF)
        s.send(fr.tcp_frame(80))
        s.until(lambda: s.client.interrupts(0) == 1, "interrupt")
        s.client.unmask()
        s.until(lambda: s.client.interrupts(0) == 1, "interrupt of a level that stayed")


def test_msi(nic: str) -> None:
    """Edge-triggered: one signal when status and mask meet."""
    with Setup(nic, chip="8168") as s:
        s.client.interrupts(1)
        s.send(fr.tcp_frame(80), fr.tcp_frame(80))
        s.until(lambda: s.client.interrupts(1) == 1, "interrupt")
        s.write(0x3C, 2, 0)
        s.write(0x3E, 2, 0xFFFF)
        s.send(fr.tcp_frame(80))
        s.until_count("rx_frames", 3)
        assert s.client.interrupts(1) == 0
        s.write(0x3C, 2, 0xFF)
        assert s.client.interrupts(1) == 1, "unmasking a pending status signals"


def test_interrupt_moderation(nic: str) -> None:
    """IntrMitigate holds receive interrupts for its time or number of frames; transmits wait for their delay."""
    with Setup(nic, "--tx-irq-delay", "50000", ring=64, chip="8168") as s:
        s.write(0xE0, 2, 0x23)
        s.write(0xE2, 2, 0x00F2)
        held = 0
        # The longest programmable time is 2.4 ms: a busy machine may need several attempts to read within it.
        for attempt in range(50):
            s.write(0x3E, 2, 0xFFFF)
            s.send(*(fr.tcp_frame(80) for _ in range(7)))
            s.until_count("rx_frames", 8 * attempt + 7)
            held += not s.read(0x3E, 2) & 1
            s.send(fr.tcp_frame(80))
            s.until_count("rx_frames", 8 * attempt + 8)
            assert s.read(0x3E, 2) & 1, "the eighth reports them"
            for _ in range(8):
                s.take()
        assert held, "7 frames wait"
        s.write(0x3E, 2, 0xFFFF)
        s.send(fr.tcp_frame(80))
        s.until(lambda: s.read(0x3E, 2) & 1, "receive interrupt by time")
        s.write(0x3E, 2, 0xFFFF)
        s.write(0xE2, 2, 0)
        s.transmit(fr.tcp_frame(80))
        s.receive()
        assert not s.read(0x3E, 2) & 4, "the transmit interrupt waits"
        s.until(lambda: s.read(0x3E, 2) & 4, "transmit interrupt")
        s.write(0x3E, 2, 0xFFFF)
        s.transmit(fr.tcp_frame(80))
        s.receive()
        s.send(fr.tcp_frame(80))
        s.until_count("rx_frames", 402)
        assert s.read(0x3E, 2) & 5 == 5, "it rides on a receive interrupt"


def test_receive_interrupt_gap(nic: str) -> None:
    """--rx-irq-gap: the first frame interrupts at once, the next not before the gap is over."""
    with Setup(nic, "--rx-irq-gap", "300000") as s:
        s.send(fr.tcp_frame(80))
        s.until(lambda: s.read(0x3E, 2) & 1, "interrupt", 0.2)
        s.write(0x3E, 2, 0xFFFF)
        s.send(fr.tcp_frame(80))
        s.until_count("rx_frames", 2)
        assert not s.read(0x3E, 2) & 1, "too early"
        s.until(lambda: s.read(0x3E, 2) & 1, "interrupt")


def test_command_line(nic: str) -> None:
    """Wrong command lines get one sentence and exit code 2; --help and --version work."""
    for args in ([], ["--vfio"], ["--wrong"], ["--vfio", "x", "--chip", "8139"], ["--vfio", "x", "--mac", "01:00:00:00:00:00"],
                 ["--vfio", "x", "--rate", "fast"], ["--vfio", "x", "--pause", "maybe"], ["--vfio", "x", "stray"],
                 ["--vfio", "x", "--wire-listen"]):
        done = subprocess.run([nic, *args], capture_output=True, text=True, timeout=5, check=False)
        assert done.returncode == 2 and done.stderr.startswith("rtl8169d: ") and done.stderr.count("\n") == 1, (args, done)
    assert "--vfio PATH" in subprocess.run([nic, "--help"], capture_output=True, text=True, timeout=5, check=True).stdout
    subprocess.run([nic, "--version"], capture_output=True, timeout=5, check=True)


def test_sockets_in_use_and_stale(nic: str) -> None:
    """A live socket is left alone, a stale one replaced, an impossible one refused with a sentence."""
    with Setup(nic, attach=False, wire=False) as s:
        done = subprocess.run([nic, "--vfio", s.path + "/vfio"], capture_output=True, text=True, timeout=5, check=False)
        assert done.returncode == 1 and "in use" in done.stderr
        stale = s.path + "/stale"
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(stale)
        process = subprocess.Popen([nic, "--vfio", stale], stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"rtl8169d: ready\n"
        process.terminate()
        assert process.wait(5) == 0
        process.stdout.close()
        for args in (["--vfio", "/nonexistent/x"], ["--vfio", "y" * 200], ["--vfio", s.path + "/n", "--wire", "wrong"]):
            done = subprocess.run([nic, *args], capture_output=True, text=True, timeout=5, check=False)
            assert done.returncode == 1 and done.stderr.startswith("rtl8169d: "), (args, done)
