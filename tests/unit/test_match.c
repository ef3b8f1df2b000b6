// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a packet continue an aggregate:
 *  1. the next segment does, and the masked compare says the same as the rules
 *  2. each header field that differs ends the aggregate, under its own name
 *  3. sequence numbers, identifications and sizes at and around their limits
 *  4. relaxed mode: the latest acknowledgment, window and timestamps, never older
 *  5. the ends of an aggregate after a merge
 *  6. each kernel's own: CWR in all or only in the first, identifications without DF
 */
#include <string.h>

#include "match.h"
#include "predict.h"
#include "packet.h"
#include "tests.h"

#define ALL_SEGS (&(const struct lro_limits){ 1000, LRO_IP_MAX, LRO_IP_MAX })
#define SEGS(n) (&(const struct lro_limits){ n, LRO_IP_MAX, LRO_IP_MAX })

static struct lro_state state;
static unsigned int rules;

static struct lro_packet parsed(const struct frame *f, u32 vlan)
{
	enum lro_reason reason;
	struct lro_packet pkt;

	assert_int_equal(lro_parse(f->data, f->len, f->len, vlan, &pkt, &reason), LRO_CANDIDATE);
	return pkt;
}

static void start(const struct spec *s)
{
	struct frame f = frame_build(s);
	struct lro_packet pkt = parsed(&f, 0);

	lro_state_start(&state, &pkt, rules);
	lro_state_limit(&state, ALL_SEGS);
	frame_free(&f);
}

/* Is a packet that continues the aggregate the one before, counted up? */
static bool is_plain_next(const struct lro_packet *pkt)
{
	bool keeps_id = state.tcp == 34 && pkt->ip_id == state.ip_id;

	return pkt->payload == state.gso_size && !(pkt->flags & (LRO_TCP_PSH | LRO_TCP_FIN)) &&
	       lro_match(&state, pkt, rules & ~LRO_RULE_RELAXED) == LRO_CONTINUE && !(state.segs == 1 && keeps_id);
}

/* The reason; adds the packet if it continues the aggregate, in both ways if there are two. */
static enum lro_reason add_vlan(const struct spec *s, u32 vlan)
{
	struct frame f = frame_build(s);
	struct lro_packet pkt = parsed(&f, vlan);
	enum lro_reason why = lro_match(&state, &pkt, rules);
	struct lro_state quick = state;

	if (lro_state_ends(&state, ALL_SEGS) == LRO_CONTINUE)
		assert_int_equal(lro_predicted(&state, f.data, f.len, f.len, vlan),
				 !why && is_plain_next(&pkt));
	if (!why) {
		bool repeats = is_plain_next(&pkt) &&
			       lro_predicted(&state, f.data, f.len, f.len, vlan);

		lro_state_add(&state, &pkt, rules);
		if (repeats) {
			assert_int_equal(lro_state_advance_predicted(&quick, quick.tcp),
					 lro_state_ends(&state, ALL_SEGS));
			assert_memory_equal(&quick, &state, sizeof(state));
		}
	}
	frame_free(&f);
	return why;
}

static enum lro_reason add(const struct spec *s)
{
	return add_vlan(s, 0);
}

static struct spec next_of(struct spec s)
{
	s.seq += s.payload;
	s.id++;
	return s;
}

static void next_segment(void **ctx)
{
	struct spec s = next_of(spec_bulk);

	(void)ctx;
	start(&spec_bulk);
	assert_int_equal(add(&s), LRO_CONTINUE);
	s = next_of(s);
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_int_equal(state.segs, 3);
	assert_int_equal(state.ip_len, 52 + 3 * 1448);
	assert_int_equal(state.gso_size, 1448);
	assert_false(state.fixed_id);
	assert_int_equal(lro_state_ends(&state, ALL_SEGS), LRO_CONTINUE);
}

static void without_timestamps(void **ctx)
{
	struct spec first = spec_bulk, s;

	(void)ctx;
	first.tcp_options = 0;
	start(&first);
	s = next_of(first);
	assert_int_equal(add(&s), LRO_CONTINUE);
	s = next_of(s);
	s.tcp_options = 12;
	assert_int_equal(add(&s), LRO_FLUSH_OPTIONS);
	start(&spec_bulk);
	s = next_of(spec_bulk);
	s.tcp_options = 0;
	assert_int_equal(add(&s), LRO_FLUSH_OPTIONS);
}

