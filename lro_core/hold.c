// SPDX-License-Identifier: GPL-2.0-only
/*
 * Aggregates that outlive a poll.
 *
 * When a poll ends, only the aggregates of bulk flows stay, because their receivers cannot
 * be waiting for just this part. They are held for hold_us, and those that have grown by then
 * are held again, since a bulk flow fills an aggregate in the time of many packets, but
 * leaves off at once. No packet is held for longer than eight times hold_us.
 *
 * Where the poll has used up its budget NAPI polls again at once, and the end of that poll
 * looks at the aggregates again. Otherwise the next poll may be far away: then one timer per
 * context makes NAPI poll when the first of them is due. As all are held for the same time,
 * that is the one held first. That poll takes all packets that have come. An interrupt before
 * would only take the first of them sooner, so while anything is held the device sends none.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>

#include "engine.h"
#include "flush.h"
#include "hold.h"
#include "param.h"

/*
 * The poll moves @due on, mostly without touching the timer: a timer that runs
 * early costs less than setting it again for each poll.
 *
 * Once it has asked for a poll the timer stops. If NAPI is polling already, it
 * polls again; if it is disabled, lro_stop() delivers what is held. Asking
 * again would help neither.
 */
static enum hrtimer_restart timer_runs(struct hrtimer *timer)
{
	struct lro *lro = container_of(timer, struct lro, timer);
	u64 due = READ_ONCE(lro->due), asked_for = 0;

	if (due && ktime_get_ns() >= due) {
		napi_schedule(lro->napi);
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
	hrtimer_set_expires(timer, ns_to_ktime(due));
	return HRTIMER_RESTART;
}

static void set_timer(struct lro *lro, u64 due)
{
	WRITE_ONCE(lro->due, due);
	if (!due)
		return;
	/* Pairs with timer_runs(). */
	smp_mb();
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
	lro->timer_set = false;
}

static struct lro_flow *first_of(struct list_head *list)
{
	return list_first_entry_or_null(list, struct lro_flow, age);
}

/*
 * Holding pays where the next packets come in time. If no packet came in time, the
 * timer and the poll were wasted, and the next HOLD_PAUSE polls hold nothing. The
 * pause is shorter the more aggregates were held: they share one timer and one poll,
 * and delivering them all loses more.
 */
#define HOLD_PAUSE	32

/*
 * Times of hold_us that a packet waits at most: at 1 Gbit/s, 64 KiB take 530 us. One of them is
 * left for the poll that it came in, and for timer and poll that come late.
 */
#define HOLDS_MAX	8

static void hold(struct lro *lro, struct lro_flow *flow, u64 now)
{
	if (!flow->until)
		flow->until = now + (HOLDS_MAX - 1) * lro->hold_ns;
	lro->count[LRO_COUNT_HOLDS]++;
	lro->hold_packets = lro->count[LRO_COUNT_PACKETS];
	lro_flows_hold(&lro->flows, flow, now + lro->hold_ns);
}

static bool goes_on(const struct lro *lro, const struct lro_flow *flow, u64 now)
{
	return lro_flow_has_grown(flow) && now + lro->hold_ns <= flow->until;
}

/* End the held aggregates that are due, or hold them again. */
static void end_due(struct lro *lro, u64 now)
{
	struct lro_flows *flows = &lro->flows;
	unsigned int before = flows->count;
	struct lro_flow *flow;

	while ((flow = first_of(&flows->held)) && now >= flow->deadline) {
		if (goes_on(lro, flow, now)) {
			hold(lro, flow, now);
			continue;
		}
		if (lro->count[LRO_COUNT_PACKETS] == lro->hold_packets)
			lro->hold_pause = HOLD_PAUSE / before;
		lro_flush(lro, flow, LRO_FLUSH_HOLD);
	}
}

/* Hold or end the aggregates that began in this poll. */
static void end_begun(struct lro *lro, struct list_head *list, bool pays, u64 now)
{
	struct lro_flow *flow;

	while ((flow = first_of(list))) {
		if (pays && lro_flow_is_bulk(flow))
			hold(lro, flow, now);
		else
			lro_flush(lro, flow, LRO_FLUSH_POLL);
	}
}

/* A poll that comes anyway costs nothing. */
static bool hold_pays(struct lro *lro, bool again)
{
	const struct lro_flows *flows = &lro->flows;

	if (again || !lro->hold_pause || (list_empty(&flows->open) && list_empty(&flows->bulk)))
		return true;
	lro->hold_pause--;
	return false;
}

/* A timer that is set for the time before would be late for a shorter one. */
static void set_hold_ns(struct lro *lro, u64 hold_ns)
{
	lro->hold_ns = hold_ns;
	if (hrtimer_try_to_cancel(&lro->timer) > 0)
		WRITE_ONCE(lro->timer_set, false);
}

/* Busy polling may leave off after any poll, without a word to the driver. */
static bool may_leave_off(const struct lro *lro)
{
	return READ_ONCE(lro->napi->state) & (NAPIF_STATE_PREFER_BUSY_POLL |
					      NAPIF_STATE_IN_BUSY_POLL);
}

bool lro_hold_or_flush(struct lro *lro, bool again)
{
	u64 hold_ns = (u64)lro_param_hold_us() * NSEC_PER_USEC, now;
	struct lro_flows *flows = &lro->flows;
	struct lro_flow *flow;
	bool pays;

	/* All held aggregates wait for the same time, so that they stay in order. */
	if (hold_ns != lro->hold_ns || !hold_ns) {
		lro_flush_all(lro, LRO_FLUSH_POLL);
		set_hold_ns(lro, hold_ns);
	}
	if (!flows->count) {
		set_timer(lro, 0);
		return false;
	}

	now = ktime_get_ns();
	end_due(lro, now);
	pays = hold_pays(lro, again);
	end_begun(lro, &flows->open, pays, now);
	end_begun(lro, &flows->bulk, pays, now);

	flow = first_of(&flows->held);
	if (again && !may_leave_off(lro)) {
		WRITE_ONCE(lro->due, flow ? flow->deadline : 0);
		return false;
	}
	set_timer(lro, flow ? flow->deadline : 0);
	return flow;
}
