// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what the table of cases cannot say: skbs made in unusual ways, and
 * what becomes of packets that are held when polls stop or never complete.
 *
 *  1. packets on a frag_list merge like any, and pass where they cannot
 *  2. a tag in the data: merged and delivered with the tag beside it
 *  3. lro_stop() delivers what is held, and the context works on
 *  4. no aggregate stays for long although no poll ever completes
 *  5. lro_destroy() counts what it has to drop
 *  6. what is held again and again, and when the device sends interrupts
 *  7. copies lie where a consumer that copies them into pages of 4 KiB wants them
 *  8. consumers of an aggregate find what they rely on; the limits that they set are kept
 *  9. memory that is not needed goes back
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter_netdev.h>
#include <net/net_namespace.h>
#include <net/tcp.h>

#include "bed.h"
#include "cases.h"
#include "features.h"
#include "fixture.h"
#include "verify.h"

#define FULL	1448

static void expect_segs(struct kunit *test, unsigned int first, unsigned int second)
{
	u8 segs[CASE_DELIVERIES] = { first, second };

	verify_segments(test, test->priv, segs);
}

static void expect_clean(struct kunit *test)
{
	struct bed *bed = test->priv;

	verify_bytes(test, bed);
	bed_stop_engine(bed);
	KUNIT_EXPECT_EQ(test, bed_leaks(bed), 0u);
}

/* Part of a page in an skb of its own. */
static struct sk_buff *list_member(const skb_frag_t *frag, unsigned int from, unsigned int len)
{
	struct sk_buff *skb = alloc_skb(0, GFP_KERNEL);

	if (!skb)
		return NULL;
	get_page(skb_frag_page(frag));
	skb_add_rx_frag(skb, 0, skb_frag_page(frag), skb_frag_off(frag) + from, len, PAGE_SIZE / 2);
	return skb;
}

/* Leaves the first third of the payload, which is one fragment; the rest goes to a frag_list. */
static void move_to_list(struct kunit *test, struct sk_buff *skb)
{
	struct skb_shared_info *info = skb_shinfo(skb);
	skb_frag_t *frag = &info->frags[0];
	unsigned int third = skb_frag_size(frag) / 3;
	struct sk_buff *a = list_member(frag, third, third);
	struct sk_buff *b = list_member(frag, 2 * third, skb_frag_size(frag) - 2 * third);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	skb_frag_size_set(frag, third);
	info->frag_list = a;
	a->next = b;
	skb->truesize += a->truesize + b->truesize;
}

static void test_frag_list_merges(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = FULL, .repeat = 30, .layout = LAYOUT_FRAG },
	};
	struct bed *bed = test->priv;
	struct fed *fed;

	fixture_add(test, packets, ARRAY_SIZE(packets));
	list_for_each_entry(fed, &bed->fed, list)
		move_to_list(test, fed->skb);
	fixture_run(test);
	expect_segs(test, 31, 0);
	expect_clean(test);
}

/* A linear part that is not a page cannot become a fragment. */
static void test_frag_list_passes(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = FULL, .repeat = 1, .layout = LAYOUT_FRAG },
	};
	struct bed *bed = test->priv;
	struct sk_buff *member;
	struct fed *fed;

	fixture_add(test, packets, ARRAY_SIZE(packets));
	fed = list_last_entry(&bed->fed, struct fed, list);
	move_to_list(test, fed->skb);
	member = skb_shinfo(fed->skb)->frag_list->next;
	KUNIT_ASSERT_NOT_NULL(test, __pskb_pull_tail(member, member->data_len));
	fixture_run(test);
	expect_segs(test, 1, 1);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "pass_frag_list"), (s64)1);
	expect_clean(test);
}

/* Back to what the wire had. */
static void move_tag_to_data(struct kunit *test, struct sk_buff *skb)
{
	skb_push(skb, ETH_HLEN);
	KUNIT_ASSERT_EQ(test, __vlan_insert_tag(skb, skb->vlan_proto, skb_vlan_tag_get(skb)), 0);
	__vlan_hwaccel_clear_tag(skb);
	skb->protocol = eth_type_trans(skb, skb->dev);
	KUNIT_ASSERT_EQ(test, ntohs(skb->protocol), ETH_P_8021Q);
}

