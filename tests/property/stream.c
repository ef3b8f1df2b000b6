// SPDX-License-Identifier: GPL-2.0-only
#include "stream.h"
#include "wire.h"

#define FIN	0x01
#define SYN	0x02
#define RST	0x04
#define PSH	0x08
#define ACK	0x10
#define URG	0x20
#define ECE	0x40
#define CWR	0x80
#define RESERVED 0x8000
#define DF	0x4000
#define MF	0x2000

/* Whole packets, with their Ethernet header and an in-band tag, fit the frame. */
#define MSS_MAX	1850

enum stream_options {
	OPTIONS_NONE,
	OPTIONS_TIMESTAMP,
	OPTIONS_SACK,		/* timestamp and one block */
	OPTIONS_SYN,		/* MSS, SACK permitted, timestamp, window scale */
	OPTIONS_SIGNATURE,	/* MD5 */
	OPTIONS_UNKNOWN,
	OPTIONS_OTHER_TS,	/* as long as the usual timestamps, these first */
	OPTIONS_MIDDLE_TS,	/* the same, between two NOPs */
	OPTIONS_MPTCP,		/* timestamps, and a data acknowledgment */
	OPTIONS_SIGNED,		/* timestamps, and TCP-AO, which each packet has another one of */
	OPTIONS_COUNT,
};

enum stream_extension {
	EXTENSION_NONE,
	EXTENSION_HOP,		/* hop-by-hop options: padding */
	EXTENSION_DESTINATION,	/* destination options */
	EXTENSION_ROUTE,	/* routing header at the last hop */
	EXTENSION_ROUTE_ON,	/* another hop is left: the checksum is over its address */
	EXTENSION_SEVERAL,	/* hop-by-hop and destination options */
	EXTENSION_FRAGMENT,	/* a whole packet in one fragment */
	EXTENSION_AH,
	EXTENSION_COUNT,
};

enum stream_quirk {
	QUIRK_NONE,
	QUIRK_FRAGMENT,		/* first, with the TCP header; IPv4 only */
	QUIRK_FRAGMENT_LATER,	/* a later one; IPv4 only */
	QUIRK_IP_CHECKSUM,	/* IPv4 only */
	QUIRK_TCP_CHECKSUM,
	QUIRK_TOO_LONG,		/* IP length beyond the frame */
	QUIRK_TOO_SHORT,	/* IP length within the headers */
	QUIRK_TRUNCATED,	/* the frame ends in the headers */
	QUIRK_VERSION,
	QUIRK_DATA_OFFSET,
	QUIRK_OTHER_ZERO,	/* IP or TCP checksum ffff, and right */
	QUIRK_EXTENSION,	/* an IPv6 extension header that others of its flow do not have */
	QUIRK_COUNT,
};

u32 stream_below(struct stream *s, u32 n)
{
	u64 x = s->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	s->random = x;
	return ((x * 0x2545f4914f6cdd1dull) >> 32) * n >> 32;
}

static bool one_in(struct stream *s, u32 n)
{
	return !stream_below(s, n);
}

static u32 random32(struct stream *s)
{
	return stream_below(s, 65536) << 16 | stream_below(s, 65536);
}

/* Often just before the wrap. */
static u32 near_wrap(struct stream *s, u32 distance)
{
	return one_in(s, 2) ? 0u - stream_below(s, distance) : random32(s);
}

static void setup_flow(struct stream *s, unsigned int n)
{
	static const u16 sizes[] = { 1448, 1448, 1460, 536, 1, MSS_MAX };
	struct stream_flow *flow = &s->flow[n];

	*flow = (struct stream_flow) {
		.next = {
			.seq = near_wrap(s, 300000),
			.ack = near_wrap(s, 10000),
			.tsval = near_wrap(s, 300),
			.tsecr = near_wrap(s, 300),
			.id = near_wrap(s, 200),
			.label = stream_below(s, 1 << 20),
			.frag = one_in(s, 3) ? 0 : one_in(s, 12) ? RESERVED | DF : DF,
			.window = random32(s),
			.ttl = 64,
			.flags = ACK | (one_in(s, 6) ? stream_below(s, 4) * ECE : 0),
			.reserved = one_in(s, 6),
			.options = one_in(s, 4) ? OPTIONS_NONE :
				   one_in(s, 3) ? stream_below(s, OPTIONS_COUNT) :
				   OPTIONS_TIMESTAMP,
			.extension = one_in(s, 3) ? stream_below(s, EXTENSION_COUNT) :
				     EXTENSION_NONE,
		},
		.id_step = one_in(s, 3) ? 0 : 1,
		.mss = sizes[stream_below(s, 6)],
		.v6 = one_in(s, 3),
		.local = one_in(s, 8),
	};
	if (one_in(s, 3)) {
		flow->vlan = (one_in(s, 2) ? 0x8100u : 0x88a8u) << 16 | stream_below(s, 4096);
		flow->in_band = one_in(s, 2);
	}
	flow->sent = flow->next;
}

