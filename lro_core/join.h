/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Joining packets to an aggregate, and what makes the result a GSO packet.
 */
#ifndef _XENLRO_JOIN_H
#define _XENLRO_JOIN_H

#include <linux/skbuff.h>
#include <net/checksum.h>

#include "engine.h"

/**
 * lro_flatten_skb() - turn the frag_list of a packet into fragments
 * @skb: packet
 *
 * Leaves those on the list that there is no room for, or that cannot be fragments.
 */
void lro_flatten_skb(struct sk_buff *skb);

/* Packets that differ in these have to stay apart. */
enum lro_kind {
	LRO_KIND_POOL = 1,	/* its pages are of a page_pool */
	LRO_KIND_DECRYPTED = 2,
	LRO_KIND_ZEROCOPY = 4,	/* nothing joins it, nor does it join */
	LRO_KIND_FORWARDED = 8,	/* the device has forwarded it already */
};

/* Of an skb without flags in its shared info. */
static inline u8 lro_plain_kind(const struct sk_buff *skb)
{
	return (skb->pp_recycle ? LRO_KIND_POOL : 0) |
	       (xenlro_decrypted(skb) ? LRO_KIND_DECRYPTED : 0) |
	       (xenlro_fwd_mark(skb) ? LRO_KIND_FORWARDED : 0);
}

/* Of a frame that is no skb. */
static __always_inline u8 lro_frame_kind(const struct lro_frame *frame)
{
	return (frame->pool ? LRO_KIND_POOL : 0) | (frame->fwd_mark ? LRO_KIND_FORWARDED : 0);
}

static inline u8 lro_kind(const struct sk_buff *skb)
{
	return lro_plain_kind(skb) |
	       (skb_zcopy((struct sk_buff *)skb) ? LRO_KIND_ZEROCOPY : 0);
}

/**
 * lro_begin_skb() - let packets join the first one of an aggregate
 * @flow: aggregate, all of whose other packets will join by these functions
 */
void lro_begin_skb(struct lro_flow *flow);

/**
 * lro_settle_skb() - write down in the skbs what was joined to them
 * @flow: aggregate with %LRO_LAYOUT_SKB
 *
 * Their lengths and number of fragments are not kept up to date packet by packet,
 * because that takes cache lines of theirs. No other code may see them before this.
 */
void lro_settle_skb(struct lro_flow *flow);

/**
 * lro_may_join_skb() - can a packet's memory be part of an aggregate
 * @flow: aggregate of the packet's flow
 * @skb: packet
 *
 * Both kinds of page, those of a page_pool and others, are never in one aggregate,
 * although each skb of a frag_list could have its own: drivers that transmit it
 * expect one kind.
 *
 * Return: true if lro_join_skb() may be called. What is still to be read of the
 * packet's headers is read before that.
 */
static inline bool lro_may_join_skb(const struct lro_flow *flow, const struct sk_buff *skb)
{
	u8 kind = lro_kind(skb);

	return flow->layout == LRO_LAYOUT_SKB && flow->kind == kind && !(kind & LRO_KIND_ZEROCOPY);
}

/**
 * lro_steal_skb() - make the payload of a packet fragments of an aggregate
 * @flow: aggregate of the packet's flow
 * @skb: packet that lro_may_join_skb() allows; headers linear, no padding
 * @hdr_len: bytes before the payload, counted from skb->data
 * @plain: the skb has no flags in its shared info and no frag_list; constant
 *
 * NAPI keeps the skb that is left for the next packet, which costs a fraction of
 * giving it back to the allocator.
 *
 * Return: whether the packet is consumed; false without room, or if its memory cannot
 * be a fragment.
 */
static __always_inline bool lro_steal_skb(struct lro_flow *flow, struct sk_buff *skb,
					  unsigned int hdr_len, const bool plain)
{
	struct skb_shared_info *to = flow->info, *from = skb_shinfo(skb);
	unsigned int linear = skb_headlen(skb) - hdr_len, more = from->nr_frags;
	unsigned int n = flow->frags;
	u8 *payload = skb->data + hdr_len;
	struct page *page;

	/* A page_pool counts the users of its pages in its own way. */
	if (!linear || !skb->head_frag || skb->pp_recycle || (!plain && from->frag_list) ||
	    n + more >= MAX_SKB_FRAGS)
		return false;

	/* The very page, for where a compound page begins takes longer to find out. */
	page = virt_to_page(payload);
	skb_frag_fill_page_desc(&to->frags[n++], page, offset_in_page(payload), linear);
	if (unlikely(more)) {
		memcpy(&to->frags[n], from->frags, more * sizeof(from->frags[0]));
		n += more;
	}
	/* A consumer may look at the first skb only. */
	if (!plain && unlikely(from->flags & SKBFL_SHARED_FRAG)) {
		to->flags |= SKBFL_SHARED_FRAG;
		skb_shinfo(flow->skb)->flags |= SKBFL_SHARED_FRAG;
	}
	flow->frags = n;
	flow->added += skb->len - hdr_len;
	flow->truesize += skb->truesize - SKB_DATA_ALIGN(sizeof(struct sk_buff));
	/*
	 * What is left of the skb frees its head, whose page the aggregate has now: unless
	 * it has none. The skb of another CPU may be freed only later there, and needs its
	 * head until then.
	 */
	if (likely(skb->alloc_cpu == smp_processor_id())) {
		skb->head = NULL;
	} else {
		get_page(page);
		from->nr_frags = 0;
	}
	napi_consume_skb(skb, 1);
	return true;
}