static void test_tag_in_data(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = FULL, .vlan = 0x2005, .repeat = 3 },
		{ .payload = FULL, .vlan = 0x2005, .repeat = 3, .layout = LAYOUT_FRAG },
		{ .payload = FULL, .vlan = 0x4005 },
	};
	struct bed *bed = test->priv;
	struct fed *fed;

	fixture_add(test, packets, ARRAY_SIZE(packets));
	list_for_each_entry(fed, &bed->fed, list)
		move_tag_to_data(test, fed->skb);
	fixture_run(test);
	expect_segs(test, 8, 1);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_vlan"), (s64)1);
	expect_clean(test);
}

/* As few packets as a bulk flow has, held beyond a poll that used up its budget. */
#define HELD	8

static void hold_some(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = FULL, .repeat = HELD - 1 },
	};
	struct bed *bed = test->priv;

	bed->abandon = true;
	fixture_feed(test, packets, ARRAY_SIZE(packets));
	KUNIT_ASSERT_EQ(test, bed_counter(bed, "held"), (s64)HELD);
}

static void test_stop_delivers(struct kunit *test)
{
	struct bed *bed = test->priv;

	hold_some(test);
	napi_disable(&bed->napi);
	lro_stop(bed->lro);
	expect_segs(test, HELD, 0);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_stop"), (s64)1);
	lro_stop(bed->lro);
	lro_stop(NULL);
	napi_enable(&bed->napi);

	hold_some(test);
	napi_disable(&bed->napi);
	lro_stop(bed->lro);
	napi_enable(&bed->napi);
	expect_segs(test, HELD, HELD);
	expect_clean(test);
}

/* The end of a poll lets go of what is due, also where the budget is used up. */
static void test_busy_polls_let_go(struct kunit *test)
{
	static const struct pkt other = { .payload = FULL, .flow = 1 };
	struct bed *bed = test->priv;

	hold_some(test);
	msleep(3 * PARAMETER_HOLD_US / 1000);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&bed->delivered), 0u);
	fixture_feed(test, &other, 1);
	expect_segs(test, HELD, 1);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_hold"), (s64)1);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_poll"), (s64)1);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
}

/* Busy polling may end with a poll that used up its budget: then a timer polls. */
static void test_busy_polling_leaves_off(struct kunit *test)
{
	struct bed *bed = test->priv;

	set_bit(NAPI_STATE_PREFER_BUSY_POLL, &bed->napi.state);
	hold_some(test);
	clear_bit(NAPI_STATE_PREFER_BUSY_POLL, &bed->napi.state);
	bed->abandon = false;
	msleep(3 * PARAMETER_HOLD_US / 1000);
	expect_segs(test, HELD, 0);
	expect_clean(test);
}

/* netpoll: nothing is delivered, although the time is up. */
static void test_no_budget(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned long flags;

	hold_some(test);
	msleep(3 * PARAMETER_HOLD_US / 1000);
	/* As netpoll marks it. */
	set_bit(NAPI_STATE_NPSVC, &bed->napi.state);
	local_irq_save(flags);
	KUNIT_EXPECT_FALSE(test, lro_begin(bed->lro, LRO_OFF, 0));
	lro_end(bed->lro);
	KUNIT_EXPECT_FALSE(test, lro_complete_done(bed->lro, &bed->napi, 0));
	local_irq_restore(flags);
	clear_bit(NAPI_STATE_NPSVC, &bed->napi.state);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)HELD);
	KUNIT_EXPECT_EQ(test, skb_queue_len(&bed->delivered), 0u);
	bed->abandon = false;
	fixture_run(test);
	expect_segs(test, HELD, 0);
	expect_clean(test);
}

