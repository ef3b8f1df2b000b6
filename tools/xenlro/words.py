# SPDX-License-Identifier: GPL-2.0-only
"""The engine's reasons in words: why an aggregate ended, and why a packet was passed on. Each completes "because"."""

from __future__ import annotations

REASONS = {
    "gro_not_ip": "it is not IP",
    "gro_not_tcp": "it is not TCP",
    "pass_truncated": "its headers are cut off",
    "pass_ip_header": "its IP header makes no sense",
    "pass_ip_options": "it has IP options",
    "pass_fragment": "it is a fragment",
    "pass_length": "its lengths contradict each other",
    "pass_trailer": "bytes follow its IP packet",
    "pass_ip_checksum": "its IP checksum is wrong",
    "pass_tcp_header": "its TCP header makes no sense",
    "pass_syn": "it opens a connection",
    "pass_rst": "it resets a connection",
    "pass_urg": "it carries urgent data",
    "pass_pure_ack": "it only acknowledges",
    "pass_request": "it is a message of one packet",
    "pass_tcp_checksum": "it is damaged",
    "pass_gso": "it came merged already",
    "pass_skb_state": "the kernel has marked it",
    "pass_frag_list": "it is in pieces already",
    "pass_no_memory": "memory is short",
    "drop_no_memory": "memory is short",
    "flush_psh": "the sender ends a message (PSH)",
    "flush_fin": "the connection ends",
    "flush_short": "a shorter packet is the last",
    "flush_full": "no more bytes fit",
    "flush_segs": "max_segs packets are in it",
    "flush_poll": "the poll ends and the flow is not a bulk transfer",
    "flush_hold": "the next packet did not come in time",
    "flush_mode": "the mode was changed",
    "flush_resize": "max_flows was changed",
    "flush_stop": "the device stops",
    "flush_evicted": "there is no room for more flows (max_flows)",
    "flush_pass": "the flow's next packet cannot merge",
    "flush_layout": "the next packet's memory is of another kind",
    "flush_mac": "the MAC addresses differ",
    "flush_vlan": "the VLAN tags differ",
    "flush_tos": "the traffic class or a congestion mark differs",
    "flush_ttl": "the hop limits differ",
    "flush_label": "the flow labels differ",
    "flush_extension": "the extension headers differ",
    "flush_df": "the fragment bits differ",
    "flush_ip_id": "the IP identifications do not count up",
    "flush_seq": "a packet is missing or out of order",
    "flush_ack": "the sender acknowledges new data",
    "flush_flags": "the TCP flags differ",
    "flush_cwr": "the sender has slowed down (CWR)",
    "flush_window": "the sender's window changes",
    "flush_urgent": "the urgent pointers differ",
    "flush_options": "the TCP options differ",
    "flush_timestamp": "the sender's timestamp moves on",
    "flush_longer": "the next packet is longer",
    "flush_no_room": "the next packet does not fit",
}


def reason(name: str) -> str:
    """A reason in words; its name where a newer engine has one that is not known here."""
    return REASONS.get(name, name)


def shares(reasons: list[tuple[str, int]], total: int) -> str:
    """Reasons with their shares of `total`, in words."""
    return ", ".join(f"{reason(name)} ({100 * value // total} %)" for name, value in reasons if total)
