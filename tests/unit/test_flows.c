// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow table:
 *  1. sizes; flows are found again, and no others, each part of the key counts
 *  2. at the limit the oldest of all gives way, in a full set the oldest there, and bulk flows
 *     last; packets without ports
 *  3. age order survives any order of closing
 *  4. held aggregates are the oldest; which flows are bulk; what a place remembers
 *  5. the next frame of any open aggregate is found by its bytes
 *  6. as many flows as the limit find nearly all a place of their own
 */
#include <stdlib.h>
#include <string.h>

#include "flows.h"
#include "packet.h"
#include "tests.h"

static struct lro_flows flows;
static struct lro_flow_set *memory;

/* Secrets of a table as the kernel draws them, but the same in each run. */
static struct lro_hash_key secret(u64 seed)
{
	struct lro_hash_key key;

	for (unsigned int i = 0; i < 4; i++) {
		/* splitmix64 */
		u64 z = seed += 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		key.word[i] = z ^ z >> 31;
	}
	return key;
}

static void setup(unsigned int limit, u32 seed)
{
	struct lro_hash_key key = secret(seed);

	memory = calloc(lro_flows_sets(limit), sizeof(*memory));
	lro_flows_setup(&flows, memory, limit, &key);
}

#define SEGS(n) (&(const struct lro_limits){ n, LRO_IP_MAX, LRO_IP_MAX })

static struct lro_key key_of(u32 n)
{
	return (struct lro_key) { .addr = { 1, 2 }, .ports = n };
}

static struct sk_buff *skb_of(u32 n)
{
	return (struct sk_buff *)(uintptr_t)(n + 1);
}

/* A full-sized segment of flow n. */
static struct lro_packet packet_of(u32 n, u32 seq)
{
	static u8 headers[LRO_HDR_MAX];

	put_be32(headers + 34 + LRO_TCP_SEQ, seq);
	return (struct lro_packet) {
		.frame = headers,
		.key = key_of(n),
		.seq = seq,
		.ip_len = 1052,
		.payload = 1000,
		.tcp = 34,
		.hdr_len = 66,
	};
}

/* Opens flow n; returns the skb that was evicted, or NULL. */
static struct sk_buff *open_at(u32 n, u32 seq)
{
	struct lro_key key = key_of(n);
	struct lro_packet pkt;
	struct lro_flow *flow = lro_flows_place(&flows, &key);
	struct sk_buff *gone = NULL;

	while (flow->skb) {
		gone = lro_flows_close(&flows, flow);
		flow = lro_flows_place(&flows, &key);
	}
	pkt = packet_of(n, seq);
	lro_flows_open(&flows, flow, &pkt, skb_of(n), 0);
	return gone;
}

static struct sk_buff *open_flow(u32 n)
{
	return open_at(n, 0);
}

static struct lro_flow *find(u32 n)
{
	struct lro_key key = key_of(n);

	return lro_flows_find(&flows, &key);
}

static void sizes(void **ctx)
{
	(void)ctx;
	assert_int_equal(lro_flows_sets(1), 1);
	assert_int_equal(lro_flows_sets(LRO_WAYS / 2), 1);
	assert_int_equal(lro_flows_sets(LRO_WAYS / 2 + 1), 2);
	assert_int_equal(lro_flows_sets(1000) * LRO_WAYS, 2048);
	assert_int_equal(lro_flows_sets(65536) * LRO_WAYS, 131072);
}

static void found_again(void **ctx)
{
	struct lro_key key;
	u32 n;

	(void)ctx;
	setup(64, 1);
	assert_null(lro_flows_oldest(&flows));
	assert_null(find(0));
	for (n = 0; n < 8; n++)
		assert_null(open_flow(n));
	assert_int_equal(flows.count, 8);
	for (n = 0; n < 8; n++) {
		assert_non_null(find(n));
		assert_ptr_equal(find(n)->skb, skb_of(n));
		assert_ptr_equal(find(n)->tail, skb_of(n));
	}
	assert_null(find(8));
	key = key_of(3);
	key.addr[0]++;
	assert_null(lro_flows_find(&flows, &key));
	key = key_of(3);
	key.addr[1]++;
	assert_null(lro_flows_find(&flows, &key));
	key = key_of(3);
	key.link++;
	assert_null(lro_flows_find(&flows, &key));

	assert_ptr_equal(lro_flows_close(&flows, find(3)), skb_of(3));
	assert_null(find(3));
	assert_int_equal(flows.count, 7);
	free(memory);
}