static void test_destroy_counts_drops(struct kunit *test)
{
	struct bed *bed = test->priv;
	struct rtnl_link_stats64 stats;

	hold_some(test);
	bed_stop_engine(bed);
	dev_get_stats(bed->dev, &stats);
	KUNIT_EXPECT_EQ(test, stats.rx_dropped, (u64)HELD);
	KUNIT_EXPECT_EQ(test, bed_leaks(bed), 0u);
}

/* A bulk flow, all of which is held when the poll completes. */
static void hold_bulk(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = FULL, .repeat = 19 },
	};
	struct bed *bed = test->priv;

	bed->no_wait = true;
	fixture_feed(test, packets, ARRAY_SIZE(packets));
	KUNIT_ASSERT_EQ(test, bed_counter(bed, "held"), (s64)20);
	KUNIT_ASSERT_EQ(test, bed_counter(bed, "holds"), (s64)1);
	KUNIT_EXPECT_FALSE(test, bed->interrupt);
}

/* Its next packet comes, then none: it has waited twice, and the interrupt is on again. */
static void test_grown_is_held_again(struct kunit *test)
{
	static const struct pkt next = { .payload = FULL };
	struct bed *bed = test->priv;

	hold_bulk(test);
	fixture_add(test, &next, 1);
	bed->no_wait = false;
	fixture_run(test);
	expect_segs(test, 21, 0);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "holds"), (s64)2);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_hold"), (s64)1);
	KUNIT_EXPECT_TRUE(test, bed->interrupt);
	expect_clean(test);
}

/* A trickle of packets does not keep an aggregate for ever. */
static void test_no_aggregate_is_held_for_ever(struct kunit *test)
{
	static const struct pkt next = { .payload = FULL };
	struct bed *bed = test->priv;
	unsigned int i;

	hold_bulk(test);
	for (i = 0; i < 20 && !bed_counter(bed, "flush_hold"); i++) {
		fixture_feed(test, &next, 1);
		usleep_range(PARAMETER_HOLD_US * 9 / 10, PARAMETER_HOLD_US);
	}
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_hold"), (s64)1);
	KUNIT_EXPECT_GT(test, i, 4u);
	KUNIT_EXPECT_LE(test, bed_counter(bed, "holds"), (s64)9);
	bed->no_wait = false;
	fixture_run(test);
	expect_clean(test);
}

/* The kernel delays interrupts behind packets that were not merged, but not behind a burst. */
static void test_no_delay_behind_a_burst(struct kunit *test)
{
	static const struct pkt burst[] = {
		{ .payload = FULL, .repeat = 19 },
		{ .payload = FULL, .flags = TCPHDR_PSH },
	};
	static const struct pkt request = { .payload = 100, .flags = TCPHDR_PSH, .flow = 1 };
	struct bed *bed = test->priv;

	bed->tell_work = true;
	bed->dev->gro_flush_timeout = 10 * NSEC_PER_MSEC;
	bed->dev->napi_defer_hard_irqs = 1;
	fixture_feed(test, burst, ARRAY_SIZE(burst));
	KUNIT_EXPECT_TRUE(test, bed->interrupt);
	fixture_feed(test, &request, 1);
	KUNIT_EXPECT_FALSE(test, bed->interrupt);
	msleep(50);
	KUNIT_EXPECT_TRUE(test, bed->interrupt);
	expect_segs(test, 21, 1);
	expect_clean(test);
}

/*
 * An aggregate of @segs copied packets: headers and payload, laid end to end, have their
 * page edges where the memory has them. Where the device is a @port of a bridge they begin
 * a page. Returns the pages behind it, without those of headers alone.
 */
