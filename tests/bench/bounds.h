/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lower bound of merging: a path that trusts every packet.
 *
 * Any engine has to read a packet's headers, find its flow, note the packet there, put the payload
 * in its place and deliver an skb with the fields that the stack reads. This path does no more: it
 * searches no table, and checks only the sequence number. Lengths are written once per skb;
 * checksums and truesize are not. A correct engine cannot do less.
 */
#ifndef _LRO_BENCH_BOUNDS_H
#define _LRO_BENCH_BOUNDS_H

#include <linux/skbuff.h>
#include <linux/types.h>

#include "../../lro_core/page_pieces.h"
#include "stream.h"

#define BOUND_FLOWS	1024	/* of the first address */
#define BOUND_SEGS_MAX	64	/* as many as the engine puts into one aggregate */

/**
 * struct kept - the open aggregate of a flow: one cache line
 * @skb: aggregate, or NULL
 * @tail: skb that grows: @skb or the last of its frag_list
 * @info: of @tail
 * @piece: memory of the last piece; copy mode only
 * @seq: sequence number that continues it
 * @added: payload in @tail that its lengths do not tell yet, bytes
 * @fill: bytes used of the last piece; copy mode only
 * @size: bytes of the last piece; copy mode only
 * @payload: of each packet, bytes
 * @segs: packets that it will have
 * @left: packets to come
 * @frags: fragments of @tail
 */
struct kept {
	struct sk_buff *skb;
	struct sk_buff *tail;
	struct skb_shared_info *info;
	u8 *piece;
	u32 seq;
	u32 added;
	u32 fill;
	u32 size;
	u16 payload;
	u8 segs;
	u8 left;
	u8 frags;
} __aligned(64);

/**
 * struct bounds - aggregates
 * @pieces: memory to copy into
 * @open: open aggregates
 * @flow: of each flow
 */
struct bounds {
	struct page_pieces pieces;
	unsigned int open;
	struct kept flow[BOUND_FLOWS];
};

/**
 * bounds_create() - make an empty one
 * Context: process.
 * Return: it, or NULL without memory.
 */
struct bounds *bounds_create(void);

/**
 * bounds_destroy() - free it and the open aggregates
 * @bounds: as created, or NULL
 * Context: process.
 */
void bounds_destroy(struct bounds *bounds);

/**
 * bounds_release() - deliver all open aggregates
 * @bounds: as created
 * Context: softirq.
 */
void bounds_release(struct bounds *bounds);

/**
 * bounds_deliver() - deliver an aggregate
 * @bounds: as created
 * @kept: open aggregate
 * Context: softirq.
 */
void bounds_deliver(struct bounds *bounds, struct kept *kept);

/**
 * bounds_begin() - deliver the open aggregate and begin another
 * @bounds: as created
 * @kept: of the packet's flow
 * @skb: headers, with or without the first packet's payload; ownership passes
 * @payload: of the first packet, bytes
 * Context: softirq.
 */
void bounds_begin(struct bounds *bounds, struct kept *kept, struct sk_buff *skb,
		  unsigned int payload);

/**
 * bounds_chain() - let another skb of an aggregate grow
 * @kept: open aggregate
 * @skb: payload only, or empty; ownership passes
 */
void bounds_chain(struct kept *kept, struct sk_buff *skb);

/* Is this the next packet of its flow? */
static inline bool bounds_expects(const struct kept *kept, u32 seq)
{
	return likely(kept->skb) && likely(kept->seq == seq);
}

/* Append a fragment to the skb that grows, which has room. */
static inline void bounds_append(struct kept *kept, struct page *page, unsigned int at,
				 unsigned int len)
{
	skb_frag_fill_page_desc(&kept->info->frags[kept->frags++], page, at, len);
}

/* Count a packet; deliver the aggregate if it was the last. */
static inline void bounds_count(struct bounds *bounds, struct kept *kept)
{
	kept->seq += kept->payload;
	if (!--kept->left)
		bounds_deliver(bounds, kept);
}

#endif /* _LRO_BENCH_BOUNDS_H */
