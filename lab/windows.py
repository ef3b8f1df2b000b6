# SPDX-License-Identifier: GPL-2.0-only
"""The advertised window of each run over time, from a capture at the sender's end of the wire.

The NIC process writes the capture: on the lab's wire it sees the same headers as tcpdump on the sender, at no cost for
the sender and the measured machines. The evaluation is kept, in one file for each run:

    {"unit_ms": 1, "bytes": [null, 65160.0, …], "mean": …, "acks_per_mb": …, "retransmitted_packets": …,
     "longest_silence_ms": …, "silence_ended_by": "sender" or "receiver"}

`bytes` is the mean window of each millisecond since the connection's first packet, null where no packet carried one;
`mean` is the mean of these; the rest is for the whole connection. A silence is the time between two packets, of either side.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

from . import capture, steps, traffic
from .paths import BUILD
from .vm import Nic

FOLDER = BUILD / "lab" / "windows"
# Ethernet, IPv4 and TCP with all options that fit.
HEADERS = 14 + 20 + 60
_FIELDS = ("mean", "acks_per_mb", "retransmitted_packets", "longest_silence_ms", "silence_ended_by")


class Recorder:
    """Captures one transfer; a context manager around its traffic.

    The file of packets is replaced by each following transfer.
    """

    def __init__(self, nic: Nic, packets: Path) -> None:
        self._nic = nic
        self._packets = packets

    def __enter__(self) -> Recorder:
        self._packets.parent.mkdir(parents=True, exist_ok=True)
        self._nic.ctl("pcap", action="start", file=str(self._packets), snaplen=HEADERS)
        return self

    def __exit__(self, *_: object) -> None:
        self._nic.ctl("pcap", action="stop")

    def read(self, count: int) -> dict:
        """Contents of the file of a run of `count` bytes; CaptureError when the capture lacks them."""
        return extract(self._packets, count)


def extract(packets: Path, count: int) -> dict:
    """Windows and acknowledgements of the capture's iperf connection of `count` bytes, as in the file of a run."""
    flow = capture.main_flow(packets, traffic.IPERF_PORT)
    if flow.payload_bytes != count:
        raise capture.CaptureError(f"the capture {packets} holds {flow.payload_bytes} of {count} bytes of payload: is "
                                   "the disk full?")
    means = dict(flow.window_per_ms())
    return {"unit_ms": 1, "bytes": [round(means[at]) if at in means else None for at in range(max(means) + 1)],
            "mean": round(fmean(means.values())), "acks_per_mb": round(flow.acks_per_mb(), 2),
            "retransmitted_packets": flow.retransmitted_packets,
            "longest_silence_ms": round(flow.silence_ns / 1e6, 1), "silence_ended_by": flow.silence_ended_by}


def save(found: dict, config: str, repeat: int, folder: Path = FOLDER) -> dict:
    """Write the file of a run; return the run's `window`: the file's path, and all but the curve."""
    path = folder / f"{config}-{repeat + 1}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found) + "\n")
    return {"unit_ms": found["unit_ms"], "file": f"{folder.name}/{path.name}",
            **{name: found[name] for name in _FIELDS}}


def curve(window: object, folder: Path) -> list | None:
    """The `bytes` of a run's window: its own, or those of its file, which is named from `folder`; None without."""
    if not isinstance(window, dict):
        return None
    if "bytes" in window:
        return window["bytes"] if isinstance(window["bytes"], list) else None
    path = folder / str(window.get("file"))
    try:
        found = json.loads(path.read_text())["bytes"]
    except (OSError, ValueError, KeyError, TypeError):
        raise steps.LabError(f"{path}, which holds the advertised windows of a run, is gone or damaged: "
                             "run `make lab` again") from None
    return found if isinstance(found, list) else None