/* The modes in which a difference counts; in others the packet is merged. */
enum where {
	STRICT_V4 = 1,
	STRICT_V6 = 2,
	RELAXED_V4 = 4,
	RELAXED_V6 = 8,
	STRICT = STRICT_V4 | STRICT_V6,
	IPV4 = STRICT_V4 | RELAXED_V4,
	IPV6 = STRICT_V6 | RELAXED_V6,
	ALWAYS = IPV4 | IPV6,
};

/* A field of the next segment set to a value, and what comes of it. */
struct difference {
	struct {
		size_t at;
		size_t size;
		u32 value;
	} field;
	enum lro_reason why;
	enum where where;
};

#define FIELD(field, value)	{ offsetof(struct spec, field), sizeof(spec_bulk.field), value }

static const struct difference differences[] = {
	{ FIELD(mac_last, 0x12), LRO_FLUSH_MAC, ALWAYS },
	{ FIELD(tos, 0x03), LRO_FLUSH_TOS, ALWAYS },	/* congestion experienced */
	{ FIELD(tos, 0x80), LRO_FLUSH_TOS, ALWAYS },
	{ FIELD(ttl, 63), LRO_FLUSH_TTL, ALWAYS },
	{ FIELD(frag, 0), LRO_FLUSH_DF, IPV4 },
	{ FIELD(frag, 0xc000), LRO_FLUSH_DF, IPV4 },	/* the reserved bit */
	{ FIELD(label, 0x12346), LRO_FLUSH_LABEL, IPV6 },
	{ FIELD(label, 0x22345), LRO_FLUSH_LABEL, IPV6 },
	{ FIELD(id, 1002), LRO_FLUSH_IP_ID, STRICT_V4 },
	{ FIELD(id, 999), LRO_FLUSH_IP_ID, STRICT_V4 },
	{ FIELD(seq, 101449), LRO_FLUSH_SEQ, ALWAYS },
	{ FIELD(seq, 101447), LRO_FLUSH_SEQ, ALWAYS },
	{ FIELD(seq, 101448 ^ 0x80000000), LRO_FLUSH_SEQ, ALWAYS },
	{ FIELD(ack, 7001), LRO_FLUSH_ACK, STRICT },
	{ FIELD(ack, 6999), LRO_FLUSH_ACK, ALWAYS },
	{ FIELD(reserved, 1), LRO_FLUSH_FLAGS, ALWAYS },
	{ FIELD(reserved, 8), LRO_FLUSH_FLAGS, ALWAYS },
	{ FIELD(flags, 0x50), LRO_FLUSH_FLAGS, ALWAYS },
	{ FIELD(flags, 0x90), LRO_FLUSH_CWR, ALWAYS },
	{ FIELD(flags, 0x00), LRO_FLUSH_FLAGS, ALWAYS },
	{ FIELD(window, 503), LRO_FLUSH_WINDOW, STRICT },
	{ FIELD(window, 758), LRO_FLUSH_WINDOW, STRICT },
	{ FIELD(urgent, 1), LRO_FLUSH_URGENT, ALWAYS },
	{ FIELD(tsval, 123457), LRO_FLUSH_TIMESTAMP, STRICT },
	{ FIELD(tsval, 123455), LRO_FLUSH_TIMESTAMP, ALWAYS },
	{ FIELD(tsecr, 654322), LRO_FLUSH_TIMESTAMP, STRICT },
	{ FIELD(tsecr, 654320), LRO_FLUSH_TIMESTAMP, ALWAYS },
	{ FIELD(payload, 1449), LRO_FLUSH_LONGER, ALWAYS },
	{ FIELD(tcp_options, 0), LRO_FLUSH_OPTIONS, ALWAYS },
	{ FIELD(tcp_options, 16), LRO_FLUSH_OPTIONS, ALWAYS },
	{ FIELD(extensions, 8), LRO_FLUSH_EXTENSION, IPV6 },
};

