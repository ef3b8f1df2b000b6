// SPDX-License-Identifier: GPL-2.0-only
/*
 * Aggregates that outlive a poll.
 *
 * While the budget is used up NAPI polls again at once and all aggregates stay.
 * When a poll completes, the next may be far away: then only the aggregates of
 * bulk flows stay, whose receivers cannot be waiting for just this part. They wait
 * for hold_us, and those that have grown by then wait again, since a bulk flow
 * fills an aggregate in the time of many packets, but leaves off at once. One timer
 * per context has NAPI poll when the first of them is due; as all wait for the same
 * time, that is the one held first.
 *
 * That poll takes all packets that have come. An interrupt before would only take
 * the first of them sooner, so while anything is held the device sends none.
 */
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "engine.h"

/*
 * The poll moves @due on, mostly without touching the timer: a timer that runs
 * early costs less than setting it again for each poll.
 *
 * Once it has asked for a poll the timer stops. If NAPI is polling already, it
 * polls once more; if it is disabled, lro_stop() delivers what is held. Asking
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

/*
 * While polls use up their budget one after another no aggregate is ended for its
 * age, but a machine may stay that busy for long. Twice this time, the longest an
 * aggregate then stays, is less than TCP's shortest retransmission timeout, 200 ms.
 */
#define BUSY_TIME	msecs_to_jiffies(50)

void lro_hold_sweep(struct lro *lro)
{
	struct lro_flow *flow;

	while ((flow = lro_flows_oldest(&lro->flows)) &&
	       (s32)(flow->born - lro->sweep_born) < 0)
		lro_flush(lro, flow, LRO_FLUSH_HOLD);
	lro->sweep_born = lro->flows.born;
	lro->sweep_time = jiffies + BUSY_TIME;
}

static struct lro_flow *first_of(struct list_head *list)
{
	return list_first_entry_or_null(list, struct lro_flow, age);
}

/*
 * Holding pays where the next packets come within the time. Where none has come it
 * has cost a timer and a poll for nothing: then so many polls deliver everything if
 * one aggregate was held. It is one timer and one poll for any number of them, and
 * the more are held the more is lost when all are delivered: the fewer polls do so.
 */
#define HOLD_PAUSE	32

/*
 * Times that an aggregate waits: at 1 Gbit/s, 64 KiB take 530 us. With the longest
 * hold_us, 10 ms, and BUSY_TIME behind, still less than TCP's 200 ms.
 */
#define HOLDS_MAX	8

static void hold(struct lro *lro, struct lro_flow *flow, u64 deadline)
{
	lro->count[LRO_COUNT_HOLDS]++;
	lro->hold_packets = lro->count[LRO_COUNT_PACKETS];
	lro_flows_hold(&lro->flows, flow, deadline);
}

static bool goes_on(const struct lro_flow *flow)
{
	return lro_flow_has_grown(flow) && flow->holds < HOLDS_MAX;
}

static bool hold_pays(struct lro *lro)
{
	if (!lro->hold_pause || list_empty(&lro->flows.open))
		return true;
	lro->hold_pause--;
	return false;
}

bool lro_hold_or_flush(struct lro *lro)
{
	u64 hold_ns = (u64)lro_param_hold_us() * NSEC_PER_USEC, now;
	struct lro_flows *flows = &lro->flows;
	unsigned int before = flows->count;
	struct lro_flow *flow;
	bool pays;

	if (!flows->count) {
		set_timer(lro, 0);
		return false;
	}
	/* All held aggregates wait for the same time, so that they stay in order. */
	if (hold_ns != lro->hold_ns || !hold_ns) {
		lro_flush_all(lro, LRO_FLUSH_POLL);
		lro->hold_ns = hold_ns;
		set_timer(lro, 0);
		return false;
	}

	now = ktime_get_ns();
	while ((flow = first_of(&flows->held)) && now >= flow->deadline) {
		if (goes_on(flow)) {
			hold(lro, flow, now + hold_ns);
			continue;
		}
		if (lro->count[LRO_COUNT_PACKETS] == lro->hold_packets)
			lro->hold_pause = HOLD_PAUSE / before;
		lro_flush(lro, flow, LRO_FLUSH_HOLD);
	}
	pays = hold_pays(lro);
	while ((flow = first_of(&flows->open))) {
		if (pays && lro_flow_is_bulk(flow))
			hold(lro, flow, now + hold_ns);
		else
			lro_flush(lro, flow, LRO_FLUSH_POLL);
	}

	flow = first_of(&flows->held);
	set_timer(lro, flow ? flow->deadline : 0);
	return flow;
}