static unsigned int copied_pages(struct kunit *test, unsigned int segs, unsigned int frags,
				 u16 vlan, bool port)
{
	const struct pkt packets = { .payload = FULL, .repeat = segs - 1, .vlan = vlan,
				     .ts = true };
	struct bed *bed = test->priv;
	unsigned int i, at, pages = 0;
	struct sk_buff *skb;

	bed->way = WAY_COPY;
	if (port)
		bed->dev->priv_flags |= IFF_BRIDGE_PORT;
	fixture_feed(test, &packets, 1);
	expect_segs(test, segs, 0);
	KUNIT_EXPECT_EQ(test, bed->taken, segs);

	skb = skb_peek(&bed->delivered);
	at = skb_headlen(skb) + (vlan ? VLAN_HLEN : 0);
	if (port) {
		KUNIT_EXPECT_EQ(test, offset_in_page(skb->data) + skb_headlen(skb), at);
		KUNIT_EXPECT_EQ(test, at, min_t(unsigned int, skb->len + at - skb_headlen(skb),
						2 * PAGE_SIZE));
		pages = 4;
	}
	/* Segments that are cut from it have the same. */
	KUNIT_EXPECT_GE(test, skb_headroom(skb), NET_SKB_PAD + NET_IP_ALIGN + 0u);
	KUNIT_EXPECT_LE(test, skb_headroom(skb), 256u);
	KUNIT_ASSERT_EQ(test, skb_shinfo(skb)->nr_frags, frags);
	for (i = 0; i < frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		KUNIT_EXPECT_EQ(test, skb_frag_off(frag) % PAGE_SIZE, at % PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, skb_frag_off(frag) / PAGE_SIZE, 0ul);
		at += skb_frag_size(frag);
		pages += compound_nr(skb_frag_page(frag));
	}
	KUNIT_EXPECT_GT(test, skb->truesize, (unsigned int)(pages * PAGE_SIZE));
	KUNIT_EXPECT_LT(test, skb->truesize, (unsigned int)((pages + 1) * PAGE_SIZE));
	bed->taken = 0;
	verify_bytes(test, bed);
	return pages;
}

static void test_copies_lie_in_phase(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, copied_pages(test, 44, 5, 0, false), 16u);
}

static void test_copies_with_tag_lie_in_phase(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, copied_pages(test, 44, 5, 7, false), 16u);
}

/* What is not filled is no more than what is. */
static void test_few_copies_take_few_pages(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, copied_pages(test, 2, 1, 0, false), 1u);
	KUNIT_EXPECT_EQ(test, copied_pages(test, 6, 3, 0, false), 4u);
}

static void test_copies_for_a_bridge_fill_pages(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, copied_pages(test, 4, 0, 0, true), 4u);
	KUNIT_EXPECT_EQ(test, copied_pages(test, 6, 1, 0, true), 6u);
	KUNIT_EXPECT_EQ(test, copied_pages(test, 44, 3, 0, true), 18u);
	KUNIT_EXPECT_EQ(test, copied_pages(test, 44, 3, 7, true), 18u);
}

/*
 * TCP takes the share of the first packets in their memory for that of all, and announces as
 * large a part of its buffer.
 */
static void test_few_copied_packets_take_little(struct kunit *test)
{
	struct pkt packets = { .payload = FULL, .ts = true, .vlan = 7 };
	struct bed *bed = test->priv;
	unsigned int i, segs;

	bed->way = WAY_COPY;
	for (i = 0; i < 8; i++) {
		segs = i % 4 + 1;
		packets.repeat = segs - 1;
		bed->taken = 0;
		fixture_feed(test, &packets, 1);
		expect_segs(test, segs, 0);
		KUNIT_EXPECT_EQ(test, bed->taken, segs);
		KUNIT_EXPECT_LE(test, skb_peek(&bed->delivered)->truesize, segs * 3 * FULL);
		verify_bytes(test, bed);
		if (i == 3)
			bed->dev->priv_flags |= IFF_BRIDGE_PORT;
	}
	expect_clean(test);
}

static struct sk_buff *only_delivery(struct kunit *test, unsigned int segs)
{
	struct bed *bed = test->priv;

	fixture_run(test);
	expect_segs(test, segs, 0);
	return skb_peek(&bed->delivered);
}