static void check_differences(bool ipv6)
{
	const struct spec first = ipv6 ? spec_v6(spec_bulk) : spec_bulk, next = next_of(first);

	for (unsigned int i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		const struct difference *d = &differences[i];
		struct spec s = next;

		memcpy((u8 *)&s + d->field.at, &d->field.value, d->field.size);
		start(&first);
		assert_int_equal(add(&s), d->where & (ipv6 ? STRICT_V6 : STRICT_V4) ? d->why : 0);
		start(&first);
		rules |= LRO_RULE_RELAXED;
		assert_int_equal(add(&s), d->where & (ipv6 ? RELAXED_V6 : RELAXED_V4) ? d->why : 0);
		rules &= ~LRO_RULE_RELAXED;
	}
	start(&first);
	assert_int_equal(add_vlan(&next, 0x81000000), LRO_FLUSH_VLAN);
	assert_int_equal(add(&next), LRO_CONTINUE);
}

static void each_field(void **ctx)
{
	(void)ctx;
	check_differences(false);
	check_differences(true);
}

static void relaxed_takes_the_latest(void **ctx)
{
	struct spec s = spec_bulk, v6 = spec_v6(spec_bulk);

	(void)ctx;
	rules |= LRO_RULE_RELAXED;
	s.tcp_options = 0;
	start(&s);
	s = next_of(s);
	s.ack++;
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_int_equal(lro_get_be32(state.hdr + state.tcp + 8), s.ack);
	s = spec_bulk;
	for (int i = 0; i < 2; i++, s = v6) {
		start(&s);
		s = next_of(s);
		s.ack += 100;
		s.window = 77;
		s.tsval++;
		s.tsecr += 3;
		s.id += 500;
		assert_int_equal(add(&s), LRO_CONTINUE);
		assert_int_equal(lro_get_be32(state.hdr + state.tcp + 8), s.ack);
		assert_int_equal(lro_get_be16(state.hdr + state.tcp + 14), 77);
		assert_int_equal(lro_get_be32(state.hdr + state.tcp + 24), s.tsval);
		assert_int_equal(lro_get_be32(state.hdr + state.tcp + 28), s.tsecr);
	}
	rules &= ~LRO_RULE_RELAXED;
}

static void relaxed_wraps(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	rules |= LRO_RULE_RELAXED;
	s.ack = 0xffffffff;
	s.tsval = 0xffffffff;
	s.tsecr = 0xffffffff;
	start(&s);
	s = next_of(s);
	s.ack = 0;
	s.tsval = 0;
	s.tsecr = 0;
	assert_int_equal(add(&s), LRO_CONTINUE);
	rules &= ~LRO_RULE_RELAXED;
}

static void flags_of_first_and_last(void **ctx)
{
	struct spec first = spec_bulk, s;

	(void)ctx;
	/* CWR on the first only is what segmentation gives back. */
	first.flags = 0x90;
	start(&first);
	s = next_of(spec_bulk);
	assert_int_equal(add(&s), LRO_CONTINUE);
	s = next_of(s);
	s.flags = 0x90;
	assert_int_equal(add(&s), LRO_FLUSH_CWR);

	/* ECE on all. */
	first.flags = 0x50;
	start(&first);
	s = next_of(first);
	assert_int_equal(add(&s), LRO_CONTINUE);
	s = next_of(s);
	s.flags = 0x10;
	assert_int_equal(add(&s), LRO_FLUSH_FLAGS);
}

static void sequence_wraps(void **ctx)
{
	struct spec first = spec_bulk, s;

	(void)ctx;
	first.seq = 0u - 1448;
	start(&first);
	assert_int_equal(lro_next_seq(&state), 0);
	s = next_of(first);
	assert_int_equal(add(&s), LRO_CONTINUE);
	first.seq = 0u - 1447;
	start(&first);
	s = next_of(first);
	assert_int_equal(s.seq, 1);
	assert_int_equal(add(&s), LRO_CONTINUE);
}

static void timestamp_wraps(void **ctx)
{
	struct spec first = spec_bulk, s;

	(void)ctx;
	first.tsval = 0xffffffff;
	start(&first);
	s = next_of(first);
	assert_int_equal(add(&s), LRO_CONTINUE);
	s = next_of(s);
	s.tsval = 0;
	assert_int_equal(add(&s), LRO_FLUSH_TIMESTAMP);
}

