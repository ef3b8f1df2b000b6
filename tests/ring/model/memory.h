/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages, which can be granted to the back end, and pools of them. What is freed while the back end may still use
 * it is a finding, and so is what is freed twice or never.
 */
#ifndef _RING_MEMORY_H
#define _RING_MEMORY_H

#include "base.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define XEN_PAGE_SHIFT PAGE_SHIFT
#define XEN_PAGE_SIZE PAGE_SIZE
#define XEN_PAGE_MASK PAGE_MASK
#define offset_in_page(pointer) ((unsigned long)(pointer) & ~PAGE_MASK)
#define NUMA_NO_NODE (-1)

/* Enough for two queues of rings that are full, and a back end that holds on to them. */
#define PAGES 1024

struct page_pool;

/**
 * struct page - a page
 * @refs: references, 0: free
 * @slab: memory of kmalloc(), which has no count of its own
 * @pool: the pool to which it goes back
 * @grants: grants of it that have not ended
 */
struct page {
	int refs;
	bool slab;
	struct page_pool *pool;
	unsigned int grants;
};

extern u8 memory[PAGES][PAGE_SIZE];
extern struct page mem_map[PAGES];

static inline struct page *virt_to_page(const void *pointer)
{
	if ((size_t)((const u8 *)pointer - memory[0]) >= sizeof(memory))
		finding("null", "the page is asked for of what is in none");
	return &mem_map[((const u8 *)pointer - memory[0]) >> PAGE_SHIFT];
}

static inline void *page_address(const struct page *page)
{
	return memory[page - mem_map];
}

#define virt_to_head_page(pointer) virt_to_page(pointer)
#define xen_page_to_gfn(page) ((unsigned long)((page) - mem_map))
#define PageSlab(page) ((page)->slab)

void get_page(struct page *page);
void put_page(struct page *page);

/**
 * take_pages() - allocate pages that follow on one another
 * @count: how many
 * @slab: what kmalloc() would have taken them for
 * Return: the first, or NULL where memory is to be short.
 */
struct page *take_pages(unsigned int count, bool slab);

/* Give back what take_pages() gave, and was never counted further. */
void free_slab(void *start, unsigned int count);

/* The CPU reads @size bytes of a page, at an offset that the back end has named. */
void check_read(const struct page *page, unsigned int offset, unsigned int size);

struct page_pool_params {
	unsigned int order, flags, pool_size;
	int nid;
	void *dev;
	unsigned int offset, max_len;
};

/**
 * struct page_pool - pages for reuse
 * @users: who has to let go of it
 * @out: pages that are not back
 * @registered: with XDP, which is a user
 */
struct page_pool {
	int users, out;
	bool registered;
};

struct page_pool *page_pool_create(const struct page_pool_params *params);
void page_pool_destroy(struct page_pool *pool);
struct page *page_pool_alloc_pages(struct page_pool *pool, gfp_t flags);
/* As for a fragment of an skb that is freed. */
void page_pool_put(struct page *page);

/* Whether the kernel warns of get_page() for kmalloc()'s memory; if not, the reference is worth nothing. */
extern bool get_page_warns;

/* How many allocations succeed before some fail; negative: all. */
extern int memory_left;

/* Forget all that a run has left behind, or find out about it. */
void memory_reset(void);
void memory_check(void);

#endif /* _RING_MEMORY_H */
