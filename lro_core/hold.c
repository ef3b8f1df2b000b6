// SPDX-License-Identifier: GPL-2.0-only
/*
 * Aggregates that outlive a poll.
 *
 * When a poll ends, only the aggregates of bulk flows stay, because their receivers cannot
 * be waiting for just this part. They are held for hold_us, and those that have grown by then
 * are held again: a bulk flow takes the time of many packets to fill an aggregate, but it stops
 * at once. No packet is held for longer than eight times hold_us.
 *
 * A flow that was held in vain, such as one that sends a flight each millisecond, is not held
 * in its next polls, in more of them each time: its packets wait no longer than they would
 * without the engine. The other flows do not matter.
 *
 * Where the kernel delays interrupts (gro_flush_timeout), GRO keeps any packet for that time.
 * So does the engine, and it loses no merge to GRO by that.
 *
 * Where the poll has used up its budget NAPI polls again at once, and the end of that poll
 * looks at the aggregates again. Otherwise the next poll may be far away: then one timer per
 * context makes NAPI poll when the first of them is due. As all are held for the same time,
 * that is the one held first, unless the ring has to be emptied before. That poll takes all
 * packets that have come. An interrupt before would only take the first of them sooner, so
 * while anything is held the device sends none.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>

#include "engine.h"
#include "flush.h"
#include "hold.h"
#include "param.h"

/* A poll that is under way is over by then, and has set the timer again. */
#define ASK_AGAIN_NS	NSEC_PER_MSEC

/*
 * The poll moves @due on, mostly without touching the timer: a timer that runs
 * early costs less than setting it again for each poll.
 *
 * Once a poll is sure to come the timer stops. If there can be none, NAPI is polling, or the
 * driver has disabled it for a while without lro_stop(). The device's interrupt is off as long
 * as anything is held, so nothing but the timer asks for a poll when NAPI is enabled again.
 */
static enum hrtimer_restart timer_runs(struct hrtimer *timer)
{
	struct lro *lro = container_of(timer, struct lro, timer);
	u64 due = READ_ONCE(lro->due), asked_for = 0;

	if (due && ktime_get_ns() >= due) {
		if (!napi_schedule_prep(lro->napi)) {
			hrtimer_forward_now(timer, ns_to_ktime(ASK_AGAIN_NS));
			return HRTIMER_RESTART;
		}
		__napi_schedule(lro->napi);
		asked_for = due;
	}
	if (!due || asked_for) {
		WRITE_ONCE(lro->timer_set, false);
		/* Pairs with set_timer(): either it sees false or this sees its due. */
		smp_mb();
		due = READ_ONCE(lro->due);
		if (!due || due == asked_for || xchg(&lro->timer_set, true))
			return HRTIMER_NORESTART;
	}
	/* The poll may have moved it meanwhile. */
	hrtimer_set_expires(timer, ns_to_ktime(READ_ONCE(lro->due) ?: due));
	return HRTIMER_RESTART;
}

static void set_timer(struct lro *lro, u64 due)
{
	WRITE_ONCE(lro->due, due);
	if (!due)
		return;
	/* Pairs with timer_runs(). */
	smp_mb();
	/* What is kept, and the ring, may be due before what the timer was set for. */
	if (READ_ONCE(lro->timer_set) && due < ktime_to_ns(hrtimer_get_expires(&lro->timer)) &&
	    hrtimer_try_to_cancel(&lro->timer) > 0)
		WRITE_ONCE(lro->timer_set, false);
	if (!READ_ONCE(lro->timer_set) && !xchg(&lro->timer_set, true))
		hrtimer_start(&lro->timer, ns_to_ktime(due), HRTIMER_MODE_ABS_PINNED);
}

void lro_hold_setup(struct lro *lro)
{
	lro->hold_ns = (u64)lro_param_hold_us() * NSEC_PER_USEC;
	hrtimer_setup(&lro->timer, timer_runs, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED);
}

void lro_hold_stop(struct lro *lro)
{
	hrtimer_cancel(&lro->timer);
	lro->due = 0;
	lro->keep_until = 0;
	lro->timer_set = false;
}

static struct lro_flow *first_of(struct list_head *list)
{
	return list_first_entry_or_null(list, struct lro_flow, age);
}

/*
 * Times of hold_us that a packet waits at most: at 1 Gbit/s, 64 KiB take 530 us. One of them is
 * left for the poll that it came in, and for timer and poll that come late.
 */
#define HOLDS_MAX	8

static void begin_to_wait(const struct lro *lro, struct lro_flow *flow, u64 now)
{
	if (!flow->until)
		flow->until = now + (HOLDS_MAX - 1) * lro->hold_ns;
}

static void hold(struct lro *lro, struct lro_flow *flow, u64 now)
{
	begin_to_wait(lro, flow, now);
	lro->count[LRO_COUNT_HOLDS]++;
	lro_flows_hold(&lro->flows, flow, now + lro->hold_ns);
}

static bool goes_on(const struct lro *lro, const struct lro_flow *flow, u64 now)
{
	return lro_flow_has_grown(flow) && now + lro->hold_ns <= flow->until;
}