static void ip_id_counts_up(void **ctx)
{
	struct spec first = spec_bulk, s;

	(void)ctx;
	first.id = 0xfffe;
	start(&first);
	s = next_of(first);
	assert_int_equal(add(&s), LRO_CONTINUE);
	s = next_of(s);
	assert_int_equal(s.id, 0);
	assert_int_equal(add(&s), LRO_CONTINUE);
	s = next_of(s);
	s.id = first.id;	/* counting cannot turn into keeping */
	assert_int_equal(add(&s), LRO_FLUSH_IP_ID);
	s.id = 0;
	assert_int_equal(add(&s), LRO_FLUSH_IP_ID);

	/* without DF as well */
	first.frag = 0;
	start(&first);
	s = next_of(first);
	assert_int_equal(add(&s), LRO_CONTINUE);
}

static void ip_id_stays(void **ctx)
{
	struct spec first = spec_bulk, s;

	(void)ctx;
	start(&first);
	s = next_of(first);
	s.id = first.id;
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_true(state.fixed_id);
	s = next_of(s);	/* keeping cannot turn into counting */
	assert_int_equal(add(&s), LRO_FLUSH_IP_ID);
	s.id = first.id + 2;
	assert_int_equal(add(&s), LRO_FLUSH_IP_ID);
	s.id = first.id;
	assert_int_equal(add(&s), LRO_CONTINUE);

	/* Without DF only if the kernel's segmentation can repeat it. */
	first.frag = 0;
	start(&first);
	s = next_of(first);
	s.id = first.id;
	assert_int_equal(add(&s), LRO_FLUSH_IP_ID);
	rules = LRO_RULE_RELAXED;
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_false(state.fixed_id);
	rules = LRO_RULE_FIXED_ID;
	start(&first);
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_true(state.fixed_id);
	s = next_of(s);
	s.id = first.id;
	assert_int_equal(add(&s), LRO_CONTINUE);
	rules = 0;
}

/* Where segmentation leaves CWR in all segments, they all have it or none. */
static void cwr_of_all(void **ctx)
{
	struct spec first = spec_bulk, s;

	(void)ctx;
	for (rules = LRO_RULE_SAME_CWR; rules <= (LRO_RULE_SAME_CWR | LRO_RULE_RELAXED); rules++) {
		first.flags = 0x90;
		start(&first);
		s = next_of(first);
		assert_int_equal(add(&s), LRO_CONTINUE);
		s = next_of(s);
		assert_int_equal(add(&s), LRO_CONTINUE);
		s = next_of(s);
		s.flags = 0x10;
		assert_int_equal(add(&s), LRO_FLUSH_CWR);
		s.flags = 0xd0;
		assert_int_equal(add(&s), LRO_FLUSH_FLAGS);
	}
	rules = 0;
}

/* Neither is a field of its own: all bytes are the same or the packets stay apart. */
static void equal_options_and_extensions(void **ctx)
{
	(void)ctx;
	for (unsigned int i = 0; i < 2 * 2 * 2 * 11 * 10; i++) {
		struct spec first = i & 1 ? spec_v6(spec_bulk) : spec_bulk, s;
		bool other_option;

		rules = i & 2 ? LRO_RULE_RELAXED : 0;
		first.option = 30;
		first.tcp_options = i / 8 % 11 * 4;
		first.extensions = i & 1 ? i / 8 / 11 * 8 : 0;
		if (first.ipv6 && 54 + first.extensions + 20 + first.tcp_options > LRO_HDR_MAX)
			continue;
		start(&first);
		s = next_of(first);
		assert_int_equal(add(&s), LRO_CONTINUE);
		s = next_of(s);
		assert_int_equal(add(&s), LRO_CONTINUE);
		s = next_of(s);
		/* The builder writes timestamps where there are twelve bytes. */
		other_option = first.tcp_options && first.tcp_options != 12;
		s.option += !!(i & 4);
		assert_int_equal(add(&s), i & 4 && other_option ? LRO_FLUSH_OPTIONS :
								 LRO_CONTINUE);
		if (!first.extensions)
			continue;
		s = next_of(first);
		s.extension++;
		start(&first);
		assert_int_equal(add(&s), LRO_FLUSH_EXTENSION);
		s.extension--;
		s.extensions += 8;
		if (54 + s.extensions + 20 + s.tcp_options <= LRO_HDR_MAX)
			assert_int_equal(add(&s), LRO_FLUSH_EXTENSION);
	}
	rules = 0;
}

