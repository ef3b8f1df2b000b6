/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that goes back.
 */
#ifndef _XENLRO_IDLE_H
#define _XENLRO_IDLE_H

#include "engine.h"

/**
 * lro_idle_watch() - look in a second for memory that is not needed
 *
 * Context: any.
 */
void lro_idle_watch(void);

/**
 * lro_idle_stop() - look no more
 *
 * Context: process; there are no contexts.
 */
void lro_idle_stop(void);

/**
 * lro_idle_empty() - free what a context keeps for reuse
 * @lro: context
 *
 * Context: NAPI poll, or process with NAPI disabled.
 */
void lro_idle_empty(struct lro *lro);

/**
 * lro_idle_give_back() - free what a context does not need
 * @lro: context that has @lro->give_back
 * @mode: promise in force; without one the table goes as well
 *
 * Context: NAPI poll.
 */
void lro_idle_give_back(struct lro *lro, enum lro_mode mode);

/**
 * lro_idle_want_table() - ask for a table, which the context gets soon
 * @lro: context without one, or with one of another size than is wanted
 *
 * Context: NAPI poll.
 */
void lro_idle_want_table(struct lro *lro);

/* Take note of memory that is kept for reuse from now on. */
static inline void lro_idle_keeps(struct lro *lro)
{
	if (lro->keeps)
		return;
	WRITE_ONCE(lro->keeps, true);
	lro_idle_watch();
}

#endif /* _XENLRO_IDLE_H */