/* All words of the key are compared, also where the set is the same. */
static void each_word_of_the_key(void **ctx)
{
	const struct lro_key a = { .addr = { 1, 2, 3, 4, 5, 6, 7, 8 }, .ports = 9, .link = 10 };
	struct lro_key b = a;

	(void)ctx;
	assert_true(lro_key_equal(&a, &a));
	for (unsigned int i = 0; i < sizeof(a) / sizeof(u32); i++) {
		((u32 *)&b)[i] ^= 0x80;
		assert_false(lro_key_equal(&a, &b));
		b = a;
	}
}

/* Flows with the same hash are not confused. */
static void equal_hashes(void **ctx)
{
	(void)ctx;
	setup(64, 3);
	open_flow(0);
	find(0)->key.addr[5] ^= 1;	/* which no hash of IPv4 contains */
	assert_null(find(0));
	free(memory);
}

static void spread_of_ipv6(void **ctx)
{
	u32 evicted = 0;

	(void)ctx;
	/* Addresses that differ in one word, any of them, find places of their own. */
	for (u32 word = 0; word < 8; word++) {
		setup(1024, 77);
		for (u32 n = 0; n < 1000; n++) {
			struct lro_packet pkt = packet_of(0, 0);
			struct lro_flow *flow;

			pkt.key.link = LRO_KEY_IPV6;
			pkt.key.addr[word] = n * 0x01010101;
			flow = lro_flows_place(&flows, &pkt.key);
			if (flow->skb) {
				evicted++;
				lro_flows_close(&flows, flow);
			}
			lro_flows_open(&flows, flow, &pkt, skb_of(n), 0);
		}
		free(memory);
	}
	assert_in_range(evicted, 0, 8 * 60);
}

static void oldest_gives_way_at_limit(void **ctx)
{
	u32 n;

	(void)ctx;
	setup(3, 7);
	for (n = 0; n < 3; n++)
		assert_null(open_flow(n));
	for (; n < 50; n++) {
		assert_ptr_equal(open_flow(n), skb_of(n - 3));
		assert_int_equal(flows.count, 3);
		assert_ptr_equal(lro_flows_oldest(&flows)->skb, skb_of(n - 2));
	}
	free(memory);
}

/* Collect flows of one set, the first is @from: all find their first place where it does. */
static void same_set(u32 *in_set, u32 count, u32 from)
{
	struct lro_key key = key_of(from);
	const struct lro_flow *first_place = lro_flows_place(&flows, &key);

	for (u32 n = from, found = 0; found < count; n++) {
		key = key_of(n);
		if (lro_flows_place(&flows, &key) == first_place)
			in_set[found++] = n;
	}
}

static void oldest_of_full_set_gives_way(void **ctx)
{
	u32 n, in_set[LRO_WAYS + 1];

	(void)ctx;
	setup(1024, 99);
	same_set(in_set, LRO_WAYS + 1, 0);
	flows.born = 0xfffffffc;	/* the running number wraps on the way */
	for (n = 0; n < LRO_WAYS; n++)
		assert_null(open_flow(in_set[n]));
	/* Not the place that comes first, but the one opened first. */
	lro_flows_close(&flows, find(in_set[0]));
	assert_null(open_flow(in_set[0]));
	assert_ptr_equal(open_flow(in_set[LRO_WAYS]), skb_of(in_set[1]));
	assert_null(find(in_set[1]));
	assert_non_null(find(in_set[0]));
	assert_int_equal(flows.count, LRO_WAYS);
	free(memory);
}

