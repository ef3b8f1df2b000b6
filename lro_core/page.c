// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page mode: the driver gives pages away, they become fragments of the aggregate.
 * Aggregates look as in skb mode, so both modes may add to the same one.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/checksum.h>

#include "flush.h"
#include "join.h"
#include "look.h"

/**
 * struct page_frame - a received frame
 * @frags: the driver's fragments
 * @count: number of fragments
 * @truesize: memory behind each fragment, bytes
 * @ip_summed: what is known of the checksum
 * @pool: page_pool of the pages, or NULL
 * @payload: payload only: without headers and padding
 * @payload_count: number of fragments in @payload
 * @used: bit n is set if fragment n holds payload
 */
struct page_frame {
	const skb_frag_t *frags;
	unsigned int count;
	unsigned int truesize;
	u8 ip_summed;
	struct page_pool *pool;
	skb_frag_t payload[MAX_SKB_FRAGS];
	unsigned int payload_count;
	u64 used;
};

static_assert(MAX_SKB_FRAGS <= BITS_PER_TYPE(u64));

static void cut_payload(struct page_frame *frame, const struct lro_packet *pkt, unsigned int skip)
{
	unsigned int left = pkt->payload, i;
	skb_frag_t *to = frame->payload;

	frame->used = 0;
	for (i = 0; i < frame->count && left; i++) {
		unsigned int size = skb_frag_size(&frame->frags[i]) - skip;

		if (size) {
			*to = frame->frags[i];
			skb_frag_off_add(to, skip);
			skb_frag_size_set(to, min(size, left));
			left -= skb_frag_size(to++);
			frame->used |= BIT_ULL(i);
		}
		skip = 0;
	}
	frame->payload_count = to - frame->payload;
}

static bool checksum_ok(const struct page_frame *frame, const struct lro_packet *pkt)
{
	const struct tcphdr *th = (const struct tcphdr *)(pkt->frame + pkt->tcp);
	unsigned int done = 0, i;
	__wsum sum = 0;

	switch (frame->ip_summed) {
	case CHECKSUM_UNNECESSARY:
		return true;
	case CHECKSUM_PARTIAL:
		return th->check == (__force __sum16)~lro_tcp_check(&pkt->key, lro_tcp_len(pkt), 0);
	}
	for (i = 0; i < frame->payload_count; i++) {
		const skb_frag_t *frag = &frame->payload[i];

		sum = csum_block_add(sum, csum_partial(skb_frag_address(frag),
						       skb_frag_size(frag), 0), done);
		done += skb_frag_size(frag);
	}
	sum = csum_partial(th, pkt->hdr_len - pkt->tcp, sum);
	return !lro_tcp_check(&pkt->key, lro_tcp_len(pkt), sum);
}

/* Free the pages of the frame that hold headers or padding only. */
static void free_rest(const struct page_frame *frame)
{
	unsigned int i;

	for (i = 0; i < frame->count; i++) {
		struct page *page = skb_frag_page(&frame->frags[i]);

		if (frame->used & BIT_ULL(i))
			continue;
		if (frame->pool)
			page_pool_put_full_page(frame->pool, page, true);
		else
			put_page(page);
	}
}

/* Add the payload to the fragments of the flow's last skb, which has room. */
static void page_attach(struct lro_flow *flow, const struct page_frame *frame, unsigned int payload)
{
	unsigned int i;

	for (i = 0; i < frame->payload_count; i++)
		flow->info->frags[flow->frags++] = frame->payload[i];
	flow->added += payload;
	flow->truesize += frame->payload_count * frame->truesize;
	free_rest(frame);
}

static __always_inline bool may_join(const struct lro_flow *flow, bool pool)
{
	return flow->layout == LRO_LAYOUT_SKB && flow->kind == (pool ? LRO_KIND_POOL : 0);
}

static noinline bool add_skb(struct lro *lro, struct lro_flow *flow, bool pool)
{
	struct sk_buff *skb = napi_alloc_skb(lro->napi, 0);

	if (!skb)
		return false;
	if (pool)
		skb_mark_for_recycle(skb);
	lro_chain_skb(flow, skb);
	flow->skb->truesize += skb->truesize;
	return true;
}

/* Have room for that many fragments in the flow's last skb. */
static __always_inline bool make_room(struct lro *lro, struct lro_flow *flow, unsigned int count,
				      bool pool)
{
	return flow->frags + count <= MAX_SKB_FRAGS || add_skb(lro, flow, pool);
}

static bool page_append(struct lro *lro, struct lro_flow *flow, const struct page_frame *frame,
			const struct lro_packet *pkt)
{
	if (!may_join(flow, frame->pool) ||
	    !make_room(lro, flow, frame->payload_count, frame->pool))
		return false;
	/* Pages that hold headers only are free after page_attach(). */
	lro_state_add(&flow->state, pkt, lro_rules(lro));
	page_attach(flow, frame, pkt->payload);
	lro_grown(lro, flow);
	return true;
}