void stream_setup(struct stream *s, u64 seed)
{
	unsigned int i;

	s->random = seed * 0x9e3779b97f4a7c15ull ^ 0xd1b54a32d192ed03ull;
	if (!s->random)
		s->random = 1;
	s->burst = 0;
	for (i = 0; i < sizeof(s->pattern); i++)
		s->pattern[i] = stream_below(s, 256);
	for (i = 0; i < STREAM_FLOWS; i++)
		setup_flow(s, i);
}

/* Changes that stay. */
static void change_fields(struct stream *s, struct stream_flow *flow)
{
	struct stream_spec *next = &flow->next;

	switch (stream_below(s, 14)) {
	case 0:
		next->tos ^= 1 << stream_below(s, 8);
		break;
	case 1:
		next->ttl += stream_below(s, 3) - 1;
		break;
	case 2:
		next->frag ^= DF;
		break;
	case 3:
		next->label ^= 1 << stream_below(s, 20);
		break;
	case 4:
		next->flags ^= ECE;
		break;
	case 5:
		next->reserved ^= 1 << stream_below(s, 4);
		break;
	case 6:
		next->mac ^= 1;
		break;
	case 7:
		next->urgent ^= one_in(s, 4);
		break;
	case 8:
		next->options = next->options ? OPTIONS_NONE : OPTIONS_TIMESTAMP;
		break;
	case 9:
		next->id = random32(s);
		break;
	case 10:		/* the tag's priority */
		if (flow->vlan)
			flow->vlan ^= 0x2000;
		break;
	case 11:
		next->flags ^= CWR;
		break;
	case 12:
		next->filling ^= 1;
		break;
	case 13:
		next->frag ^= one_in(s, 4) ? RESERVED : 0;
		break;
	}
}

/* Changes that go with a transfer, forwards and rarely back. */
static void move_on(struct stream *s, struct stream_spec *next)
{
	u32 back = one_in(s, 8) ? -1 : 1;

	switch (stream_below(s, 4)) {
	case 0:
		next->ack += back * stream_below(s, 3000);
		break;
	case 1:
		next->window += back * stream_below(s, 300);
		break;
	case 2:
		next->tsval += back * stream_below(s, 5);
		break;
	case 3:
		next->tsecr += back * stream_below(s, 5);
		break;
	}
}

/* Properties of this packet only. */
static void make_special(struct stream *s, struct stream_flow *flow, struct stream_spec *spec)
{
	switch (stream_below(s, 13)) {
	case 0:
		spec->payload = 0;
		break;
	case 1:
		spec->flags |= FIN;
		break;
	case 2:
		spec->flags = SYN | (spec->flags & ACK);
		spec->options = OPTIONS_SYN;
		spec->seq = near_wrap(s, 300000);
		flow->next.seq = spec->seq + 1;
		break;
	case 3:
		spec->flags |= RST;
		break;
	case 4:
		spec->flags |= URG;
		spec->urgent = 1;
		break;
	case 5:
		spec->flags |= CWR;
		break;
	case 6:
		spec->flags &= ~ACK;
		break;
	case 7:
		spec->options = stream_below(s, OPTIONS_COUNT);
		break;
	case 8:
		spec->ip_options = 4 + 4 * stream_below(s, 10);
		break;
	case 9:
		spec->padding = stream_below(s, 20);
		break;
	case 10:
		spec->tos |= 3;		/* congestion experienced */
		break;
	default:
		spec->quirk = 1 + stream_below(s, QUIRK_COUNT - 1);
		break;
	}
}

static struct stream_spec next_spec(struct stream *s, struct stream_flow *flow)
{
	struct stream_spec *next = &flow->next, spec;

