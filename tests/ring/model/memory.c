// SPDX-License-Identifier: GPL-2.0-only
/* Pages, pools of them, and kmalloc(). */
#include <sanitizer/asan_interface.h>

#include "memory.h"

/* What stands before each piece of kmalloc()'s, in a list of all. */
struct piece {
	struct piece *next, *prev;
	size_t size;
	size_t unused;
};

u8 memory[PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
struct page mem_map[PAGES];
int memory_left = -1;
bool get_page_warns;

static struct piece pieces = { .next = &pieces, .prev = &pieces };
static unsigned int hand, pools, used_end;

static bool short_of_memory(void)
{
	return memory_left >= 0 && !memory_left--;
}

void *kmalloc(size_t size, gfp_t flags)
{
	struct piece *piece;

	if (!(flags & __GFP_NOFAIL) && short_of_memory())
		return NULL;
	piece = flags & __GFP_ZERO ? calloc(1, sizeof(*piece) + size) : malloc(sizeof(*piece) + size);
	if (!piece)
		abort();
	piece->size = size;
	piece->next = &pieces;
	piece->prev = pieces.prev;
	pieces.prev->next = piece;
	pieces.prev = piece;
	return piece + 1;
}

void kfree(const void *pointer)
{
	struct piece *piece = (struct piece *)pointer - 1;

	if (!pointer)
		return;
	timers_check(pointer, piece->size);
	napis_check(pointer, piece->size);
	piece->prev->next = piece->next;
	piece->next->prev = piece->prev;
	free(piece);
}

struct page *take_pages(unsigned int count, bool slab)
{
	unsigned int tried, run = 0;

	if (short_of_memory())
		return NULL;
	/* Round and round, so that what was freed is not used again at once. */
	for (tried = 0; tried < 2 * PAGES; tried++) {
		if (hand == PAGES) {
			hand = 0;
			run = 0;
		}
		run = mem_map[hand++].refs ? 0 : run + 1;
		if (run < count)
			continue;
		for (struct page *page = &mem_map[hand - count]; page < &mem_map[hand]; page++)
			*page = (struct page){ .refs = 1, .slab = slab };
		if (hand > used_end)
			used_end = hand;
		ASAN_UNPOISON_MEMORY_REGION(memory[hand - count], count * PAGE_SIZE);
		return &mem_map[hand - count];
	}
	return NULL;
}

static void free_page(struct page *page)
{
	if (page->grants)
		finding("granted", "a page is freed while the back end may still use it");
	page->refs = 0;
	ASAN_POISON_MEMORY_REGION(page_address(page), PAGE_SIZE);
}

void free_slab(void *start, unsigned int count)
{
	for (struct page *page = virt_to_page(start); count--; page++) {
		if (page->refs <= 0)
			finding("freed", "memory of kmalloc() is freed twice");
		free_page(page);
	}
}

void get_page(struct page *page)
{
	if (page->refs <= 0)
		finding("freed", "a page that is free is taken");
	if (!page->slab)
		page->refs++;
	else if (get_page_warns)
		finding("slab", "get_page() of kmalloc()'s memory, which the kernel warns of");
}

void put_page(struct page *page)
{
	if (page->refs <= 0)
		finding("freed", "a page is freed twice");
	if (!page->slab && !--page->refs)
		free_page(page);
}

void check_read(const struct page *page, unsigned int offset, unsigned int size)
{
	if (page->refs <= 0)
		finding("freed", "a page that is free is read");
	if (page->grants)
		finding("granted", "a page is read that the back end may still write to");
	if (offset > PAGE_SIZE || size > PAGE_SIZE - offset)
		finding("outside", "what is read reaches beyond the page");
}

struct page_pool *page_pool_create(const struct page_pool_params *params)
{
	struct page_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);

	(void)params;
	if (!pool)
		return ERR_PTR(-ENOMEM);
	pool->users = 1;
	pools++;
	return pool;
}

static void free_pool(struct page_pool *pool)
{
	if (pool->users || pool->out)
		return;
	pools--;
	kfree(pool);
}

void page_pool_destroy(struct page_pool *pool)
{
	if (!pool)
		return;
	if (!pool->users)
		finding("pool", "a pool is destroyed more often than it has users");
	pool->users--;
	free_pool(pool);
}

struct page *page_pool_alloc_pages(struct page_pool *pool, gfp_t flags)
{
	struct page *page = take_pages(1, false);

	(void)flags;
	if (!page)
		return NULL;
	if (!pool->users)
		finding("pool", "a pool that is destroyed gives a page");
	page->pool = pool;
	pool->out++;
	return page;
}

void page_pool_put(struct page *page)
{
	struct page_pool *pool = page->pool;

	if (!pool || page->refs <= 0)
		finding("freed", "a page goes back to its pool twice");
	/* One that has other users leaves the pool. */
	page->pool = NULL;
	put_page(page);
	pool->out--;
	free_pool(pool);
}

void memory_reset(void)
{
	while (pieces.next != &pieces)
		kfree(pieces.next + 1);
	for (unsigned int i = 0; i < used_end; i++)
		mem_map[i] = (struct page){};
	ASAN_POISON_MEMORY_REGION(memory, used_end ? (size_t)used_end * PAGE_SIZE : sizeof(memory));
	hand = 0;
	used_end = 0;
	pools = 0;
	memory_left = -1;
}

void memory_check(void)
{
	for (unsigned int i = 0; i < used_end; i++)
		if (mem_map[i].refs)
			finding("leak", "a page is never freed");
	if (pools)
		finding("pool", "a page pool is never freed");
	if (pieces.next != &pieces)
		finding("leak", "memory is never freed");
}
