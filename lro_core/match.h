/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules: which packets may be merged, and whether a packet continues an
 * aggregate. Bytes in, verdict and reason out; nothing of the kernel is used
 * but its integer types, so that the same code runs in user space under test.
 */
#ifndef _XENLRO_MATCH_H
#define _XENLRO_MATCH_H

#include <linux/types.h>

#include "bytes.h"
#include "reasons.h"

#define LRO_MAC_LEN	14u	/* Ethernet header without a tag */
#define LRO_IP_OFF	LRO_MAC_LEN
#define LRO_IPV4_LEN	20u	/* IPv4 header without options */
#define LRO_IPV6_LEN	40u	/* IPv6 header without extension headers */
#define LRO_TCP_LEN	20u	/* TCP header without options */
#define LRO_TS_LEN	12u	/* NOP NOP timestamp */
#define LRO_PROTO_TCP	6	/* of IP */

/* Byte offsets: in the frame, and in the TCP header. */
#define LRO_V4_ID	(LRO_IP_OFF + 4)
#define LRO_V4_PROTO	(LRO_IP_OFF + 9)
#define LRO_V4_CHECK	(LRO_IP_OFF + 10)
#define LRO_V4_ADDR	(LRO_IP_OFF + 12)
#define LRO_V4_TCP	(LRO_IP_OFF + LRO_IPV4_LEN)
#define LRO_V6_TCP	(LRO_IP_OFF + LRO_IPV6_LEN)
#define LRO_TCP_SEQ	4u
#define LRO_TCP_CHECK	16u

/*
 * Segmentation writes a checksum as ~sum, which is never ffff: a packet that
 * carries the other representation of zero would not come back as it was.
 */
#define LRO_CHECK_OTHER_ZERO 0xffff

/*
 * Ethernet pads shorter frames to this length, bytes without FCS. What follows the IP packet
 * of a longer one was put there on purpose: by PRP and HSR, by switches and by capture
 * devices that add a time stamp.
 */
#define LRO_PADDED_LEN	60u

/*
 * No mergeable packet has more header bytes than this: all TCP options and no extension
 * headers, or timestamps and 74 bytes of extension headers.
 */
#define LRO_HDR_MAX	160u

/*
 * Largest IP packet the engine builds. The frame around it, Ethernet header
 * and one tag, stays below 64 KiB: the stack compares the whole frame with the
 * limit of the device that transmits it, and segments larger ones in software.
 */
#define LRO_IP_MAX	(65535 - LRO_MAC_LEN - 4)

/**
 * enum lro_verdict - what to do with a packet, by its own looks
 * @LRO_FOREIGN: not TCP over IP; the engine never delivers such packets, so
 *	they may go through GRO
 * @LRO_STRAY: TCP, but the flow cannot be told; deliver after all flows between
 *	the same addresses. One whose addresses cannot be read is of no flow
 * @LRO_PASS: deliver untouched after what its flow holds
 * @LRO_CANDIDATE: may be merged
 */
enum lro_verdict {
	LRO_FOREIGN,
	LRO_STRAY,
	LRO_PASS,
	LRO_CANDIDATE,
};

/**
 * enum lro_rule - what the rules depend on
 * @LRO_RULE_RELAXED: a newer acknowledgment, window and timestamp may replace the older,
 *	and the IP identification is free
 * @LRO_RULE_SAME_CWR: all packets have CWR or none, as the kernel's segmentation leaves the
 *	flag in all segments; else only the first may have it, as segmentation takes it
 *	from all others
 * @LRO_RULE_FIXED_ID: the kernel's segmentation can repeat an IPv4 identification without
 *	DF, too
 */
enum lro_rule {
	LRO_RULE_RELAXED = 1,
	LRO_RULE_SAME_CWR = 2,
	LRO_RULE_FIXED_ID = 4,
};

/**
 * struct lro_key - what tells one flow from another
 * @addr: source and destination address as in the packet: two words used for
 *	IPv4, eight for IPv6
 * @ports: both ports as in the packet
 * @link: VLAN protocol and identifier, 0 without a tag, and %LRO_KEY_IPV6; the
 *	priority bits of the tag are not part of the key, because a flow that
 *	changes them stays in order
 */
struct lro_key {
	u32 addr[8];
	u32 ports;
	u32 link;
};

#define LRO_TAG_PRIORITY 0xf000u	/* priority and DEI bits of a tag */
#define LRO_KEY_IPV6	0x8000u		/* in their place */