	if (one_in(s, 60))
		change_fields(s, flow);
	if (one_in(s, 25))
		move_on(s, next);
	spec = *next;
	spec.payload = one_in(s, 40) ? 1 + stream_below(s, flow->mss) : flow->mss;
	if (one_in(s, 30))
		spec.flags |= PSH;
	if (one_in(s, 30))
		make_special(s, flow, &spec);
	if (!(spec.flags & SYN))
		next->seq += spec.payload;
	next->id += flow->id_step;
	return spec;
}

/* The network's part: loss, duplicates, retransmissions, reordering. */
static struct stream_spec next_of_flow(struct stream *s, struct stream_flow *flow)
{
	struct stream_spec spec;

	if (flow->overtaken && !--flow->overtaken)
		return flow->late;
	if (one_in(s, 100))
		next_spec(s, flow);
	if (one_in(s, 100))
		return flow->sent;
	if (one_in(s, 100))
		flow->next.seq -= stream_below(s, 4) * flow->mss;
	spec = next_spec(s, flow);
	if (!flow->overtaken && one_in(s, 80)) {
		flow->late = spec;
		flow->overtaken = 1 + stream_below(s, 3);
		spec = next_spec(s, flow);
	}
	flow->sent = spec;
	return spec;
}

static unsigned int write_options(u8 *at, const struct stream_spec *spec)
{
	static const u8 syn[] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7 };
	static const u8 signature[] = { 1, 1, 19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
					14, 15, 16 };
	static const u8 unknown[] = { 1, 254, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

	switch (spec->options) {
	case OPTIONS_NONE:
		return 0;
	case OPTIONS_SYN:
		memcpy(at, syn, sizeof(syn));
		return sizeof(syn);
	case OPTIONS_SIGNATURE:
		memcpy(at, signature, sizeof(signature));
		return sizeof(signature);
	case OPTIONS_UNKNOWN:
		memcpy(at, unknown, sizeof(unknown));
		return sizeof(unknown);
	case OPTIONS_OTHER_TS:
	case OPTIONS_MIDDLE_TS:
		memset(at, 1, 12);
		at += spec->options == OPTIONS_MIDDLE_TS;
		wire_put16(at, 0x080a);
		wire_put32(at + 2, spec->tsval);
		wire_put32(at + 6, spec->tsecr);
		return 12;
	}
	wire_put32(at, 0x0101080a);
	wire_put32(at + 4, spec->tsval);
	wire_put32(at + 8, spec->tsecr);
	if (spec->options == OPTIONS_TIMESTAMP)
		return 12;
	if (spec->options == OPTIONS_MPTCP) {
		wire_put32(at + 12, 0x1e082001);
		wire_put32(at + 16, spec->ack * 3);
		return 20;
	}
	if (spec->options == OPTIONS_SIGNED) {
		wire_put32(at + 12, 0x1d100102);
		memset(at + 16, spec->seq >> 3, 12);
		return 28;
	}
	wire_put32(at + 12, 0x0101050a);
	wire_put32(at + 16, spec->ack + 3000);
	wire_put32(at + 20, spec->ack + 6000);
	return 24;
}

/*
 * Write one that @next is to name, padded, and all of it 8 or 24 bytes long; returns what follows
 * it. @next is where its own next header is to be named.
 */
static u8 *write_extension(u8 *at, u8 **next, u8 type, const struct stream_spec *spec)
{
	unsigned int len = type == 43 ? 24 : 8;

	**next = type;
	*next = at;
	memset(at, spec->filling, len);
	at[0] = 6;
	at[1] = type == 51 ? 0 : len / 8 - 1;
	if (type == 0 || type == 60) {
		at[2] = 1;		/* padding */
		at[3] = 4;
	} else if (type == 43) {
		at[2] = 4;
		at[3] = spec->extension == EXTENSION_ROUTE_ON;
	} else {
		at[2] = 0;
		at[3] = 0;
	}
	return at + len;
}

static u8 *write_extensions(u8 *at, u8 *next, const struct stream_spec *spec)
{
	static const u8 types[EXTENSION_COUNT] = { 0, 0, 60, 43, 43, 0, 44, 51 };

	if (spec->extension)
		at = write_extension(at, &next, types[spec->extension], spec);
	if (spec->extension == EXTENSION_SEVERAL || spec->quirk == QUIRK_EXTENSION)
		at = write_extension(at, &next, 60, spec);
	return at;
}