/* Makes flow n known as bulk and opens its next aggregate. */
static void open_bulk(u32 n)
{
	for (u32 i = 0; i < LRO_BULK_STREAK; i++) {
		assert_null(open_at(n, i * 1000));
		lro_flows_close(&flows, find(n));
	}
	assert_null(open_at(n, LRO_BULK_STREAK * 1000));
	assert_true(lro_flow_is_bulk(find(n)));
}

/* Single packets of many flows leave before open aggregates of bulk flows. */
static void bulk_stays_at_limit(void **ctx)
{
	u32 n;

	(void)ctx;
	setup(1024, 21);
	for (n = 0; n < 8; n++)
		open_bulk(n);
	for (n = 0; n < 4; n++)
		lro_flows_hold(&flows, find(n), 10);
	/* This one becomes bulk in the poll. */
	open_flow(8);
	find(8)->state.segs = LRO_BULK_STREAK;
	for (n = 100; n < 1200; n++)
		open_flow(n);
	assert_in_range(flows.count, 1000, 1024);
	for (n = 0; n <= 8; n++)
		assert_non_null(find(n));
	assert_null(find(100));
	free(memory);

	/* If all are bulk, the one held first leaves. */
	setup(3, 21);
	for (n = 0; n < 3; n++)
		open_bulk(n);
	lro_flows_hold(&flows, find(1), 10);
	lro_flows_hold(&flows, find(0), 20);
	assert_ptr_equal(open_flow(3), skb_of(1));
	/* And then the new flow, which is none. */
	assert_ptr_equal(open_flow(4), skb_of(3));
	free(memory);
}

/* The same in a set that is full. */
static void bulk_stays_in_full_set(void **ctx)
{
	u32 n, in_set[LRO_WAYS + 2];

	(void)ctx;
	setup(1024, 99);
	same_set(in_set, LRO_WAYS + 2, 0);
	for (n = 0; n < LRO_WAYS - 1; n++)
		open_bulk(in_set[n]);
	open_flow(in_set[n]);
	assert_ptr_equal(open_flow(in_set[LRO_WAYS]), skb_of(in_set[LRO_WAYS - 1]));
	find(in_set[LRO_WAYS])->state.segs = LRO_BULK_STREAK;
	assert_ptr_equal(open_flow(in_set[LRO_WAYS + 1]), skb_of(in_set[0]));
	free(memory);
}

static struct lro_key between(u32 host)
{
	return (struct lro_key) { .addr = { host, 2 } };
}

static void open_between(u32 host, u32 n)
{
	struct lro_packet pkt = packet_of(n, 0);

	pkt.key.addr[0] = host;
	lro_flows_open(&flows, lro_flows_place(&flows, &pkt.key), &pkt, skb_of(n), 0);
}

/* Flushes as for a stray; returns how many aggregates. */
static u32 flush_strays(u32 host)
{
	struct lro_key key = between(host);
	struct lro_flow *flow;
	u32 flushed = 0;

	while ((flow = lro_flows_stray(&flows, &key))) {
		lro_flows_close(&flows, flow);
		flushed++;
	}
	return flushed;
}

/* A packet without ports ends the open aggregates between its addresses only. */
static void strays(void **ctx)
{
	u32 n, left;

	(void)ctx;
	setup(1024, 5);
	assert_int_equal(flush_strays(1), 0);
	for (n = 0; n < 300; n++)
		open_between(1 + n % 100, n);
	assert_int_equal(flush_strays(7), 3);
	assert_int_equal(flush_strays(7), 0);
	assert_int_equal(flows.count, 297);
	free(memory);

	/* However many are open between other addresses, few of them are looked at for nothing. */
	setup(1024, 6);
	for (n = 0; n < 500; n++)
		open_between(1, n);
	for (n = 2; flows.count == 500; n++)
		flush_strays(n);
	left = flows.count;
	assert_in_range(left, 0, LRO_STRAY_OTHERS);
	assert_int_equal(flush_strays(1), left);
	free(memory);
}

