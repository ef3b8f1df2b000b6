# SPDX-License-Identifier: GPL-2.0-only
"""The report in one paragraph: the key ratios, in words."""

from __future__ import annotations

from .. import ratios
from .words import listed

# Ratio, and how it is spoken of.
_COSTS = (("P1", "r8169_lro in the driver domain (P1)"), ("P2", "netfront_lro in the guest (P2)"),
          ("P3", "both together (P3)"))


def sentences(found: dict) -> str:
    """What the ratios say; empty when there are none."""
    value = {name: number for name, given in found.items() if (number := ratios.number(given)) is not None}
    said = []
    if costs := [f"{value[name]:.2f} times for {who}" for name, who in _COSTS if name in value]:
        said.append(f"Instructions per byte of payload beside the kernel's own drivers with GRO: {listed(costs)}.")
    if "P4" in value:
        said.append(f"In {found.get('P4_config', 'the best configuration')} the busier of the two domains could receive "
                    f"{value['P4']:.2f} times as much as Linux without Xen and without merging can (P4)"
                    + (f"; measured were {value['P4_mbps']:.2f} times as many Mbit/s." if "P4_mbps" in value else "."))
    if "P5" in value:
        said.append(f"Netback asks for {value['P5']:.1f} grant copies per 64 KiB in guest1 (P5).")
    many = found.get("P6") or {}
    if ratios.number(many.get("1")) and ratios.number(many.get("1000")):
        said.append(f"A packet holds {many['1']:.1f} segments with one flow and {many['1000']:.1f} with a thousand "
                    "interleaved (P6).")
    if "P8" in value:
        said.append(f"The 99th percentile of request and response is {value['P8']:.2f} times what it is with merging "
                    "off (P8).")
    return " ".join(said)
