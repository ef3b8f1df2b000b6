// SPDX-License-Identifier: GPL-2.0-only
/*
 * The strict promise, against a model: a random stream of one flow, with any
 * field changing now and then, goes through the rules; each aggregate is then
 * segmented the way TCP segmentation offload does it, and every byte of every
 * packet must come back. LRO_SEED repeats a run, LRO_PACKETS sets its length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match.h"
#include "predict.h"
#include "packet.h"
#include "segment.h"
#include "tests.h"

#define MAX_HELD 64

static u64 random_state;

static u32 random_below(u32 n)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(random_state >> 33) % n;
}

static bool one_in(u32 n)
{
	return !random_below(n);
}

static unsigned long env_number(const char *name, unsigned long preset)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : preset;
}

static unsigned int frame_end(const struct frame *f)
{
	return f->data[12] == 0x86 ? lro_get_be16(f->data + 18) + 54 :
				     lro_get_be16(f->data + 16) + 14;
}

/* The rules of the stream at hand. */
static unsigned int rules;

static unsigned int kind_of(const struct lro_state *state)
{
	return (state->fixed_id ? SEGMENT_FIXED_ID : 0) |
	       (rules & LRO_RULE_SAME_CWR ? SEGMENT_KEEPS_CWR : 0);
}

static void check_aggregate(const struct lro_state *state, struct frame *held, unsigned int count)
{
	static u8 whole[LRO_HDR_MAX + 65536];
	unsigned int total = state->hdr_len, n;
	struct segment seg;

	assert_int_equal(count, state->segs);
	memcpy(whole, held[0].data, state->hdr_len);
	whole[state->tcp + 13] |= state->tail_flags;
	for (n = 0; n < count; n++) {
		unsigned int len = frame_end(&held[n]) - state->hdr_len;

		memcpy(whole + total, held[n].data + state->hdr_len, len);
		total += len;
	}
	assert_int_equal(total, state->ip_len + 14);
	assert_true(state->ip_len <= LRO_IP_MAX);
	for (n = 0; segment_cut(whole, total, state->gso_size, kind_of(state), n, &seg); n++) {
		assert_true(n < count);
		/* Padding is not given back, it is the link's. */
		assert_int_equal(seg.hdr_len + seg.payload_len, frame_end(&held[n]));
		assert_memory_equal(seg.hdr, held[n].data, seg.hdr_len);
		assert_memory_equal(seg.payload, held[n].data + seg.hdr_len, seg.payload_len);
		frame_free(&held[n]);
	}
	assert_int_equal(n, count);
}

static const struct lro_limits limits = { MAX_HELD, LRO_IP_MAX, LRO_IP_MAX };

/* Advance the sender; now and then something about it changes. */
static void advance(struct spec *s, u32 size, bool fixed_id)
{
	s->seq += s->payload;
	s->id += !fixed_id;
	s->payload = size;
	s->padding = 0;
	s->flags &= ~(0x08 | 0x01);
	if (!(rules & LRO_RULE_SAME_CWR))
		s->flags &= ~0x80;
	if (one_in(40))
		s->payload = 1 + random_below(size);
	if (one_in(30))
		s->flags |= 0x08;
	if (one_in(100))
		s->flags ^= 0x80;
	if (one_in(200))
		s->flags |= 0x01;
	if (one_in(100))
		s->flags ^= 0x40;
	if (one_in(50))
		s->tsval++;
	if (one_in(50))
		s->ack += 1448;
	if (one_in(80))
		s->window ^= 1 << random_below(16);
	if (one_in(100))
		s->tos ^= 1 << random_below(8);
	if (one_in(150))
		s->ttl ^= 1;
	if (one_in(150))
		s->frag ^= one_in(3) ? 0x8000 : 0x4000;
	if (one_in(200))
		s->flags ^= 0x10;
	if (one_in(150))
		s->id += random_below(3);
	if (one_in(150))
		s->id -= 1;
	if (one_in(150))
		s->reserved ^= 1;
	if (one_in(150))
		s->urgent ^= 1;
	if (one_in(150))
		s->label ^= 1 << random_below(20);
	if (one_in(150))
		s->mac_last ^= 1;
	if (one_in(150))
		s->tcp_options = random_below(11) * 4;
	if (one_in(150))
		s->option ^= 1;
	if (one_in(150))
		s->extensions = random_below(6) * 8;
	if (one_in(150))
		s->extension ^= 1;
	if (one_in(60))
		s->seq += random_below(2) ? size : -size;
	if (one_in(60))
		s->padding = random_below(8);
}

static void stream(u32 packets, u32 size, bool fixed_id, unsigned long *merged)
{
	struct frame held[MAX_HELD];
	struct spec s = one_in(3) ? spec_v6(spec_bulk) : spec_bulk;
	struct lro_state state;
	unsigned int count = 0;

	s.seq = random_below(2) ? 0u - random_below(100000) : random_below(1 << 30);
	s.id = random_below(65536);
	s.payload = size;
	s.frag = one_in(4) ? 0 : s.frag;
	if (one_in(2))
		s.tcp_options = random_below(11) * 4;
	if (one_in(3))
		s.extensions = 8 + random_below(6) * 8;
	rules = random_below(8) & ~LRO_RULE_RELAXED;
	for (; packets; packets--) {
		struct lro_packet pkt;
		struct frame f = frame_build(&s);
		enum lro_reason why;
		bool is_next;

		advance(&s, size, fixed_id);
		if (lro_parse(f.data, f.len, f.len, 0, &pkt, &why) != LRO_CANDIDATE) {
			/* The other zero, which the builder makes as well. */
			frame_free(&f);
			continue;
		}
		is_next = count && lro_match(&state, &pkt, rules) == LRO_CONTINUE;
		if (count && lro_predicted(&state, f.data, f.len, f.len, 0)) {
			assert_true(is_next);
			lro_state_advance_predicted(&state, state.tcp);
			++*merged;
		} else if (is_next) {
			lro_state_add(&state, &pkt, rules);
			++*merged;
		} else {
			if (count)
				check_aggregate(&state, held, count);
			count = 0;
			lro_state_start(&state, &pkt, rules);
			lro_state_limit(&state, &limits);
		}
		held[count++] = f;
		if (lro_state_ends(&state, &limits)) {
			check_aggregate(&state, held, count);
			count = 0;
		}
	}
	if (count)
		check_aggregate(&state, held, count);
}

static void segmentation_gives_back(void **ctx)
{
	static const u32 sizes[] = { 1448, 1460, 1, 536, 8948 };
	unsigned long packets = env_number("LRO_PACKETS", 100000), merged = 0, done = 0;
	u64 seed = env_number("LRO_SEED", 20260101);

	(void)ctx;
	random_state = seed;
	while (done < packets) {
		u32 n = 200 + random_below(800);

		stream(n, sizes[random_below(5)], one_in(3), &merged);
		done += n;
	}
	printf("LRO_SEED=%llu: %lu packets, %lu merged\n", (unsigned long long)seed, done, merged);
	/* Most packets continue the one before, or the stream tests nothing. */
	assert_true(merged > done / 2);
}

struct result run_segment_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(segmentation_gives_back),
	};

	return RUN_GROUP("segment", tests);
}
