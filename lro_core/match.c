// SPDX-License-Identifier: GPL-2.0-only
#include <linux/types.h>
#include <linux/string.h>

#include "match.h"

/* Byte offsets in the frame. */
enum {
	MAC_TYPE = 12,
	IP_VIHL = LRO_IP_OFF,
	IP_TOS = LRO_IP_OFF + 1,
	IP_TOTLEN = LRO_IP_OFF + 2,
	IP_ID = LRO_IP_OFF + 4,
	IP_FRAG = LRO_IP_OFF + 6,
	IP_TTL = LRO_IP_OFF + 8,
	IP_PROTO = LRO_IP_OFF + 9,
	IP_CHECK = LRO_IP_OFF + 10,
	IP_SADDR = LRO_IP_OFF + 12,
	IP_DADDR = LRO_IP_OFF + 16,
	TCP_PORTS = LRO_TCP_OFF,
	TCP_SEQ = LRO_TCP_OFF + 4,
	TCP_ACKSEQ = LRO_TCP_OFF + 8,
	TCP_DOFF = LRO_TCP_OFF + 12,
	TCP_FLAGS = LRO_TCP_OFF + 13,
	TCP_WINDOW = LRO_TCP_OFF + 14,
	TCP_CHECK = LRO_TCP_OFF + 16,
	TCP_URGENT = LRO_TCP_OFF + 18,
	TCP_OPTIONS = LRO_TCP_OFF + LRO_TCP_LEN,
};

#define ETHERTYPE_IPV4	0x0800
#define IP_VIHL_PLAIN	0x45
#define PROTO_TCP	6
#define FRAG_DF		0x4000
#define TS_OPTION	0x0101080a	/* NOP NOP timestamp, 10 bytes */

#define FLAGS_LAST	(LRO_TCP_PSH | LRO_TCP_FIN)
#define FLAGS_PASS	(LRO_TCP_SYN | LRO_TCP_RST | LRO_TCP_URG)

/* Segmentation writes a checksum as ~sum, which is never ffff: a packet that
 * carries the other representation of zero would not come back as it was.
 */
#define CHECK_OTHER_ZERO 0xffff

static bool ip_checksum_ok(const u8 *ip)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < LRO_IP_LEN; i += 4)
		sum += lro_load32(ip + i);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff && lro_get_be16(ip + IP_CHECK - LRO_IP_OFF) != CHECK_OTHER_ZERO;
}

static enum lro_reason flags_reason(u8 flags)
{
	if (flags & LRO_TCP_SYN)
		return LRO_PASS_SYN;
	if (flags & LRO_TCP_RST)
		return LRO_PASS_RST;
	if (flags & LRO_TCP_URG)
		return LRO_PASS_URG;
	if (!(flags & LRO_TCP_ACK))
		return LRO_PASS_NO_ACK;
	return LRO_CONTINUE;
}

/* The rules for packets whose flow is known. */
static enum lro_reason parse_known(const u8 *frame, unsigned int avail, unsigned int len,
				   struct lro_packet *pkt)
{
	unsigned int tcp_len;

	if (avail < TCP_OPTIONS)
		return LRO_PASS_TRUNCATED;
	pkt->ip_len = lro_get_be16(frame + IP_TOTLEN);
	if (pkt->ip_len + LRO_MAC_LEN > len)
		return LRO_PASS_LENGTH;
	if (!ip_checksum_ok(frame + LRO_IP_OFF))
		return LRO_PASS_IP_CHECKSUM;

	tcp_len = (frame[TCP_DOFF] >> 4) * 4;
	if (tcp_len < LRO_TCP_LEN)
		return LRO_PASS_TCP_HEADER;
	if (pkt->ip_len < LRO_IP_LEN + tcp_len)
		return LRO_PASS_LENGTH;

