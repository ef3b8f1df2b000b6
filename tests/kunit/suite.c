// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of the engine: each case of the tables, and tests that do not fit into tables.
 *
 * Expected of every case, in skb mode, with NAPI's own skb, in page mode and in copy mode:
 *  1. not in copy mode: as many packets in each delivered skb as the table says, in
 *     that order
 *  2. segmenting the delivered packets gives back the packets that were fed in
 *  3. not in copy mode: the reason that the table names has been counted
 *  4. packets = held + merged + singles + passed + to_gro
 *  5. no page of any packet has references any more
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/ethtool.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>

#include "bed.h"
#include "cases.h"
#include "compat.h"
#include "delay.h"
#include "features.h"
#include "fixture.h"
#include "told.h"
#include "verify.h"

/* Reasons that no case of the table can cause, and why. */
static const char * const unreached[] = {
	"pass_gso",		/* has a test of its own */
	"pass_frag_list",	/* the same */
	"flush_resize",		/* the same */
	"flush_stop",		/* the same */
	"pass_no_memory",	/* needs failing allocations */
	"flush_no_room",	/* a full aggregate has been delivered before */
};

static bool reached[256];

static void note_reasons(struct bed *bed)
{
	unsigned int i, count = min_t(unsigned int, lro_stats_count(), ARRAY_SIZE(reached));
	u64 *value = bed->value;

	lro_stats_values(bed->lro, &value);
	for (i = 0; i < count; i++)
		reached[i] |= bed->value[i] > 0;
}

static void expect_balance(struct kunit *test, struct bed *bed)
{
	s64 out = bed_counter(bed, "held") + bed_counter(bed, "merged") +
		  bed_counter(bed, "singles") + bed_counter(bed, "passed") +
		  bed_counter(bed, "to_gro");

	KUNIT_EXPECT_EQ(test, bed_counter(bed, "packets"), out);
}

static void start_flows(struct bed *bed, const struct lro_case *c)
{
	unsigned int i;

	for (i = 0; i < PACKET_FLOWS; i++)
		bed->flow[i] = (struct flow_state){ .seq = c->seq ?: 1000, .id = c->id };
}

static void run_case(struct kunit *test, struct bed *bed, const struct lro_case *c)
{
	start_flows(bed, c);
	fixture_feed(test, c->pkt, c->count);
}

/* Consumes the delivered packets. */
static void expect_nothing_lost(struct kunit *test, struct bed *bed, bool relaxed)
{
	if (relaxed)
		verify_relaxed(test, bed);
	else
		verify_bytes(test, bed);
	expect_balance(test, bed);
	note_reasons(bed);
	/* Frees what GRO or the engine still hold, and the clones of the test. */
	bed_stop_engine(bed);
	bed_drop_clones(bed);
	KUNIT_EXPECT_EQ_MSG(test, bed_leaks(bed), 0u, "packets with references left");
}

static void expect_table(struct kunit *test, enum way way, enum lro_mode mode)
{
	const struct lro_case *c = test->param_value;
	struct bed *bed = test->priv;

	bed->way = way;
	bed->mode = mode;
	run_case(test, bed, c);
	verify_segments(test, bed, c->segs);
	if (c->counts.reason)
		KUNIT_EXPECT_EQ_MSG(test, bed_counter(bed, c->counts.reason),
				    (s64)c->counts.times, "%s", c->counts.reason);
	expect_nothing_lost(test, bed, mode == LRO_RELAXED);
}

static void test_skb(struct kunit *test)
{
	expect_table(test, WAY_SKB, LRO_STRICT);
}

static void test_page(struct kunit *test)
{
	expect_table(test, WAY_PAGE, LRO_STRICT);
}

static void test_frags(struct kunit *test)
{
	expect_table(test, WAY_FRAGS, LRO_STRICT);
}

static void test_relaxed_skb(struct kunit *test)
{
	expect_table(test, WAY_SKB, LRO_RELAXED);
}

static void test_relaxed_page(struct kunit *test)
{
	expect_table(test, WAY_PAGE, LRO_RELAXED);
}

/* The relaxed promise merges at least the packets that the strict one merges. */
static void test_relaxed_all(struct kunit *test)
{
	struct bed *bed = test->priv;

	bed->mode = LRO_RELAXED;
	run_case(test, bed, test->param_value);
	expect_nothing_lost(test, bed, true);
}

static void test_relaxed_copy(struct kunit *test)
{
	struct bed *bed = test->priv;

	bed->way = WAY_COPY;
	bed->mode = LRO_RELAXED;
	run_case(test, bed, test->param_value);
	expect_nothing_lost(test, bed, true);
}