static void age_order(void **ctx)
{
	static const u32 rest[] = { 1, 2, 4, 5, 7 };
	u32 n;

	(void)ctx;
	setup(64, 3);
	for (n = 0; n < 9; n++)
		open_flow(n);
	lro_flows_close(&flows, find(0));
	lro_flows_close(&flows, find(8));
	lro_flows_close(&flows, find(3));
	lro_flows_close(&flows, find(6));
	for (n = 0; n < 5; n++) {
		struct lro_flow *flow = lro_flows_oldest(&flows);

		assert_ptr_equal(lro_flows_close(&flows, flow), skb_of(rest[n]));
	}
	assert_null(lro_flows_oldest(&flows));
	assert_int_equal(flows.count, 0);
	free(memory);
}

static void held_aggregates(void **ctx)
{
	(void)ctx;
	setup(64, 3);
	for (u32 n = 0; n < 4; n++)
		open_flow(n);
	lro_flows_hold(&flows, find(2), 10);
	lro_flows_hold(&flows, find(0), 20);
	assert_int_equal(find(2)->deadline, 10);
	/* Held ones are older than all that began in this poll. */
	assert_ptr_equal(lro_flows_close(&flows, lro_flows_oldest(&flows)), skb_of(2));
	assert_ptr_equal(lro_flows_close(&flows, lro_flows_oldest(&flows)), skb_of(0));
	assert_ptr_equal(lro_flows_close(&flows, lro_flows_oldest(&flows)), skb_of(1));
	assert_ptr_equal(lro_flows_close(&flows, lro_flows_oldest(&flows)), skb_of(3));
	free(memory);
}

/* Adds a segment to flow n; what ends the aggregate closes it. */
static enum lro_reason grow(u32 n, u32 seq, u8 flags, u16 payload)
{
	struct lro_packet pkt = packet_of(n, seq);
	enum lro_reason why;

	pkt.flags = flags;
	pkt.payload = payload;
	lro_state_add(&find(n)->state, &pkt, 0);
	why = lro_flows_grown(&flows, find(n), SEGS(1000));
	if (why)
		lro_flows_close(&flows, find(n));
	return why;
}

static void begin(u32 n, u32 seq)
{
	open_at(n, seq);
	assert_int_equal(lro_flows_grown(&flows, find(n), SEGS(1000)), LRO_CONTINUE);
}

/* An aggregate that is held again becomes the newest of those held. */
static void held_again(void **ctx)
{
	u32 born;

	(void)ctx;
	setup(64, 3);
	begin(0, 0);
	begin(1, 0);
	begin(2, 0);
	lro_flows_hold(&flows, find(0), 10);
	lro_flows_hold(&flows, find(1), 10);
	born = find(1)->born;
	assert_false(lro_flow_has_grown(find(0)));
	assert_int_equal(grow(0, 1000, 0, 1000), LRO_CONTINUE);
	assert_true(lro_flow_has_grown(find(0)));
	assert_ptr_equal(lro_flows_oldest(&flows), find(0));

	lro_flows_hold(&flows, find(0), 20);
	assert_false(lro_flow_has_grown(find(0)));
	assert_int_equal(find(0)->deadline, 20);
	assert_true((s32)(find(0)->born - born) > 0);
	assert_ptr_equal(lro_flows_oldest(&flows), find(1));

	/* A new aggregate was not held. */
	find(0)->until = 80;
	lro_flows_close(&flows, find(0));
	begin(0, 2000);
	assert_int_equal(find(0)->until, 0);
	free(memory);
}

