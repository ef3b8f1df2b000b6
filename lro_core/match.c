// SPDX-License-Identifier: GPL-2.0-only
#include <linux/types.h>
#include <linux/string.h>

#include "match.h"

/* Byte offsets in the frame. */
enum {
	MAC_TYPE = 12,
	V4_VIHL = LRO_IP_OFF,
	V4_TOS = LRO_IP_OFF + 1,
	V4_TOTLEN = LRO_IP_OFF + 2,
	V4_ID = LRO_V4_ID,
	V4_FRAG = LRO_IP_OFF + 6,
	V4_TTL = LRO_IP_OFF + 8,
	V4_PROTO = LRO_V4_PROTO,
	V4_CHECK = LRO_V4_CHECK,
	V4_ADDR = LRO_V4_ADDR,
	V4_TCP = LRO_V4_TCP,
	V6_WORD = LRO_IP_OFF,		/* version, traffic class, flow label */
	V6_PAYLEN = LRO_IP_OFF + 4,
	V6_NEXT = LRO_IP_OFF + 6,
	V6_HOPS = LRO_IP_OFF + 7,
	V6_ADDR = LRO_IP_OFF + 8,
	V6_TCP = LRO_V6_TCP,
};

/* Byte offsets in the TCP header. */
enum {
	TCP_PORTS = 0,
	TCP_SEQ = LRO_TCP_SEQ,
	TCP_ACKSEQ = 8,
	TCP_DOFF = 12,
	TCP_FLAGS = 13,
	TCP_WINDOW = 14,
	TCP_CHECK = LRO_TCP_CHECK,
	TCP_URGENT = 18,
	TCP_OPTIONS = LRO_TCP_LEN,
	TCP_TSVAL = LRO_TCP_LEN + 4,
	TCP_TSECR = LRO_TCP_LEN + 8,
};

#define ETHERTYPE_IPV4	0x0800
#define ETHERTYPE_IPV6	0x86dd
#define FRAG_DF		0x4000
#define FRAG_ANY	0x3fff		/* more fragments, and where this one belongs */
#define TS_OPTION	0x0101080a	/* NOP NOP timestamp, 10 bytes */

#define FLAGS_LAST	(LRO_TCP_PSH | LRO_TCP_FIN)
#define FLAGS_SAME_CWR	(0xff ^ FLAGS_LAST)
#define FLAGS_EQUAL	(FLAGS_SAME_CWR ^ LRO_TCP_CWR)
#define FLAGS_PASS	(LRO_TCP_SYN | LRO_TCP_RST | LRO_TCP_URG)

/* IPv6 headers by number. */
enum {
	V6_HOP_BY_HOP = 0,
	V6_ROUTING = 43,
	V6_FRAGMENT = 44,
	V6_AUTHENTICATION = 51,
	V6_DESTINATION = 60,
};

static bool ip_checksum_ok(const u8 *ip)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < LRO_IPV4_LEN; i += 4)
		sum += lro_load32(ip + i);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff && lro_get_be16(ip + V4_CHECK - LRO_IP_OFF) != LRO_CHECK_OTHER_ZERO;
}

/* Length of the IP packet as its header has it, bytes. */
static unsigned int ip_length(const u8 *frame, unsigned int tcp)
{
	return tcp == V4_TCP ? lro_get_be16(frame + V4_TOTLEN) :
			       lro_get_be16(frame + V6_PAYLEN) + LRO_IPV6_LEN;
}

/* What stands in the way of a packet that has other flags than one with data. */
static enum lro_reason flags_reason(u8 flags)
{
	if (flags & LRO_TCP_SYN)
		return LRO_PASS_SYN;
	return flags & LRO_TCP_RST ? LRO_PASS_RST : LRO_PASS_URG;
}

/* The rules for packets whose flow is known, from the TCP header on. */
static enum lro_reason parse_tcp(const u8 *frame, unsigned int avail, struct lro_packet *pkt)
{
	const u8 *th = frame + pkt->tcp;
	unsigned int before = pkt->tcp - LRO_IP_OFF, tcp_len;