/* Whether memory is shared with others, a consumer asks the first skb. */
static void test_shared_is_told_at_the_head(struct kunit *test)
{
	static const struct pkt packets = {
		.payload = 1000, .layout = LAYOUT_FRAG, .repeat = MAX_SKB_FRAGS + 1,
	};
	struct bed *bed = test->priv;
	struct sk_buff *skb;

	fixture_add(test, &packets, 1);
	/* One whose payload goes to the frag_list. */
	skb = list_last_entry(&bed->fed, struct fed, list)->skb;
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	skb = only_delivery(test, MAX_SKB_FRAGS + 2);
	KUNIT_ASSERT_TRUE(test, skb_has_frag_list(skb));
	KUNIT_EXPECT_TRUE(test, skb_has_shared_frag(skb));
	expect_clean(test);
}

/* skb_segment() wants no more in the linear part of a frag_list member than one segment. */
static void test_members_can_be_cut(struct kunit *test)
{
	static const struct pkt packets = { .payload = 90, .layout = LAYOUT_KMALLOC, .repeat = 39 };
	const struct sk_buff *frag;
	struct sk_buff *skb;

	fixture_add(test, &packets, 1);
	skb = only_delivery(test, 40);
	KUNIT_ASSERT_TRUE(test, skb_has_frag_list(skb));
	skb_walk_frags(skb, frag)
		KUNIT_EXPECT_LE(test, skb_headlen(frag), (unsigned int)skb_shinfo(skb)->gso_size);
	expect_clean(test);
}

/* Sockets that free memory get it alone, the others do not get it at all. */
static void test_emergency_memory_goes_alone(struct kunit *test)
{
	static const struct pkt packets = { .payload = FULL, .repeat = 2 };
	static const u8 segs[CASE_DELIVERIES] = { 1, 1, 1 };
	struct bed *bed = test->priv;
	struct fed *fed;

	fixture_add(test, &packets, 1);
	fed = list_next_entry(list_first_entry(&bed->fed, struct fed, list), list);
	fed->skb->pfmemalloc = true;
	fixture_run(test);
	verify_segments(test, bed, segs);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "pass_skb_state"), (s64)1);
	expect_clean(test);
}

/* As GRO, the engine stays below what the device allows a packet to be. */
static void test_limits_of_the_device(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = 1000, .repeat = 3 },
		{ .payload = 1000, .repeat = 3, .v6 = true, .flow = 1 },
	};
	static const u8 segs[CASE_DELIVERIES] = { 2, 2, 1, 1, 1, 1 };
	struct bed *bed = test->priv;

	WRITE_ONCE(bed->dev->gro_max_size, 1000);
	WRITE_ONCE(bed->dev->gro_ipv4_max_size, 2041);
	fixture_feed(test, packets, ARRAY_SIZE(packets));
	verify_segments(test, bed, segs);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_full"), (s64)6);
	expect_clean(test);
}

static unsigned int accept(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

/* A flowtable or a filter at ingress may send packets on: none of them may lose anything. */
static void test_relaxed_needs_no_ingress_hook(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = 1000 }, { .payload = 1000, .ack = 1 }, { .payload = 1000, .ack = 1 },
	};
	struct bed *bed = test->priv;
	struct nf_hook_ops hook = {
		.hook = accept,
		.dev = bed->dev,
		.pf = NFPROTO_NETDEV,
		.hooknum = NF_NETDEV_INGRESS,
	};

	bed->mode = LRO_RELAXED;
	KUNIT_ASSERT_EQ(test, nf_register_net_hook(&init_net, &hook), 0);
	fixture_feed(test, packets, ARRAY_SIZE(packets));
	nf_unregister_net_hook(&init_net, &hook);
	expect_segs(test, 1, 2);
	verify_bytes(test, bed);
	fixture_feed(test, packets, ARRAY_SIZE(packets));
	expect_segs(test, 3, 0);
}