/**
 * struct lro_packet - what lro_parse() found
 * @frame: first byte of the Ethernet header; the caller's memory
 * @key: flow; only @key.addr, possibly 0, for %LRO_STRAY
 * @vlan: VLAN protocol << 16 | tag control information, 0 without a tag
 * @seq: TCP sequence number
 * @ip_id: IPv4 identification, 0 for IPv6
 * @ip_len: IP packet, bytes; what follows in the frame of a candidate is padding
 * @payload: TCP payload, bytes
 * @tcp: frame bytes before the TCP header
 * @hdr_len: frame bytes before the payload
 * @flags: TCP flags byte
 */
struct lro_packet {
	const u8 *frame;
	struct lro_key key;
	u32 vlan;
	u32 seq;
	u32 ip_len;
	u16 ip_id;
	u16 payload;
	u8 tcp;
	u8 hdr_len;
	u8 flags;
};

/**
 * struct lro_state - an aggregate, as far as the rules need it
 * @vlan: tag of its packets, see &lro_packet.vlan
 * @ip_len: IP packet so far, bytes
 * @ip_id: IPv4 identification of its first packet, 0 for IPv6
 * @full_len: frame of its first packet without padding, bytes; no later one has more
 * @gso_size: payload of its first packet, bytes; no later one has more
 * @segs: packets in it
 * @tcp: frame bytes before the TCP header
 * @hdr_len: frame bytes before the payload
 * @tail_flags: PSH and FIN of its last packet
 * @fixed_id: all packets have the identification of the first
 * @limit: packets of full size that end it, see lro_state_limit()
 * @max_len: IP packet allowed, bytes
 * @hdr: headers that continue it: those of its first packet, without CWR unless
 *	%LRO_RULE_SAME_CWR, and with sequence number, IPv4
 *	identification and the checksum of the IPv4 header counted up; in relaxed mode
 *	acknowledgment, window and timestamps of its last
 */
struct lro_state {
	u32 vlan;
	u32 ip_len;
	u16 ip_id;
	u16 full_len;
	u16 gso_size;
	u16 segs;
	u8 tcp;
	u8 hdr_len;
	u8 tail_flags;
	bool fixed_id;
	u16 limit;
	u16 max_len;
	u8 hdr[LRO_HDR_MAX];
};

/**
 * struct lro_limits - how large an aggregate may become
 * @segs: packets, at least 1
 * @v4_len: IPv4 packet, bytes; %LRO_IP_MAX at most
 * @v6_len: IPv6 packet, the same
 *
 * A packet that alone is longer than that is delivered as it is.
 */
struct lro_limits {
	u16 segs;
	u16 v4_len;
	u16 v6_len;
};

enum {
	LRO_TCP_FIN = 0x01,
	LRO_TCP_SYN = 0x02,
	LRO_TCP_RST = 0x04,
	LRO_TCP_PSH = 0x08,
	LRO_TCP_ACK = 0x10,
	LRO_TCP_URG = 0x20,
	LRO_TCP_ECE = 0x40,
	LRO_TCP_CWR = 0x80,
};

/**
 * lro_parse() - look at one received frame
 * @frame: first byte of the Ethernet header
 * @avail: bytes that may be read at @frame; a frame with more headers than that
 *	is not a candidate
 * @len: length of the frame without FCS, bytes
 * @vlan: tag the device removed, as in &lro_packet.vlan
 * @pkt: filled in; for %LRO_FOREIGN unspecified
 * @reason: why the frame is not a candidate, else %LRO_CONTINUE
 *
 * The TCP checksum is not looked at.
 *
 * Return: what to do with the frame.
 */
enum lro_verdict lro_parse(const u8 *frame, unsigned int avail, unsigned int len, u32 vlan,
			   struct lro_packet *pkt, enum lro_reason *reason);

/**
 * lro_headers_wanted() - how far lro_parse() would read
 * @frame: first byte of the Ethernet header
 * @avail: bytes that may be read at @frame
 *
 * Return: bytes of the frame, where it has them. If that is more than @avail, more may be
 * wanted once these can be read.
 */
unsigned int lro_headers_wanted(const u8 *frame, unsigned int avail);

/**
 * lro_never_merges() - is that plain from a few bytes
 * @frame: first byte of the Ethernet header
 * @avail: bytes that may be read at @frame
 *
 * Spares packets of other protocols, and acknowledgments without data, a closer look.
 *
 * Return: true only if lro_parse() would find no candidate, for any tag of the frame.
 */