	tcp_len = (th[TCP_DOFF] >> 4) * 4;
	if (tcp_len < LRO_TCP_LEN)
		return LRO_PASS_TCP_HEADER;
	if (pkt->ip_len < before + tcp_len)
		return LRO_PASS_LENGTH;

	pkt->flags = th[TCP_FLAGS];
	if (pkt->flags & FLAGS_PASS)
		return flags_reason(pkt->flags);
	if (pkt->tcp + tcp_len > LRO_HDR_MAX)
		return LRO_PASS_IP_OPTIONS;
	if (avail < pkt->tcp + tcp_len)
		return LRO_PASS_TRUNCATED;

	pkt->payload = pkt->ip_len - before - tcp_len;
	if (!pkt->payload)
		return LRO_PASS_PURE_ACK;
	if (pkt->ip_len > LRO_IP_MAX)
		return LRO_PASS_LENGTH;
	if (lro_get_be16(th + TCP_CHECK) == LRO_CHECK_OTHER_ZERO)
		return LRO_PASS_TCP_CHECKSUM;

	pkt->hdr_len = pkt->tcp + tcp_len;
	pkt->seq = lro_get_be32(th + TCP_SEQ);
	return LRO_CONTINUE;
}

/* A whole segment, which may have padding behind it, but nothing else. */
static enum lro_reason parse_segment(const u8 *frame, unsigned int avail, unsigned int len,
				     struct lro_packet *pkt)
{
	enum lro_reason why = parse_tcp(frame, avail, pkt);

	if (!why && pkt->ip_len + LRO_MAC_LEN < len && len > LRO_PADDED_LEN)
		return LRO_PASS_TRAILER;
	return why;
}

static enum lro_reason parse_ip_length(const u8 *frame, unsigned int avail, unsigned int len,
				       struct lro_packet *pkt)
{
	if (avail < pkt->tcp + LRO_TCP_LEN)
		return LRO_PASS_TRUNCATED;
	pkt->ip_len = ip_length(frame, pkt->tcp);
	return pkt->ip_len + LRO_MAC_LEN > len ? LRO_PASS_LENGTH : LRO_CONTINUE;
}

static enum lro_verdict verdict(enum lro_reason *reason, enum lro_reason why)
{
	*reason = why;
	return why == LRO_CONTINUE ? LRO_CANDIDATE : LRO_PASS;
}

static enum lro_verdict stray(enum lro_reason *reason, enum lro_reason why)
{
	*reason = why;
	return LRO_STRAY;
}

static enum lro_verdict foreign(enum lro_reason *reason, enum lro_reason why)
{
	*reason = why;
	return LRO_FOREIGN;
}

static enum lro_verdict parse_v4(const u8 *frame, unsigned int avail, unsigned int len,
				 struct lro_packet *pkt, enum lro_reason *reason)
{
	unsigned int ip_hdr, ports;
	enum lro_reason why;

	if (avail <= V4_PROTO)
		return stray(reason, LRO_PASS_TRUNCATED);
	if (frame[V4_PROTO] != LRO_PROTO_TCP)
		return foreign(reason, LRO_GRO_NOT_TCP);
	ip_hdr = (frame[V4_VIHL] & 0xf) * 4;
	if (avail >= V4_TCP) {
		pkt->key.addr[0] = lro_load32(frame + V4_ADDR);
		pkt->key.addr[1] = lro_load32(frame + V4_ADDR + 4);
	}
	if (frame[V4_VIHL] >> 4 != 4 || ip_hdr < LRO_IPV4_LEN)
		return stray(reason, LRO_PASS_IP_HEADER);
	if (lro_get_be16(frame + V4_FRAG) & FRAG_ANY)
		return stray(reason, LRO_PASS_FRAGMENT);
	ports = LRO_IP_OFF + ip_hdr;
	if (avail < ports + 4)
		return stray(reason, ip_hdr == LRO_IPV4_LEN ? LRO_PASS_TRUNCATED :
							      LRO_PASS_IP_OPTIONS);

	pkt->key.ports = lro_load32(frame + ports);
	if (ip_hdr != LRO_IPV4_LEN)
		return verdict(reason, LRO_PASS_IP_OPTIONS);
	pkt->tcp = V4_TCP;
	why = parse_ip_length(frame, avail, len, pkt);
	if (why)
		return verdict(reason, why);
	if (!ip_checksum_ok(frame + LRO_IP_OFF))
		return verdict(reason, LRO_PASS_IP_CHECKSUM);
	pkt->ip_id = lro_get_be16(frame + V4_ID);
	return verdict(reason, parse_segment(frame, avail, len, pkt));
}