/**
 * lro_append_skb() - append a packet that lro_steal_skb() did not take
 * @flow: aggregate of the packet's flow
 * @skb: packet, consumed: it joins the last skb by the kernel's rules, or starts a new
 *	skb on the frag_list
 * @hdr_len: bytes before the payload, counted from skb->data
 */
void lro_append_skb(struct lro_flow *flow, struct sk_buff *skb, unsigned int hdr_len);

/* Append the payload of a packet; its headers may be gone after that. */
static __always_inline void lro_join_skb(struct lro_flow *flow, struct sk_buff *skb,
					 unsigned int hdr_len, const bool plain)
{
	if (!lro_steal_skb(flow, skb, hdr_len, plain))
		lro_append_skb(flow, skb, hdr_len);
}

/**
 * lro_chain_skb() - put an skb at the end of an aggregate's frag_list
 * @flow: aggregate
 * @skb: payload only; ownership passes; becomes the tail
 *
 * Lengths and truesize of the aggregate are left to the caller.
 */
void lro_chain_skb(struct lro_flow *flow, struct sk_buff *skb);

/**
 * lro_put_headers() - put a packet's headers at the beginning of an empty skb
 * @lro: context
 * @skb: skb; afterwards as after eth_type_trans(), checksum marked as verified
 * @pkt: packet
 * @frame: what the device tells of it
 */
void lro_put_headers(struct lro *lro, struct sk_buff *skb, const struct lro_packet *pkt,
		     const struct lro_frame *frame);

/**
 * lro_header_skb() - allocate an skb with a packet's headers
 * @lro: context
 * @pkt: packet
 * @frame: what the device tells of it
 *
 * Return: skb as after eth_type_trans(), checksum marked as verified; or NULL.
 */
struct sk_buff *lro_header_skb(struct lro *lro, const struct lro_packet *pkt,
			       const struct lro_frame *frame);

/**
 * lro_finish_skb() - give an aggregate its final headers
 * @flow: aggregate of two packets or more
 */
void lro_finish_skb(struct lro_flow *flow);

/**
 * lro_tcp_check() - finish a TCP checksum with the pseudo header
 * @key: flow
 * @tcp_len: TCP header and payload, bytes
 * @sum: sum over these, or 0 for the pseudo header alone
 * Return: 0 if @sum contains a correct checksum.
 */
__sum16 lro_tcp_check(const struct lro_key *key, unsigned int tcp_len, __wsum sum);

/*
 * Memory of an skb whose headers and first payload fill pages, as an order: one page that ends
 * with the headroom, those that are filled, and one for what an skb has at its end.
 */
#define HEAD_ORDER	2
#define HEAD_FILLED	((PAGE_SIZE << HEAD_ORDER) - 2 * PAGE_SIZE)
/*
 * The skb begins where the headroom of a driver's skb would, not at the first page's beginning:
 * each segment that is cut from an aggregate in software has as much headroom.
 */
#define HEAD_ROOM	SKB_DATA_ALIGN(NET_SKB_PAD + NET_IP_ALIGN)
#define HEAD_SKIPPED	(PAGE_SIZE - HEAD_ROOM)
/* As many pieces of an aggregate have that size together. */
#define HEAD_PIECES	2

/**
 * lro_settle_copy() - account for the copied payload in the skb
 * @flow: aggregate with %LRO_LAYOUT_COPY
 */
void lro_settle_copy(struct lro_flow *flow);

/* A copied aggregate fills at least this part of its memory: one third. */
#define COPY_SHARE	3

/**
 * lro_fit_copy() - move a copied aggregate that fills little of its memory
 * @lro: context
 * @flow: aggregate that ends, settled
 *
 * The memory that an aggregate begins with is made for many packets. TCP measures how much of
 * its memory the first full-sized packet of a connection fills, takes that share for the one of
 * all packets, and announces such a share of its buffer as window. Without memory for a smaller
 * copy the aggregate stays where it is.
 */
void lro_fit_copy(struct lro *lro, struct lro_flow *flow);

#endif /* _XENLRO_JOIN_H */
