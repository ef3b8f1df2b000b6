# SPDX-License-Identifier: GPL-2.0-only
"""Sentences about missing measurements, and how to make them."""

from __future__ import annotations

from .data import Data, Missing

# Field -> the missing measurement, and the command that makes it.
_HOW = {
    "mbps": ("Throughput was", "`make lab` measures it in every configuration"),
    "lro_ratio": ("The LRO ratio was", "`make lab` measures it in every configuration"),
    "insn_per_byte": ("Instructions per byte were",
                      "`make lab` counts them in every configuration, with a plugin of the lab's QEMU"),
    "parts": ("The split of the instructions into hypervisor, kernel, modules and user space was",
              "`make lab` counts each apart, with a plugin of the lab's QEMU"),
    "moved_per_byte": ("Bytes moved by string instructions were",
                       "`make lab` counts them in every configuration, with a plugin of the lab's QEMU"),
    "grant_copies_per_64k": ("Grant copies were",
                             "`make lab` counts them in the driver domain of every configuration with a guest"),
    "window": ("Advertised windows were", "`make lab` takes them from a capture at the sender"),
    "segs_histogram": ("Segments per aggregate were", "`make lab` counts them in every configuration that merges"),
    "latency_us": ("Request/response latency was", "`make lab` measures it with iperf in every configuration"),
    "flows": ("Scaling over flows was", "`make lab SCALING=1` lets 1 to 1024 flows take turns, packet by packet and in bursts"),
    "guests": ("Scaling over guests was", "`make lab SCALING=1` lets 1, 2, 4 and 8 guests receive at once"),
    "profile": ("Symbols were", "`make lab PROFILE=1` attributes the instructions of each domain to them"),
    "machine": ("The machine was", "`make lab` describes it with every run"),
    "ratios": ("The inputs of the ratios were", "`make lab` measures them in native, guest0, guest1, guest2 and "
               "guest12 and their peers gro1, gro2 and gro12"),
    "repeats": ("Spread of instructions over repeats was", "`make lab REPEATS=3` counts them in each repeat"),
}


def missing(data: Data, what: str) -> Missing:
    """One sentence: the field that the results lack, and the command that measures it."""
    subject, how = _HOW[what]
    verb = "described" if what == "machine" else "measured"
    why = data.part("machine", "cycles_absent_because")
    if what == "insn_per_byte" and isinstance(why, str) and why:
        how = why
    return Missing(f"{subject} not {verb}, so {data.source} has no such numbers: {how}.")