/**
 * struct chain - extension headers of an IPv6 packet
 * @end: frame bytes before what they lead to, or before the first that cannot be read
 * @tcp: they lead to TCP, as far as can be read
 * @whole: all of them can be read
 * @copied: all of them are such as GRO of each kernel merges and segmentation copies
 */
struct chain {
	unsigned int end;
	bool tcp;
	bool whole;
	bool copied;
};

/* Where a route goes on, the checksum is over another address than the one in the header. */
static bool is_last_hop(const u8 *routing)
{
	return !routing[3];
}

static struct chain follow(const u8 *frame, unsigned int avail)
{
	struct chain c = { .end = V6_TCP, .tcp = true, .copied = true };
	unsigned int next = frame[V6_NEXT];

	for (;;) {
		const u8 *at = frame + c.end;
		unsigned int unit = 8;

		switch (next) {
		case V6_HOP_BY_HOP:
		case V6_ROUTING:
		case V6_DESTINATION:
			break;
		case V6_FRAGMENT:	/* the byte after is reserved */
			unit = 0;
			c.copied = false;
			break;
		case V6_AUTHENTICATION:
			unit = 4;
			c.copied = false;
			break;
		default:
			c.tcp = next == LRO_PROTO_TCP;
			c.whole = true;
			return c;
		}
		if (avail < c.end + 4)
			return c;
		c.copied &= next != V6_ROUTING || is_last_hop(at);
		next = at[0];
		c.end += 8 + at[1] * unit;
	}
}

static enum lro_verdict parse_v6(const u8 *frame, unsigned int avail, unsigned int len,
				 struct lro_packet *pkt, enum lro_reason *reason)
{
	struct chain c;
	enum lro_reason why;
	unsigned int i;

	pkt->key.link |= LRO_KEY_IPV6;
	if (avail < V6_TCP)
		return stray(reason, LRO_PASS_TRUNCATED);
	c = follow(frame, avail);
	if (!c.tcp)
		return foreign(reason, LRO_GRO_NOT_TCP);
	for (i = 0; i < 8; i++)
		pkt->key.addr[i] = lro_load32(frame + V6_ADDR + 4 * i);
	if (frame[V6_WORD] >> 4 != 6)
		return stray(reason, LRO_PASS_IP_HEADER);
	if (!c.whole || !c.copied)
		return stray(reason, LRO_PASS_IP_OPTIONS);
	if (avail < c.end + 4)
		return stray(reason, LRO_PASS_TRUNCATED);

	pkt->key.ports = lro_load32(frame + c.end);
	if (c.end > LRO_HDR_MAX - LRO_TCP_LEN)
		return verdict(reason, LRO_PASS_IP_OPTIONS);
	pkt->tcp = c.end;
	pkt->ip_id = 0;
	why = parse_ip_length(frame, avail, len, pkt);
	return verdict(reason, why ? why : parse_segment(frame, avail, len, pkt));
}

enum lro_verdict lro_parse(const u8 *frame, unsigned int avail, unsigned int len, u32 vlan,
			   struct lro_packet *pkt, enum lro_reason *reason)
{
	if (avail > len)
		avail = len;
	if (avail < LRO_MAC_LEN)
		return foreign(reason, LRO_GRO_NOT_IP);

	pkt->frame = frame;
	pkt->vlan = vlan;
	memset(&pkt->key, 0, sizeof(pkt->key));
	pkt->key.link = vlan & ~LRO_TAG_PRIORITY;

	switch (lro_get_be16(frame + MAC_TYPE)) {
	case ETHERTYPE_IPV4:
		return parse_v4(frame, avail, len, pkt, reason);
	case ETHERTYPE_IPV6:
		return parse_v6(frame, avail, len, pkt, reason);
	}
	return foreign(reason, LRO_GRO_NOT_IP);
}

