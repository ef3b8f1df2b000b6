// SPDX-License-Identifier: GPL-2.0-only
/* The grant table. */
#include "xen.h"

/* Rings of two queues, and the references that gnttab_alloc_grant_references() gives beforehand. */
#define GRANTS 640
#define LAST INVALID_GRANT_REF

enum { FREE, TAKEN, GIVEN };

/**
 * struct grant - an entry of the table
 * @page: page, while it is granted
 * @put_off: gnttab_end_foreign_access() has to wait for the other side
 * @held: page whose reference that call has
 * @next: the next in a list of references that are not in use
 * @state: FREE, TAKEN by the driver, or GIVEN to the other side
 * @mapped: the other side holds on to it
 */
static struct grant {
	struct page *page, *held;
	grant_ref_t next;
	u8 state;
	bool mapped, put_off;
} table[GRANTS];
static grant_ref_t free_head;
static unsigned int free_count;

static struct grant *entry(grant_ref_t ref, u8 state)
{
	if (ref >= GRANTS || table[ref].state != state)
		finding("grant", "a grant reference is used that is not what it should be");
	return &table[ref];
}

int gnttab_alloc_grant_references(u16 count, grant_ref_t *head)
{
	if (count > free_count)
		return -ENOSPC;
	*head = LAST;
	while (count--) {
		grant_ref_t ref = free_head;

		free_head = table[ref].next;
		free_count--;
		table[ref].state = TAKEN;
		table[ref].next = *head;
		*head = ref;
	}
	return 0;
}

static void free_reference(grant_ref_t ref)
{
	struct grant *grant = entry(ref, TAKEN);

	grant->state = FREE;
	grant->next = free_head;
	free_head = ref;
	free_count++;
}

void gnttab_free_grant_references(grant_ref_t head)
{
	while (head != LAST) {
		grant_ref_t next = entry(head, TAKEN)->next;

		free_reference(head);
		head = next;
	}
}

int gnttab_claim_grant_reference(grant_ref_t *head)
{
	grant_ref_t ref = *head;

	if (ref == LAST)
		finding("ids", "more is sent than there are slots");
	*head = entry(ref, TAKEN)->next;
	return (int)ref;
}

void gnttab_release_grant_reference(grant_ref_t *head, grant_ref_t ref)
{
	entry(ref, TAKEN)->next = *head;
	*head = ref;
}

void gnttab_grant_foreign_access_ref(grant_ref_t ref, domid_t domain, unsigned long frame, int readonly)
{
	struct grant *grant = entry(ref, TAKEN);

	(void)domain;
	(void)readonly;
	if (frame >= PAGES || mem_map[frame].refs <= 0)
		finding("granted", "a page is granted that is free");
	grant->page = &mem_map[frame];
	grant->page->grants++;
	grant->state = GIVEN;
}

int gnttab_end_foreign_access_ref(grant_ref_t ref)
{
	struct grant *grant = entry(ref, GIVEN);

	if (grant->mapped)
		return 0;
	grant->page->grants--;
	grant->page = NULL;
	grant->state = TAKEN;
	return 1;
}

int gnttab_try_end_foreign_access(grant_ref_t ref)
{
	if (!gnttab_end_foreign_access_ref(ref))
		return 0;
	free_reference(ref);
	return 1;
}

void gnttab_end_foreign_access(grant_ref_t ref, struct page *page)
{
	ring_goes(ref);
	if (gnttab_try_end_foreign_access(ref)) {
		if (page)
			put_page(page);
		return;
	}
	table[ref].put_off = true;
	table[ref].held = page;
}

void gnttab_foreach_grant_in_range(struct page *page, unsigned int offset, unsigned int len, xen_grant_fn_t fn,
				   void *data)
{
	len = min_t(unsigned int, PAGE_SIZE - offset, len);
	if (len)
		fn(xen_page_to_gfn(page), offset, len, data);
}

void gnttab_for_one_grant(struct page *page, unsigned int offset, unsigned int len, xen_grant_fn_t fn, void *data)
{
	gnttab_foreach_grant_in_range(page, offset, len, fn, data);
}

struct page *grant_page(grant_ref_t ref)
{
	return ref < GRANTS && table[ref].state == GIVEN ? table[ref].page : NULL;
}

void grant_map(grant_ref_t ref)
{
	if (grant_page(ref))
		table[ref].mapped = true;
}

void grants_unmap(void)
{
	for (grant_ref_t ref = 0; ref < GRANTS; ref++)
		table[ref].mapped = false;
}

void grants_retry(void)
{
	for (grant_ref_t ref = 0; ref < GRANTS; ref++) {
		struct page *page = table[ref].held;

		if (!table[ref].put_off || table[ref].mapped)
			continue;
		table[ref].put_off = false;
		table[ref].held = NULL;
		gnttab_try_end_foreign_access(ref);
		if (page)
			put_page(page);
	}
}

void grants_reset(void)
{
	free_head = LAST;
	free_count = GRANTS;
	for (grant_ref_t ref = GRANTS; ref--;) {
		table[ref] = (struct grant){ .next = free_head };
		free_head = ref;
	}
}

void grants_check(void)
{
	if (free_count != GRANTS)
		finding("leak", "a grant reference is never freed");
}
