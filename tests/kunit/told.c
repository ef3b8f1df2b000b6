// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what a device tells of its packets, by each way in:
 *
 *  1. hash, receive queue and time stamp of an aggregate are those of its first packet
 *  2. packets that the device has forwarded stay apart from those that it has not
 *  3. a sum over the whole packet spares the engine another one, with a tag in the data, too,
 *     and is not believed where it is wrong
 */
#include <kunit/test.h>

#include "bed.h"
#include "cases.h"
#include "fixture.h"
#include "told.h"
#include "verify.h"

#define FULL	1448

static const enum way ways[] = { WAY_SKB, WAY_COPY, WAY_PAGE, WAY_FRAGS };

static void feed(struct kunit *test, enum way way, const struct pkt *pkt, unsigned int count)
{
	struct bed *bed = test->priv;

	bed->way = way;
	fixture_feed(test, pkt, count);
}

static void test_first_word_counts(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = FULL, .hash = 4711, .stamp = 5 },
		{ .payload = FULL, .hash = 4712, .stamp = 6 },
		{ .payload = FULL },
	};
	static const u8 segs[CASE_DELIVERIES] = { 3 };
	struct bed *bed = test->priv;
	const struct sk_buff *skb;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		feed(test, ways[i], packets, ARRAY_SIZE(packets));
		verify_segments(test, bed, segs);
		skb = skb_peek(&bed->delivered);
		KUNIT_ASSERT_NOT_NULL(test, skb);
		KUNIT_EXPECT_EQ(test, skb->hash, 4711u);
		KUNIT_EXPECT_TRUE(test, skb->l4_hash);
		KUNIT_EXPECT_EQ(test, (unsigned int)skb_get_rx_queue(skb), (unsigned int)PACKET_QUEUE);
		KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->hwtstamps.hwtstamp, (ktime_t)5);
		verify_bytes(test, bed);
	}
}

/* Facts that the device does not tell are not invented. */
static void test_nothing_told(struct kunit *test)
{
	static const struct pkt packets[] = { { .payload = FULL, .repeat = 1 } };
	struct bed *bed = test->priv;
	const struct sk_buff *skb;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		feed(test, ways[i], packets, ARRAY_SIZE(packets));
		skb = skb_peek(&bed->delivered);
		KUNIT_ASSERT_NOT_NULL(test, skb);
		KUNIT_EXPECT_EQ(test, skb->hash, 0u);
		KUNIT_EXPECT_FALSE(test, skb_rx_queue_recorded(skb));
		KUNIT_EXPECT_EQ(test, skb_shinfo(skb)->hwtstamps.hwtstamp, (ktime_t)0);
		KUNIT_EXPECT_FALSE(test, skb->offload_fwd_mark);
		verify_bytes(test, bed);
	}
}

static void test_forwarded_stay_apart(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = FULL, .repeat = 1 },
		{ .payload = FULL, .quirk = QUIRK_FORWARDED, .repeat = 2 },
		{ .payload = FULL },
	};
	static const u8 segs[CASE_DELIVERIES] = { 2, 3, 1 };
	struct bed *bed = test->priv;
	const struct sk_buff *skb;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		feed(test, ways[i], packets, ARRAY_SIZE(packets));
		verify_segments(test, bed, segs);
		n = 0;
		skb_queue_walk(&bed->delivered, skb)
			KUNIT_EXPECT_EQ(test, (unsigned int)skb->offload_fwd_mark, n++ == 1 ? 1u : 0u);
		verify_bytes(test, bed);
	}
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_layout"), (s64)2 * ARRAY_SIZE(ways));
}

static void test_sum_of_the_device(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = FULL, .summed = CHECKSUM_COMPLETE + 1, .repeat = 2 },
		{ .payload = FULL, .summed = CHECKSUM_COMPLETE + 1, .v6 = true, .flow = 1, .ts = true,
		  .repeat = 2 },
		{ .payload = FULL, .summed = CHECKSUM_COMPLETE + 1, .vlan = 5, .in_band = true,
		  .flow = 2, .repeat = 2 },
		{ .payload = FULL, .summed = CHECKSUM_COMPLETE + 1, .quirk = QUIRK_EXTENSION,
		  .v6 = true, .flow = 3, .repeat = 2 },
		{ .payload = FULL, .summed = CHECKSUM_COMPLETE + 1, .flow = 4 },
		{ .payload = FULL, .summed = CHECKSUM_COMPLETE + 1, .flow = 4,
		  .quirk = QUIRK_TCP_CHECKSUM },
	};
	struct bed *bed = test->priv;
	const struct sk_buff *skb;
	unsigned int i, merged;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		feed(test, ways[i], packets, ARRAY_SIZE(packets));
		merged = 0;
		skb_queue_walk(&bed->delivered, skb)
			merged += skb_shinfo(skb)->gso_segs == 3;
		KUNIT_EXPECT_EQ(test, merged, 4u);
		KUNIT_EXPECT_EQ(test, bed_counter(bed, "pass_tcp_checksum"), (s64)i + 1);
		verify_bytes(test, bed);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(test_first_word_counts),
	KUNIT_CASE(test_nothing_told),
	KUNIT_CASE(test_forwarded_stay_apart),
	KUNIT_CASE(test_sum_of_the_device),
	{}
};

struct kunit_suite lro_told_suite = {
	.name = "lro_told",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = cases,
};
