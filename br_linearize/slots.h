/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a packet costs Xen's netback, and whether rewriting it pays.
 */
#ifndef _BR_LINEARIZE_SLOTS_H
#define _BR_LINEARIZE_SLOTS_H

#include <linux/types.h>

/* Xen's page, and that of each machine Xen's PV network runs on. */
#define BRL_PAGE	4096U

/**
 * struct brl_piece - contiguous part of a packet
 * @data: its first byte; only the offset in the page counts for the rules
 * @len: bytes, not 0
 */
struct brl_piece {
	const void *data;
	unsigned int len;
};

/**
 * brl_copies() - grant copies that netback needs for a packet
 * @piece: the packet from the first byte of its Ethernet header
 * @count: number of pieces
 *
 * The guest's pages are filled one after the other, each from its start. An
 * operation ends where a piece ends, where a page of the source ends, and where
 * the guest's page is full.
 */
unsigned int brl_copies(const struct brl_piece *piece, unsigned int count);

/**
 * brl_splits() - whether to copy the payload behind the headers with the rest
 * @head: the packet's first part
 * @headers: bytes of headers in it
 *
 * A part that crosses the edge of a page takes two copies, and one may be spared.
 */
bool brl_splits(const struct brl_piece *head, unsigned int headers);

/**
 * brl_copies_in_phase() - the same for a packet whose payload was copied in phase
 * @head: the part that stays
 * @rest: bytes behind it, copied to whole pages of which the first starts as many
 *	bytes into its page as @head is long
 */
unsigned int brl_copies_in_phase(const struct brl_piece *head, unsigned int rest);

/**
 * brl_pays() - whether copying in phase saves more than it costs
 * @before: grant copies without
 * @after: grant copies with
 * @pieces: pieces that are copied
 * @rest: bytes that are copied
 */
bool brl_pays(unsigned int before, unsigned int after, unsigned int pieces, unsigned int rest);

#endif /* _BR_LINEARIZE_SLOTS_H */