/* Returns the length of the IP header, all that comes before TCP. */
static unsigned int write_ip(u8 *ip, const struct stream_spec *spec, bool v6, unsigned int n)
{
	/* Four flows have the same addresses, and any two of a kind the same ports. */
	u32 source = 0x0a000001 + n / 4;

	if (v6) {
		wire_put32(ip, 6u << 28 | spec->tos << 20 | spec->label);
		ip[6] = 6;
		ip[7] = spec->ttl;
		memset(ip + 8, 0xfd, WIRE_V6 - 8);
		wire_put32(ip + 20, source);
		wire_put32(ip + 36, 0x0a0000ff);
		return write_extensions(ip + WIRE_V6, ip + 6, spec) - ip;
	}
	ip[0] = 0x45 + spec->ip_options / 4;
	ip[1] = spec->tos;
	wire_put16(ip + 4, spec->id);
	wire_put16(ip + 6, spec->frag);
	ip[8] = spec->ttl;
	ip[9] = 6;
	wire_put32(ip + 12, source);
	wire_put32(ip + 16, 0x0a0000ff);
	memset(ip + WIRE_V4, 1, spec->ip_options);
	if (spec->quirk == QUIRK_FRAGMENT)
		wire_put16(ip + 6, MF);
	else if (spec->quirk == QUIRK_FRAGMENT_LATER)
		wire_put16(ip + 6, 185);
	return WIRE_V4 + spec->ip_options;
}

static void write_lengths(u8 *ip, unsigned int ip_len, bool v6)
{
	if (v6)
		wire_put16(ip + 4, ip_len - WIRE_V6);
	else
		wire_put16(ip + 2, ip_len);
}

/* Change a word so that the checksum becomes 0, and write that as ffff. */
static void make_other_zero(struct stream_packet *pkt, u8 *th, u8 *ip)
{
	u8 *word = ip ? ip + 4 : th + (th[12] >> 4) * 4, *check = ip ? ip + 10 : th + 16;

	if (word + 2 > pkt->data + pkt->trim)
		return;
	wire_put16(word, ~wire_fold(wire_get16(word) + wire_get16(check)));
	wire_put16(check, 0xffff);
}

/* Spoils a packet that is right so far. */
static void spoil(struct stream *s, struct stream_packet *pkt, const struct stream_spec *spec,
		  unsigned int tcp, bool v6)
{
	u8 *ip = pkt->data + WIRE_ETH, *th = pkt->data + tcp;

	switch (spec->quirk) {
	case QUIRK_NONE:
	case QUIRK_FRAGMENT:
	case QUIRK_FRAGMENT_LATER:
	case QUIRK_EXTENSION:
		return;
	case QUIRK_IP_CHECKSUM:
		ip[10] ^= v6 ? 0 : 1 + stream_below(s, 255);
		return;
	case QUIRK_TCP_CHECKSUM:
		th[16] ^= 1 + stream_below(s, 255);
		pkt->verified = false;
		return;
	case QUIRK_TOO_LONG:
	case QUIRK_TOO_SHORT:
		write_lengths(ip, spec->quirk == QUIRK_TOO_LONG ? pkt->len + 5u :
								   tcp - WIRE_ETH + 10, v6);
		pkt->trim = pkt->len;
		break;
	case QUIRK_TRUNCATED:
		/* With addresses it stays in order, although it has no ports. */
		pkt->len = WIRE_ETH + 20 + stream_below(s, tcp + WIRE_TCP - WIRE_ETH - 20);
		pkt->trim = pkt->len;
		if (v6 && pkt->len < WIRE_ETH + WIRE_V6)
			pkt->lane = STREAM_LANE_OTHER;
		break;
	case QUIRK_VERSION:
		ip[0] ^= v6 || one_in(s, 2) ? 0x10 : 0x01;
		break;
	case QUIRK_DATA_OFFSET:
		th[12] = stream_below(s, 5) << 4;
		break;
	case QUIRK_OTHER_ZERO:
		make_other_zero(pkt, th, v6 || one_in(s, 2) ? NULL : ip);
		return;
	}
	pkt->verified = false;
	if (!v6 && one_in(s, 2))
		wire_check_ip(ip);
}

static void write_tcp(u8 *th, const struct stream_spec *spec, unsigned int n)
{
	wire_put16(th, 40000 + n % 4);
	wire_put16(th + 2, 5001);
	wire_put32(th + 4, spec->seq);
	wire_put32(th + 8, spec->ack);
	th[12] = spec->reserved;
	th[13] = spec->flags;
	wire_put16(th + 14, spec->window);
	wire_put16(th + 18, spec->urgent);
}

