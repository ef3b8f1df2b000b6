// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copy mode: the driver keeps its buffer, the payload is copied once, in phase.
 *
 * A consumer that copies the aggregate into pages of 4 KiB, as netback does into the
 * slots of a guest, starts a copy operation at each page edge of the source and
 * of the destination. The headers go to the start of the first destination page.
 * So the first fragment starts as many bytes into its page as there are headers,
 * and all others fill one page or several. Edges of source and destination coincide:
 * each destination page takes one operation, and the headers take one.
 *
 * On a port of a bridge the headers begin a page themselves, the first payload behind them:
 * one operation less. The headroom that every consumer may use is the end of the page before.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/mm.h>
#include <net/checksum.h>

#include "flush.h"
#include "idle.h"
#include "join.h"
#include "look.h"

/*
 * Packets shorter than this are not worth a page, and neither are those that end
 * an aggregate as soon as they begin one. Drivers count multicast when they build an skb.
 */
#define MIN_PAYLOAD	512

static void count_pages(struct lro *lro, unsigned int order, bool recycled)
{
	if (recycled) {
		lro->count[LRO_COUNT_PAGES_RECYCLED] += 1 << order;
		return;
	}
	lro->count[LRO_COUNT_PAGES_NEW] += 1 << order;
	lro_idle_keeps(lro);
}

static bool add_piece(struct lro *lro, struct lro_flow *flow, unsigned int offset)
{
	struct page *page;
	unsigned int order;
	bool recycled;

	if (flow->frags == MAX_SKB_FRAGS)
		return false;
	page = page_pieces_get(&lro->pieces, flow->had + flow->frags, &order, &recycled);
	if (!page)
		return false;
	count_pages(lro, order, recycled);
	flow->size = PAGE_SIZE << order;
	skb_frag_fill_page_desc(&flow->info->frags[flow->frags++], page, offset,
				flow->size - offset);
	flow->piece = page_address(page);
	flow->fill = offset;
	return true;
}

/* How far an aggregate is filled. */
struct mark {
	u8 *piece;
	unsigned int frags, fill, size;
};

static __always_inline struct mark mark_of(const struct lro_flow *flow)
{
	return (struct mark){ flow->piece, flow->frags, flow->fill, flow->size };
}

/* Take off what was added to an aggregate since then. */
static void cut_back(struct lro_flow *flow, const struct mark *mark)
{
	while (flow->frags > mark->frags)
		put_page(skb_frag_page(&flow->info->frags[--flow->frags]));
	flow->piece = mark->piece;
	flow->fill = mark->fill;
	flow->size = mark->size;
}

/*
 * memcpy() of @len bytes, at least 8. In phase, no packet begins at an aligned address;
 * where a processor copies by eight bytes, writing across cache lines costs a third more.
 */
static __always_inline void copy_aligned(u8 *to, const u8 *from, unsigned int len)
{
	unsigned int head = -(unsigned long)to % 8;

	lro_store64(to, lro_load64(from));
	memcpy(to + head, from + head, len - head);
}

/*
 * Copy @len bytes behind what the aggregate has, and add them to the checksum @sum if
 * there is one. On false the aggregate is as it was.
 */
static __always_inline bool copy(struct lro *lro, struct lro_flow *flow, const u8 *from,
				 unsigned int len, __wsum *sum)
{
	struct mark mark = mark_of(flow);
	unsigned int done = 0, part;
	__wsum more;
	u8 *to;

	for (;;) {
		part = min_t(unsigned int, len - done, flow->size - flow->fill);
		to = flow->piece + flow->fill;
		if (sum) {
			more = csum_partial_copy_nocheck(from + done, to, part);
			*sum = csum_block_add(*sum, more, done);
		} else if (part >= 8) {
			copy_aligned(to, from + done, part);
		} else {
			memcpy(to, from + done, part);
		}
		flow->fill += part;
		done += part;
		if (done == len)
			return true;
		if (!add_piece(lro, flow, 0))
			break;
	}
	cut_back(flow, &mark);
	return false;
}

