// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receive paths that are compared. Each does a driver's work for one frame; to add one, write
 * its function and add a line to the table.
 */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include "paths.h"

/* The loop around each path is inlined with it, so that none pays for a call. */
static __always_inline void each(struct rx *rx, struct stream *stream, unsigned int count,
				 void (*receive)(struct rx *rx, const struct frame *frame))
{
	unsigned int i;

	for (i = 0; i < count; i++)
		receive(rx, stream_frame(stream, count, i));
}

static __always_inline struct sk_buff *copy_to_skb(struct rx *rx, const struct frame *frame)
{
	struct sk_buff *skb = napi_alloc_skb(rx->napi, frame->len);

	if (unlikely(!skb))
		return NULL;
	skb_copy_to_linear_data(skb, frame->data, frame->len);
	skb_put(skb, frame->len);
	skb->protocol = eth_type_trans(skb, rx->dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}

static __always_inline void receive_nothing(struct rx *rx, const struct frame *frame)
{
	/* Keeps the compiler from dropping the loop. */
	asm volatile("" : : "r" (frame->data), "r" (frame->len));
}

static void poll_empty(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_nothing);
}

static __always_inline void receive_alloc(struct rx *rx, const struct frame *frame)
{
	struct sk_buff *skb = copy_to_skb(rx, frame);

	if (likely(skb))
		napi_consume_skb(skb, 1);
}

static void poll_alloc(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_alloc);
}

static __always_inline void receive_gro_skb(struct rx *rx, const struct frame *frame)
{
	struct sk_buff *skb = copy_to_skb(rx, frame);

	if (likely(skb))
		napi_gro_receive(rx->napi, skb);
}

static void poll_gro_skb(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_gro_skb);
}

static __always_inline void receive_gro_frags(struct rx *rx, const struct frame *frame)
{
	struct sk_buff *skb = napi_get_frags(rx->napi);

	if (unlikely(!skb))
		return;
	get_page(frame->page);
	skb_add_rx_frag(skb, 0, frame->page, 0, frame->len, PAGE_SIZE);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	napi_gro_frags(rx->napi);
}

static void poll_gro_frags(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_gro_frags);
}

/* As many bytes as xen-netfront makes linear before it hands a packet to GRO. */
#define PULL_LEN	256u

static __always_inline void receive_gro_pull(struct rx *rx, const struct frame *frame)
{
	struct sk_buff *skb = napi_alloc_skb(rx->napi, PULL_LEN);

	if (unlikely(!skb))
		return;
	get_page(frame->page);
	skb_add_rx_frag(skb, 0, frame->page, 0, frame->len, PAGE_SIZE);
	if (unlikely(!__pskb_pull_tail(skb, min(frame->len, PULL_LEN)))) {
		kfree_skb(skb);
		return;
	}
	skb->protocol = eth_type_trans(skb, rx->dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	napi_gro_receive(rx->napi, skb);
}

static void poll_gro_pull(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_gro_pull);
}

static __always_inline void receive_lro_skb(struct rx *rx, const struct frame *frame)
{
	struct sk_buff *skb = copy_to_skb(rx, frame);

	if (likely(skb))
		lro_receive_skb(rx->lro, skb);
}

static void poll_lro_skb(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_lro_skb);
}

static __always_inline void receive_lro_copy(struct rx *rx, const struct frame *frame)
{
	rx->offer.data = frame->data;
	rx->offer.len = frame->len;
	rx->offer.ip_summed = CHECKSUM_UNNECESSARY;
	if (!lro_receive_copy(rx->lro, &rx->offer))
		receive_lro_skb(rx, frame);
}

static void poll_lro_copy(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_lro_copy);
}

static __always_inline void receive_lro_page(struct rx *rx, const struct frame *frame)
{
	static const u32 truesize = PAGE_SIZE;
	skb_frag_t frag;

	get_page(frame->page);
	skb_frag_fill_page_desc(&frag, frame->page, 0, frame->len);
	rx->offer.frags = &frag;
	rx->offer.truesize = &truesize;
	rx->offer.count = 1;
	rx->offer.ip_summed = CHECKSUM_UNNECESSARY;
	if (lro_receive_page(rx->lro, &rx->offer))
		return;
	put_page(frame->page);
	receive_lro_skb(rx, frame);
}

static void poll_lro_page(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_lro_page);
}

static const struct tcphdr *tcp_of(const u8 *eth)
{
	return (const struct tcphdr *)(eth + ETH_HLEN + sizeof(struct iphdr));
}

static unsigned int header_len(const u8 *eth)
{
	return ETH_HLEN + sizeof(struct iphdr) + tcp_of(eth)->doff * 4;
}

static struct kept *kept_of(struct rx *rx, const u8 *eth)
{
	unsigned int flow = ntohs(tcp_of(eth)->source) - STREAM_PORT;

	return &rx->bounds->flow[flow % BOUND_FLOWS];
}

/*
 * The lower bound of skb mode: the rest of the skb is freed at once. Headers are read from their
 * fresh copy.
 */
