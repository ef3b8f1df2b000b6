# SPDX-License-Identifier: GPL-2.0-only
"""Control socket, link, hardware statistics, capture and replay, wire peers."""

import os
import re
import socket
import struct
import time

import frames as fr
from harness import DUMP, Setup, balance, read_pcap, write_pcap

README = os.path.join(os.path.dirname(__file__), "../../lab/rtl8169d/README.md")


def test_counters_are_documented(nic: str) -> None:
    """Every counter has a line in the README."""
    with open(README, encoding="utf-8") as file:
        documented = set(re.findall(r"`(\w+)`", file.read()))
    with Setup(nic, attach=False, wire=False) as s:
        missing = set(s.stats()) - documented
        assert not missing, missing


def test_commands(nic: str) -> None:
    """Answers, errors in one sentence, counters that start again."""
    with Setup(nic) as s:
        info = s.ask("info")
        assert info["chip"] == "8169" and info["mac"] == "52:54:00:81:69:01" and info["link"] == "up"
        assert info["pause"] == "on" and info["rate_mbit"] == 0 and info["wire"] == "up" and info["vm"] == "up"
        for line in (b"", b"{", b"[]", b'{"cmd":"nothing"}', b'{"cmd":"link"}', b'{"cmd":"link","state":"sideways"}',
                     b'{"cmd":"rate","mbit":-1}', b'{"cmd":"replay","file":"/nonexistent"}', b'{"cmd":1}', b'{"cmd":"stats"}x',
                     b'{"cmd":"pcap","action":"start","file":"/nonexistent/x"}', b'{"cmd":"replay","file":"/dev/null"}'):
            s.control.sendall(line + b"\n")
            answer = s.answers.readline()
            assert '"ok":false' in answer and '"error":"' in answer, (line, answer)
        s.send(fr.tcp_frame(100))
        s.take()
        assert s.ask("stats", reset=True)["stats"]["rx_frames"] == 1 and s.stats()["rx_frames"] == 0


def test_one_identification(nic: str) -> None:
    """Datagrams with DF get identification 0 and a right checksum; all else stays as it is."""
    tcp, dont = fr.tcp(b"x" * 100), 0x4000
    with Setup(nic) as s:
        packets = [fr.ipv4(tcp, fr.TCP, ident, dont) for ident in (0, 1, 7, 0xFFFF)]
        others = [fr.ipv4(tcp, fr.TCP, 7), fr.ipv4(tcp, fr.TCP, 7, dont | 0x2000)]
        s.ask("identification", state="cleared")
        s.send(*(fr.ether(packet) for packet in packets + others))
        taken = [s.take()[2] for _ in packets + others]
        cleared = fr.ether(fr.ipv4(tcp, fr.TCP, 0, dont))
        assert taken[:4] == [cleared] * 4, taken
        assert taken[4:] == [fr.ether(packet) for packet in others], taken
        s.ask("identification", state="kept")
        s.send(fr.ether(packets[2]))
        assert s.take()[2] == fr.ether(packets[2])


def test_long_line_closes_only_that_client(nic: str) -> None:
    """A client that never ends its line is disconnected; others are served."""
    with Setup(nic, attach=False, wire=False) as s:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(5)
            sock.connect(s.path + "/ctl")
            sock.sendall(b"x" * 4096)
            assert sock.recv(1) == b""
        assert s.ask("info")["ok"]


def test_quit(nic: str) -> None:
    """quit answers first, then ends with 0."""
    with Setup(nic) as s:
        assert s.ask("quit") == {"ok": True}
        assert s.process.wait(5) == 0