/* A flow that is held in vain is not held in more and more of its polls, until it goes on in time. */
static void waiting_by_flow(void **ctx)
{
	(void)ctx;
	setup(64, 3);
	begin(0, 0);
	for (u32 vain = 1; vain < 12; vain++) {
		u32 polls = (1u << (vain < LRO_VAIN_MAX ? vain : LRO_VAIN_MAX)) - 1;

		assert_true(lro_flow_waits(find(0)));
		lro_flows_hold(&flows, find(0), vain);
		lro_flow_has_waited(find(0));
		lro_flows_close(&flows, find(0));
		begin(0, vain * 1000);
		for (; polls; polls--)
			assert_false(lro_flow_waits(find(0)));
	}
	/* It has grown: once when its time is up, once before. */
	for (u32 again = 0; again < 2; again++) {
		lro_flows_hold(&flows, find(0), 20);
		assert_int_equal(grow(0, (12 + again) * 1000, 0, 1000), LRO_CONTINUE);
		if (again) {
			lro_flow_goes_on(find(0));
			lro_flows_hold(&flows, find(0), 30);
		}
		lro_flow_has_waited(find(0));
		assert_true(lro_flow_waits(find(0)));
		assert_true(lro_flow_waits(find(0)));
	}
	/* That counts for one time. */
	lro_flow_goes_on(find(0));
	lro_flows_close(&flows, find(0));
	begin(0, 20000);
	lro_flows_hold(&flows, find(0), 40);
	lro_flow_has_waited(find(0));
	assert_false(lro_flow_waits(find(0)));

	/* What grows and ends before its time is up has been worth it, too; what ends as it was has not. */
	lro_flows_hold(&flows, find(0), 50);
	lro_flow_has_waited(find(0));
	lro_flows_close(&flows, find(0));
	begin(0, 21000);
	assert_false(lro_flow_waits(find(0)));
	lro_flows_hold(&flows, find(0), 60);
	assert_int_equal(grow(0, 22000, 0, 1000), LRO_CONTINUE);
	lro_flows_close(&flows, find(0));
	begin(0, 23000);
	assert_true(lro_flow_waits(find(0)));
	free(memory);
}

static void bulk_flows(void **ctx)
{
	u32 i;

	(void)ctx;
	setup(64, 5);
	/* One aggregate of eight. */
	begin(0, 0);
	for (i = 1; i < 8; i++) {
		assert_false(lro_flow_is_bulk(find(0)));
		assert_int_equal(grow(0, i * 1000, 0, 1000), LRO_CONTINUE);
	}
	assert_true(lro_flow_is_bulk(find(0)));

	/* Eight aggregates of one, in sequence, other flows in between. */
	for (i = 0; i < 8; i++) {
		begin(1, i * 1000);
		assert_int_equal(lro_flow_is_bulk(find(1)), i == 7);
		lro_flows_close(&flows, find(1));
		begin(2, 0);
		assert_false(lro_flow_is_bulk(find(2)));
		lro_flows_close(&flows, find(2));
	}
	/* A gap, and a segment of another size, restart the count. */
	begin(1, 8001);
	assert_false(lro_flow_is_bulk(find(1)));
	for (i = 1; i < 8; i++)
		grow(1, 8001 + i * 1000, 0, 1000);
	assert_true(lro_flow_is_bulk(find(1)));
	find(1)->state.gso_size = 999;
	lro_flows_close(&flows, find(1));
	begin(1, 16001);
	assert_false(lro_flow_is_bulk(find(1)));

	/* Short segments do, too, and PSH and FIN unless the flow was bulk before. */
	for (i = 0; i < 6; i++) {
		u32 n = 10 + i, kind = i / 2, segs = i % 2 ? 8 : 7, at;

		begin(n, 0);
		for (at = 1000; at < segs * 1000; at += 1000)
			grow(n, at, 0, 1000);
		assert_int_equal(lro_flow_is_bulk(find(n)), segs == 8);
		assert_int_not_equal(grow(n, at, kind == 0 ? LRO_TCP_PSH :
						 kind == 1 ? LRO_TCP_FIN : 0,
					  kind == 2 ? 999 : 1000), LRO_CONTINUE);
		begin(n, at + (kind == 2 ? 999 : 1000));
		assert_int_equal(lro_flow_is_bulk(find(n)), segs == 8 && kind != 2);
	}
	free(memory);
}

#define KINDS 6

/* Frames of each kind that an aggregate can have; ports tell flows apart. */
static struct spec kind(unsigned int n)
{
	struct spec s = n & 1 ? spec_v6(spec_bulk) : spec_bulk;

	s.sport += n;
	s.tcp_options = n & 2 ? 0 : 12;
	s.payload = 700 + n;
	return s;
}

static u32 tag_of(unsigned int n)
{
	return n < 4 ? 0 : 0x81000000u | 0x2000 | n;
}