static void write_ethernet(u8 *frame, u8 mac, u16 type)
{
	memcpy(frame, "\2\0\0\0\0\0\2\0\0\0\0", 11);
	frame[11] = 1 + mac;
	wire_put16(frame + 12, type);
}

static void build(struct stream *s, struct stream_packet *pkt, const struct stream_spec *spec,
		  unsigned int n)
{
	const struct stream_flow *flow = &s->flow[n];
	u8 *ip = pkt->data + WIRE_ETH, *th;
	bool route_on = flow->v6 && spec->extension == EXTENSION_ROUTE_ON;
	unsigned int tcp, tcp_hdr, tcp_len;
	u64 sum;

	write_ethernet(pkt->data, spec->mac, flow->v6 ? 0x86dd : 0x0800);
	tcp = WIRE_ETH + write_ip(ip, spec, flow->v6, n);
	th = pkt->data + tcp;
	write_tcp(th, spec, n);
	tcp_hdr = WIRE_TCP + write_options(th + WIRE_TCP, spec);
	th[12] |= tcp_hdr / 4 << 4;
	memcpy(th + tcp_hdr, s->pattern + (spec->seq + n * 1237) % STREAM_PATTERN, spec->payload);
	tcp_len = tcp_hdr + spec->payload;
	write_lengths(ip, tcp - WIRE_ETH + tcp_len, flow->v6);
	if (!flow->v6)
		wire_check_ip(ip);
	wire_put16(th + 16, 0);
	sum = wire_pseudo(pkt->data, tcp_len) + (route_on ? 4711 : 0);
	wire_put16(th + 16, wire_fold(wire_sum(th, tcp_len, sum)));

	pkt->trim = tcp + tcp_len;
	pkt->len = pkt->trim + spec->padding;
	if (pkt->len < 60)
		pkt->len = 60;
	memset(pkt->data + pkt->trim, 0xee, pkt->len - pkt->trim);
	pkt->lane = n;
	pkt->vlan = flow->vlan;
	pkt->in_band = flow->in_band;
	pkt->verified = flow->v6 || (spec->quirk != QUIRK_FRAGMENT &&
				     spec->quirk != QUIRK_FRAGMENT_LATER);
	pkt->tcp = tcp;
	spoil(s, pkt, spec, tcp, flow->v6);
	pkt->local = flow->local && pkt->verified && spec->quirk == QUIRK_NONE && !route_on;
}

/* UDP, ICMP, other versions of IP, ARP, or any bytes. */
static void build_other(struct stream *s, struct stream_packet *pkt)
{
	static const u16 types[] = { 0x0800, 0x0800, 0x0800, 0x86dd, 0x0806, 0x88cc };
	unsigned int i;

	pkt->len = 60 + stream_below(s, 1000);
	for (i = 0; i < pkt->len; i += 4)
		wire_put32(pkt->data + i, random32(s));
	write_ethernet(pkt->data, 0, types[stream_below(s, 6)]);
	if (!one_in(s, 4)) {
		pkt->data[14] = wire_is_v6(pkt->data) ? 0x60 : 0x45;
		pkt->data[20] = wire_is_v6(pkt->data) ? 17 : 0;
		pkt->data[23] = one_in(s, 4) ? 1 : 17;
	}
	if (!wire_is_v6(pkt->data))
		wire_check_ip(pkt->data + WIRE_ETH);
	pkt->trim = pkt->len;
	pkt->lane = STREAM_LANE_OTHER;
	pkt->vlan = 0;
	pkt->in_band = false;
	pkt->verified = false;
	pkt->local = false;
	pkt->tcp = 0;
}

void stream_next(struct stream *s, struct stream_packet *pkt)
{
	struct stream_spec spec;

	if (one_in(s, 150)) {
		build_other(s, pkt);
		return;
	}
	if (!s->burst) {
		s->current_flow = stream_below(s, one_in(s, 3) ? STREAM_FLOWS : 6);
		s->burst = 1 + stream_below(s, one_in(s, 3) ? 60 : 6);
	}
	s->burst--;
	spec = next_of_flow(s, &s->flow[s->current_flow]);
	build(s, pkt, &spec, s->current_flow);
}
