# SPDX-License-Identifier: GPL-2.0-only
"""The report in one paragraph: the key ratios, in words."""

from __future__ import annotations

from .. import ratios
from .words import listed

# Ratio, and its words.
_COSTS = (("driver_cost", "{driver} in the driver domain"), ("guest_cost", "netfront_lro in the guest"),
          ("both_cost", "{all} together"))


def sentences(found: dict, domains: int = 2, driver: str = "r8169_lro") -> str:
    """The ratios in words, for a number of domains and a driver of the NIC; empty when there are none."""
    value = {name: number for name, given in found.items() if (number := ratios.number(given)) is not None}
    said = []
    together = "both" if domains == 2 else "all domains"
    if costs := [f"{value[name]:.2f} times for {who.format(all=together, driver=driver)}" for name, who in _COSTS if name in value]:
        said.append(f"Instructions per byte of payload beside the kernel's own drivers with GRO: {listed(costs)}.")
    if "capacity" in value:
        busiest = "the busier of the two domains" if domains == 2 else "the busiest domain"
        beside = f"; measured were {value['throughput']:.2f} times as many Mbit/s." if "throughput" in value else "."
        said.append(f"In {found.get('capacity_config', 'the best configuration')} {busiest} could "
                    f"receive {value['capacity']:.2f} times as much as Linux without Xen and without merging can"
                    f"{beside}")
    if "grant_copies" in value:
        said.append(f"Netback asks for {value['grant_copies']:.1f} grant copies per 64 KiB in guest1.")
    many = found.get("lro_ratio") or {}
    if ratios.number(many.get("1")) and ratios.number(many.get("1000")):
        said.append(f"A packet holds {many['1']:.1f} segments with one flow and {many['1000']:.1f} with a thousand "
                    "interleaved.")
    if "latency_p99" in value:
        said.append(f"The 99th percentile of request and response is {value['latency_p99']:.2f} times what it is with "
                    "merging off.")
    return " ".join(said)
