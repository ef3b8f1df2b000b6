// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "oracle.h"
#include "packet.h"

#define IP	14
#define DF	0x4000
#define OTHER	0xffff	/* the zero that segmentation does not write */

static u32 be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static u32 be32(const u8 *p)
{
	return be16(p) << 16 | be16(p + 2);
}

static bool sum_is_right(const u8 *ip)
{
	u32 sum = 0;

	for (unsigned int i = 0; i < 20; i += 2)
		sum += be16(ip + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff && be16(ip + 10) != OTHER;
}

/* Frame bytes before TCP in IPv6 with headers that all kernels merge over; 0 if there is none. */
static unsigned int behind_extensions(const u8 *f, unsigned int avail)
{
	unsigned int at = IP + 40, next = f[IP + 6];

	for (; next != 6; at += 8 + f[at + 1] * 8) {
		if ((next != 0 && next != 43 && next != 60) || at + 4 > avail ||
		    (next == 43 && f[at + 3]))
			return 0;
		next = f[at];
	}
	return at;
}

bool oracle_mergeable(const u8 *f, unsigned int avail, unsigned int len)
{
	unsigned int tcp, ip_len, tcp_len;

	if (avail < IP + 1)
		return false;
	if (be16(f + 12) == 0x0800) {
		tcp = IP + 20;
		if (avail < tcp || f[IP] != 0x45 || f[IP + 9] != 6 || be16(f + IP + 6) & 0x3fff ||
		    !sum_is_right(f + IP))
			return false;
		ip_len = be16(f + IP + 2);
	} else if (be16(f + 12) == 0x86dd) {
		if (avail < IP + 40 || f[IP] >> 4 != 6)
			return false;
		tcp = behind_extensions(f, avail);
		if (!tcp)
			return false;
		ip_len = be16(f + IP + 4) + 40;
	} else {
		return false;
	}
	if (avail < tcp + 20)
		return false;
	tcp_len = (f[tcp + 12] >> 4) * 4;
	if (tcp_len < 20 || avail < tcp + tcp_len || tcp + tcp_len > 160)
		return false;
	if (f[tcp + 13] & 0x26 || be16(f + tcp + 16) == OTHER)
		return false;
	/* Padding is part of short frames only. */
	return (ip_len + IP == len || (ip_len + IP < len && len <= 60)) &&
	       ip_len + IP > tcp + tcp_len && ip_len <= LRO_IP_MAX;
}

static bool older(const u8 *than, const u8 *this)
{
	return (be32(this) - be32(than)) & 0x80000000;
}

bool oracle_continues(const struct lro_state *state, const struct lro_packet *pkt,
		      unsigned int rules)
{
	const u8 *is = pkt->frame, *was = state->hdr;
	u8 want[LRO_HDR_MAX];
	struct frame frame = { .data = want, .len = state->hdr_len };
	bool relaxed = rules & LRO_RULE_RELAXED, v4 = be16(was + 12) == 0x0800;
	u8 *tcp = want + state->tcp, flags = rules & LRO_RULE_SAME_CWR ? 0xf6 : 0x76;
	bool timestamps = state->hdr_len == state->tcp + 32 &&
			  be32(was + state->tcp + 20) == 0x0101080a;

	if (pkt->hdr_len != state->hdr_len || pkt->tcp != state->tcp ||
	    pkt->payload > state->gso_size ||
	    state->ip_len + pkt->payload > LRO_IP_MAX)
		return false;

	/* The header that segmentation would write. */
	memcpy(want, was, state->hdr_len);
	put_be32(tcp + 4, lro_next_seq(state));
	tcp[13] = (tcp[13] & flags) | (is[pkt->tcp + 13] & 0x09);
	memcpy(tcp + 16, is + pkt->tcp + 16, 2);
	if (v4) {
		bool fixed = state->segs > 1 ? state->fixed_id :
			     pkt->ip_id == state->ip_id &&
			     (be16(was + IP + 6) & DF || rules & LRO_RULE_FIXED_ID);

		put_be16(want + IP + 2, pkt->ip_len);
		put_be16(want + IP + 4, relaxed ? pkt->ip_id :
						  state->ip_id + (fixed ? 0 : state->segs));
		frame_fix_ip_checksum(&frame);
	} else {
		put_be16(want + IP + 4, pkt->ip_len - 40);
	}
	if (relaxed) {
		if (older(tcp + 8, is + pkt->tcp + 8))
			return false;
		if (timestamps && (older(tcp + 24, is + pkt->tcp + 24) ||
				   older(tcp + 28, is + pkt->tcp + 28)))
			return false;
		memcpy(tcp + 8, is + pkt->tcp + 8, 4);
		memcpy(tcp + 14, is + pkt->tcp + 14, 2);
		if (timestamps)
			memcpy(tcp + 24, is + pkt->tcp + 24, 8);
	}
	return !memcmp(want, is, state->hdr_len);
}

bool oracle_repeats(const struct lro_state *state, const struct lro_packet *pkt,
		    unsigned int rules)
{
	return oracle_continues(state, pkt, rules & ~LRO_RULE_RELAXED) &&
	       pkt->payload == state->gso_size &&
	       !(pkt->flags & (LRO_TCP_PSH | LRO_TCP_FIN)) &&
	       (state->tcp != 34 || state->segs > 1 || pkt->ip_id != state->ip_id);
}