/* Add a packet of an open aggregate's flow, or leave the aggregate as it was. */
static bool copy_append(struct lro *lro, struct lro_flow *flow, const struct lro_packet *pkt,
			const u8 *from, bool verified)
{
	struct mark mark = mark_of(flow);
	__wsum sum;

	if (verified)
		return copy(lro, flow, from, pkt->payload, NULL);
	sum = 0;
	if (!copy(lro, flow, from, pkt->payload, &sum))
		return false;
	sum = csum_partial(pkt->frame + pkt->tcp, pkt->hdr_len - pkt->tcp, sum);
	if (!lro_tcp_check(&flow->key, lro_tcp_len(pkt), sum))
		return true;
	cut_back(flow, &mark);
	return false;
}

/* A tag is written back into the headers before netback copies them. */
static unsigned int tag_len(const struct lro_packet *pkt)
{
	return pkt->vlan ? VLAN_HLEN : 0;
}

/* An skb whose headers begin a page, with room for payload behind them. */
static struct sk_buff *page_skb(struct lro *lro, const struct lro_packet *pkt,
				const struct lro_frame *frame)
{
	struct page_ring *ring = &lro->pieces.ring[HEAD_ORDER];
	struct sk_buff *skb;
	struct page *page;
	bool recycled;

	BUILD_BUG_ON(SKB_DATA_ALIGN(sizeof(struct skb_shared_info)) > PAGE_SIZE);
	BUILD_BUG_ON(HEAD_ROOM > PAGE_SIZE);
	page = page_ring_get(ring, &recycled);
	if (!page)
		return NULL;
	skb = napi_build_skb(page_address(page) + HEAD_SKIPPED,
			     (PAGE_SIZE << HEAD_ORDER) - HEAD_SKIPPED);
	if (!skb) {
		put_page(page);
		return NULL;
	}
	count_pages(lro, HEAD_ORDER, recycled);
	skb->truesize += HEAD_SKIPPED;
	skb_reserve(skb, HEAD_ROOM + tag_len(pkt));
	lro_put_headers(lro, skb, pkt, frame);
	return skb;
}

/* Where the payload of a new aggregate goes. */
static bool add_first_piece(struct lro *lro, struct lro_flow *flow, unsigned int phase)
{
	flow->frags = 0;
	if (!flow->had)
		return add_piece(lro, flow, phase);
	flow->piece = flow->skb->head + HEAD_ROOM;
	flow->fill = phase;
	flow->size = HEAD_FILLED;
	return true;
}

static bool copy_start(struct lro *lro, const struct lro_frame *frame, const struct lro_packet *pkt,
		       const u8 *from, bool verified)
{
	bool in_pages = netif_is_any_bridge_port(lro->dev);
	static const struct mark nothing;
	struct lro_flow *flow;
	struct sk_buff *skb;

	if (pkt->payload < MIN_PAYLOAD || (pkt->flags & (LRO_TCP_PSH | LRO_TCP_FIN)) ||
	    is_multicast_ether_addr(pkt->frame))
		return false;
	skb = in_pages ? page_skb(lro, pkt, frame) : lro_header_skb(lro, pkt, frame);
	if (!skb)
		return false;
	flow = lro_open(lro, skb, pkt);
	flow->layout = LRO_LAYOUT_COPY;
	flow->had = in_pages ? HEAD_PIECES : 0;
	if (!add_first_piece(lro, flow, pkt->hdr_len + tag_len(pkt)) ||
	    !copy_append(lro, flow, pkt, from, verified)) {
		cut_back(flow, &nothing);
		kfree_skb(lro_flows_close(&lro->flows, flow));
		return false;
	}
	lro_grown(lro, flow);
	return true;
}