def test_link(nic: str) -> None:
    """Cable out and in: status register, MII registers with latched loss, link change interrupt."""
    with Setup(nic) as s:
        assert s.read(0x6C, 1) & 0x13 == 0x13
        s.mii(1)
        assert s.mii(1) & 0x24 == 0x24 and s.mii(2) == 0x001C
        s.write(0x3E, 2, 0xFFFF)
        s.ask("link", state="down")
        assert s.read(0x6C, 1) == 0 and s.read(0x3E, 2) & 0x20
        s.ask("link", state="up")
        s.until(lambda: s.ask("info")["link"] == "up", "link")
        assert not s.mii(1) & 4 and s.mii(1) & 4, "the loss shows once"
        s.mii_write(0, 0x0800)
        assert s.read(0x6C, 1) == 0, "power down"
        s.mii_write(0, 0x2100)
        s.until(lambda: s.read(0x6C, 1) == 0x0B, "100 Mbit/s, full duplex, forced")


def test_hardware_statistics(nic: str) -> None:
    """The counter dump in guest memory, and its reset."""
    with Setup(nic, "--pause", "off", ring=4) as s:
        s.send(fr.tcp_frame(100), fr.tcp_frame(100, dst=fr.BROADCAST), fr.tcp_frame(100, dst=b"\x01" + bytes(5)),
               *(fr.tcp_frame(100) for _ in range(5)))
        s.until_count("wire_rx_frames", 8)
        s.transmit(fr.tcp_frame(100))
        s.transmit(b"short")
        s.until_count("tx_errors", 1)
        address = s.client.base + DUMP
        for command in (8, 1, 8):
            s.write(0x14, 4, 0)
            s.write(0x10, 4, address)
            s.write(0x10, 4, address | command)
            assert s.read(0x10, 4) & 9 == 0, "the command is done"
            if command == 8:
                dump = struct.unpack("<QQQIHHIIQQIHH", s.get(DUMP, 64))
                want = (1, 4, 1, 0, 4, 0, 0, 0, 2, 1, 1, 0, 0) if any(dump) else (0,) * 13
                assert dump == want, dump
        assert not any(s.get(DUMP, 64)) and s.stats()["counter_dumps"] == 2
        s.write(0x14, 4, 0xFF)
        s.write(0x10, 4, address | 8)
        assert s.stats()["dma_faults"] == 1


def test_capture(nic: str) -> None:
    """Both directions, and one; everything is in the file when stop answers."""
    with Setup(nic) as s:
        for direction, want in (("both", 3), ("rx", 2), ("tx", 1)):
            name = f"{s.path}/{direction}.pcap"
            assert s.ask("pcap", action="start", file=name, dir=direction)["ok"]
            assert not s.ask("pcap", action="start", file=name)["ok"], "one at a time"
            s.send(fr.tcp_frame(100), fr.tcp_frame(1514))
            s.take()
            s.take()
            s.transmit(fr.tcp_frame(777))
            s.receive()
            assert s.ask("pcap", action="stop")["ok"]
            got = read_pcap(name)
            both = [fr.tcp_frame(100), fr.tcp_frame(1514), fr.tcp_frame(777)]
            assert got == {"both": both, "rx": both[:2], "tx": both[2:]}[direction] and len(got) == want


def test_capture_of_headers(nic: str) -> None:
    """A frame is cut to the bytes asked for; its record keeps the true length."""
    with Setup(nic) as s:
        name = f"{s.path}/short.pcap"
        assert not s.ask("pcap", action="start", file=name, snaplen=0)["ok"]
        assert s.ask("pcap", action="start", file=name, snaplen=100)["ok"]
        s.send(fr.tcp_frame(80), fr.tcp_frame(1514))
        s.take()
        s.take()
        assert s.ask("pcap", action="stop")["ok"]
        assert read_pcap(name) == [fr.tcp_frame(80), fr.tcp_frame(1514)[:100]]
        with open(name, "rb") as file:
            raw = file.read()
        assert struct.unpack_from("<I", raw, 16) == (100,)
        assert struct.unpack_from("<II", raw, 24 + 16 + 80 + 8) == (100, 1514)