/* Headers of the same length in all, and TCP at another place, or an extension of another kind. */
static void other_extensions(void **ctx)
{
	struct spec first = spec_v6(spec_bulk), s;
	struct lro_packet pkt;
	struct frame f;

	(void)ctx;
	first.extensions = 8;
	start(&first);
	s = next_of(first);
	s.extensions = 0;
	s.tcp_options = first.tcp_options + 8;
	assert_int_equal(add(&s), LRO_FLUSH_EXTENSION);
	s = next_of(first);
	f = frame_build(&s);
	f.data[20] = 0;
	pkt = parsed(&f, 0);
	assert_int_equal(pkt.tcp, 62);
	assert_int_equal(lro_match(&state, &pkt, rules), LRO_FLUSH_EXTENSION);
	frame_free(&f);
}

/* The other zero is no checksum that a sender computes, whatever the headers. */
static void other_zero_as_tcp_checksum(void **ctx)
{
	struct spec first = spec_v6(spec_bulk), s;
	struct frame f;

	(void)ctx;
	first.extensions = 8;
	start(&first);
	s = next_of(first);
	f = frame_build(&s);
	assert_true(lro_predicted(&state, f.data, f.len, f.len, 0));
	put_be16(f.data + 62 + 16, 0xffff);
	assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
	frame_free(&f);
}

/* As long as timestamps and not in their usual form: no field of theirs may be newer. */
static void timestamps_elsewhere(void **ctx)
{
	struct spec s = next_of(spec_bulk);
	struct frame first = frame_build(&spec_bulk), next = frame_build(&s);
	struct lro_packet a, b;

	(void)ctx;
	for (unsigned int form = 0; form < 2; form++) {
		put_be32(first.data + 54, form ? 0x01080a00 : 0x080a0000);
		put_be32(next.data + 54, form ? 0x01080a00 : 0x080a0000);
		a = parsed(&first, 0);
		b = parsed(&next, 0);
		for (rules = 0; rules <= LRO_RULE_RELAXED; rules++) {
			lro_state_start(&state, &a, rules);
			lro_state_limit(&state, ALL_SEGS);
			assert_int_equal(lro_match(&state, &b, rules), LRO_CONTINUE);
			assert_true(lro_predicted(&state, next.data, next.len, next.len, 0));
			next.data[61]++;
			assert_int_equal(lro_match(&state, &b, rules), LRO_FLUSH_OPTIONS);
			assert_false(lro_predicted(&state, next.data, next.len, next.len, 0));
			next.data[61]--;
			/* One of both has the usual form. */
			put_be32(next.data + 54, 0x0101080a);
			assert_int_equal(lro_match(&state, &b, rules), LRO_FLUSH_OPTIONS);
			put_be32(next.data + 54, form ? 0x01080a00 : 0x080a0000);
		}
	}
	rules = 0;
	/* The other way round. */
	put_be32(first.data + 54, 0x0101080a);
	a = parsed(&first, 0);
	lro_state_start(&state, &a, rules);
	assert_int_equal(lro_match(&state, &b, rules), LRO_FLUSH_OPTIONS);
	frame_free(&first);
	frame_free(&next);
}

static void frames_with_wrong_lengths(void **ctx)
{
	struct spec s = next_of(spec_bulk);
	struct frame f;

	(void)ctx;
	start(&spec_bulk);
	f = frame_build(&s);
	/* The masked compare must not take what lro_parse() refuses. */
	put_be16(f.data + 16, 1501);
	frame_fix_ip_checksum(&f);
	assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
	put_be16(f.data + 16, 52);
	frame_fix_ip_checksum(&f);
	assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
	put_be16(f.data + 16, 10);
	frame_fix_ip_checksum(&f);
	assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
	put_be16(f.data + 16, 1500);
	frame_fix_ip_checksum(&f);
	assert_true(lro_predicted(&state, f.data, f.len, f.len, 0));
	assert_false(lro_predicted(&state, f.data, 65, f.len, 0));
	assert_true(lro_predicted(&state, f.data, 66, f.len, 0));
	assert_false(lro_predicted(&state, f.data, f.len, 65, 0));
	put_be16(f.data + 50, 0xffff);
	assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
	put_be16(f.data + 50, 0x1234);
	f.data[25] ^= 0x10;
	assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
	frame_free(&f);

	s.payload = 65535 - 52;		/* with the longest IP header field */
	f = frame_build(&s);
	assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
	frame_free(&f);
}

