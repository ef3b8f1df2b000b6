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
 * brl_copies_in_phase() - the same for a packet copied to whole pages
 * @len: bytes of the packet, from the first of its Ethernet header on
 */
unsigned int brl_copies_in_phase(unsigned int len);

/**
 * brl_pays() - whether copying in phase saves more than it costs
 * @before: grant copies without
 * @after: grant copies with
 * @pieces: pieces that are copied
 * @len: bytes that are copied
 */
bool brl_pays(unsigned int before, unsigned int after, unsigned int pieces, unsigned int len);

#endif /* _BR_LINEARIZE_SLOTS_H */