bool lro_never_merges(const u8 *frame, unsigned int avail);

/* Bytes of a frame that are few enough for a request or its answer. */
#define LRO_REQUEST_MAX	512

/**
 * lro_is_request() - is that plainly a short TCP packet with PSH
 * @frame: first byte of the Ethernet header
 * @avail: bytes that may be read at @frame
 * @len: length of the frame without FCS, bytes
 *
 * It ends any aggregate that it joins, and its receiver waits for it: while no aggregate is
 * open it needs no closer look. A longer one may be the last of a burst, whose flow is
 * then to be known.
 *
 * Return: true only for TCP over IP, for any tag of the frame.
 */
bool lro_is_request(const u8 *frame, unsigned int avail, unsigned int len);

/**
 * lro_match() - does a packet continue an aggregate
 * @state: aggregate of the packet's flow
 * @pkt: candidate
 * @rules: bits of &enum lro_rule
 *
 * Without %LRO_RULE_RELAXED, TCP segmentation of the aggregate gives back all packets
 * that were merged: it increments or keeps the IP identification, clears PSH and FIN in all
 * but the last segment, clears or keeps CWR in all but the first, and copies the rest.
 *
 * Return: %LRO_CONTINUE if it does, else the reason to end the aggregate.
 */
enum lro_reason lro_match(const struct lro_state *state, const struct lro_packet *pkt,
			  unsigned int rules);

/**
 * lro_state_start() - begin an aggregate
 * @state: filled in
 * @pkt: its first packet, a candidate
 * @rules: bits of &enum lro_rule
 */
void lro_state_start(struct lro_state *state, const struct lro_packet *pkt, unsigned int rules);

/**
 * lro_state_add() - account for a packet that continues an aggregate
 * @state: aggregate
 * @pkt: packet for which lro_match() gave %LRO_CONTINUE
 * @rules: the same
 */
void lro_state_add(struct lro_state *state, const struct lro_packet *pkt, unsigned int rules);

/**
 * lro_state_ends() - must the aggregate be delivered now
 * @state: aggregate
 * @limits: how large it may become
 *
 * Return: %LRO_CONTINUE if it may grow, else the reason to end it.
 */
enum lro_reason lro_state_ends(const struct lro_state *state, const struct lro_limits *limits);

/* Has the last packet of an aggregate less payload than the first? */
static inline bool lro_state_is_short(const struct lro_state *state)
{
	return state->ip_len + LRO_MAC_LEN - state->hdr_len != (u32)state->gso_size * state->segs;
}

/**
 * lro_state_limit() - fix how many packets of full size an aggregate may have
 * @state: aggregate of one packet
 * @limits: how large it may become
 *
 * Until lro_state_limit() is called it may have no further packet.
 */
void lro_state_limit(struct lro_state *state, const struct lro_limits *limits);

/* Sequence number that continues an aggregate. */
static inline u32 lro_next_seq(const struct lro_state *state)
{
	return lro_get_be32(state->hdr + state->tcp + LRO_TCP_SEQ);
}

/*
 * Count the identification up, and the checksum with it. In one's complement 0 and ffff are
 * the same: the sum does not change as the identification counts over, and a checksum of 0,
 * which is the complement of ffff, goes on with that of 1.
 */
static __always_inline void lro_advance_id(u8 *hdr)
{
	u16 id = lro_get_be16(hdr + LRO_V4_ID) + 1, check = lro_get_be16(hdr + LRO_V4_CHECK);

	lro_put_be16(hdr + LRO_V4_ID, id);
	if (id)
		lro_put_be16(hdr + LRO_V4_CHECK, check - 1 - !check);
}

/* Count one packet more of an aggregate with @tcp bytes before the TCP header, see @state. */
static __always_inline void lro_state_advance(struct lro_state *state, unsigned int tcp,
					      unsigned int payload)
{
	u8 *seq = state->hdr + tcp + LRO_TCP_SEQ;

	lro_put_be32(seq, lro_get_be32(seq) + payload);
	if (tcp == LRO_V4_TCP && !state->fixed_id)
		lro_advance_id(state->hdr);
	state->ip_len += payload;
	state->segs++;
}

static inline bool lro_key_equal(const struct lro_key *a, const struct lro_key *b)
{
	u32 diff = (a->ports ^ b->ports) | (a->link ^ b->link);
	unsigned int i;

	for (i = 0; i < 8; i++)
		diff |= a->addr[i] ^ b->addr[i];
	return !diff;
}

#endif /* _XENLRO_MATCH_H */