	pkt->flags = frame[TCP_FLAGS];
	if ((pkt->flags & (FLAGS_PASS | LRO_TCP_ACK)) != LRO_TCP_ACK)
		return flags_reason(pkt->flags);
	if (tcp_len != LRO_TCP_LEN && tcp_len != LRO_TCP_LEN + LRO_TS_LEN)
		return LRO_PASS_TCP_OPTIONS;
	if (avail < LRO_TCP_OFF + tcp_len)
		return LRO_PASS_TRUNCATED;
	if (tcp_len != LRO_TCP_LEN && lro_get_be32(frame + TCP_OPTIONS) != TS_OPTION)
		return LRO_PASS_TCP_OPTIONS;

	pkt->payload = pkt->ip_len - LRO_IP_LEN - tcp_len;
	if (!pkt->payload)
		return LRO_PASS_PURE_ACK;
	if (pkt->ip_len > LRO_IP_MAX)
		return LRO_PASS_LENGTH;
	if (lro_get_be16(frame + TCP_CHECK) == CHECK_OTHER_ZERO)
		return LRO_PASS_TCP_CHECKSUM;

	pkt->hdr_len = LRO_TCP_OFF + tcp_len;
	pkt->seq = lro_get_be32(frame + TCP_SEQ);
	pkt->ip_id = lro_get_be16(frame + IP_ID);
	return LRO_CONTINUE;
}

static enum lro_verdict stray(struct lro_packet *pkt, const u8 *frame, unsigned int avail,
			      enum lro_reason *reason, enum lro_reason why)
{
	bool addresses = avail >= LRO_TCP_OFF && frame[IP_VIHL] >> 4 == 4;

	pkt->key.saddr = addresses ? lro_load32(frame + IP_SADDR) : 0;
	pkt->key.daddr = addresses ? lro_load32(frame + IP_DADDR) : 0;
	pkt->key.ports = 0;
	*reason = why;
	return LRO_STRAY;
}

enum lro_verdict lro_parse(const u8 *frame, unsigned int avail, unsigned int len, u32 vlan,
			   struct lro_packet *pkt, enum lro_reason *reason)
{
	unsigned int ip_hdr, ports;

	if (avail > len)
		avail = len;
	if (avail < LRO_MAC_LEN || lro_get_be16(frame + MAC_TYPE) != ETHERTYPE_IPV4) {
		*reason = LRO_GRO_NOT_IP;
		return LRO_FOREIGN;
	}

	pkt->frame = frame;
	pkt->vlan = vlan;
	pkt->key.vlan = vlan & ~0xf000u;	/* without priority and DEI bits */

	if (avail <= IP_PROTO)
		return stray(pkt, frame, avail, reason, LRO_PASS_TRUNCATED);
	if (frame[IP_PROTO] != PROTO_TCP) {
		*reason = LRO_GRO_NOT_TCP;
		return LRO_FOREIGN;
	}
	ip_hdr = (frame[IP_VIHL] & 0xf) * 4;
	if (frame[IP_VIHL] >> 4 != 4 || ip_hdr < LRO_IP_LEN)
		return stray(pkt, frame, avail, reason, LRO_PASS_IP_HEADER);
	if (lro_get_be16(frame + IP_FRAG) & ~FRAG_DF)
		return stray(pkt, frame, avail, reason, LRO_PASS_FRAGMENT);
	ports = LRO_IP_OFF + ip_hdr;
	if (avail < ports + 4)
		return stray(pkt, frame, avail, reason,
			     ip_hdr == LRO_IP_LEN ? LRO_PASS_TRUNCATED : LRO_PASS_IP_OPTIONS);

	pkt->key.saddr = lro_load32(frame + IP_SADDR);
	pkt->key.daddr = lro_load32(frame + IP_DADDR);
	pkt->key.ports = lro_load32(frame + ports);
	*reason = ip_hdr == LRO_IP_LEN ? parse_known(frame, avail, len, pkt) :
					 LRO_PASS_IP_OPTIONS;
	return *reason == LRO_CONTINUE ? LRO_CANDIDATE : LRO_PASS;
}