/* Where the TCP header begins, if it can be read that far; 0 if there is none. */
static unsigned int wanted_tcp(const u8 *frame, unsigned int avail)
{
	struct chain c;

	switch (lro_get_be16(frame + MAC_TYPE)) {
	case ETHERTYPE_IPV4:
		return frame[V4_VIHL] == 0x45 && frame[V4_PROTO] == LRO_PROTO_TCP ? V4_TCP : 0;
	case ETHERTYPE_IPV6:
		c = follow(frame, avail);
		/* Each time that more can be read, the headers are followed from the first on. */
		return c.tcp && c.copied && c.end <= LRO_HDR_MAX - LRO_TCP_LEN ? c.end : 0;
	}
	return 0;
}

unsigned int lro_headers_wanted(const u8 *frame, unsigned int avail)
{
	unsigned int tcp;

	/* Enough to see what IPv6 carries. */
	if (avail < V4_TCP + LRO_TCP_LEN)
		return V4_TCP + LRO_TCP_LEN;
	tcp = wanted_tcp(frame, avail);
	if (!tcp || avail < tcp + LRO_TCP_LEN)
		return tcp ? tcp + LRO_TCP_LEN : 0;
	return tcp + (frame[tcp + TCP_DOFF] >> 4) * 4;
}

/* IPv6 headers behind which TCP that may merge can be. */
static bool is_extension(unsigned int next)
{
	return next == V6_HOP_BY_HOP || next == V6_ROUTING || next == V6_DESTINATION;
}

bool lro_never_merges(const u8 *frame, unsigned int avail)
{
	if (avail < V4_TCP + LRO_TCP_LEN)
		return true;
	switch (lro_get_be16(frame + MAC_TYPE)) {
	case ETHERTYPE_IPV4:
		return frame[V4_PROTO] != LRO_PROTO_TCP ||
		       lro_get_be16(frame + V4_TOTLEN) <=
		       LRO_IPV4_LEN + (frame[V4_TCP + TCP_DOFF] >> 4) * 4;
	case ETHERTYPE_IPV6:
		if (is_extension(frame[V6_NEXT]))
			return false;
		return frame[V6_NEXT] != LRO_PROTO_TCP || avail < V6_TCP + LRO_TCP_LEN ||
		       lro_get_be16(frame + V6_PAYLEN) <= (frame[V6_TCP + TCP_DOFF] >> 4) * 4;
	}
	return false;
}

bool lro_is_request(const u8 *frame, unsigned int avail, unsigned int len)
{
	const u8 flags = LRO_TCP_ACK | LRO_TCP_PSH;

	if (len > LRO_REQUEST_MAX || avail < V4_TCP + LRO_TCP_LEN)
		return false;
	switch (lro_get_be16(frame + MAC_TYPE)) {
	case ETHERTYPE_IPV4:
		return frame[V4_VIHL] == 0x45 && frame[V4_PROTO] == LRO_PROTO_TCP &&
		       !(lro_get_be16(frame + V4_FRAG) & FRAG_ANY) &&
		       frame[V4_TCP + TCP_FLAGS] == flags;
	case ETHERTYPE_IPV6:
		return frame[V6_NEXT] == LRO_PROTO_TCP && avail >= V6_TCP + LRO_TCP_LEN &&
		       frame[V6_TCP + TCP_FLAGS] == flags;
	}
	return false;
}

/*
 * All header bytes that segmentation copies, compared at once. What is left out:
 * lengths, identification and checksums, the sequence number, and the flags that
 * only the first or only the last segment gets.
 */
static u64 ip_diff(const u8 *a, const u8 *b, unsigned int tcp)
{
	u64 diff;

	diff = lro_diff64(a, b);
	diff |= lro_diff64(a + 8, b + 8);		/* MAC .. first two of IP */
	if (tcp == V4_TCP) {
		diff |= lro_load32(a + V4_FRAG) ^ lro_load32(b + V4_FRAG);
		diff |= lro_diff64(a + V4_ADDR, b + V4_ADDR);
		return diff;
	}
	diff |= (u16)(lro_get_be16(a + V6_WORD + 2) ^ lro_get_be16(b + V6_WORD + 2));
	diff |= (u16)(lro_get_be16(a + V6_NEXT) ^ lro_get_be16(b + V6_NEXT));
	diff |= lro_diff64(a + V6_ADDR, b + V6_ADDR);
	diff |= lro_diff64(a + V6_ADDR + 8, b + V6_ADDR + 8);
	diff |= lro_diff64(a + V6_ADDR + 16, b + V6_ADDR + 16);
	diff |= lro_diff64(a + V6_ADDR + 24, b + V6_ADDR + 24);
	if (tcp != V6_TCP)
		diff |= !!memcmp(a + V6_TCP, b + V6_TCP, tcp - V6_TCP);
	return diff;
}

