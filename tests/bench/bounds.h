/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What merging costs at least: the memory alone.
 */
#ifndef _LRO_BENCH_BOUNDS_H
#define _LRO_BENCH_BOUNDS_H

#include <linux/types.h>

#include "page_ring.h"
#include "stream.h"

#define BOUND_SEGS_MAX	64	/* as many as the engine puts into one aggregate */

/**
 * struct kept - what a flow keeps until its aggregate is full
 * @count: packets
 * @items: entries of @item
 * @fill: bytes used of the last page; copies only
 * @item: pages, each with a reference
 */
struct kept {
	unsigned int count;
	unsigned int items;
	unsigned int fill;
	struct page *item[BOUND_SEGS_MAX];
};

/**
 * struct bounds - memory that is kept as an engine has to keep it
 * @ring: pages to copy into
 * @flow: of each flow
 */
struct bounds {
	struct page_ring ring;
	struct kept flow[STREAM_FLOWS_MAX];
};

/**
 * bounds_create() - make an empty one
 * Context: process.
 * Return: it, or NULL without memory.
 */
struct bounds *bounds_create(void);

/**
 * bounds_destroy() - free it
 * @bounds: as created, or NULL
 * Context: process.
 */
void bounds_destroy(struct bounds *bounds);

/**
 * bounds_release() - let go of all that is kept
 * @bounds: as created
 */
void bounds_release(struct bounds *bounds);

/* Let go of what a flow keeps. */
static inline void bounds_let_go(struct kept *kept)
{
	unsigned int i;

	for (i = 0; i < kept->items; i++)
		put_page(kept->item[i]);
	kept->count = 0;
	kept->items = 0;
}

/* A flow's packet came; its memory is let go when the aggregate would be full. */
static inline void bounds_count(struct kept *kept, unsigned int payload)
{
	kept->count++;
	if (kept->count == BOUND_SEGS_MAX || (kept->count + 1) * payload >= U16_MAX)
		bounds_let_go(kept);
}

#endif /* _LRO_BENCH_BOUNDS_H */