/*
 * All header bytes that segmentation copies, compared at once. What is left out:
 * total length, identification and both checksums, the sequence number, and the
 * flags that only the first or only the last segment gets.
 */
static bool headers_equal(const u8 *a, const u8 *b, unsigned int hdr_len)
{
	u8 free_flags = (a[TCP_FLAGS] ^ b[TCP_FLAGS]) & ~(FLAGS_LAST | LRO_TCP_CWR);
	u64 diff;

	diff = lro_load64(a) ^ lro_load64(b);
	diff |= lro_load64(a + 8) ^ lro_load64(b + 8);		/* MAC .. TOS */
	diff |= lro_load32(a + IP_FRAG) ^ lro_load32(b + IP_FRAG);	/* .. TTL, protocol */
	diff |= lro_load64(a + IP_SADDR) ^ lro_load64(b + IP_SADDR);
	diff |= lro_load32(a + TCP_PORTS) ^ lro_load32(b + TCP_PORTS);
	diff |= lro_load32(a + TCP_ACKSEQ) ^ lro_load32(b + TCP_ACKSEQ);
	diff |= (u8)(a[TCP_DOFF] ^ b[TCP_DOFF]);
	diff |= free_flags;
	diff |= (u16)(lro_get_be16(a + TCP_WINDOW) ^ lro_get_be16(b + TCP_WINDOW));
	diff |= (u16)(lro_get_be16(a + TCP_URGENT) ^ lro_get_be16(b + TCP_URGENT));
	if (hdr_len != TCP_OPTIONS) {
		diff |= lro_load32(a + TCP_OPTIONS) ^ lro_load32(b + TCP_OPTIONS);
		diff |= lro_load64(a + TCP_OPTIONS + 4) ^ lro_load64(b + TCP_OPTIONS + 4);
	}
	return !diff;
}

/* Name the first header field that differs, in the order of the packet. */
static enum lro_reason header_difference(const u8 *a, const u8 *b)
{
	if (memcmp(a, b, LRO_MAC_LEN))
		return LRO_FLUSH_MAC;
	if (a[IP_TOS] != b[IP_TOS])
		return LRO_FLUSH_TOS;
	if (lro_get_be16(a + IP_FRAG) != lro_get_be16(b + IP_FRAG))
		return LRO_FLUSH_DF;
	if (a[IP_TTL] != b[IP_TTL])
		return LRO_FLUSH_TTL;
	if (a[TCP_DOFF] >> 4 != b[TCP_DOFF] >> 4)
		return LRO_FLUSH_OPTIONS;
	if (lro_load32(a + TCP_ACKSEQ) != lro_load32(b + TCP_ACKSEQ))
		return LRO_FLUSH_ACK;
	if (lro_get_be16(a + TCP_WINDOW) != lro_get_be16(b + TCP_WINDOW))
		return LRO_FLUSH_WINDOW;
	if (lro_get_be16(a + TCP_URGENT) != lro_get_be16(b + TCP_URGENT))
		return LRO_FLUSH_URGENT;
	if (a[TCP_DOFF] != b[TCP_DOFF] ||
	    ((a[TCP_FLAGS] ^ b[TCP_FLAGS]) & ~(FLAGS_LAST | LRO_TCP_CWR)))
		return LRO_FLUSH_FLAGS;
	return LRO_FLUSH_TIMESTAMP;
}

/*
 * The identification must be what segmentation will write: that of the first
 * packet counted up, or kept if the second packet repeated it, which only a
 * packet that is never fragmented may do.
 */
static bool ip_id_ok(const struct lro_state *state, const struct lro_packet *pkt)
{
	u16 distance = pkt->ip_id - state->ip_id;

	if (distance == (state->fixed_id ? 0 : state->segs))
		return true;
	return state->segs == 1 && !distance && (state->hdr[IP_FRAG] & (FRAG_DF >> 8));
}

