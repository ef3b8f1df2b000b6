// SPDX-License-Identifier: GPL-2.0-only
/*
 * Aggregates that outlive a poll.
 *
 * While the budget is used up NAPI polls again at once and all aggregates stay.
 * When a poll completes, the next may be far away: then only the aggregates of
 * bulk flows stay, whose receivers cannot be waiting for just this part, and not
 * for longer than hold_us. One timer per context has NAPI poll when the first of
 * them is due; as all are held for the same time, that is the one held first.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>

#include "engine.h"

/* The poll moves the time on; if it does not come, because NAPI is disabled, wait. */
#define RETRY_NS	NSEC_PER_MSEC

/*
 * The poll moves @due on, mostly without touching the timer: a timer that runs
 * early costs less than setting it again for each poll.
 */
static enum hrtimer_restart timer_runs(struct hrtimer *timer)
{
	struct lro *lro = container_of(timer, struct lro, timer);
	u64 due = READ_ONCE(lro->due), now = ktime_get_ns();

	if (due && now >= due) {
		if (napi_schedule_prep(lro->napi))
			__napi_schedule(lro->napi);
		due = now + RETRY_NS;
	}
	if (!due) {
		WRITE_ONCE(lro->timer_set, false);
		/* Pairs with set_timer(): either it sees false or this sees its due. */
		smp_mb();
		due = READ_ONCE(lro->due);
		if (!due || xchg(&lro->timer_set, true))
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
	hrtimer_setup(&lro->timer, timer_runs, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED);
}

void lro_hold_stop(struct lro *lro)
{
	hrtimer_cancel(&lro->timer);
}

static struct lro_flow *first_of(struct list_head *list)
{
	return list_first_entry_or_null(list, struct lro_flow, age);
}

void lro_hold_or_flush(struct lro *lro)
{
	u64 hold_ns = (u64)lro_param_hold_us() * NSEC_PER_USEC, now;
	struct lro_flows *flows = &lro->flows;
	struct lro_flow *flow;

	if (!flows->count) {
		set_timer(lro, 0);
		return;
	}
	/* All held aggregates have the same time to go, so that they stay in order. */
	if (hold_ns != lro->hold_ns || !hold_ns) {
		lro_flush_all(lro, LRO_FLUSH_POLL);
		lro->hold_ns = hold_ns;
		set_timer(lro, 0);
		return;
	}

	now = ktime_get_ns();
	while ((flow = first_of(&flows->held)) && now >= flow->deadline)
		lro_flush(lro, flow, LRO_FLUSH_HOLD);
	while ((flow = first_of(&flows->open))) {
		if (lro_flow_is_bulk(flow)) {
			lro->count[LRO_COUNT_HOLDS]++;
			lro_flows_hold(flows, flow, now + hold_ns);
		} else {
			lro_flush(lro, flow, LRO_FLUSH_POLL);
		}
	}

	flow = first_of(&flows->held);
	set_timer(lro, flow ? flow->deadline : 0);
}
