# SPDX-License-Identifier: GPL-2.0-only
"""What to say where something was not measured, and how to measure it."""

from __future__ import annotations

from .data import Data, Missing

_LAB = "`make lab` measures it for every configuration that it runs"
# Field -> what it is, how to have it measured.
_HOW = {
    "insn_per_byte": ("Instructions per byte were", f"{_LAB}, with the instruction plugin of its QEMU"),
    "moved_per_byte": ("Bytes moved by string instructions were", f"{_LAB}, with the instruction plugin of its QEMU"),
    "grant_copies_per_64k": ("Grant copies were", f"{_LAB} into a guest, with the counter module in the driver domain"),
    "window": ("Advertised windows were", f"{_LAB}, from a capture at the sender"),
    "segs_histogram": ("Segments per aggregate were", f"{_LAB} that merges packets"),
    "latency_us": ("Request/response latency was", f"{_LAB}, with iperf's bounce-back test"),
    "flows": ("Scaling over flows was", "`make lab SCALING=1` interleaves 1 to 1024 flows packet by packet"),
    "guests": ("Scaling over guests was", "`make lab SCALING=1` lets 1, 2, 4 and 8 guests receive at once"),
    "profile": ("Symbols were", "`make lab PROFILE=1` attributes the instructions of each domain to them"),
    "machine": ("The machine was", "`make lab` describes it with every run"),
    "ratios": ("The ratios were", "`make lab` with guest1, guest2, guest12 and their GRO peers yields them"),
    "repeats": ("Spread over repeats was", "`make lab REPEATS=3` counts the instructions of each repeat"),
}


def missing(data: Data, what: str) -> Missing:
    """One sentence: what is not in the results, and what measures it."""
    subject, how = _HOW[what]
    verb = "described" if what == "machine" else "measured"
    return Missing(f"{subject} not {verb} ({data.source} has none): {how}.")