static __always_inline void receive_bound_skb(struct rx *rx, const struct frame *frame)
{
	struct sk_buff *skb = copy_to_skb(rx, frame);
	unsigned int hdr_len, payload;
	struct kept *kept;
	const u8 *eth;

	if (unlikely(!skb))
		return;
	eth = skb->data - ETH_HLEN;
	hdr_len = header_len(eth);
	payload = skb->len + ETH_HLEN - hdr_len;
	kept = kept_of(rx, eth);
	if (!bounds_expects(kept, ntohl(tcp_of(eth)->seq))) {
		bounds_begin(rx->bounds, kept, skb, payload);
	} else if (unlikely(kept->frags == MAX_SKB_FRAGS)) {
		__skb_pull(skb, hdr_len - ETH_HLEN);
		bounds_chain(kept, skb);
	} else {
		bounds_append(kept, virt_to_page(eth + hdr_len), offset_in_page(eth + hdr_len),
			      payload);
		kept->added += payload;
		skb->head = NULL;
		napi_consume_skb(skb, 1);
	}
	bounds_count(rx->bounds, kept);
}

static void poll_bound_skb(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_bound_skb);
}

/* Begin an aggregate with a frame whose payload is still to be added. */
static noinline bool begin_bound(struct rx *rx, struct kept *kept, const struct frame *frame)
{
	unsigned int hdr_len = header_len(frame->data);
	struct sk_buff *skb = napi_alloc_skb(rx->napi, hdr_len);

	if (!skb)
		return false;
	skb_put_data(skb, frame->data, hdr_len);
	skb->protocol = eth_type_trans(skb, rx->dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	bounds_begin(rx->bounds, kept, skb, frame->len - hdr_len);
	return true;
}

/* The lower bound of copy mode: the payload goes behind that of the flow's packet before. */
static __always_inline void receive_bound_copy(struct rx *rx, const struct frame *frame)
{
	const u8 *from = frame->data + header_len(frame->data);
	struct kept *kept = kept_of(rx, frame->data);
	unsigned int len, part, order;
	struct page *page;
	bool recycled;

	if (!bounds_expects(kept, ntohl(tcp_of(frame->data)->seq)) && !begin_bound(rx, kept, frame))
		return;
	for (len = frame->data + frame->len - from; len; len -= part) {
		if (kept->fill == kept->size) {
			page = page_pieces_get(&rx->bounds->pieces, kept->frags, &order, &recycled);
			if (unlikely(!page))
				return;
			kept->size = PAGE_SIZE << order;
			bounds_append(kept, page, 0, kept->size);
			kept->piece = page_address(page);
			kept->fill = 0;
		}
		part = min_t(unsigned int, len, kept->size - kept->fill);
		memcpy(kept->piece + kept->fill, from, part);
		kept->fill += part;
		kept->added += part;
		from += part;
	}
	bounds_count(rx->bounds, kept);
}

static void poll_bound_copy(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_bound_copy);
}

/* The lower bound of page mode. */
static __always_inline void receive_bound_page(struct rx *rx, const struct frame *frame)
{
	unsigned int hdr_len = header_len(frame->data), payload = frame->len - hdr_len;
	struct kept *kept = kept_of(rx, frame->data);
	struct sk_buff *skb;

	/* Headers end in the second cache line, where nothing else takes one. */
	READ_ONCE(frame->data[hdr_len - 1]);
	if (!bounds_expects(kept, ntohl(tcp_of(frame->data)->seq))) {
		if (!begin_bound(rx, kept, frame))
			return;
	} else if (unlikely(kept->frags == MAX_SKB_FRAGS)) {
		skb = napi_alloc_skb(rx->napi, 0);
		if (unlikely(!skb))
			return;
		bounds_chain(kept, skb);
	}
	get_page(frame->page);
	bounds_append(kept, frame->page, hdr_len, payload);
	kept->added += payload;
	bounds_count(rx->bounds, kept);
}

static void poll_bound_page(struct rx *rx, struct stream *stream, unsigned int count)
{
	each(rx, stream, count, receive_bound_page);
}

/*
 * A packet that cannot merge is measured with the engine (pass_) and, as the
 * figure to compare with, without it (bare_); in copy mode such a packet is first
 * offered as a frame and then handed in as an skb (passcopy_).
 */
const struct rx_path bench_paths[] = {
	{ "empty",     STREAM_TCP, false, false, 0,  poll_empty },
	{ "alloc",     STREAM_TCP, false, false, 0,  poll_alloc },
	{ "gro_skb",   STREAM_TCP, true,  false, 0,  poll_gro_skb },
	{ "gro_frags", STREAM_TCP, true,  false, 0,  poll_gro_frags },
	{ "gro_pull",  STREAM_TCP, true,  false, 0,  poll_gro_pull },
	{ "lro_skb",   STREAM_TCP, true,  true,  0,  poll_lro_skb },
	{ "lro_copy",  STREAM_TCP, true,  true,  0,  poll_lro_copy },
	{ "lro_page",  STREAM_TCP, true,  true,  0,  poll_lro_page },
	{ "bound_skb", STREAM_TCP, true, false, 0,  poll_bound_skb },
	{ "bound_copy", STREAM_TCP, true, false, 0,  poll_bound_copy },
	{ "bound_page", STREAM_TCP, true, false, 0,  poll_bound_page },
	{ "bare_udp",  STREAM_UDP, true,  false, 0,  poll_gro_skb },
	{ "pass_udp",  STREAM_UDP, true,  true,  0,  poll_lro_skb },
	{ "passcopy_udp", STREAM_UDP, true, true, 0, poll_lro_copy },
	{ "bare_ack",  STREAM_ACK, true,  false, 64, poll_gro_skb },
	{ "pass_ack",  STREAM_ACK, true,  true,  64, poll_lro_skb },
	{ "passcopy_ack", STREAM_ACK, true, true, 64, poll_lro_copy },
};

const unsigned int bench_path_count = ARRAY_SIZE(bench_paths);
