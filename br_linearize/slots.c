// SPDX-License-Identifier: GPL-2.0-only
/*
 * Free of kernel interfaces, so that the rules are tested in user space.
 */
#include "slots.h"

/*
 * Instructions, as the laboratory counts them: a grant copy into a page that the
 * hypervisor has claimed already; an skb's head in place of the one that the packet
 * brought; a recycled page in place of those that it brought; the call of memcpy() for
 * a piece. A byte weighs what it takes when the source is in the second-level cache: 16
 * are moved in the time of one instruction.
 */
#define COPY_COST		320
#define HEAD_COST		650
#define PAGE_COST		80
#define PIECE_COST		50
#define BYTES_PER_COST		16

struct place {
	unsigned int used;	/* bytes in the guest's current page */
	unsigned int copies;
};

static unsigned int at_most(unsigned int value, unsigned int limit)
{
	return value < limit ? value : limit;
}

static void place(struct place *to, const struct brl_piece *piece)
{
	unsigned int offset = (unsigned long)piece->data % BRL_PAGE, left = piece->len, part;

	while (left) {
		if (to->used == BRL_PAGE)
			to->used = 0;
		part = at_most(at_most(left, BRL_PAGE - offset), BRL_PAGE - to->used);
		offset = (offset + part) % BRL_PAGE;
		to->used += part;
		to->copies++;
		left -= part;
	}
}

unsigned int brl_copies(const struct brl_piece *piece, unsigned int count)
{
	struct place to = { 0 };
	unsigned int i;

	for (i = 0; i < count; i++)
		place(&to, &piece[i]);
	return to.copies;
}

unsigned int brl_copies_in_phase(unsigned int len)
{
	return (len + BRL_PAGE - 1) / BRL_PAGE;
}

bool brl_pays(unsigned int before, unsigned int after, unsigned int pieces, unsigned int len)
{
	return before > after &&
	       (before - after) * COPY_COST > HEAD_COST + after * PAGE_COST +
					      pieces * PIECE_COST + len / BYTES_PER_COST;
}