/* What is neither in the masked compare nor dependent on it. */
static enum lro_reason match_rest(const struct lro_state *state, const struct lro_packet *pkt)
{
	if (pkt->vlan != state->vlan)
		return LRO_FLUSH_VLAN;
	if (pkt->seq != state->next_seq)
		return LRO_FLUSH_SEQ;
	if (pkt->flags & LRO_TCP_CWR)
		return LRO_FLUSH_CWR;
	if (pkt->payload > state->gso_size)
		return LRO_FLUSH_LONGER;
	if (!ip_id_ok(state, pkt))
		return LRO_FLUSH_IP_ID;
	if (state->ip_len + pkt->payload > LRO_IP_MAX)
		return LRO_FLUSH_NO_ROOM;
	return LRO_CONTINUE;
}

enum lro_reason lro_match(const struct lro_state *state, const struct lro_packet *pkt)
{
	if (pkt->hdr_len != state->hdr_len ||
	    !headers_equal(state->hdr, pkt->frame, state->hdr_len))
		return header_difference(state->hdr, pkt->frame);
	return match_rest(state, pkt);
}

bool lro_match_fast(const struct lro_state *state, const u8 *frame, unsigned int avail,
		    unsigned int len, u32 vlan, struct lro_packet *pkt)
{
	/*
	 * Equal headers were parsed when the aggregate began; what differs from
	 * packet to packet is checked here.
	 */
	if (avail > len)
		avail = len;
	if (avail < state->hdr_len || !headers_equal(state->hdr, frame, state->hdr_len))
		return false;

	pkt->ip_len = lro_get_be16(frame + IP_TOTLEN);
	pkt->hdr_len = state->hdr_len;
	if (pkt->ip_len + LRO_MAC_LEN > len || pkt->ip_len + LRO_MAC_LEN <= pkt->hdr_len)
		return false;
	if (!ip_checksum_ok(frame + LRO_IP_OFF) ||
	    lro_get_be16(frame + TCP_CHECK) == CHECK_OTHER_ZERO)
		return false;

	pkt->frame = frame;
	pkt->vlan = vlan;
	pkt->payload = pkt->ip_len + LRO_MAC_LEN - pkt->hdr_len;
	pkt->seq = lro_get_be32(frame + TCP_SEQ);
	pkt->ip_id = lro_get_be16(frame + IP_ID);
	pkt->flags = frame[TCP_FLAGS];
	return match_rest(state, pkt) == LRO_CONTINUE;
}

void lro_state_start(struct lro_state *state, const struct lro_packet *pkt)
{
	memcpy(state->hdr, pkt->frame, pkt->hdr_len);
	state->vlan = pkt->vlan;
	state->next_seq = pkt->seq + pkt->payload;
	state->ip_len = pkt->ip_len;
	state->ip_id = pkt->ip_id;
	state->gso_size = pkt->payload;
	state->segs = 1;
	state->hdr_len = pkt->hdr_len;
	state->tail_flags = pkt->flags & FLAGS_LAST;
	state->fixed_id = false;
}

void lro_state_add(struct lro_state *state, const struct lro_packet *pkt)
{
	if (state->segs == 1)
		state->fixed_id = pkt->ip_id == state->ip_id;
	state->next_seq += pkt->payload;
	state->ip_len += pkt->payload;
	state->segs++;
	state->tail_flags = pkt->flags & FLAGS_LAST;
}

enum lro_reason lro_state_ends(const struct lro_state *state, unsigned int max_segs)
{
	u32 payload = state->ip_len + LRO_MAC_LEN - state->hdr_len;

	if (state->tail_flags & LRO_TCP_FIN)
		return LRO_FLUSH_FIN;
	if (state->tail_flags & LRO_TCP_PSH)
		return LRO_FLUSH_PSH;
	if (payload != (u32)state->gso_size * state->segs)
		return LRO_FLUSH_SHORT;
	if (state->ip_len + state->gso_size > LRO_IP_MAX)
		return LRO_FLUSH_FULL;
	if (state->segs >= max_segs)
		return LRO_FLUSH_SEGS;
	return LRO_CONTINUE;
}