/* The masked compare meets frames of any flow, and must know them all apart. */
static void other_flows_and_options(void **ctx)
{
	struct spec v4 = spec_bulk, v6 = spec_v6(spec_bulk);

	(void)ctx;
	for (int i = 0; i < 2; i++) {
		const struct spec first = i ? v6 : v4, s = next_of(first);
		unsigned int end = i ? 54 : 34;
		struct frame f = frame_build(&s);

		start(&first);
		/* Addresses, ports, and what the options are. */
		for (unsigned int at = i ? 22 : 26; at < end + 24; at++) {
			if (at >= end + 4 && at < end + 20)
				continue;
			f.data[at] ^= 0x40;
			if (!i)
				frame_fix_ip_checksum(&f);
			assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
			f.data[at] ^= 0x40;
		}
		if (!i)
			frame_fix_ip_checksum(&f);
		assert_true(lro_predicted(&state, f.data, f.len, f.len, 0));
		frame_free(&f);
	}
}

/* The sum of the header is the same with either zero, but segmentation writes only one of them. */
static void other_zero_as_ip_checksum(void **ctx)
{
	struct spec first = spec_bulk, s;
	struct frame f;

	(void)ctx;
	for (s = next_of(first);; s = next_of(first)) {
		f = frame_build(&s);
		if (!f.data[24] && !f.data[25])
			break;
		frame_free(&f);
		first.id++;
		assert_int_not_equal(first.id, spec_bulk.id);
	}
	start(&first);
	assert_true(lro_predicted(&state, f.data, f.len, f.len, 0));
	put_be16(f.data + 24, 0xffff);
	assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
	frame_free(&f);
}

/* The header that is expected next has the right checksum wherever the identification is. */
static void identification_counts_over(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.payload = 1;
	s.id = 1000;
	start(&s);
	for (int n = 0; n < 65000; n++) {
		struct frame f;

		s = next_of(s);
		f = frame_build(&s);
		assert_true(lro_predicted(&state, f.data, f.len, f.len, 0));
		f.data[25]++;
		assert_false(lro_predicted(&state, f.data, f.len, f.len, 0));
		frame_free(&f);
		assert_int_equal(add(&s), LRO_CONTINUE);
	}
	assert_int_equal(s.id, (1000 + 65000) % 65536);
}

static void padded_last_segment(void **ctx)
{
	struct spec first = spec_bulk, s;

	(void)ctx;
	first.tcp_options = 0;
	first.payload = 6;
	start(&first);
	s = next_of(first);
	s.payload = 5;
	s.padding = 1;
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_int_equal(state.ip_len, 40 + 11);
	assert_int_equal(lro_state_ends(&state, ALL_SEGS), LRO_FLUSH_SHORT);
}

static void what_ends_an_aggregate(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.flags = 0x18;
	start(&s);
	assert_int_equal(lro_state_ends(&state, ALL_SEGS), LRO_FLUSH_PSH);
	s.flags = 0x11;
	start(&s);
	assert_int_equal(lro_state_ends(&state, ALL_SEGS), LRO_FLUSH_FIN);
	s.flags = 0x19;
	start(&s);
	assert_int_equal(lro_state_ends(&state, ALL_SEGS), LRO_FLUSH_FIN);

	start(&spec_bulk);
	assert_int_equal(lro_state_ends(&state, SEGS(1)), LRO_FLUSH_SEGS);
	assert_int_equal(lro_state_ends(&state, SEGS(2)), LRO_CONTINUE);
	s = next_of(spec_bulk);
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_int_equal(lro_state_ends(&state, SEGS(2)), LRO_FLUSH_SEGS);
	assert_int_equal(lro_state_ends(&state, SEGS(3)), LRO_CONTINUE);

	start(&spec_bulk);
	s = next_of(spec_bulk);
	s.flags = 0x18;
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_int_equal(lro_state_ends(&state, ALL_SEGS), LRO_FLUSH_PSH);
	assert_int_equal(state.tail_flags, LRO_TCP_PSH);

	start(&spec_bulk);
	s.flags = 0x10;
	s.payload = 1447;
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_int_equal(lro_state_ends(&state, ALL_SEGS), LRO_FLUSH_SHORT);
}