def test_capture_from_the_start(nic: str) -> None:
    """--pcap FILE, complete after SIGTERM."""
    with Setup(nic, attach=False, wire=False) as other:
        name = other.path + "/start.pcap"
        with Setup(nic, "--pcap", name) as s:
            s.send(fr.tcp_frame(100))
            s.take()
        assert read_pcap(name) == [fr.tcp_frame(100)]


def test_replay(nic: str) -> None:
    """A replayed capture arrives frame by frame, through back-pressure; with its gaps on request."""
    with Setup(nic, ring=8) as s:
        sent = [fr.tcp_frame(60 + i) for i in range(500)]
        write_pcap(s.path + "/in.pcap", sent, nanoseconds=True)
        assert s.ask("replay", file=s.path + "/in.pcap")["ok"]
        assert not s.ask("replay", file=s.path + "/in.pcap")["ok"], "one at a time"
        for frame in sent:
            assert s.take()[2] == frame
        s.until(lambda: not s.ask("info")["replaying"], "end of replay")
        stats = s.stats()
        assert stats["rx_replayed"] == 500 and stats["wire_rx_frames"] == 0 and balance(stats)
        write_pcap(s.path + "/slow.pcap", sent[:1] * 8)
        with open(s.path + "/slow.pcap", "r+b") as file:
            file.seek(24 + 7 * (16 + 60) + 4)
            file.write(struct.pack("<I", 200000))
        begin = time.monotonic()
        s.ask("replay", file=s.path + "/slow.pcap", timed=True)
        for _ in range(8):
            s.take()
        assert time.monotonic() - begin >= 0.19


def test_replay_refuses_other_files(nic: str) -> None:
    """Text, empty and cut files."""
    with Setup(nic) as s:
        with open(s.path + "/text", "wb") as file:
            file.write(b"this is not a capture file at all\n")
        answer = s.ask("replay", file=s.path + "/text")
        assert not answer["ok"] and "pcap" in answer["error"]
        write_pcap(s.path + "/cut.pcap", [fr.tcp_frame(100)] * 3)
        os.truncate(s.path + "/cut.pcap", 300)
        s.ask("replay", file=s.path + "/cut.pcap")
        s.until(lambda: not s.ask("info")["replaying"], "end of replay")
        assert s.stats()["rx_replayed"] == 2


def test_peer_comes_and_goes(nic: str) -> None:
    """Half a frame left by one peer does not disturb the next; broken framing is told."""
    with Setup(nic) as s:
        s.wire.sendall(struct.pack("!I", 1000) + b"half")
        s.wire.close()
        s.until(lambda: s.ask("info")["wire"] == "down", "wire down")
        s.plug()
        s.send(fr.tcp_frame(100))
        assert s.take()[2] == fr.tcp_frame(100)
        s.wire.sendall(struct.pack("!I", 1 << 30))
        s.until_count("wire_errors", 1)
        assert "wire peer sent a frame" in s.stderr()
        s.plug()
        s.send(fr.tcp_frame(101))
        assert s.take()[2] == fr.tcp_frame(101)


def test_two_nics_on_one_wire(nic: str) -> None:
    """One listens, one connects, before and after the other exists; TCP too."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for kind in ("unix", "tcp"):
        with Setup(nic, attach=False, wire=False) as keeper:
            address = f"unix:{keeper.path}/cable" if kind == "unix" else f"tcp:127.0.0.1:{port}"
            with Setup(nic, "--wire", address, wire=False) as late:
                with Setup(nic, "--wire", address, "--wire-listen", wire=False) as a:
                    late.until(lambda: late.ask("info")["wire"] == "up", "connection")
                    a.until(lambda: a.ask("info")["wire"] == "up", "connection")
                    a.transmit(fr.tcp_frame(1514))
                    assert late.take()[2] == fr.tcp_frame(1514)
                    late.transmit(fr.tcp_frame(99))
                    assert a.take()[2] == fr.tcp_frame(99)
                late.until(lambda: late.ask("info")["wire"] == "down", "disconnect")