/* Flags of which packets have the same. */
static u8 flags_equal(unsigned int rules)
{
	return rules & LRO_RULE_SAME_CWR ? FLAGS_SAME_CWR : FLAGS_EQUAL;
}

/* Acknowledgment, data offset, flags and window, as one word; flags that may differ apart. */
static u64 tcp_middle(const u8 *th, unsigned int rules)
{
	static const u8 mask[8] = { 255, 255, 255, 255, 255, FLAGS_EQUAL, 255, 255 };
	static const u8 same_cwr[8] = { 255, 255, 255, 255, 255, FLAGS_SAME_CWR, 255, 255 };

	return lro_load64(th + TCP_ACKSEQ) &
	       lro_load64(rules & LRO_RULE_SAME_CWR ? same_cwr : mask);
}

/* Are options of @len bytes timestamps in the form that every sender of today gives them? */
static bool are_timestamps(const u8 *th, unsigned int len)
{
	return len == LRO_TS_LEN && lro_get_be32(th + TCP_OPTIONS) == TS_OPTION;
}

static u64 options_diff(const u8 *a, const u8 *b, unsigned int len, unsigned int rules)
{
	u64 diff;

	if (len != LRO_TS_LEN)
		return len ? !!memcmp(a + TCP_OPTIONS, b + TCP_OPTIONS, len) : 0;
	diff = lro_load32(a + TCP_OPTIONS) ^ lro_load32(b + TCP_OPTIONS);
	if (rules & LRO_RULE_RELAXED && are_timestamps(a, len))
		return diff;
	return diff | lro_diff64(a + TCP_TSVAL, b + TCP_TSVAL);
}

static u64 tcp_diff(const u8 *a, const u8 *b, unsigned int options, unsigned int rules)
{
	u64 diff = lro_load32(a + TCP_PORTS) ^ lro_load32(b + TCP_PORTS);

	diff |= (u16)(lro_get_be16(a + TCP_URGENT) ^ lro_get_be16(b + TCP_URGENT));
	diff |= options_diff(a, b, options, rules);
	if (rules & LRO_RULE_RELAXED) {
		diff |= (u8)(a[TCP_DOFF] ^ b[TCP_DOFF]);
		diff |= (a[TCP_FLAGS] ^ b[TCP_FLAGS]) & flags_equal(rules);
		return diff;
	}
	diff |= tcp_middle(a, rules) ^ tcp_middle(b, rules);
	return diff;
}

static bool headers_equal(const struct lro_state *state, const u8 *frame, unsigned int tcp,
			  unsigned int hdr_len, unsigned int rules)
{
	return !(ip_diff(state->hdr, frame, tcp) |
		 tcp_diff(state->hdr + tcp, frame + tcp, hdr_len - tcp - LRO_TCP_LEN, rules));
}

static enum lro_reason tcp_difference(const u8 *a, const u8 *b, unsigned int rules)
{
	bool relaxed = rules & LRO_RULE_RELAXED;
	u8 flags = a[TCP_FLAGS] ^ b[TCP_FLAGS];

