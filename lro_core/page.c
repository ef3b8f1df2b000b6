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
 * struct page_packet - a frame, looked at
 * @frame: as the driver has it
 * @pkt: what lro_parse() found
 * @kind: see lro_frame_kind()
 * @payload: payload only: without headers and padding
 * @payload_count: number of fragments in @payload
 * @truesize: memory behind @payload, bytes
 * @used: bit n is set if fragment n of @frame holds payload
 */
struct page_packet {
	const struct lro_frame *frame;
	struct lro_packet pkt;
	u8 kind;
	skb_frag_t payload[MAX_SKB_FRAGS];
	unsigned int payload_count;
	unsigned int truesize;
	u64 used;
};

static_assert(MAX_SKB_FRAGS <= BITS_PER_TYPE(u64));

static void cut_payload(struct page_packet *p, unsigned int skip)
{
	const struct lro_frame *frame = p->frame;
	unsigned int left = p->pkt.payload, i;
	skb_frag_t *to = p->payload;

	p->used = 0;
	p->truesize = 0;
	for (i = 0; i < frame->count && left; i++) {
		unsigned int size = skb_frag_size(&frame->frags[i]) - skip;

		if (size) {
			*to = frame->frags[i];
			skb_frag_off_add(to, skip);
			skb_frag_size_set(to, min(size, left));
			left -= skb_frag_size(to++);
			p->used |= BIT_ULL(i);
			p->truesize += frame->truesize[i];
		}
		skip = 0;
	}
	p->payload_count = to - p->payload;
}

static bool checksum_ok(const struct page_packet *p, const struct lro_view *view)
{
	const struct lro_packet *pkt = &p->pkt;
	unsigned int done = 0, i;
	__wsum sum = 0;

	if (lro_knows_checksum(p->frame, view, pkt, skb_frag_address(&p->frame->frags[0])))
		return true;
	/* There is none to compute: it has been left to a device. */
	if (p->frame->ip_summed == CHECKSUM_PARTIAL)
		return false;
	for (i = 0; i < p->payload_count; i++) {
		const skb_frag_t *frag = &p->payload[i];

		sum = csum_block_add(sum, csum_partial(skb_frag_address(frag),
						       skb_frag_size(frag), 0), done);
		done += skb_frag_size(frag);
	}
	sum = csum_partial(pkt->frame + pkt->tcp, pkt->hdr_len - pkt->tcp, sum);
	return !lro_tcp_check(&pkt->key, lro_tcp_len(pkt), sum);
}

/* Free the pages of the frame that hold headers or padding only. */
static void free_rest(const struct page_packet *p)
{
	unsigned int i;

	for (i = 0; i < p->frame->count; i++) {
		struct page *page = skb_frag_page(&p->frame->frags[i]);

		if (p->used & BIT_ULL(i))
			continue;
		if (p->frame->pool)
			page_pool_put_full_page(p->frame->pool, page, true);
		else
			put_page(page);
	}
}

/* Add the payload to the fragments of the flow's last skb, which has room. */
static void page_attach(struct lro_flow *flow, const struct page_packet *p)
{
	unsigned int i;

	for (i = 0; i < p->payload_count; i++)
		flow->info->frags[flow->frags++] = p->payload[i];
	flow->added += p->pkt.payload;
	flow->truesize += p->truesize;
	free_rest(p);
}

