/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that an aggregate's payload is copied to, in pieces that grow with it.
 *
 * The larger a piece, the less there is to do for each page of it: fewer copies are cut
 * in two, there are fewer fragments, and fewer references to count up and down. But what
 * an aggregate does not fill is lost to others. So it begins with single pages, and then
 * each piece is as large as all before it: at most half is lost, and 64 KiB take five.
 */
#ifndef _XENLRO_PAGE_PIECES_H
#define _XENLRO_PAGE_PIECES_H

#include <page_ring.h>

/* A piece has 2^0 to 2^3 pages. */
#define PAGE_PIECES_ORDERS	4

/**
 * struct page_pieces - pieces that were given, to be used again
 * @ring: by order
 *
 * For one user at a time; without locks.
 */
struct page_pieces {
	struct page_ring ring[PAGE_PIECES_ORDERS];
};

/* Forget all pieces; those that have readers stay with them. Context: any but hard interrupts. */
static inline void page_pieces_empty(struct page_pieces *pieces)
{
	unsigned int order;

	for (order = 0; order < PAGE_PIECES_ORDERS; order++)
		page_ring_empty(&pieces->ring[order]);
}

/* Context: process. */
static inline void page_pieces_free(struct page_pieces *pieces)
{
	unsigned int order;

	for (order = 0; order < PAGE_PIECES_ORDERS; order++)
		page_ring_free(&pieces->ring[order]);
}

/**
 * page_pieces_setup() - prepare an empty stock
 * @pieces: stock, all zeroes
 *
 * Up to 36 MiB wait for reuse: 8, 8, 16 and 4 MiB by order. Those of order 2 are heads, too.
 *
 * Context: process.
 * Return: false without memory; page_pieces_free() is allowed then too.
 */
static inline bool page_pieces_setup(struct page_pieces *pieces)
{
	return page_ring_setup(&pieces->ring[0], 2048, 0) &&
	       page_ring_setup(&pieces->ring[1], 1024, 1) &&
	       page_ring_setup(&pieces->ring[2], 1024, 2) &&
	       page_ring_setup(&pieces->ring[3], 128, 3);
}

/**
 * page_pieces_get() - get the next piece for an aggregate
 * @pieces: stock
 * @had: pieces that the aggregate has already
 * @order: set to the order of the piece
 * @recycled: set to whether it was in use before
 *
 * Return: (compound) page in lowmem with a reference that passes to the caller, or NULL
 * without memory.
 */
static inline struct page *page_pieces_get(struct page_pieces *pieces, unsigned int had,
					   unsigned int *order, bool *recycled)
{
	static const u8 orders[] = { 0, 0, 1, 2, 3 };
	struct page *page;

	/* What is behind 64 KiB is little: the headers took some of the first page. */
	*order = had < sizeof(orders) ? orders[had] : 0;
	page = page_ring_get(&pieces->ring[*order], recycled);
	if (unlikely(!page) && *order) {
		*order = 0;
		page = page_ring_get(&pieces->ring[0], recycled);
	}
	return page;
}

#endif /* _XENLRO_PAGE_PIECES_H */