	if (a[TCP_DOFF] >> 4 != b[TCP_DOFF] >> 4)
		return LRO_FLUSH_OPTIONS;
	if (!relaxed && lro_load32(a + TCP_ACKSEQ) != lro_load32(b + TCP_ACKSEQ))
		return LRO_FLUSH_ACK;
	if (!relaxed && lro_get_be16(a + TCP_WINDOW) != lro_get_be16(b + TCP_WINDOW))
		return LRO_FLUSH_WINDOW;
	if (lro_get_be16(a + TCP_URGENT) != lro_get_be16(b + TCP_URGENT))
		return LRO_FLUSH_URGENT;
	if (a[TCP_DOFF] != b[TCP_DOFF] || flags & FLAGS_EQUAL)
		return LRO_FLUSH_FLAGS;
	if (flags & flags_equal(rules))
		return LRO_FLUSH_CWR;
	if (!are_timestamps(a, (a[TCP_DOFF] >> 4) * 4 - LRO_TCP_LEN) ||
	    lro_load32(a + TCP_OPTIONS) != lro_load32(b + TCP_OPTIONS))
		return LRO_FLUSH_OPTIONS;
	return LRO_FLUSH_TIMESTAMP;
}

/* Name the first header field that differs, in the order of the packet. */
static enum lro_reason header_difference(const struct lro_state *state,
					 const struct lro_packet *pkt, unsigned int rules)
{
	const u8 *a = state->hdr, *b = pkt->frame;
	unsigned int tcp = state->tcp;

	if (memcmp(a, b, LRO_MAC_LEN))
		return LRO_FLUSH_MAC;
	if (tcp == V4_TCP) {
		if (a[V4_TOS] != b[V4_TOS])
			return LRO_FLUSH_TOS;
		if (lro_get_be16(a + V4_FRAG) != lro_get_be16(b + V4_FRAG))
			return LRO_FLUSH_DF;
		if (a[V4_TTL] != b[V4_TTL])
			return LRO_FLUSH_TTL;
	} else {
		if ((lro_get_be32(a + V6_WORD) ^ lro_get_be32(b + V6_WORD)) & 0x0ff00000)
			return LRO_FLUSH_TOS;
		if (lro_load32(a + V6_WORD) != lro_load32(b + V6_WORD))
			return LRO_FLUSH_LABEL;
		if (a[V6_HOPS] != b[V6_HOPS])
			return LRO_FLUSH_TTL;
		if (tcp != pkt->tcp || a[V6_NEXT] != b[V6_NEXT] ||
		    memcmp(a + V6_TCP, b + V6_TCP, tcp - V6_TCP))
			return LRO_FLUSH_EXTENSION;
	}
	return tcp_difference(a + tcp, b + tcp, rules);
}

/* May segmentation repeat the identification of an aggregate of one packet? */
static bool repeats_id(const struct lro_state *state, const struct lro_packet *pkt,
		       unsigned int rules)
{
	return state->segs == 1 && pkt->ip_id == state->ip_id &&
	       (rules & LRO_RULE_FIXED_ID || state->hdr[V4_FRAG] & (FRAG_DF >> 8));
}

/*
 * The identification must be what segmentation will write: that of the first
 * packet counted up, or kept if the second packet repeated it.
 */
static bool ip_id_ok(const struct lro_state *state, const struct lro_packet *pkt,
		     unsigned int rules)
{
	u16 distance = pkt->ip_id - state->ip_id;

	return state->tcp != V4_TCP || distance == (state->fixed_id ? 0 : state->segs) ||
	       repeats_id(state, pkt, rules);
}

static bool is_older(const u8 *than, const u8 *this)
{
	return (s32)(lro_get_be32(this) - lro_get_be32(than)) < 0;
}

/* In relaxed mode the later packet's word counts, unless it is the older one. */
static enum lro_reason match_newer(const struct lro_state *state, const struct lro_packet *pkt)
{
	const u8 *a = state->hdr + state->tcp, *b = pkt->frame + pkt->tcp;

	if (is_older(a + TCP_ACKSEQ, b + TCP_ACKSEQ))
		return LRO_FLUSH_ACK;
	if (are_timestamps(a, state->hdr_len - state->tcp - LRO_TCP_LEN) &&
	    (is_older(a + TCP_TSVAL, b + TCP_TSVAL) || is_older(a + TCP_TSECR, b + TCP_TSECR)))
		return LRO_FLUSH_TIMESTAMP;
	return LRO_CONTINUE;
}