static __always_inline bool may_join(const struct lro_flow *flow, u8 kind)
{
	return flow->layout == LRO_LAYOUT_SKB && flow->kind == kind;
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

/* Make room for that many fragments in the flow's last skb. */
static __always_inline bool make_room(struct lro *lro, struct lro_flow *flow, unsigned int count,
				      bool pool)
{
	return flow->frags + count <= MAX_SKB_FRAGS || add_skb(lro, flow, pool);
}

static bool page_append(struct lro *lro, struct lro_flow *flow, const struct page_packet *p)
{
	if (!may_join(flow, p->kind) ||
	    !make_room(lro, flow, p->payload_count, p->frame->pool))
		return false;
	/* Pages that hold headers only are free after page_attach(). */
	lro_state_add(&flow->state, &p->pkt, lro_rules(lro));
	page_attach(flow, p);
	lro_grown(lro, flow);
	return true;
}

/* Add the packet that bulk TCP sends next, in one page and verified. */
static __always_inline bool page_append_next(struct lro *lro, struct lro_flow *flow,
					     const struct lro_frame *frame, unsigned int tcp)
{
	const skb_frag_t *frag = frame->frags;
	unsigned int payload = flow->state.gso_size;
	skb_frag_t cut;

	if (!make_room(lro, flow, 1, frame->pool))
		return false;
	lro_count_packet(lro, skb_frag_size(frag));
	/* One write: the place is not in the cache. */
	cut = *frag;
	skb_frag_off_add(&cut, flow->state.hdr_len);
	skb_frag_size_set(&cut, payload);
	flow->info->frags[flow->frags++] = cut;
	flow->added += payload;
	flow->truesize += frame->truesize[0];
	lro_count_grown(lro, flow, lro_state_advance_predicted(&flow->state, tcp));
	return true;
}

static bool page_start(struct lro *lro, const struct page_packet *p)
{
	const struct lro_packet *pkt = &p->pkt;
	struct lro_flow *flow;
	struct sk_buff *skb;

	/* Would be delivered at once: no better than what the driver builds. */
	if (pkt->flags & (LRO_TCP_PSH | LRO_TCP_FIN))
		return false;
	skb = lro_header_skb(lro, pkt, p->frame);
	if (!skb)
		return false;
	if (p->frame->pool)
		skb_mark_for_recycle(skb);
	if (p->frame->ip_summed == CHECKSUM_PARTIAL) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + pkt->tcp - LRO_IP_OFF;
		skb->csum_offset = offsetof(struct tcphdr, check);
	}
	flow = lro_open(lro, skb, pkt);
	page_attach(flow, p);
	lro_grown(lro, flow);
	return true;
}

/* Merge a frame or begin an aggregate with it; on false it is untouched. */
static bool page_take(struct lro *lro, const struct lro_frame *frame, struct lro_view *view)
{
	struct page_packet p __uninitialized;
	struct lro_flow *flow;
	enum lro_reason why;

	if (!lro_look_up(lro, view, &p.pkt, &flow, &why))
		return false;
	p.frame = frame;
	p.kind = lro_frame_kind(frame);
	cut_payload(&p, view->skip + p.pkt.hdr_len);
	if (!checksum_ok(&p, view))
		return false;

	if (flow && !why)
		return page_append(lro, flow, &p);
	if (flow)
		lro_flush(lro, flow, why);
	return page_start(lro, &p);
}

/* Any packet but the next one of an open aggregate over IPv4 with timestamps. */
static noinline bool page_receive_any(struct lro *lro, const struct lro_frame *frame)
{
	const skb_frag_t *frags = frame->frags;
	struct lro_view view = {
		.hdr = skb_frag_address(&frags[0]),
		.avail = skb_frag_size(&frags[0]),
		.vlan = frame->vlan,
	};
	struct lro_flow *flow = NULL;
	unsigned int len = 0, i;

	for (i = 0; i < frame->count; i++) {
		/* Memory for emergencies: the packet is for few sockets, and goes alone. */
		if (page_is_pfmemalloc(skb_frag_page(&frags[i])))
			return false;
		len += skb_frag_size(&frags[i]);
	}
	if (frame->count == 1 && frame->ip_summed == CHECKSUM_UNNECESSARY)
		flow = lro_flows_predicted(&lro->flows, view.hdr, len, len, frame->vlan);
	if (flow && may_join(flow, lro_frame_kind(frame)) &&
	    page_append_next(lro, flow, frame, flow->state.tcp))
		return true;
	if (lro_is_plainly_alone(lro, view.hdr, view.avail, len))
		return false;
	view.len = len;
	if (!page_take(lro, frame, &view))
		return false;
	lro_count_packet(lro, len);
	return true;
}

bool lro_receive_page(struct lro *lro, const struct lro_frame *frame)
{
	const skb_frag_t *frags = frame->frags;
	struct lro_flow *flow;

	if (frame->count == 1 && frame->ip_summed == CHECKSUM_UNNECESSARY) {
		flow = lro_flows_predicted_v4(&lro->flows, skb_frag_address(frags),
					      skb_frag_size(frags), frame->vlan);
		if (flow && may_join(flow, lro_frame_kind(frame)) &&
		    !page_is_pfmemalloc(skb_frag_page(frags)) &&
		    page_append_next(lro, flow, frame, LRO_V4_TCP))
			return true;
	}
	return page_receive_any(lro, frame);
}
EXPORT_SYMBOL_XENLRO(lro_receive_page);
