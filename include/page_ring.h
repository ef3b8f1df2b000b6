/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages to copy packets into, used again when their readers are done.
 *
 * A page that only the ring still refers to has been read by the receiver of
 * the packet, and is free to be written again. Pages come back in about the order
 * in which they were given; one that does not is left to its readers.
 *
 * The fewer pages take turns, the more of them are still in the processor's cache
 * when they are written again: so the ring does not go round, but starts over as
 * soon as the first half of the pages given since the last start has come back. To see
 * that means to look at pages that are not in the cache, so it is not done for each.
 */
#ifndef _XENLRO_PAGE_RING_H
#define _XENLRO_PAGE_RING_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* Single pages given between two looks. */
#define PAGE_RING_STEP	4

/**
 * struct page_ring - pages that were given, each with a reference of the ring
 * @page: @size places, given in this order; NULL: never used
 * @size: places; also bounds the memory that waits for reuse
 * @next: place of the next page to give
 * @order: each is a compound page of 2^order pages
 *
 * For one user at a time; without locks.
 */
struct page_ring {
	struct page **page;
	unsigned int size;
	unsigned int next;
	unsigned int order;
};

/* Context: process. Return: false without memory; page_ring_free() is allowed then too. */
static inline bool page_ring_setup(struct page_ring *ring, unsigned int size, unsigned int order)
{
	ring->page = kvcalloc(size, sizeof(*ring->page), GFP_KERNEL);
	ring->size = size;
	ring->next = 0;
	ring->order = order;
	return ring->page;
}

/* Forget all pages; those that have readers stay with them. Context: any but hard interrupts. */
static inline void page_ring_empty(struct page_ring *ring)
{
	unsigned int i;

	for (i = 0; i < ring->size; i++) {
		if (ring->page[i])
			put_page(ring->page[i]);
		ring->page[i] = NULL;
	}
	ring->next = 0;
}

/* Context: process. */
static inline void page_ring_free(struct page_ring *ring)
{
	if (ring->page)
		page_ring_empty(ring);
	kvfree(ring->page);
	ring->page = NULL;
}

static inline bool page_ring_is_back(const struct page *page)
{
	return page && page_ref_count(page) == 1;
}

/**
 * page_ring_get() - get a page to write to
 * @ring: ring
 * @recycled: set to whether the page was in use before
 *
 * Return: page in lowmem with a reference that passes to the caller, or NULL
 * without memory.
 */
static inline struct page *page_ring_get(struct page_ring *ring, bool *recycled)
{
	struct page **place, *page;

	if (ring->next == ring->size || ((ring->next << ring->order) % PAGE_RING_STEP == 0 &&
					 page_ring_is_back(ring->page[ring->next / 2]) &&
					 page_ring_is_back(ring->page[0])))
		ring->next = 0;
	place = &ring->page[ring->next++];
	page = *place;
	*recycled = page_ring_is_back(page);
	if (!*recycled) {
		if (page)
			put_page(page);
		/* Not from the reserves: reserve pages must not be kept for reuse. */
		page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN | __GFP_NOMEMALLOC | __GFP_COMP,
				   ring->order);
		*place = page;
		if (!page)
			return NULL;
	}
	get_page(page);
	return page;
}

#endif /* _XENLRO_PAGE_RING_H */
