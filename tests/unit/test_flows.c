// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow table:
 *  1. sizes; flows are found again, and no others, each part of the key counts
 *  2. at the limit the oldest of all gives way, in a full set the oldest there
 *  3. age order survives any order of closing
 *  4. as many flows as the limit find nearly all a place of their own
 */
#include <stdlib.h>

#include "flows.h"
#include "tests.h"

static struct lro_flows flows;
static struct lro_flow *memory;

static void setup(unsigned int limit, u32 seed)
{
	memory = calloc(lro_flows_places(limit), sizeof(*memory));
	lro_flows_setup(&flows, memory, limit, seed);
}

static struct lro_key key_of(u32 n)
{
	return (struct lro_key) { .saddr = 1, .daddr = 2, .ports = n };
}

static struct sk_buff *skb_of(u32 n)
{
	return (struct sk_buff *)(uintptr_t)(n + 1);
}

/* Opens flow n; returns the skb that had to give way, or NULL. */
static struct sk_buff *open_flow(u32 n)
{
	struct lro_key key = key_of(n);
	struct lro_flow *flow = lro_flows_place(&flows, &key);
	struct sk_buff *gone = NULL;

	while (flow->skb) {
		gone = lro_flows_close(&flows, flow);
		flow = lro_flows_place(&flows, &key);
	}
	lro_flows_open(&flows, flow, &key, skb_of(n));
	return gone;
}

static struct lro_flow *find(u32 n)
{
	struct lro_key key = key_of(n);

	return lro_flows_find(&flows, &key);
}

static void sizes(void **ctx)
{
	(void)ctx;
	assert_int_equal(lro_flows_places(1), LRO_WAYS);
	assert_int_equal(lro_flows_places(LRO_WAYS / 2), LRO_WAYS);
	assert_int_equal(lro_flows_places(LRO_WAYS / 2 + 1), 2 * LRO_WAYS);
	assert_int_equal(lro_flows_places(1000), 2048);
	assert_int_equal(lro_flows_places(65536), 131072);
}

static void found_again(void **ctx)
{
	struct lro_key key;
	u32 n;

	(void)ctx;
	setup(64, 1);
	assert_null(lro_flows_oldest(&flows));
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
	key.saddr++;
	assert_null(lro_flows_find(&flows, &key));
	key = key_of(3);
	key.daddr++;
	assert_null(lro_flows_find(&flows, &key));
	key = key_of(3);
	key.vlan++;
	assert_null(lro_flows_find(&flows, &key));

	assert_ptr_equal(lro_flows_close(&flows, find(3)), skb_of(3));
	assert_null(find(3));
	assert_int_equal(flows.count, 7);
	free(memory);
}

/* The four words of the key are compared, also where the set is the same. */
static void each_word_of_the_key(void **ctx)
{
	const struct lro_key a = { .saddr = 1, .daddr = 2, .ports = 3, .vlan = 4 };
	struct lro_key b;

	(void)ctx;
	assert_true(lro_key_equal(&a, &a));
	b = a;
	b.saddr = 0;
	assert_false(lro_key_equal(&a, &b));
	b = a;
	b.daddr = 0;
	assert_false(lro_key_equal(&a, &b));
	b = a;
	b.ports = 0;
	assert_false(lro_key_equal(&a, &b));
	b = a;
	b.vlan = 0;
	assert_false(lro_key_equal(&a, &b));
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

static void oldest_of_full_set_gives_way(void **ctx)
{
	u32 n, in_set[LRO_WAYS + 1], found = 0;
	struct lro_flow *first_place;
	struct lro_key key;

	(void)ctx;
	setup(1024, 99);
	/* Collect keys of one set: all find their first place where key 0 does. */
	key = key_of(0);
	first_place = lro_flows_place(&flows, &key);
	for (n = 0; found < LRO_WAYS + 1; n++) {
		key = key_of(n);
		if (lro_flows_place(&flows, &key) == first_place)
			in_set[found++] = n;
	}
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
		cmocka_unit_test(oldest_gives_way_at_limit),
		cmocka_unit_test(oldest_of_full_set_gives_way),
		cmocka_unit_test(age_order),
		cmocka_unit_test(thousand_flows),
	};

	return RUN_GROUP("flows", tests);
}