/* What is neither in the masked compare nor dependent on it. */
static enum lro_reason match_rest(const struct lro_state *state, const struct lro_packet *pkt,
				  unsigned int rules)
{
	if (pkt->vlan != state->vlan)
		return LRO_FLUSH_VLAN;
	if (pkt->seq != lro_next_seq(state))
		return LRO_FLUSH_SEQ;
	if (pkt->flags & LRO_TCP_CWR && !(rules & LRO_RULE_SAME_CWR))
		return LRO_FLUSH_CWR;
	if (pkt->payload > state->gso_size)
		return LRO_FLUSH_LONGER;
	if (state->ip_len + pkt->payload > state->max_len)
		return LRO_FLUSH_NO_ROOM;
	if (rules & LRO_RULE_RELAXED)
		return match_newer(state, pkt);
	return ip_id_ok(state, pkt, rules) ? LRO_CONTINUE : LRO_FLUSH_IP_ID;
}

enum lro_reason lro_match(const struct lro_state *state, const struct lro_packet *pkt,
			  unsigned int rules)
{
	if (pkt->hdr_len != state->hdr_len || pkt->tcp != state->tcp ||
	    !headers_equal(state, pkt->frame, state->tcp, state->hdr_len, rules))
		return header_difference(state, pkt, rules);
	return match_rest(state, pkt, rules);
}

void lro_state_start(struct lro_state *state, const struct lro_packet *pkt, unsigned int rules)
{
	memcpy(state->hdr, pkt->frame, pkt->hdr_len);
	if (!(rules & LRO_RULE_SAME_CWR))
		state->hdr[pkt->tcp + TCP_FLAGS] &= ~LRO_TCP_CWR;
	state->vlan = pkt->vlan;
	state->ip_len = pkt->ip_len - pkt->payload;
	state->ip_id = pkt->ip_id;
	state->full_len = pkt->hdr_len + pkt->payload;
	state->gso_size = pkt->payload;
	state->segs = 0;
	state->tcp = pkt->tcp;
	state->hdr_len = pkt->hdr_len;
	state->tail_flags = pkt->flags & FLAGS_LAST;
	state->fixed_id = false;
	state->limit = 0;
	state->max_len = 0;
	lro_state_advance(state, state->tcp, pkt->payload);
}

void lro_state_add(struct lro_state *state, const struct lro_packet *pkt, unsigned int rules)
{
	u8 *to = state->hdr + state->tcp;
	const u8 *from = pkt->frame + pkt->tcp;

	if (state->tcp == V4_TCP && repeats_id(state, pkt, rules)) {
		state->fixed_id = true;
		lro_store16(state->hdr + V4_ID, lro_load16(pkt->frame + V4_ID));
		lro_store16(state->hdr + V4_CHECK, lro_load16(pkt->frame + V4_CHECK));
	}
	lro_state_advance(state, state->tcp, pkt->payload);
	state->tail_flags = pkt->flags & FLAGS_LAST;

	/* The latest counts. In strict mode this writes what is there already. */
	lro_store32(to + TCP_ACKSEQ, lro_load32(from + TCP_ACKSEQ));
	lro_store16(to + TCP_WINDOW, lro_load16(from + TCP_WINDOW));
	if (are_timestamps(to, state->hdr_len - state->tcp - LRO_TCP_LEN))
		lro_store64(to + TCP_TSVAL, lro_load64(from + TCP_TSVAL));
}

static unsigned int max_len(const struct lro_state *state, const struct lro_limits *limits)
{
	return state->tcp == V4_TCP ? limits->v4_len : limits->v6_len;
}

enum lro_reason lro_state_ends(const struct lro_state *state, const struct lro_limits *limits)
{
	if (state->tail_flags)
		return state->tail_flags & LRO_TCP_FIN ? LRO_FLUSH_FIN : LRO_FLUSH_PSH;
	if (lro_state_is_short(state))
		return LRO_FLUSH_SHORT;
	if (state->ip_len + state->gso_size > max_len(state, limits))
		return LRO_FLUSH_FULL;
	if (state->segs >= limits->segs)
		return LRO_FLUSH_SEGS;
	return LRO_CONTINUE;
}

void lro_state_limit(struct lro_state *state, const struct lro_limits *limits)
{
	unsigned int max = max_len(state, limits), full = 1;

	if (state->ip_len < max)
		full += (max - state->ip_len) / state->gso_size;
	state->limit = full < limits->segs ? full : limits->segs;
	state->max_len = max;
}