static struct lro_flow *repeated(const struct frame *f, unsigned int avail, u32 vlan)
{
	struct lro_flows same = flows;
	struct lro_flow *found = lro_flows_predicted(&flows, f->data, avail, f->len, vlan), *v4;

	if (avail < LRO_V4_BULK_LEN)
		return found;
	/* The way without a call finds the same, where it may. */
	v4 = lro_flows_predicted_v4(&same, f->data, f->len, vlan);
	assert_ptr_equal(v4, found && lro_is_v4_bulk(&found->state) ? found : NULL);
	if (v4) {
		assert_ptr_equal(same.last, flows.last);
		assert_ptr_equal(same.recent, flows.recent);
	}
	return found;
}

static struct lro_flow *open_frame(const struct frame *f, u32 vlan)
{
	struct lro_packet pkt;
	enum lro_reason why;
	struct lro_flow *flow;

	assert_int_equal(lro_parse(f->data, f->len, f->len, vlan, &pkt, &why), LRO_CANDIDATE);
	flow = lro_flows_place(&flows, &pkt.key);
	lro_flows_open(&flows, flow, &pkt, skb_of(1), 0);
	assert_int_equal(lro_flows_grown(&flows, flow, SEGS(3)), LRO_CONTINUE);
	return flow;
}

/* One predicted packet more. */
static enum lro_reason advance(struct lro_flow *flow)
{
	return lro_state_advance_predicted(&flow->state, flow->state.tcp);
}

static void next_frame_is_found(void **ctx)
{
	static const u8 headers[] = { 66, 86, 54, 74, 66, 86 };
	struct lro_flow *flow[KINDS];

	(void)ctx;
	setup(64, 9);
	for (unsigned int n = 0; n < KINDS; n++) {
		struct spec s = kind(n);
		struct frame f = frame_build(&s);

		assert_null(repeated(&f, f.len, tag_of(n)));
		flow[n] = open_frame(&f, tag_of(n));
		assert_ptr_equal(flows.last, flow[n]);
		/* A repetition is not the next packet, nor is an acknowledgment. */
		assert_null(repeated(&f, f.len, tag_of(n)));
		frame_free(&f);
		s.payload = 0;
		f = frame_build(&s);
		assert_null(repeated(&f, f.len, tag_of(n)));
		frame_free(&f);
	}
	for (unsigned int n = 0; n < KINDS; n++) {
		struct spec s = kind(n);
		struct frame f;

		s.seq += s.payload;
		s.id++;
		f = frame_build(&s);
		/* Whichever is the last that grew; and no byte more is read than there is. */
		for (unsigned int last = n; last < KINDS; last++) {
			flows.last = flow[last];
			assert_ptr_equal(repeated(&f, f.len, tag_of(n)), flow[n]);
		}
		for (unsigned int avail = 0; avail < headers[n]; avail++) {
			struct frame cut = { .data = malloc(avail), .len = f.len };

			memcpy(cut.data, f.data, avail);
			assert_null(repeated(&cut, avail, tag_of(n)));
			/* Of which protocol it is need not be known. */
			if (avail >= 14) {
				cut.data[12] = 0x81;
				assert_null(repeated(&cut, avail, tag_of(n)));
			}
			free(cut.data);
		}
		assert_null(repeated(&f, f.len, tag_of(n) ^ 1));
		assert_int_equal(advance(flow[n]), LRO_CONTINUE);
		assert_int_equal(flow[n]->state.segs, 2);
		assert_int_equal(advance(flow[n]), LRO_FLUSH_SEGS);
		lro_flows_close(&flows, flow[n]);
		assert_int_equal(flow[n]->streak, 3);
		assert_null(flows.last);
		assert_null(repeated(&f, f.len, tag_of(n)));
		frame_free(&f);
	}
	free(memory);
}

