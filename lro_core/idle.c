// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a context does not need is freed: pages that it keeps for reuse, after a second
 * without packets, and its flow table, while the engine is off.
 *
 * Only the poll function may touch either. So a work item of the whole module looks at all
 * contexts once a second, marks those that have something to give back, and makes NAPI poll.
 * It runs only while there is something to look for. Another work item allocates the table when
 * the engine is switched on again, since a poll must not wait for memory; until then the
 * driver's own path is in use.
 */
#include <linux/mm.h>
#include <linux/workqueue.h>

#include "contexts.h"
#include "engine.h"
#include "idle.h"

static int look(struct lro *lro, void *data)
{
	u64 packets = READ_ONCE(lro->count[LRO_COUNT_PACKETS]);
	bool idle = packets == lro->looked_at, *again = data;

	lro->looked_at = packets;
	if (READ_ONCE(lro->mode) != LRO_OFF && !READ_ONCE(lro->keeps))
		return 0;
	if (READ_ONCE(lro->mode) == LRO_OFF && !READ_ONCE(lro->table))
		return 0;
	if (idle) {
		WRITE_ONCE(lro->give_back, true);
		/* One that is not polled now gives back when it is, or has done so. */
		*again |= lro_kick(lro);
	} else {
		*again = true;
	}
	return 0;
}

static void work_runs(struct work_struct *work);
static DECLARE_DELAYED_WORK(work, work_runs);

static void work_runs(struct work_struct *unused)
{
	bool again = false;

	lro_contexts_each(look, &again);
	if (again)
		schedule_delayed_work(&work, HZ);
}

static int provide(struct lro *lro, void *data)
{
	bool *again = data;

	if (!READ_ONCE(lro->wants_table))
		return 0;
	WRITE_ONCE(lro->wants_table, false);
	if (lro_contexts_provide(lro)) {
		lro_kick(lro);
		return 0;
	}
	/* Without that, polls would ask at once, and memory would be looked for all the time. */
	WRITE_ONCE(lro->wants_table, true);
	*again = true;
	return 0;
}

static void table_work_runs(struct work_struct *work);
static DECLARE_DELAYED_WORK(table_work, table_work_runs);

static void table_work_runs(struct work_struct *unused)
{
	bool again = false;

	lro_contexts_each(provide, &again);
	if (again)
		schedule_delayed_work(&table_work, HZ);
}

void lro_idle_watch(void)
{
	if (!delayed_work_pending(&work))
		schedule_delayed_work(&work, HZ);
}

void lro_idle_stop(void)
{
	cancel_delayed_work_sync(&work);
	cancel_delayed_work_sync(&table_work);
}

void lro_idle_empty(struct lro *lro)
{
	page_pieces_empty(&lro->pieces);
	WRITE_ONCE(lro->keeps, false);
}

void lro_idle_give_back(struct lro *lro, enum lro_mode mode)
{
	WRITE_ONCE(lro->give_back, false);
	lro_idle_empty(lro);
	if (mode == LRO_OFF)
		lro_contexts_drop_table(lro);
}

void lro_idle_want_table(struct lro *lro)
{
	if (READ_ONCE(lro->wants_table))
		return;
	WRITE_ONCE(lro->wants_table, true);
	schedule_delayed_work(&table_work, 0);
}
