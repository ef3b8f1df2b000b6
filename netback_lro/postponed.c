// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies that have to be made again.
 *
 * Where memory of a guest was paged out, or is shared with another guest, the hypervisor answers
 * GNTST_eagain: another program has to run first. Such a copy keeps its place in the ring, and all
 * that follows it waits.
 */
#include "common.h"

#include <linux/slab.h>
#include <asm/xen/hypercall.h>

#include "postponed.h"

/* A batch, and the rest of the packet that it ends in. */
#define LRO_POSTPONED_MAX	(4 * COPY_BATCH_SIZE)

/**
 * struct lro_postponed - copies of one poll
 * @num: how many
 * @op: copies
 * @idx: slots of their responses
 */
struct lro_postponed {
	unsigned int num;
	struct gnttab_copy op[LRO_POSTPONED_MAX];
	RING_IDX idx[LRO_POSTPONED_MAX];
};

noinline void lro_grant_copy(struct gnttab_copy *op, unsigned int num)
{
	unsigned int i;

	if (likely(!HYPERVISOR_grant_table_op(GNTTABOP_copy, op, num)))
		return;
	/* It cannot refuse a list of copies that is in memory. */
	WARN_ON_ONCE(1);
	for (i = 0; i < num; i++)
		op[i].status = GNTST_general_error;
}

static bool postpone_one(struct xenvif_queue *queue, const struct gnttab_copy *op, RING_IDX idx)
{
	struct lro_postponed *kept = queue->lro.postponed;

	if (!kept) {
		kept = kmalloc(sizeof(*kept), GFP_ATOMIC | __GFP_NOWARN);
		if (!kept)
			return false;
		kept->num = 0;
		queue->lro.postponed = kept;
	}
	if (kept->num == LRO_POSTPONED_MAX)
		return false;
	kept->op[kept->num] = *op;
	kept->idx[kept->num] = idx;
	kept->num++;
	return true;
}

bool lro_postpone(struct xenvif_queue *queue)
{
	struct xenvif_copy_state *copy = &queue->rx_copy;
	unsigned int i;

	for (i = 0; i < copy->num; i++) {
		struct gnttab_copy *op = &copy->op[i];

		if (likely(op->status != GNTST_eagain))
			continue;
		if (postpone_one(queue, op, copy->idx[i])) {
			/* The response stays as it is. */
			op->status = GNTST_okay;
			queue->stats.rx_postponed++;
		}
	}
	return queue->lro.postponed;
}

void lro_postponed_copy(struct xenvif_queue *queue)
{
	struct lro_postponed *kept = queue->lro.postponed;
	unsigned int i;

	gnttab_batch_copy(kept->op, kept->num);
	for (i = 0; i < kept->num; i++) {
		if (unlikely(kept->op[i].status != GNTST_okay))
			RING_GET_RESPONSE(&queue->rx, kept->idx[i])->status = kept->op[i].status;
	}
	queue->lro.postponed = NULL;
	kfree(kept);
}