/* Which packets are worth a copy is the engine's choice; the promise is not. */
static void test_copy(struct kunit *test)
{
	struct bed *bed = test->priv;

	bed->way = WAY_COPY;
	run_case(test, bed, test->param_value);
	expect_nothing_lost(test, bed, false);
}

/* A bulk transfer, the first segments of which may not look like one. */
static void test_copy_takes_bulk(struct kunit *test)
{
	static const struct pkt packets[] = { { .payload = 1448, .repeat = 99 } };
	static const struct lro_case c = { .pkt = packets, .count = ARRAY_SIZE(packets) };
	struct bed *bed = test->priv;

	bed->way = WAY_COPY;
	run_case(test, bed, &c);
	KUNIT_EXPECT_GE(test, bed->taken, 90u);
	KUNIT_EXPECT_LE(test, skb_queue_len(&bed->delivered), 5u);
	expect_nothing_lost(test, bed, false);
}

static void case_name(const struct lro_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

static const void *next_relaxed_case(const void *prev, char *desc)
{
	const struct lro_case *c = prev ? (const struct lro_case *)prev + 1 : lro_relaxed_cases;

	if (c == lro_relaxed_cases + lro_relaxed_case_count)
		return NULL;
	case_name(c, desc);
	return c;
}

static const void *next_case(const void *prev, char *desc)
{
	const struct lro_case *c = prev ? (const struct lro_case *)prev + 1 : lro_cases;

	if (c == lro_cases + lro_case_count)
		return NULL;
	case_name(c, desc);
	return c;
}

static const struct lro_case plain = { .name = "plain" };

static const struct pkt two_full[] = {
	{ .payload = 1000, .then = THEN_NEXT },
	{ .payload = 1000, .then = THEN_FULL },
};

/* Aggregates of each address family and kind of page. */
static const struct pkt in_flight[] = {
	{ .payload = 1000 },
	{ .payload = 1000, .flow = 1, .v6 = true, .layout = LAYOUT_FRAG },
	{ .payload = 1000, .repeat = 7 },
	{ .payload = 1000, .flow = 1, .v6 = true, .layout = LAYOUT_FRAG, .repeat = 7 },
	{ .payload = 1000, .flow = 2, .quirk = QUIRK_RECYCLE, .repeat = 8 },
};

#define IN_FLIGHT 27

/* Open aggregates of bulk flows are held for hold_us when a poll completes. */
static const struct pkt held_bulk[] = {
	{ .payload = 1448, .flow = 1, .then = THEN_DONE },
	{ .payload = 1448, .repeat = 19 },
};

static void add_packets(struct kunit *test, const struct pkt *pkt, unsigned int count)
{
	struct bed *bed = test->priv;

	start_flows(bed, &plain);
	fixture_add(test, pkt, count);
}

/* A driver goes down while aggregates are open. */
static void destroy_with_packets_held(struct kunit *test, enum way way)
{
	struct bed *bed = test->priv;

	bed->way = way;
	bed->abandon = true;
	add_packets(test, in_flight, ARRAY_SIZE(in_flight));
	fixture_run(test);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)IN_FLIGHT);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&bed->delivered), 0u);
	KUNIT_EXPECT_NE(test, bed_leaks(bed), 0u);
	bed_stop_engine(bed);
	KUNIT_EXPECT_EQ(test, bed_leaks(bed), 0u);
}

static void test_destroy_skb(struct kunit *test)
{
	destroy_with_packets_held(test, WAY_SKB);
}

static void test_destroy_page(struct kunit *test)
{
	destroy_with_packets_held(test, WAY_PAGE);
}

/* Copy mode keeps no packet; the pages of the context are freed with it. */
static void test_destroy_copy(struct kunit *test)
{
	struct bed *bed = test->priv;

	bed->way = WAY_COPY;
	bed->abandon = true;
	add_packets(test, in_flight, ARRAY_SIZE(in_flight));
	fixture_run(test);
	KUNIT_EXPECT_EQ(test, bed->taken, (unsigned int)IN_FLIGHT);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)IN_FLIGHT);
	bed_stop_engine(bed);
	KUNIT_EXPECT_EQ(test, bed_leaks(bed), 0u);
}