/* The flow of two packets in sequence is compared with first; flows that take turns are not. */
static void next_flow_is_expected(void **ctx)
{
	struct lro_flow *flow[2];
	struct frame f[2];

	(void)ctx;
	setup(64, 9);
	for (unsigned int n = 0; n < 2; n++) {
		struct spec s = kind(n);

		f[n] = frame_build(&s);
		flow[n] = open_frame(&f[n], 0);
		frame_free(&f[n]);
		s.seq += s.payload;
		s.id++;
		f[n] = frame_build(&s);
	}
	assert_ptr_equal(flows.last, flow[1]);
	for (unsigned int n = 0; n < 6; n++) {
		assert_ptr_equal(repeated(&f[n & 1], f[n & 1].len, 0), flow[n & 1]);
		assert_null(flows.last);
	}
	for (unsigned int n = 0; n < 3; n++) {
		assert_ptr_equal(repeated(&f[1], f[1].len, 0), flow[1]);
		assert_ptr_equal(flows.last, flow[1]);
	}
	frame_free(&f[0]);
	frame_free(&f[1]);
	free(memory);
}

/* Segments count towards a bulk flow in both ways, up to the same number. */
static void repeats_make_bulk(void **ctx)
{
	(void)ctx;
	setup(64, 9);
	begin(0, 0);
	for (unsigned int n = 2; n <= 40; n++) {
		assert_int_equal(advance(find(0)), LRO_CONTINUE);
		assert_int_equal(lro_flow_is_bulk(find(0)), n >= 8);
	}
	while (advance(find(0)) == LRO_CONTINUE)
		;
	assert_int_equal(find(0)->state.segs, 65);
	free(memory);
}

/* A free place remembers its flow as long as other places are free. */
static void least_recent_place_forgets(void **ctx)
{
	u32 n, in_set[LRO_WAYS + 1];

	(void)ctx;
	setup(1024, 4);
	same_set(in_set, LRO_WAYS + 1, 1);
	for (n = 0; n < LRO_WAYS; n++) {
		begin(in_set[n], 0);
		lro_flows_close(&flows, find(in_set[n]));
	}
	/* The first flow comes again: the second is the least recent now. */
	begin(in_set[0], 1000);
	assert_int_equal(find(in_set[0])->streak, 1);
	lro_flows_close(&flows, find(in_set[0]));
	begin(in_set[LRO_WAYS], 0);
	lro_flows_close(&flows, find(in_set[LRO_WAYS]));
	for (n = 2; n < LRO_WAYS; n++) {
		begin(in_set[n], 1000);
		assert_int_equal(find(in_set[n])->streak, 1);
		lro_flows_close(&flows, find(in_set[n]));
	}
	begin(in_set[1], 1000);
	assert_int_equal(find(in_set[1])->streak, 0);
	free(memory);
}

static void thousand_flows(void **ctx)
{
	u32 n, evicted = 0;

	(void)ctx;
	for (u32 seed = 0; seed < 50; seed++) {
		setup(1024, seed * 2654435761u);
		for (n = 0; n < 1000; n++)
			evicted += !!open_flow(n * 2246822519u ^ n >> 3);
		free(memory);
	}
	/* 2 % on average; a poor spread would show many more. */
	assert_in_range(evicted, 0, 50 * 40);
}

struct result run_flows_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(found_again),
		cmocka_unit_test(each_word_of_the_key),
		cmocka_unit_test(equal_hashes),
		cmocka_unit_test(spread_of_ipv6),
		cmocka_unit_test(oldest_gives_way_at_limit),
		cmocka_unit_test(oldest_of_full_set_gives_way),
		cmocka_unit_test(bulk_stays_at_limit),
		cmocka_unit_test(bulk_stays_in_full_set),
		cmocka_unit_test(strays),
		cmocka_unit_test(age_order),
		cmocka_unit_test(held_aggregates),
		cmocka_unit_test(held_again),
		cmocka_unit_test(waiting_by_flow),
		cmocka_unit_test(bulk_flows),
		cmocka_unit_test(next_frame_is_found),
		cmocka_unit_test(next_flow_is_expected),
		cmocka_unit_test(repeats_make_bulk),
		cmocka_unit_test(least_recent_place_forgets),
		cmocka_unit_test(thousand_flows),
	};

	return RUN_GROUP("flows", tests);
}
