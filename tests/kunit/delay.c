// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of what polls in other ways than by softirq, and of the kernel's own delays:
 *
 *  1. where GRO keeps packets for gro_flush_timeout, so does the engine, lets them go
 *     together, and delivers no more often; without it nothing stays that is not bulk
 *  2. a thread that polls delivers what is held in time
 *  3. the receive ring is emptied before it is full, although what is held is not due
 *  4. a poll after which none comes leaves nothing behind
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <net/tcp.h>

#include "bed.h"
#include "cases.h"
#include "compat.h"
#include "delay.h"
#include "fixture.h"
#include "verify.h"

#define FULL		1448
#define DELAY_MS	5	/* less than PARAMETER_HOLD_US */

static void set_delay(struct bed *bed, unsigned int ms)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	WRITE_ONCE(bed->napi.gro_flush_timeout, ms * NSEC_PER_MSEC);
#else
	WRITE_ONCE(bed->dev->gro_flush_timeout, ms * NSEC_PER_MSEC);
#endif
}

static void set_deferred(struct bed *bed, unsigned int times)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	WRITE_ONCE(bed->napi.defer_hard_irqs, times);
#else
	WRITE_ONCE(bed->dev->napi_defer_hard_irqs, times);
#endif
}

#define BULK(n)	{ .payload = FULL, .repeat = 19, .flow = n }

static const struct pkt bulk[] = { BULK(0), BULK(1), BULK(2), BULK(3), BULK(4), BULK(5) };

/* Two packets, each in a poll of its own, and one of another flow. */
static const struct pkt short_polls[] = {
	{ .payload = FULL, .then = THEN_DONE },
	{ .payload = FULL, .flow = 1, .then = THEN_DONE },
	{ .payload = FULL },
};

static void test_kernel_delay(struct kunit *test)
{
	static const u8 segs[CASE_DELIVERIES] = { 2, 1 };
	struct bed *bed = test->priv;

	set_delay(bed, DELAY_MS);
	bed->no_wait = true;
	fixture_feed(test, short_polls, ARRAY_SIZE(short_polls));
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)3);
	/* The driver's interrupt stays off: the engine's timer polls. */
	KUNIT_EXPECT_FALSE(test, bed->interrupt);
	msleep(3 * DELAY_MS);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_poll"), (s64)2);
	KUNIT_EXPECT_TRUE(test, bed->interrupt);
	verify_segments(test, bed, segs);
	verify_bytes(test, bed);
}

#define SHORT_POLLS	20

static unsigned int deliveries(struct kunit *test, enum lro_mode mode)
{
	static struct pkt packets[2 * SHORT_POLLS];
	struct bed *bed = test->priv;
	unsigned int i, count;

	/* An identification that stays. */
	for (i = 0; i < ARRAY_SIZE(packets); i++)
		packets[i] = (struct pkt){ .payload = FULL, .id = -1,
					   .then = i % 2 ? THEN_DONE : THEN_NEXT };
	bed->mode = mode;
	fixture_feed(test, packets, ARRAY_SIZE(packets));
	msleep(3 * PARAMETER_HOLD_US / 1000);
	count = skb_queue_len(&bed->delivered);
	verify_bytes(test, bed);
	return count;
}

/* A burst in many short polls: no more deliveries than with the stock driver, behind one in vain. */
static void test_short_polls(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned int gro;

	set_delay(bed, DELAY_MS);
	bed->no_wait = true;
	bed->tell_work = true;
	gro = deliveries(test, LRO_OFF);
	KUNIT_EXPECT_LE(test, gro, 3u);
	KUNIT_EXPECT_LE(test, deliveries(test, LRO_STRICT), gro);
	KUNIT_EXPECT_LE(test, deliveries(test, LRO_STRICT), gro);
}

/* The timer that is set for what is held would be late for what is kept. */
static void test_kept_before_held(struct kunit *test)
{
	static const struct pkt other = { .payload = FULL, .flow = 7 };
	struct bed *bed = test->priv;

	bed->no_wait = true;
	fixture_feed(test, bulk, 1);
	set_delay(bed, 2);
	fixture_feed(test, &other, 1);
	KUNIT_EXPECT_GT(test, bed_counter(bed, "held"), (s64)0);
	usleep_range(5000, 6000);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_poll"), (s64)1);
	msleep(3 * PARAMETER_HOLD_US / 1000);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	verify_bytes(test, bed);
}

static void test_no_kernel_delay(struct kunit *test)
{
	static const u8 segs[CASE_DELIVERIES] = { 1, 1, 1 };
	struct bed *bed = test->priv;

	bed->no_wait = true;
	fixture_feed(test, short_polls, ARRAY_SIZE(short_polls));
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	verify_segments(test, bed, segs);
	verify_bytes(test, bed);
}

/* A request ends its aggregate with any delay of the kernel. */
static void test_requests_do_not_wait(struct kunit *test)
{
	static const struct pkt packets[] = {
		{ .payload = FULL, .then = THEN_DONE },
		{ .payload = 600, .flags = TCPHDR_PSH },
	};
	static const u8 segs[CASE_DELIVERIES] = { 2 };
	struct bed *bed = test->priv;

	set_delay(bed, DELAY_MS);
	bed->no_wait = true;
	fixture_feed(test, packets, ARRAY_SIZE(packets));
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	verify_segments(test, bed, segs);
	verify_bytes(test, bed);
}

