// SPDX-License-Identifier: GPL-2.0-only
/*
 * What merging costs at least.
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "bounds.h"

#define RING_PAGES	4096	/* as the engine has */

struct bounds *bounds_create(void)
{
	struct bounds *bounds = vzalloc(sizeof(*bounds));

	if (bounds && page_ring_setup(&bounds->ring, RING_PAGES))
		return bounds;
	vfree(bounds);
	return NULL;
}

void bounds_release(struct bounds *bounds)
{
	unsigned int i;

	for (i = 0; i < STREAM_FLOWS_MAX; i++)
		bounds_let_go(&bounds->flow[i]);
}

void bounds_destroy(struct bounds *bounds)
{
	if (!bounds)
		return;
	bounds_release(bounds);
	page_ring_free(&bounds->ring);
	vfree(bounds);
}
