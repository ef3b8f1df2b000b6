// SPDX-License-Identifier: GPL-2.0-only
/*
 * A context's life: created and destroyed with its NAPI instance, begun and
 * completed with each poll.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "engine.h"

struct lro *lro_create(struct net_device *dev, struct napi_struct *napi)
{
	unsigned int limit = lro_param_max_flows();
	struct lro_flow *places;
	struct lro *lro;

	lro = kzalloc(sizeof(*lro), GFP_KERNEL);
	places = kvcalloc(lro_flows_places(limit), sizeof(*places), GFP_KERNEL);
	if (!lro || !places || !page_ring_setup(&lro->pages, LRO_RECYCLE)) {
		kvfree(places);
		kfree(lro);
		return NULL;
	}
	lro->dev = dev;
	lro->napi = napi;
	lro->mode = LRO_OFF;
	INIT_LIST_HEAD(&lro->ready);
	lro_hold_setup(lro);
	lro_flows_setup(&lro->flows, places, limit, get_random_u32());
	return lro;
}
EXPORT_SYMBOL_XENLRO(lro_create);

void lro_destroy(struct lro *lro)
{
	struct lro_flow *flow;
	struct sk_buff *skb, *next;

	if (!lro)
		return;
	lro_hold_stop(lro);
	while ((flow = lro_flows_oldest(&lro->flows)))
		kfree_skb(lro_flows_close(&lro->flows, flow));
	list_for_each_entry_safe(skb, next, &lro->ready, list) {
		skb_list_del_init(skb);
		kfree_skb(skb);
	}
	page_ring_free(&lro->pages);
	kvfree(lro->flows.flow);
	kfree(lro);
}
EXPORT_SYMBOL_XENLRO(lro_destroy);

struct lro_flow *lro_open(struct lro *lro, struct sk_buff *skb, const struct lro_packet *pkt)
{
	struct lro_flow *flow;

	while ((flow = lro_flows_place(&lro->flows, &pkt->key))->skb)
		lro_flush(lro, flow, LRO_FLUSH_EVICTED);
	lro_flows_open(&lro->flows, flow, pkt, skb);
	flow->layout = LRO_LAYOUT_SKB;
	return flow;
}

void lro_grown(struct lro *lro, struct lro_flow *flow)
{
	enum lro_reason why = lro_flow_grown(flow, lro->max_segs);

	lro->count[LRO_COUNT_HELD]++;
	if (why)
		lro_flush(lro, flow, why);
	else
		lro->last = flow;
}

void lro_flush(struct lro *lro, struct lro_flow *flow, enum lro_reason why)
{
	const struct lro_state *state = &flow->state;
	struct sk_buff *skb = flow->skb;

	if (lro->last == flow)
		lro->last = NULL;
	lro->reason[why]++;
	lro->count[LRO_COUNT_HELD] -= state->segs;
	if (flow->layout == LRO_LAYOUT_COPY)
		lro_finish_copy(flow);
	if (state->segs > 1) {
		lro_finish_skb(flow);
		lro->count[LRO_COUNT_MERGED] += state->segs;
		lro->count[LRO_COUNT_AGGREGATES]++;
		lro->count[LRO_COUNT_AGGREGATE_BYTES] += state->ip_len;
	} else {
		lro->count[LRO_COUNT_SINGLES]++;
	}
	lro_flows_close(&lro->flows, flow);
	lro_deliver(lro, skb);
}

void lro_flush_all(struct lro *lro, enum lro_reason why)
{
	struct lro_flow *flow;

	while ((flow = lro_flows_oldest(&lro->flows)))
		lro_flush(lro, flow, why);
}

bool lro_begin(struct lro *lro, enum lro_mode mode)
{
	if (!lro)
		return false;
	/* Cleared by the kernel where packets are forwarded. */
	if (mode == LRO_RELAXED && !(READ_ONCE(lro->dev->features) & NETIF_F_LRO))
		mode = LRO_STRICT;
	if (lro->mode != mode) {
		lro_flush_all(lro, LRO_FLUSH_MODE);
		lro_deliver_ready(lro);
		if (lro->mode == LRO_OFF)
			lro_drain_gro(lro->napi);
		lro->mode = mode;
	}
	lro->max_segs = lro_param_max_segs();
	/* The poll before may have used up its budget without lro_end(). */
	lro_deliver_ready(lro);
	return mode != LRO_OFF;
}
EXPORT_SYMBOL_XENLRO(lro_begin);

void lro_end(struct lro *lro)
{
	if (lro)
		lro_deliver_ready(lro);
}
EXPORT_SYMBOL_XENLRO(lro_end);

bool lro_complete_done(struct lro *lro, struct napi_struct *napi, int work_done)
{
	if (lro) {
		lro_hold_or_flush(lro);
		lro_deliver_ready(lro);
	}
	return napi_complete_done(napi, work_done);
}
EXPORT_SYMBOL_XENLRO(lro_complete_done);
