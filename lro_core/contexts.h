/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All contexts there are, and the size of their flow tables.
 */
#ifndef _XENLRO_CONTEXTS_H
#define _XENLRO_CONTEXTS_H

#include "flows.h"

struct lro;

/**
 * struct lro_table - memory of a flow table
 * @next: chain of tables that no context uses yet
 * @limit: open aggregates allowed
 * @set: places, lro_flows_sets() of @limit
 */
struct lro_table {
	struct lro_table *next;
	unsigned int limit;
	struct lro_flow_set set[];
};

/**
 * lro_contexts_add() - give a new context its flow table and make it known
 * @lro: context
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int lro_contexts_add(struct lro *lro);

/**
 * lro_contexts_remove() - forget a context and free its flow table
 * @lro: context, its NAPI instance disabled; no aggregate is open
 *
 * Context: process; waits for readers of the context.
 */
void lro_contexts_remove(struct lro *lro);

/**
 * lro_contexts_resize() - change the size of all flow tables
 * @limit: open aggregates allowed in each
 * @value: set to @limit, for contexts that come
 *
 * Each context takes over its new table at its next poll, which is scheduled.
 *
 * Context: process.
 * Return: 0; or -ENOMEM, and nothing has changed.
 */
int lro_contexts_resize(unsigned int limit, unsigned int *value);

/**
 * lro_contexts_adopt() - take over a table of another size
 * @lro: context that has @lro->next_table
 *
 * Context: NAPI poll.
 */
void lro_contexts_adopt(struct lro *lro);

/**
 * lro_contexts_provide() - give a context without a table one for its next poll
 * @lro: context
 *
 * Context: process, within lro_contexts_each().
 * Return: false without memory.
 */
bool lro_contexts_provide(struct lro *lro);

/**
 * lro_contexts_drop_table() - free the table of a context
 * @lro: context without open aggregates
 *
 * Context: NAPI poll.
 */
void lro_contexts_drop_table(struct lro *lro);

/**
 * lro_contexts_each() - call a function for each context
 * @call: function; stops the walk unless it returns 0
 * @data: handed to @call
 *
 * No context comes or goes meanwhile.
 *
 * Context: process.
 * Return: what @call returned last, or 0.
 */
int lro_contexts_each(int (*call)(struct lro *lro, void *data), void *data);

/**
 * lro_contexts_quiet() - ask for no polls of a context until the next one comes
 * @lro: context
 *
 * Context: process.
 */
void lro_contexts_quiet(struct lro *lro);

/**
 * lro_kick() - make NAPI poll soon
 * @lro: context
 *
 * Context: process, within lro_contexts_each().
 * Return: false if the context is quiet; true also while NAPI is disabled.
 */
bool lro_kick(struct lro *lro);

#endif /* _XENLRO_CONTEXTS_H */