/* The timer runs while the context is destroyed. */
static void test_destroy_while_timer_runs(struct kunit *test)
{
	struct bed *bed = test->priv;

	bed->no_wait = true;
	add_packets(test, held_bulk, ARRAY_SIZE(held_bulk));
	fixture_run(test);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)20);
	bed_stop_engine(bed);
	bed_empty(bed);
	KUNIT_EXPECT_EQ(test, bed_leaks(bed), 0u);
	/* A timer left behind would find its context freed. */
	msleep(3 * PARAMETER_HOLD_US / 1000);
}

/*
 * The time is up while NAPI is disabled, and the driver has not called lro_stop(). Its device
 * sends no interrupt while anything is held, so the engine has to poll by itself afterwards.
 */
static void test_timer_while_napi_is_disabled(struct kunit *test)
{
	static const u8 segs[CASE_DELIVERIES] = { 1, 20 };
	struct bed *bed = test->priv;

	bed->no_wait = true;
	add_packets(test, held_bulk, ARRAY_SIZE(held_bulk));
	fixture_run(test);
	napi_disable(&bed->napi);
	KUNIT_ASSERT_EQ(test, bed_counter(bed, "held"), (s64)20);
	msleep(3 * PARAMETER_HOLD_US / 1000);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)20);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&bed->delivered), 1u);
	napi_enable(&bed->napi);
	msleep(3 * PARAMETER_HOLD_US / 1000);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	KUNIT_EXPECT_TRUE(test, bed->interrupt);
	verify_segments(test, bed, segs);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_hold"), (s64)1);
	expect_nothing_lost(test, bed, false);
}

/* A packet of a flow, and whether the engine holds it when the poll ends. */
static void expect_held(struct kunit *test, const struct pkt *pkt, bool held)
{
	struct bed *bed = test->priv;

	fixture_feed(test, pkt, 1);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held") > 0, held);
	if (held)
		msleep(3 * PARAMETER_HOLD_US / 1000);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
}

/* A flow that was held in vain is held again after more and more polls, others at once. */
static void test_holding_in_vain(struct kunit *test)
{
	static const struct pkt bulk = { .payload = 1448, .repeat = 19 };
	static const struct pkt other = { .payload = 1448, .repeat = 19, .flow = 1 };
	static const struct pkt next = { .payload = 1448 };
	struct bed *bed = test->priv;
	unsigned int times, i;

	bed->no_wait = true;
	expect_held(test, &bulk, true);
	for (times = 1; times < 4; times++) {
		for (i = 1; i < 1u << times; i++)
			expect_held(test, &next, false);
		if (times == 2)
			expect_held(test, &other, true);
		expect_held(test, &next, true);
	}
	expect_nothing_lost(test, bed, false);
}

/* After further packets in time, holding begins as at first. */
static void test_holding_after_a_gain(struct kunit *test)
{
	static const struct pkt bulk = { .payload = 1448, .repeat = 19 };
	static const struct pkt next = { .payload = 1448 };
	static const struct pkt gain[] = { { .payload = 1448, .then = THEN_DONE },
					   { .payload = 1448 } };
	struct bed *bed = test->priv;

	bed->no_wait = true;
	expect_held(test, &bulk, true);
	expect_held(test, &next, false);
	expect_held(test, &next, true);
	expect_held(test, &next, false);
	expect_held(test, &next, false);
	expect_held(test, &next, false);
	fixture_feed(test, gain, ARRAY_SIZE(gain));
	msleep(3 * PARAMETER_HOLD_US / 1000);
	expect_held(test, &next, true);
	expect_nothing_lost(test, bed, false);
}

/* The device goes down and up again: held aggregates wait for their time only. */
static void test_device_down_while_held(struct kunit *test)
{
	struct bed *bed = test->priv;

	bed->no_wait = true;
	add_packets(test, held_bulk, ARRAY_SIZE(held_bulk));
	fixture_run(test);
	rtnl_lock();
	dev_close(bed->dev);
	rtnl_unlock();
	msleep(3 * PARAMETER_HOLD_US / 1000);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	expect_nothing_lost(test, bed, false);
}

/* Packets that only the relaxed promise merges stay apart although it is asked for. */
static void expect_strict(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = 1000 }, { .payload = 1000, .ack = 1 }, { .payload = 1000, .ack = 1 },
	};
	static const u8 segs[CASE_DELIVERIES] = { 1, 2 };
	struct bed *bed = test->priv;

	bed->mode = LRO_RELAXED;
	add_packets(test, packets, ARRAY_SIZE(packets));
	fixture_run(test);
	verify_segments(test, bed, segs);
	expect_nothing_lost(test, bed, false);
}