static void size_limit(void **ctx)
{
	struct spec s = spec_bulk;
	unsigned int n;

	(void)ctx;
	start(&s);
	for (n = 2; n <= 45; n++) {
		assert_int_equal(lro_state_ends(&state, ALL_SEGS), LRO_CONTINUE);
		s = next_of(s);
		assert_int_equal(add(&s), LRO_CONTINUE);
	}
	assert_int_equal(state.ip_len, 52 + 45 * 1448);
	assert_int_equal(lro_state_ends(&state, ALL_SEGS), LRO_FLUSH_FULL);

	/* A packet that fills the limit to the last byte, and one byte more. */
	s = spec_bulk;
	s.payload = (LRO_IP_MAX - 52 + 1) / 2;
	start(&s);
	s = next_of(s);
	s.payload = LRO_IP_MAX - 52 - s.payload;
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_int_equal(state.ip_len, LRO_IP_MAX);
	s = spec_bulk;
	s.payload = (LRO_IP_MAX - 52 + 1) / 2;
	start(&s);
	s = next_of(s);
	s.payload = LRO_IP_MAX - 52 - s.payload + 1;
	assert_int_equal(add(&s), LRO_FLUSH_NO_ROOM);
}

static enum lro_reason append_of(const struct spec *s)
{
	struct frame f = frame_build(s);
	struct lro_packet pkt = parsed(&f, 0);
	enum lro_reason why = lro_match(&state, &pkt, rules);

	if (!why)
		lro_state_add(&state, &pkt, rules);
	frame_free(&f);
	return why;
}

/* The device may have a lower limit, of either protocol. */
static void device_limit(void **ctx)
{
	const struct lro_limits limits = { 1000, 52 + 3 * 1448, 72 + 2 * 1448 + 1447 };

	(void)ctx;
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		struct spec s = v6 ? spec_v6(spec_bulk) : spec_bulk;
		unsigned int most = v6 ? 2 : 3;

		start(&s);
		lro_state_limit(&state, &limits);
		assert_int_equal(state.limit, most);
		for (unsigned int n = 1; n < most; n++) {
			assert_int_equal(lro_state_ends(&state, &limits), LRO_CONTINUE);
			s = next_of(s);
			assert_int_equal(append_of(&s), LRO_CONTINUE);
		}
		assert_int_equal(lro_state_ends(&state, &limits), LRO_FLUSH_FULL);
		/* A shorter segment may still fit. */
		s = next_of(s);
		s.payload = v6 ? 1448 : 1;
		assert_int_equal(append_of(&s), LRO_FLUSH_NO_ROOM);
		s.payload--;
		if (v6)
			assert_int_equal(append_of(&s), LRO_CONTINUE);
	}
	/* One packet is more than it allows. */
	start(&spec_bulk);
	lro_state_limit(&state, &(const struct lro_limits){ 1000, 1499, 1 });
	assert_int_equal(state.limit, 1);
	assert_int_equal(lro_state_ends(&state, &(const struct lro_limits){ 1000, 1499, 1 }),
			 LRO_FLUSH_FULL);
}

struct result run_match_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_segment),
		cmocka_unit_test(without_timestamps),
		cmocka_unit_test(each_field),
		cmocka_unit_test(relaxed_takes_the_latest),
		cmocka_unit_test(relaxed_wraps),
		cmocka_unit_test(flags_of_first_and_last),
		cmocka_unit_test(sequence_wraps),
		cmocka_unit_test(timestamp_wraps),
		cmocka_unit_test(ip_id_counts_up),
		cmocka_unit_test(ip_id_stays),
		cmocka_unit_test(cwr_of_all),
		cmocka_unit_test(equal_options_and_extensions),
		cmocka_unit_test(other_extensions),
		cmocka_unit_test(other_zero_as_tcp_checksum),
		cmocka_unit_test(timestamps_elsewhere),
		cmocka_unit_test(frames_with_wrong_lengths),
		cmocka_unit_test(other_flows_and_options),
		cmocka_unit_test(other_zero_as_ip_checksum),
		cmocka_unit_test(identification_counts_over),
		cmocka_unit_test(padded_last_segment),
		cmocka_unit_test(what_ends_an_aggregate),
		cmocka_unit_test(size_limit),
		cmocka_unit_test(device_limit),
	};

	return RUN_GROUP("match", tests);
}