/* What is kept for reuse goes after a second without packets, the table while the engine is off. */
static void test_memory_goes_back(struct kunit *test)
{
	static const struct pkt packets = { .payload = FULL, .repeat = 39 };
	struct bed *bed = test->priv;
	s64 fresh;

	bed->way = WAY_COPY;
	fixture_feed(test, &packets, 1);
	expect_segs(test, 40, 0);
	bed_empty(bed);
	fresh = bed_counter(bed, "pages_new");
	KUNIT_EXPECT_EQ(test, fresh, (s64)16);
	msleep(3000);
	fixture_feed(test, &packets, 1);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "pages_new"), 2 * fresh);
	bed_empty(bed);

	bed->mode = LRO_OFF;
	fixture_run(test);
	msleep(3000);
	bed->mode = LRO_STRICT;
	fixture_run(test);
	/* There is no table yet, and a poll does not wait for memory. */
	KUNIT_EXPECT_FALSE(test, bed->begin_result);
	msleep(200);
	fixture_run(test);
	KUNIT_EXPECT_TRUE(test, bed->begin_result);
}

/* An engine that is switched on does not take from another what that one needs. */
static void test_memory_stays_while_others_come(struct kunit *test)
{
	static const struct pkt packets = { .payload = FULL, .repeat = 39 };
	struct bed *bed = test->priv, *other[2];
	unsigned int i;
	s64 fresh;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		other[i] = bed_create();
		KUNIT_ASSERT_NOT_NULL(test, other[i]);
		other[i]->mode = LRO_OFF;
		KUNIT_EXPECT_EQ(test, bed_run(other[i]), 0);
	}
	/* Their tables go. */
	msleep(3000);
	bed->way = WAY_COPY;
	fixture_feed(test, &packets, 1);
	bed_empty(bed);
	fresh = bed_counter(bed, "pages_new");
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		other[i]->mode = LRO_STRICT;
		KUNIT_EXPECT_EQ(test, bed_run(other[i]), 0);
		KUNIT_EXPECT_FALSE(test, other[i]->begin_result);
		msleep(100);
		KUNIT_EXPECT_EQ(test, bed_run(other[i]), 0);
		KUNIT_EXPECT_TRUE(test, other[i]->begin_result);
	}
	fixture_feed(test, &packets, 1);
	/* Single pages are not looked at each time. */
	KUNIT_EXPECT_LE(test, bed_counter(bed, "pages_new"), fresh + 4);
	bed_empty(bed);
	for (i = 0; i < ARRAY_SIZE(other); i++)
		bed_destroy(other[i]);
}

static struct kunit_case feature_cases[] = {
	KUNIT_CASE(test_frag_list_merges),
	KUNIT_CASE(test_frag_list_passes),
	KUNIT_CASE(test_tag_in_data),
	KUNIT_CASE(test_stop_delivers),
	KUNIT_CASE(test_busy_polls_let_go),
	KUNIT_CASE(test_busy_polling_leaves_off),
	KUNIT_CASE(test_no_budget),
	KUNIT_CASE(test_shared_is_told_at_the_head),
	KUNIT_CASE(test_members_can_be_cut),
	KUNIT_CASE(test_emergency_memory_goes_alone),
	KUNIT_CASE(test_limits_of_the_device),
	KUNIT_CASE(test_relaxed_needs_no_ingress_hook),
	KUNIT_CASE(test_memory_goes_back),
	KUNIT_CASE(test_memory_stays_while_others_come),
	KUNIT_CASE(test_destroy_counts_drops),
	KUNIT_CASE(test_grown_is_held_again),
	KUNIT_CASE(test_no_aggregate_is_held_for_ever),
	KUNIT_CASE(test_no_delay_behind_a_burst),
	KUNIT_CASE(test_copies_lie_in_phase),
	KUNIT_CASE(test_copies_with_tag_lie_in_phase),
	KUNIT_CASE(test_few_copies_take_few_pages),
	KUNIT_CASE(test_few_copied_packets_take_little),
	KUNIT_CASE(test_copies_for_a_bridge_fill_pages),
	{}
};

struct kunit_suite lro_feature_suite = {
	.name = "lro_features",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = feature_cases,
};
