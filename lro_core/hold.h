/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Aggregates that outlive a poll.
 */
#ifndef _XENLRO_HOLD_H
#define _XENLRO_HOLD_H

#include <linux/types.h>

struct lro;

/**
 * lro_hold_setup() - prepare the timer of a context
 * @lro: context
 */
void lro_hold_setup(struct lro *lro);

/**
 * lro_hold_stop() - stop the timer of a context
 * @lro: context, its NAPI instance disabled
 */
void lro_hold_stop(struct lro *lro);

/**
 * lro_hold_or_flush() - at the end of a poll, end the aggregates that must not wait
 * @lro: context
 * @again: NAPI polls again at once
 *
 * Return: whether the timer is going to make NAPI poll, because aggregates are held.
 */
bool lro_hold_or_flush(struct lro *lro, bool again);

#endif /* _XENLRO_HOLD_H */
