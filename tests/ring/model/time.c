// SPDX-License-Identifier: GPL-2.0-only
/* Locks, and work for later. */
#include "base.h"

/* Of one driver. */
#define WORKS 4
#define TIMERS 8

unsigned int irqs_off;
unsigned long grace_time, last_grace, time_slept;

static struct delayed_work *works[WORKS];
static struct timer_list *timers[TIMERS];
static bool rtnl;

void take_lock(spinlock_t *lock)
{
	if ((size_t)lock < 1 << 16)
		finding("null", "a lock is taken of what is not there");
	if (lock->held)
		finding(netconsole_sends ? "console" : "lock", "a lock is taken twice");
	lock->held = true;
}

void drop_lock(spinlock_t *lock)
{
	if (!lock->held)
		finding("lock", "a lock is let go of that is not held");
	lock->held = false;
}

void rtnl_lock(void)
{
	if (rtnl)
		finding("lock", "RTNL is taken twice");
	rtnl = true;
	others_poll();
}

void rtnl_unlock(void)
{
	rtnl = false;
}

void locks_reset(void)
{
	irqs_off = 0;
	rtnl = false;
	memset(timers, 0, sizeof(timers));
}

void start_timer(struct timer_list *timer)
{
	unsigned int i = 0;

	while (timers[i] && timers[i] != timer)
		if (++i == TIMERS)
			finding("timer", "more timers run than the model has room for");
	timers[i] = timer;
	timer->pending = true;
}

void stop_timer(struct timer_list *timer)
{
	for (unsigned int i = 0; i < TIMERS; i++)
		if (timers[i] == timer)
			timers[i] = NULL;
	timer->pending = false;
}

void timers_check(const void *freed, size_t size)
{
	for (unsigned int i = 0; i < TIMERS; i++)
		if (timers[i] && (size_t)timers[i] - (size_t)freed < size)
			finding("timer", "memory is freed with a timer in it that runs");
}

bool schedule_delayed_work(struct delayed_work *work, unsigned long delay)
{
	(void)delay;
	for (unsigned int i = 0; i < WORKS; i++) {
		if (!works[i])
			works[i] = work;
		if (works[i] != work)
			continue;
		if (work->pending)
			return false;
		work->pending = true;
		return true;
	}
	finding("bug", "more work is put off than the model has room for");
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	bool was = work->pending;

	work->pending = false;
	return was;
}

void run_delayed_work(void)
{
	for (unsigned int i = 0; i < WORKS && works[i]; i++) {
		if (!works[i]->pending)
			continue;
		works[i]->pending = false;
		works[i]->work.function(&works[i]->work);
	}
}
