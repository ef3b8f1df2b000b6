/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a packet was not merged and why an aggregate ended. Each reason is a
 * counter, and its name is part of the name that ethtool shows.
 */
#ifndef _XENLRO_REASONS_H
#define _XENLRO_REASONS_H

/* Packets that are none of the engine's business: GRO gets them. */
#define LRO_FOREIGN_REASONS(R)				\
	R(GRO_NOT_IP, "gro_not_ip")			\
	R(GRO_NOT_TCP, "gro_not_tcp")

/* TCP packets that are delivered untouched, after what their flow holds. */
#define LRO_PASS_REASONS(R)				\
	R(PASS_TRUNCATED, "pass_truncated")		\
	R(PASS_IP_HEADER, "pass_ip_header")		\
	R(PASS_IP_OPTIONS, "pass_ip_options")		\
	R(PASS_FRAGMENT, "pass_fragment")		\
	R(PASS_LENGTH, "pass_length")			\
	R(PASS_TRAILER, "pass_trailer")			\
	R(PASS_IP_CHECKSUM, "pass_ip_checksum")		\
	R(PASS_TCP_HEADER, "pass_tcp_header")		\
	R(PASS_SYN, "pass_syn")				\
	R(PASS_RST, "pass_rst")				\
	R(PASS_URG, "pass_urg")				\
	R(PASS_PURE_ACK, "pass_pure_ack")		\
	R(PASS_REQUEST, "pass_request")			\
	R(PASS_TCP_CHECKSUM, "pass_tcp_checksum")	\
	R(PASS_GSO, "pass_gso")				\
	R(PASS_SKB_STATE, "pass_skb_state")		\
	R(PASS_FRAG_LIST, "pass_frag_list")		\
	R(PASS_NO_MEMORY, "pass_no_memory")

/* Packets that are lost, because there is no other way. */
#define LRO_DROP_REASONS(R)				\
	R(DROP_NO_MEMORY, "drop_no_memory")

/* Aggregates that ended for their own sake or the poll's. */
#define LRO_END_REASONS(R)				\
	R(FLUSH_PSH, "flush_psh")			\
	R(FLUSH_FIN, "flush_fin")			\
	R(FLUSH_SHORT, "flush_short")			\
	R(FLUSH_FULL, "flush_full")			\
	R(FLUSH_SEGS, "flush_segs")			\
	R(FLUSH_POLL, "flush_poll")			\
	R(FLUSH_HOLD, "flush_hold")			\
	R(FLUSH_MODE, "flush_mode")			\
	R(FLUSH_RESIZE, "flush_resize")			\
	R(FLUSH_STOP, "flush_stop")			\
	R(FLUSH_EVICTED, "flush_evicted")		\
	R(FLUSH_PASS, "flush_pass")			\
	R(FLUSH_LAYOUT, "flush_layout")

/* Aggregates that ended because the flow's next packet does not continue them. */
#define LRO_MISMATCH_REASONS(R)				\
	R(FLUSH_MAC, "flush_mac")			\
	R(FLUSH_VLAN, "flush_vlan")			\
	R(FLUSH_TOS, "flush_tos")			\
	R(FLUSH_TTL, "flush_ttl")			\
	R(FLUSH_LABEL, "flush_label")			\
	R(FLUSH_EXTENSION, "flush_extension")		\
	R(FLUSH_DF, "flush_df")				\
	R(FLUSH_IP_ID, "flush_ip_id")			\
	R(FLUSH_SEQ, "flush_seq")			\
	R(FLUSH_ACK, "flush_ack")			\
	R(FLUSH_FLAGS, "flush_flags")			\
	R(FLUSH_CWR, "flush_cwr")			\
	R(FLUSH_WINDOW, "flush_window")			\
	R(FLUSH_URGENT, "flush_urgent")			\
	R(FLUSH_OPTIONS, "flush_options")		\
	R(FLUSH_TIMESTAMP, "flush_timestamp")		\
	R(FLUSH_LONGER, "flush_longer")			\
	R(FLUSH_NO_ROOM, "flush_no_room")

#define LRO_REASONS(R)					\
	LRO_FOREIGN_REASONS(R)				\
	LRO_PASS_REASONS(R)				\
	LRO_DROP_REASONS(R)				\
	LRO_END_REASONS(R)				\
	LRO_MISMATCH_REASONS(R)

#define LRO_REASON_ENUM(id, name) LRO_##id,

/**
 * enum lro_reason - outcome of looking at a packet or an aggregate
 * @LRO_CONTINUE: nothing stands in the way; not counted
 * @LRO_REASON_COUNT: number of values, %LRO_CONTINUE included
 */
enum lro_reason {
	LRO_CONTINUE = 0,
	LRO_REASONS(LRO_REASON_ENUM)
	LRO_REASON_COUNT
};

#endif /* _XENLRO_REASONS_H */
