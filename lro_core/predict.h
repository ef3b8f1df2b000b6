/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Header prediction. The next packet of bulk TCP has the previous one's headers, with
 * sequence number and identification counted up; it has full size and neither PSH nor FIN.
 * Nearly all packets of a bulk transfer are like that. An aggregate has the header of such
 * a packet ready, and the compare is inlined into the path of each packet.
 */
#ifndef _XENLRO_PREDICT_H
#define _XENLRO_PREDICT_H

#include "match.h"

/*
 * Compares all of the headers but the TCP checksum, which is the caller's. With constants
 * for @tcp and @timestamps nothing is left to decide.
 */
static __always_inline bool lro_predicted_kind(const struct lro_state *state, const u8 *frame,
					       unsigned int tcp, bool timestamps)
{
	static const u8 no_check[8] = { 0, 0, 255, 255, 255, 255, 255, 255 };
	const u8 *hdr = state->hdr;
	unsigned int check = tcp + LRO_TCP_CHECK;
	u64 diff;

	diff = lro_diff64(hdr, frame) | lro_diff64(hdr + 8, frame + 8) |
	       lro_diff64(hdr + 16, frame + 16) | lro_diff64(hdr + 24, frame + 24) |
	       lro_diff64(hdr + 32, frame + 32) | lro_diff64(hdr + 40, frame + 40);
	if (tcp != LRO_V4_TCP)
		diff |= lro_diff64(hdr + 48, frame + 48) | lro_diff64(hdr + 56, frame + 56);
	/* The rest before the checksum; it overlaps the bytes above. */
	diff |= lro_diff64(hdr + check - 8, frame + check - 8);
	if (timestamps)
		diff |= (lro_diff64(hdr + check, frame + check) & lro_load64(no_check)) |
			lro_diff64(hdr + check + 8, frame + check + 8);
	else
		diff |= lro_load16(hdr + check + 2) ^ lro_load16(frame + check + 2);
	return !diff && lro_load16(frame + check) != LRO_CHECK_OTHER_ZERO;
}

/* Of other packets than those with IPv4 and timestamps. */
bool lro_predicted_other(const struct lro_state *state, const u8 *frame);

/* Headers of IPv4 with timestamps, bytes. */
#define LRO_V4_BULK_LEN	(LRO_V4_TCP + LRO_TCP_LEN + LRO_TS_LEN)

static __always_inline bool lro_is_v4_bulk(const struct lro_state *state)
{
	return state->hdr_len == LRO_V4_BULK_LEN;
}

/**
 * lro_predicted() - is a raw frame the one that bulk TCP sends next
 * @state: open aggregate: lro_state_ends() gave %LRO_CONTINUE after its last packet
 * @frame: first byte of the Ethernet header
 * @avail: bytes that may be read at @frame
 * @len: length of the frame without FCS, bytes
 * @vlan: tag the device removed
 *
 * Return: true if lro_parse() and lro_match() would find that the frame continues the
 * aggregate, relaxed or not; false if they have to be asked.
 */
static __always_inline bool lro_predicted(const struct lro_state *state, const u8 *frame,
					  unsigned int avail, unsigned int len, u32 vlan)
{
	if (avail < state->hdr_len || len != state->full_len || vlan != state->vlan)
		return false;
	return lro_is_v4_bulk(state) ? lro_predicted_kind(state, frame, LRO_V4_TCP, true) :
				       lro_predicted_other(state, frame);
}

/* The same of a frame all of whose @len bytes may be read; only IPv4 with timestamps. */
static __always_inline bool lro_predicted_v4(const struct lro_state *state, const u8 *frame,
					     unsigned int len, u32 vlan)
{
	return len == state->full_len && vlan == state->vlan && lro_is_v4_bulk(state) &&
	       lro_predicted_kind(state, frame, LRO_V4_TCP, true);
}

/**
 * lro_state_advance_predicted() - account for a packet for which lro_predicted() is true
 * @state: aggregate
 * @tcp: its &lro_state.tcp, where that is a constant
 *
 * The same as lro_state_add() and then lro_state_ends(), with what lro_state_limit() was told.
 *
 * Return: as lro_state_ends().
 */
static __always_inline enum lro_reason lro_state_advance_predicted(struct lro_state *state,
								   unsigned int tcp)
{
	lro_state_advance(state, tcp, state->gso_size);
	if (state->segs < state->limit)
		return LRO_CONTINUE;
	return state->ip_len + state->gso_size > state->max_len ? LRO_FLUSH_FULL : LRO_FLUSH_SEGS;
}

#endif /* _XENLRO_PREDICT_H */