/* The kernel takes NETIF_F_LRO away where packets are forwarded: that means strict. */
static void test_relaxed_needs_the_feature(struct kunit *test)
{
	struct bed *bed = test->priv;

	rtnl_lock();
	bed->dev->wanted_features &= ~NETIF_F_LRO;
	netdev_update_features(bed->dev);
	rtnl_unlock();
	expect_strict(test);
}

/* Nor does it merge where IPv6 goes on, which the kernel does not tell a device that is a host by itself. */
static void test_relaxed_where_ipv6_goes_on(struct kunit *test)
{
	struct bed *bed = test->priv;
	struct ipv6_devconf *all = dev_net(bed->dev)->ipv6.devconf_all;

	KUNIT_ASSERT_NOT_NULL(test, all);
	WRITE_ONCE(all->forwarding, 1);
	expect_strict(test);
	WRITE_ONCE(all->forwarding, 0);
}

/* Nor where netlink has let IPv4 packets go on, without the kernel's taking the feature away. */
static void test_relaxed_where_ipv4_goes_on(struct kunit *test)
{
	struct bed *bed = test->priv;
	struct in_device *in_dev;

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev_open(bed->dev, NULL), 0);
	in_dev = __in_dev_get_rtnl(bed->dev);
	if (in_dev)
		IN_DEV_CONF_SET(in_dev, FORWARDING, 1);
	rtnl_unlock();
	KUNIT_ASSERT_NOT_NULL(test, in_dev);
	expect_strict(test);
}

/* Nor under a device such as a macvlan, which the kernel does not tell either. */
static void test_relaxed_below_another_device(struct kunit *test)
{
	struct bed *bed = test->priv, *upper = bed_create();

	KUNIT_ASSERT_NOT_NULL(test, upper);
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, netdev_upper_dev_link(bed->dev, upper->dev, NULL), 0);
	rtnl_unlock();
	expect_strict(test);
	rtnl_lock();
	netdev_upper_dev_unlink(bed->dev, upper->dev);
	rtnl_unlock();
	bed_destroy(upper);
}

/* All packets of a bulk transfer are taken, however they are cut, and no page is copied. */
static void test_page_takes_bulk(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = 1448, .repeat = 44 },
		{ .payload = 1448, .flow = 1, .layout = LAYOUT_FRAG, .repeat = 44 },
		{ .payload = 1448, .flow = 2, .layout = LAYOUT_ALL_FRAG, .repeat = 44 },
		{ .payload = 1448, .flow = 3, .layout = LAYOUT_KMALLOC, .repeat = 44 },
		{ .payload = 1448, .flow = 4, .layout = LAYOUT_KMALLOC, .quirk = QUIRK_RECYCLE,
		  .repeat = 44 },
	};
	static const u8 segs[CASE_DELIVERIES] = { 45, 45, 45, 45, 45 };
	struct bed *bed = test->priv;
	const struct sk_buff *skb, *frag;
	unsigned int recycled = 0;

	bed->way = WAY_PAGE;
	add_packets(test, packets, ARRAY_SIZE(packets));
	fixture_run(test);
	KUNIT_EXPECT_EQ(test, bed->taken, 5u * 45);
	verify_segments(test, bed, segs);
	skb_queue_walk(&bed->delivered, skb) {
		KUNIT_EXPECT_LE(test, skb_headlen(skb), ETH_HLEN + 60u);
		recycled += skb->pp_recycle;
		skb_walk_frags(skb, frag)
			KUNIT_EXPECT_TRUE(test, frag->pp_recycle == skb->pp_recycle);
	}
	KUNIT_EXPECT_EQ(test, recycled, 1u);
	expect_nothing_lost(test, bed, false);
}

/* An aggregate that another device or driver made. */
static void test_gso_packet_passes(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = 1000 },
		{ .payload = 1000, .quirk = QUIRK_GSO },
		{ .payload = 1000 },
	};
	static const u8 segs[CASE_DELIVERIES] = { 1, 2, 1 };
	struct bed *bed = test->priv;

	start_flows(bed, &plain);
	fixture_feed(test, packets, ARRAY_SIZE(packets));
	verify_segments(test, bed, segs);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "pass_gso"), (s64)1);
	expect_balance(test, bed);
	bed_empty(bed);
	bed_stop_engine(bed);
	KUNIT_EXPECT_EQ(test, bed_leaks(bed), 0u);
}

