// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does a packet continue an aggregate:
 *  1. the next segment does, and the masked compare says the same as the rules
 *  2. each header field that differs ends the aggregate, under its own name
 *  3. sequence numbers, identifications and sizes at and around their limits
 *  4. what ends an aggregate after a merge
 */
#include <string.h>

#include "match.h"
#include "packet.h"
#include "tests.h"

#define ALL_SEGS 1000

static struct lro_state state;

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

	lro_state_start(&state, &pkt);
	frame_free(&f);
}

/* The reason both ways give; adds the packet if it continues the aggregate. */
static enum lro_reason add_vlan(const struct spec *s, u32 vlan)
{
	struct frame f = frame_build(s);
	struct lro_packet pkt = parsed(&f, vlan), fast = { .key = pkt.key };
	enum lro_reason why = lro_match(&state, &pkt);

	assert_int_equal(lro_match_fast(&state, f.data, f.len, f.len, vlan, &fast), !why);
	if (!why) {
		assert_memory_equal(&fast, &pkt, sizeof(pkt));
		lro_state_add(&state, &pkt);
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

static void each_field(void **ctx)
{
	const struct spec next = next_of(spec_bulk);
	struct spec s;

	(void)ctx;
	start(&spec_bulk);
#define DIFFERS(field, value, why) do { \
		s = next; \
		s.field = value; \
		assert_int_equal(add(&s), why); \
	} while (0)
	DIFFERS(mac_last, 0x12, LRO_FLUSH_MAC);
	DIFFERS(tos, 0x03, LRO_FLUSH_TOS);	/* congestion experienced */
	DIFFERS(tos, 0x80, LRO_FLUSH_TOS);
	DIFFERS(ttl, 63, LRO_FLUSH_TTL);
	DIFFERS(frag, 0, LRO_FLUSH_DF);
	DIFFERS(id, 1002, LRO_FLUSH_IP_ID);
	DIFFERS(id, 999, LRO_FLUSH_IP_ID);
	DIFFERS(seq, next.seq + 1, LRO_FLUSH_SEQ);
	DIFFERS(seq, next.seq - 1, LRO_FLUSH_SEQ);
	DIFFERS(seq, next.seq ^ 0x80000000, LRO_FLUSH_SEQ);
	DIFFERS(ack, 7001, LRO_FLUSH_ACK);
	DIFFERS(reserved, 1, LRO_FLUSH_FLAGS);
	DIFFERS(reserved, 8, LRO_FLUSH_FLAGS);
	DIFFERS(flags, 0x50, LRO_FLUSH_FLAGS);
	DIFFERS(flags, 0x90, LRO_FLUSH_CWR);
	DIFFERS(window, 503, LRO_FLUSH_WINDOW);
	DIFFERS(window, 758, LRO_FLUSH_WINDOW);
	DIFFERS(urgent, 1, LRO_FLUSH_URGENT);
	DIFFERS(tsval, 123457, LRO_FLUSH_TIMESTAMP);
	DIFFERS(tsecr, 654322, LRO_FLUSH_TIMESTAMP);
	DIFFERS(payload, 1449, LRO_FLUSH_LONGER);
#undef DIFFERS
	assert_int_equal(add_vlan(&next, 0x81000000), LRO_FLUSH_VLAN);
	assert_int_equal(state.segs, 1);
	assert_int_equal(add(&next), LRO_CONTINUE);
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
	assert_int_equal(state.next_seq, 0);
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

	/* Only packets that are never fragmented may repeat an identification. */
	first.frag = 0;
	start(&first);
	s = next_of(first);
	s.id = first.id;
	assert_int_equal(add(&s), LRO_FLUSH_IP_ID);
}

static void frames_with_wrong_lengths(void **ctx)
{
	struct spec s = next_of(spec_bulk);
	struct lro_packet pkt;
	struct frame f;

	(void)ctx;
	start(&spec_bulk);
	f = frame_build(&s);
	/* The masked compare must not take what lro_parse() refuses. */
	put_be16(f.data + 16, 1501);
	frame_fix_ip_checksum(&f);
	assert_false(lro_match_fast(&state, f.data, f.len, f.len, 0, &pkt));
	put_be16(f.data + 16, 52);
	frame_fix_ip_checksum(&f);
	assert_false(lro_match_fast(&state, f.data, f.len, f.len, 0, &pkt));
	put_be16(f.data + 16, 10);
	frame_fix_ip_checksum(&f);
	assert_false(lro_match_fast(&state, f.data, f.len, f.len, 0, &pkt));
	put_be16(f.data + 16, 1500);
	frame_fix_ip_checksum(&f);
	assert_true(lro_match_fast(&state, f.data, f.len, f.len, 0, &pkt));
	assert_false(lro_match_fast(&state, f.data, 65, f.len, 0, &pkt));
	assert_true(lro_match_fast(&state, f.data, 66, f.len, 0, &pkt));
	assert_false(lro_match_fast(&state, f.data, f.len, 65, 0, &pkt));
	put_be16(f.data + 50, 0xffff);
	assert_false(lro_match_fast(&state, f.data, f.len, f.len, 0, &pkt));
	put_be16(f.data + 50, 0x1234);
	f.data[25] ^= 0x10;
	assert_false(lro_match_fast(&state, f.data, f.len, f.len, 0, &pkt));
	frame_free(&f);
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
	assert_int_equal(lro_state_ends(&state, 1), LRO_FLUSH_SEGS);
	assert_int_equal(lro_state_ends(&state, 2), LRO_CONTINUE);
	s = next_of(spec_bulk);
	assert_int_equal(add(&s), LRO_CONTINUE);
	assert_int_equal(lro_state_ends(&state, 2), LRO_FLUSH_SEGS);
	assert_int_equal(lro_state_ends(&state, 3), LRO_CONTINUE);

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

struct result run_match_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_segment),
		cmocka_unit_test(without_timestamps),
		cmocka_unit_test(each_field),
		cmocka_unit_test(flags_of_first_and_last),
		cmocka_unit_test(sequence_wraps),
		cmocka_unit_test(timestamp_wraps),
		cmocka_unit_test(ip_id_counts_up),
		cmocka_unit_test(ip_id_stays),
		cmocka_unit_test(frames_with_wrong_lengths),
		cmocka_unit_test(padded_last_segment),
		cmocka_unit_test(what_ends_an_aggregate),
		cmocka_unit_test(size_limit),
	};

	return RUN_GROUP("match", tests);
}