/* Any packet. */
static noinline bool copy_receive(struct lro *lro, const struct lro_frame *frame)
{
	struct lro_view view = {
		.hdr = frame->data,
		.avail = frame->len,
		.len = frame->len,
		.vlan = frame->vlan,
	};
	struct lro_packet pkt __uninitialized;
	struct lro_flow *flow;
	enum lro_reason why;
	const u8 *payload;
	bool verified;

	if (frame->fwd_mark || !lro_look_up(lro, &view, &pkt, &flow, &why))
		return false;
	payload = frame->data + view.skip + pkt.hdr_len;
	verified = lro_knows_checksum(frame, &view, &pkt, frame->data);
	if (!flow || why) {
		if (flow)
			lro_flush(lro, flow, why);
		return copy_start(lro, frame, &pkt, payload, verified);
	}
	/* Another layout goes on as it began, through lro_receive_skb(). */
	if (flow->layout != LRO_LAYOUT_COPY || !copy_append(lro, flow, &pkt, payload, verified))
		return false;
	lro_state_add(&flow->state, &pkt, lro_rules(lro));
	lro_grown(lro, flow);
	return true;
}

/* Add the next packet where the last piece has no room for it. */
static noinline bool copy_append_across(struct lro *lro, struct lro_flow *flow, const u8 *from,
					unsigned int len)
{
	if (!copy(lro, flow, from, flow->state.gso_size, NULL))
		return false;
	lro_count_packet(lro, len);
	lro_count_predicted(lro, flow);
	return true;
}

/* Add the next packet where it is traced, or the aggregate ends with it. */
static noinline bool copy_append_known(struct lro *lro, struct lro_flow *flow, u8 *to,
				       const u8 *from, enum lro_reason why)
{
	copy_aligned(to, from, flow->state.gso_size);
	lro_count_grown(lro, flow, why);
	return true;
}

/* Add the packet that bulk TCP sends next. The copy comes last: no value is kept across it. */
static __always_inline bool copy_append_next(struct lro *lro, struct lro_flow *flow,
					     const u8 *frame, unsigned int len, unsigned int tcp)
{
	const u8 *from = frame + flow->state.hdr_len;
	unsigned int payload = flow->state.gso_size;
	u8 *to = flow->piece + flow->fill;
	enum lro_reason why;

	/* Nine frames of ten need no more than the piece that is there. */
	if (flow->fill + payload > flow->size)
		return copy_append_across(lro, flow, from, len);
	flow->fill += payload;
	lro_count_packet(lro, len);
	why = lro_state_advance_predicted(&flow->state, tcp);
	if (why || lro_is_traced())
		return copy_append_known(lro, flow, to, from, why);
	lro->count[LRO_COUNT_HELD]++;
	copy_aligned(to, from, payload);
	return true;
}

/* Any packet but the next one of an open aggregate over IPv4 with timestamps. */
static noinline bool copy_receive_any(struct lro *lro, const struct lro_frame *frame,
				      bool verified)
{
	const u8 *data = frame->data;
	unsigned int len = frame->len;
	struct lro_flow *flow = NULL;

	if (verified)
		flow = lro_flows_predicted(&lro->flows, data, len, len, frame->vlan);
	if (flow && flow->layout == LRO_LAYOUT_COPY)
		return copy_append_next(lro, flow, data, len, flow->state.tcp);
	if (lro_is_plainly_alone(lro, data, len, len) || !copy_receive(lro, frame))
		return false;
	lro_count_packet(lro, len);
	return true;
}

bool lro_receive_copy(struct lro *lro, const struct lro_frame *frame)
{
	bool verified = frame->ip_summed == CHECKSUM_UNNECESSARY && !frame->fwd_mark;
	const u8 *data = frame->data;
	struct lro_flow *flow = NULL;

	if (verified)
		flow = lro_flows_predicted_v4(&lro->flows, data, frame->len, frame->vlan);
	if (!flow || flow->layout != LRO_LAYOUT_COPY)
		return copy_receive_any(lro, frame, verified);
	return copy_append_next(lro, flow, data, frame->len, LRO_V4_TCP);
}
EXPORT_SYMBOL_XENLRO(lro_receive_copy);
