/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies that the hypervisor asks to make again, which may take long and so is left to the thread
 * of the queue.
 */
#ifndef _NETBACK_LRO_POSTPONED_H
#define _NETBACK_LRO_POSTPONED_H

#include <linux/types.h>
#include <xen/interface/grant_table.h>

struct lro_postponed;
struct xenvif_queue;

/**
 * lro_grant_copy() - copy, without waiting for a page that is not there
 * @op: copies
 * @num: how many
 *
 * The kernel's own gnttab_batch_copy() sleeps for such a page. It has a name for what counts
 * copies.
 */
void lro_grant_copy(struct gnttab_copy *op, unsigned int num);

/**
 * lro_postpone() - keep those copies of the batch that have to be made again
 * @queue: queue, owned by the caller
 *
 * Where there is no memory for one, its status stays as it is, and the guest is told.
 *
 * Return: whether there are any that the thread has to make.
 */
bool lro_postpone(struct xenvif_queue *queue);

/**
 * lro_postponed_copy() - make what was postponed, and tell the guest of those that fail
 * @queue: queue, owned by the caller
 *
 * Context: process; sleeps.
 */
void lro_postponed_copy(struct xenvif_queue *queue);

#endif /* _NETBACK_LRO_POSTPONED_H */