/* Add the packet that bulk TCP sends next, in one page and verified. */
static __always_inline bool page_append_next(struct lro *lro, struct lro_flow *flow,
					     const skb_frag_t *frag, unsigned int truesize,
					     bool pool, unsigned int tcp)
{
	unsigned int payload = flow->state.gso_size;
	skb_frag_t cut;

	if (!make_room(lro, flow, 1, pool))
		return false;
	lro_count_packet(lro, skb_frag_size(frag));
	/* One write: the place is not in the cache. */
	cut = *frag;
	skb_frag_off_add(&cut, flow->state.hdr_len);
	skb_frag_size_set(&cut, payload);
	flow->info->frags[flow->frags++] = cut;
	flow->added += payload;
	flow->truesize += truesize;
	lro_count_grown(lro, flow, lro_state_advance_predicted(&flow->state, tcp));
	return true;
}

static bool page_start(struct lro *lro, const struct page_frame *frame,
		       const struct lro_packet *pkt)
{
	struct lro_flow *flow;
	struct sk_buff *skb;

	/* Would be delivered at once: no better than what the driver builds. */
	if (pkt->flags & (LRO_TCP_PSH | LRO_TCP_FIN))
		return false;
	skb = lro_header_skb(lro, pkt);
	if (!skb)
		return false;
	if (frame->pool)
		skb_mark_for_recycle(skb);
	if (frame->ip_summed == CHECKSUM_PARTIAL) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + pkt->tcp - LRO_IP_OFF;
		skb->csum_offset = offsetof(struct tcphdr, check);
	}
	flow = lro_open(lro, skb, pkt);
	page_attach(flow, frame, pkt->payload);
	lro_grown(lro, flow);
	return true;
}

/* Merge a frame or begin an aggregate with it; on false it is untouched. */
static bool page_take(struct lro *lro, struct page_frame *frame, struct lro_frame *f)
{
	struct lro_packet pkt __uninitialized;
	struct lro_flow *flow;
	enum lro_reason why;

	if (!lro_look_up(lro, f, &pkt, &flow, &why))
		return false;
	cut_payload(frame, &pkt, f->skip + pkt.hdr_len);
	if (!checksum_ok(frame, &pkt))
		return false;

	if (flow && !why)
		return page_append(lro, flow, frame, &pkt);
	if (flow)
		lro_flush(lro, flow, why);
	return page_start(lro, frame, &pkt);
}

/* Any packet but the next one of an open aggregate over IPv4 with timestamps. */
static noinline bool page_receive_any(struct lro *lro, const skb_frag_t *frags, unsigned int count,
				      unsigned int truesize, u32 vlan, u8 ip_summed,
				      struct page_pool *pool)
{
	struct lro_frame f = {
		.hdr = skb_frag_address(&frags[0]),
		.avail = skb_frag_size(&frags[0]),
		.vlan = vlan,
	};
	struct page_frame frame __uninitialized;
	struct lro_flow *flow = NULL;
	unsigned int len = 0, i;

	for (i = 0; i < count; i++) {
		/* Memory for emergencies: the packet is for few sockets, and goes alone. */
		if (page_is_pfmemalloc(skb_frag_page(&frags[i])))
			return false;
		len += skb_frag_size(&frags[i]);
	}
	if (count == 1 && ip_summed == CHECKSUM_UNNECESSARY)
		flow = lro_flows_predicted(&lro->flows, f.hdr, len, len, vlan);
	if (flow && may_join(flow, pool) &&
	    page_append_next(lro, flow, frags, truesize, pool, flow->state.tcp))
		return true;
	if (lro_is_plainly_alone(lro, f.hdr, f.avail, len))
		return false;
	f.len = len;
	frame.frags = frags;
	frame.count = count;
	frame.truesize = truesize;
	frame.ip_summed = ip_summed;
	frame.pool = pool;
	if (!page_take(lro, &frame, &f))
		return false;
	lro_count_packet(lro, len);
	return true;
}

bool lro_receive_page(struct lro *lro, const skb_frag_t *frags, unsigned int count,
		      unsigned int truesize, u32 vlan, u8 ip_summed, struct page_pool *pool)
{
	struct lro_flow *flow;

	if (count == 1 && ip_summed == CHECKSUM_UNNECESSARY) {
		flow = lro_flows_predicted_v4(&lro->flows, skb_frag_address(frags),
					      skb_frag_size(frags), vlan);
		if (flow && may_join(flow, pool) && !page_is_pfmemalloc(skb_frag_page(frags)) &&
		    page_append_next(lro, flow, frags, truesize, pool, LRO_V4_TCP))
			return true;
	}
	return page_receive_any(lro, frags, count, truesize, vlan, ip_summed, pool);
}
EXPORT_SYMBOL_XENLRO(lro_receive_page);