static void test_thread_polls(struct kunit *test)
{
	static const u8 segs[CASE_DELIVERIES] = { 20 };
	struct bed *bed = test->priv;

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev_set_threaded(bed->dev, true), 0);
	rtnl_unlock();
	bed->no_wait = true;
	fixture_feed(test, bulk, 1);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)20);
	msleep(3 * PARAMETER_HOLD_US / 1000);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "flush_hold"), (s64)1);
	verify_segments(test, bed, segs);
	rtnl_lock();
	dev_set_threaded(bed->dev, false);
	rtnl_unlock();
	verify_bytes(test, bed);
}

/* Of two flows that send twenty packets each, a while apart. */
static unsigned int polls_while_held(struct kunit *test, unsigned int ring, unsigned int first)
{
	struct bed *bed = test->priv;
	unsigned int polls;

	lro_set_ring(bed->lro, ring);
	fixture_feed(test, &bulk[first], 1);
	msleep(2);
	fixture_feed(test, &bulk[first + 1], 1);
	polls = READ_ONCE(bed->polls);
	msleep(3 * PARAMETER_HOLD_US / 1000);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	return READ_ONCE(bed->polls) - polls;
}

static void test_ring_is_emptied(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned int unknown, large, small;

	bed->no_wait = true;
	unknown = polls_while_held(test, 0, 0);
	large = polls_while_held(test, 65536, 2);
	small = polls_while_held(test, 8, 4);
	/* The held aggregate does not grow any more, and is due once. */
	KUNIT_EXPECT_GE(test, unknown, 1u);
	KUNIT_EXPECT_EQ(test, large, unknown);
	KUNIT_EXPECT_GT(test, small, large);
	verify_bytes(test, bed);
}

/* The rate of a flow that begins behind a pause is not known: the engine does not wait for long. */
static void test_ring_behind_a_pause(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned int polls[2], i;

	bed->no_wait = true;
	for (i = 0; i < ARRAY_SIZE(polls); i++) {
		lro_set_ring(bed->lro, i ? 256 : 0);
		msleep(10 * PARAMETER_HOLD_US / 1000);
		fixture_feed(test, &bulk[i], 1);
		polls[i] = READ_ONCE(bed->polls);
		msleep(3 * PARAMETER_HOLD_US / 1000);
		KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
		polls[i] = READ_ONCE(bed->polls) - polls[i];
	}
	KUNIT_EXPECT_EQ(test, polls[1], polls[0] + 1);
	verify_bytes(test, bed);
}

/* NAPI is being disabled in a poll that has used up its budget: it is the last one. */
static void test_last_poll_is_full(struct kunit *test)
{
	static const struct pkt last = { .payload = FULL, .then = THEN_FULL };
	struct bed *bed = test->priv;

	fixture_add(test, &bulk[0], 1);
	fixture_add(test, &last, 1);
	bed->no_wait = true;
	bed->last = true;
	local_bh_disable();
	napi_schedule(&bed->napi);
	local_bh_enable();
	clear_bit(NAPI_STATE_DISABLE, &bed->napi.state);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)21);
	msleep(3 * PARAMETER_HOLD_US / 1000);
	KUNIT_EXPECT_EQ(test, bed_counter(bed, "held"), (s64)0);
	verify_bytes(test, bed);
}

/* Packets that XDP takes are work for the kernel's delay of interrupts. */
static void test_work_that_the_engine_does_not_see(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned int i;

	set_delay(bed, DELAY_MS);
	set_deferred(bed, 2);
	bed->dropped = 30;
	for (i = 0; i < 4; i++) {
		fixture_run(test);
		KUNIT_EXPECT_FALSE(test, bed->interrupt);
	}
}

#define RING	64

/* So does what XDP drops, which the engine does not see. */
static void test_ring_with_drops(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned int without, with;

	bed->no_wait = true;
	without = polls_while_held(test, RING, 0);
	bed->dropped = 150;
	with = polls_while_held(test, RING, 2);
	KUNIT_EXPECT_GT(test, with, without);
	verify_bytes(test, bed);
}

/* A long frame takes several buffers. */
static void test_ring_with_long_frames(struct kunit *test)
{
	struct bed *bed = test->priv;
	unsigned int with_short, with_long;

	bed->no_wait = true;
	with_short = polls_while_held(test, RING, 0);
	bed->dev->mtu = 9000;
	with_long = polls_while_held(test, RING, 2);
	KUNIT_EXPECT_GT(test, with_long, with_short);
	verify_bytes(test, bed);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(test_kernel_delay),
	KUNIT_CASE(test_short_polls),
	KUNIT_CASE(test_kept_before_held),
	KUNIT_CASE(test_no_kernel_delay),
	KUNIT_CASE(test_requests_do_not_wait),
	KUNIT_CASE(test_thread_polls),
	KUNIT_CASE(test_ring_is_emptied),
	KUNIT_CASE(test_ring_behind_a_pause),
	KUNIT_CASE(test_last_poll_is_full),
	KUNIT_CASE(test_work_that_the_engine_does_not_see),
	KUNIT_CASE(test_ring_with_drops),
	KUNIT_CASE(test_ring_with_long_frames),
	{}
};

struct kunit_suite lro_delay_suite = {
	.name = "lro_delay",
	.init = fixture_init,
	.exit = fixture_exit,
	.test_cases = cases,
};
