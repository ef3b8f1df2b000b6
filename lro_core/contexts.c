// SPDX-License-Identifier: GPL-2.0-only
/*
 * All contexts there are, and the size of their flow tables.
 *
 * A table is used without locks by the poll function alone, so only that may
 * change it. But memory is allocated in a context that may sleep: the new table is
 * put beside the context, and its next poll takes it over.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "contexts.h"
#include "engine.h"
#include "flush.h"
#include "idle.h"
#include "param.h"

/* Protects the list, the limit, and writes to lro->next_table and lro->snapshot. */
static DEFINE_MUTEX(lock);
static LIST_HEAD(contexts);

static struct lro_table *alloc_table(unsigned int limit)
{
	struct lro_table *table;

	table = kvzalloc(struct_size(table, set, lro_flows_sets(limit)), GFP_KERNEL);
	if (table)
		table->limit = limit;
	return table;
}

static void use_table(struct lro *lro, struct lro_table *table)
{
	struct lro_hash_key key;

	get_random_bytes(&key, sizeof(key));
	WRITE_ONCE(lro->table, table);
	lro_flows_setup(&lro->flows, table->set, table->limit, &key);
}

int lro_contexts_add(struct lro *lro)
{
	struct lro_table *table;

	mutex_lock(&lock);
	table = alloc_table(lro_param_max_flows());
	if (table) {
		use_table(lro, table);
		list_add_tail(&lro->contexts, &contexts);
	}
	mutex_unlock(&lock);
	return table ? 0 : -ENOMEM;
}

bool lro_contexts_provide(struct lro *lro)
{
	struct lro_table *table = alloc_table(lro_param_max_flows());

	if (table)
		kvfree(xchg(&lro->next_table, table));
	return table;
}

void lro_contexts_drop_table(struct lro *lro)
{
	struct lro_table *table = lro->table;

	WRITE_ONCE(lro->table, NULL);
	WRITE_ONCE(lro->flows.limit, 0);
	kvfree(table);
}

void lro_contexts_remove(struct lro *lro)
{
	mutex_lock(&lock);
	list_del(&lro->contexts);
	mutex_unlock(&lock);
	kvfree(lro->next_table);
	kvfree(lro->table);
}

int lro_contexts_resize(unsigned int limit, unsigned int *value)
{
	struct lro_table *table, *next, *fresh = NULL;
	struct lro *lro;
	int err = 0;

	mutex_lock(&lock);
	/* All or none: the tables wait in a chain until each context has got one. */
	list_for_each_entry(lro, &contexts, contexts) {
		table = alloc_table(limit);
		if (!table) {
			err = -ENOMEM;
			break;
		}
		table->next = fresh;
		fresh = table;
	}
	if (!err) {
		WRITE_ONCE(*value, limit);
		/* Pairs with lro_contexts_adopt(). */
		smp_mb();
		list_for_each_entry(lro, &contexts, contexts) {
			/* The engine is off there, and gets one of this size when it is on. */
			if (!READ_ONCE(lro->table) && !READ_ONCE(lro->next_table))
				continue;
			table = fresh;
			fresh = fresh->next;
			kvfree(xchg(&lro->next_table, table));
			lro_kick(lro);
		}
	}
	for (; fresh; fresh = next) {
		next = fresh->next;
		kvfree(fresh);
	}
	mutex_unlock(&lock);
	return err;
}

void lro_contexts_adopt(struct lro *lro)
{
	struct lro_table *table = xchg(&lro->next_table, NULL);

	if (!table)
		return;
	lro_flush_all(lro, LRO_FLUSH_RESIZE);
	kvfree(lro->table);
	use_table(lro, table);
	/*
	 * Pairs with lro_contexts_resize(): either it sees the table, or this its limit. While the
	 * context has neither of its tables, it looks as if the engine were off.
	 */
	smp_mb();
	if (table->limit != lro_param_max_flows())
		lro_idle_want_table(lro);
	lro_idle_watch();
}

int lro_contexts_each(int (*call)(struct lro *lro, void *data), void *data)
{
	struct lro *lro;
	int err = 0;

	mutex_lock(&lock);
	list_for_each_entry(lro, &contexts, contexts) {
		err = call(lro, data);
		if (err)
			break;
	}
	mutex_unlock(&lock);
	return err;
}

void lro_contexts_quiet(struct lro *lro)
{
	/* Under the lock: a reader that asks for polls finds NAPI disabled. */
	mutex_lock(&lock);
	WRITE_ONCE(lro->quiet, true);
	mutex_unlock(&lock);
}

bool lro_kick(struct lro *lro)
{
	if (READ_ONCE(lro->quiet))
		return false;
	local_bh_disable();
	napi_schedule(lro->napi);
	local_bh_enable();
	return true;
}