/* Every call that takes a context also takes none. */
static void test_no_context(struct kunit *test)
{
	struct bed *bed = test->priv;
	u64 *value = bed->value;

	bed_stop_engine(bed);
	KUNIT_EXPECT_FALSE(test, lro_begin(NULL, LRO_STRICT, NAPI_POLL_WEIGHT));
	lro_end(NULL);
	lro_destroy(NULL);
	lro_stats_values(NULL, &value);
	KUNIT_EXPECT_EQ(test, (unsigned int)(value - bed->value), lro_stats_count());
	KUNIT_EXPECT_EQ(test, bed->value[0], 0ull);
}

/* With mode off the engine is not in the path: the driver passes the packets to the stack. */
static void test_off(struct kunit *test)
{
	static const u8 segs[CASE_DELIVERIES] = { 2 };
	struct bed *bed = test->priv;

	start_flows(bed, &plain);
	fixture_add(test, two_full, ARRAY_SIZE(two_full));
	bed->mode = LRO_OFF;
	fixture_run(test);
	KUNIT_EXPECT_FALSE(test, bed->begin_result);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "packets"), (s64)0);
	verify_segments(test, bed, segs);
	verify_bytes(test, bed);
}

/* Names are unique, have the queue's number and fit, otherwise ethtool shows nonsense. */
static void test_counter_names(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned int i, j, count = lro_stats_count();

	for (i = 0; i < count; i++) {
		const char *name = (char *)bed->name + i * ETH_GSTRING_LEN;

		KUNIT_EXPECT_LT(test, strnlen(name, ETH_GSTRING_LEN), (size_t)ETH_GSTRING_LEN);
		KUNIT_EXPECT_EQ(test, strncmp(name, "rx0_lro_", 8), 0);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, name, (char *)bed->name + j * ETH_GSTRING_LEN);
	}
}

/* Runs last: the tables cause every reason except those listed. */
static void test_every_reason_reached(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned int i, count = lro_stats_count();

	KUNIT_ASSERT_LE(test, count, (unsigned int)ARRAY_SIZE(reached));
	for (i = 0; i < count; i++) {
		const char *name = (char *)bed->name + i * ETH_GSTRING_LEN + strlen("rx0_lro_");
		bool listed = match_string(unreached, ARRAY_SIZE(unreached), name) >= 0;

		if (strncmp(name, "flush_", 6) && strncmp(name, "pass_", 5) &&
		    strncmp(name, "gro_", 4))
			continue;
		KUNIT_EXPECT_NE_MSG(test, reached[i], listed, "%s: %s", name,
				    listed ? "is listed as unreached" : "no case brings it about");
	}
}

static struct kunit_case lro_kunit_cases[] = {
	KUNIT_CASE_PARAM(test_skb, next_case),
	KUNIT_CASE_PARAM(test_page, next_case),
	KUNIT_CASE_PARAM(test_copy, next_case),
	KUNIT_CASE_PARAM(test_frags, next_case),
	KUNIT_CASE_PARAM(test_relaxed_skb, next_relaxed_case),
	KUNIT_CASE_PARAM(test_relaxed_page, next_relaxed_case),
	KUNIT_CASE_PARAM(test_relaxed_copy, next_relaxed_case),
	KUNIT_CASE_PARAM(test_relaxed_all, next_case),
	KUNIT_CASE(test_copy_takes_bulk),
	KUNIT_CASE(test_page_takes_bulk),
	KUNIT_CASE(test_relaxed_needs_the_feature),
	KUNIT_CASE(test_relaxed_where_ipv6_goes_on),
	KUNIT_CASE(test_relaxed_where_ipv4_goes_on),
	KUNIT_CASE(test_relaxed_below_another_device),
	KUNIT_CASE(test_destroy_skb),
	KUNIT_CASE(test_destroy_page),
	KUNIT_CASE(test_destroy_copy),
	KUNIT_CASE(test_destroy_while_timer_runs),
	KUNIT_CASE(test_timer_while_napi_is_disabled),
	KUNIT_CASE(test_holding_in_vain),
	KUNIT_CASE(test_holding_after_a_gain),
	KUNIT_CASE(test_device_down_while_held),
	KUNIT_CASE(test_gso_packet_passes),
	KUNIT_CASE(test_no_context),
	KUNIT_CASE(test_off),
	KUNIT_CASE(test_counter_names),
	KUNIT_CASE(test_every_reason_reached),
	{}
};

static struct kunit_suite lro_kunit_suite = {
	.name = "lro_core",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = lro_kunit_cases,
};

kunit_test_suites(&lro_kunit_suite, &lro_feature_suite, &lro_told_suite,
		  &lro_delay_suite);

MODULE_DESCRIPTION("KUnit tests of the receive offload engine");
MODULE_LICENSE("GPL");
MODULE_IMPORT_XENLRO();