/* End the held aggregates that are due, or hold them again. */
static void end_due(struct lro *lro, u64 now)
{
	struct lro_flow *flow;

	while ((flow = first_of(&lro->flows.held)) && now >= flow->deadline) {
		if (goes_on(lro, flow, now)) {
			lro_flow_goes_on(flow);
			hold(lro, flow, now);
			continue;
		}
		lro_flow_has_waited(flow);
		lro_flush(lro, flow, LRO_FLUSH_HOLD);
	}
}

/* For how long GRO would keep what is not bulk, ns; 0: not beyond the poll. */
static u64 kept_ns(const struct lro *lro, bool again)
{
	return again ? 0 : min_t(u64, xenlro_gro_flush_timeout(lro->napi), lro->hold_ns);
}

/* May an aggregate stay that is not held? They all go together when the first has had its time. */
static bool may_keep(struct lro *lro, struct lro_flow *flow, u64 keep, u64 now)
{
	if (!keep || (lro->keep_until && now >= lro->keep_until))
		return false;
	if (!lro->keep_until)
		lro->keep_until = now + keep;
	begin_to_wait(lro, flow, now);
	return now < flow->until;
}

/* Hold, keep or end the aggregates that are not held. */
static void end_begun(struct lro *lro, struct list_head *list, u64 keep, u64 now)
{
	struct lro_flow *flow, *next;

	list_for_each_entry_safe(flow, next, list, age) {
		if (lro_flow_is_bulk(flow) && lro_flow_waits(flow))
			hold(lro, flow, now);
		else if (!may_keep(lro, flow, keep, now))
			lro_flush(lro, flow, LRO_FLUSH_POLL);
	}
}

static void end_all_begun(struct lro *lro, bool again, u64 now)
{
	struct lro_flows *flows = &lro->flows;
	u64 keep = kept_ns(lro, again);

	end_begun(lro, &flows->open, keep, now);
	end_begun(lro, &flows->bulk, keep, now);
	if (list_empty(&flows->open) && list_empty(&flows->bulk))
		lro->keep_until = 0;
}

/* A buffer of a driver's ring has room for at least this many bytes. */
#define RING_BUFFER	2048
/* A little less than a full-sized frame takes at 2.5 Gbit/s. */
#define FAST_FRAME_NS	4000

/*
 * While anything stays there are no interrupts, and the ring fills. At the rate at which packets
 * came of late it has to be emptied before half of it is full. Packets that a program of XDP drops
 * count as well, and each takes as many buffers as one of the greatest length.
 */
static u64 ring_ns(struct lro *lro, u64 now)
{
	unsigned int ring = READ_ONCE(lro->ring);
	u64 packets = max(lro->count[LRO_COUNT_PACKETS] - lro->ring_packets, lro->ring_work);
	u64 buffers = packets * DIV_ROUND_UP(READ_ONCE(lro->dev->mtu) + ETH_HLEN, RING_BUFFER);
	u64 time = now - lro->ring_time;

	lro->ring_packets = lro->count[LRO_COUNT_PACKETS];
	lro->ring_work = 0;
	lro->ring_time = now;
	if (!ring || !buffers)
		return U64_MAX;
	/* Farther back than any packet is held nothing is of late: these may come at any rate. */
	if (time > HOLDS_MAX * lro->hold_ns)
		return (u64)ring * FAST_FRAME_NS;
	return div64_u64(time * (ring / 2), buffers);
}

/* When the next poll has to come, 0: whenever it does. */
static u64 next_due(struct lro *lro, u64 now)
{
	const struct lro_flow *flow = first_of(&lro->flows.held);
	u64 due = flow ? flow->deadline : 0, in_time = ring_ns(lro, now);

	if (lro->keep_until && (!due || lro->keep_until < due))
		due = lro->keep_until;
	return due && due - now > in_time ? now + in_time : due;
}

/* A timer that is set for the time before would be late for a shorter one. */
static void set_hold_ns(struct lro *lro, u64 hold_ns)
{
	lro->hold_ns = hold_ns;
	if (hrtimer_try_to_cancel(&lro->timer) > 0)
		WRITE_ONCE(lro->timer_set, false);
}

/*
 * Busy polling may stop after any poll, and does not tell the driver. A poll that NAPI is being
 * disabled in is the last one, too.
 */
static bool may_leave_off(const struct lro *lro)
{
	return READ_ONCE(lro->napi->state) & (NAPIF_STATE_PREFER_BUSY_POLL | NAPIF_STATE_DISABLE |
					      NAPIF_STATE_IN_BUSY_POLL);
}

bool lro_hold_or_flush(struct lro *lro, bool again)
{
	u64 hold_ns = (u64)lro_param_hold_us() * NSEC_PER_USEC, now, due;
	/* All held aggregates wait for the same time, so that they stay in order. */
	if (hold_ns != lro->hold_ns || !hold_ns) {
		lro_flush_all(lro, LRO_FLUSH_POLL);
		set_hold_ns(lro, hold_ns);
	}
	if (!lro->flows.count) {
		lro->keep_until = 0;
		set_timer(lro, 0);
		return false;
	}

	now = ktime_get_ns();
	end_due(lro, now);
	end_all_begun(lro, again, now);

	due = next_due(lro, now);
	if (again && !may_leave_off(lro)) {
		WRITE_ONCE(lro->due, due);
		return false;
	}
	set_timer(lro, due);
	return due;
}
