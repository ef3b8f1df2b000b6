// SPDX-License-Identifier: GPL-2.0-only
/* Locks, and work for later. */
#include "base.h"

/* Of one driver. */
#define WORKS 4

unsigned int irqs_off;

static struct delayed_work *works[WORKS];
static bool rtnl;

void take_lock(spinlock_t *lock)
{
	if (lock->held)
		finding("lock", "a lock is taken twice");
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
}

void rtnl_unlock(void)
{
	rtnl = false;
}

void locks_reset(void)
{
	irqs_off = 0;
	rtnl = false;
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
