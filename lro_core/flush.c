// SPDX-License-Identifier: GPL-2.0-only
/*
 * How an aggregate begins, grows and ends.
 */
#include "deliver.h"
#include "flush.h"
#include "join.h"
#include "trace.h"

void lro_settle(struct lro_flow *flow)
{
	if (flow->layout == LRO_LAYOUT_COPY)
		lro_settle_copy(flow);
	else
		lro_settle_skb(flow);
}

struct lro_flow *lro_open(struct lro *lro, struct sk_buff *skb, const struct lro_packet *pkt)
{
	struct lro_flow *flow;

	while ((flow = lro_flows_place(&lro->flows, &pkt->key))->skb)
		lro_flush(lro, flow, LRO_FLUSH_EVICTED);
	lro_flows_open(&lro->flows, flow, pkt, skb, lro_rules(lro));
	lro_begin_skb(flow);
	return flow;
}

void lro_trace_grown(const struct lro *lro, const struct lro_flow *flow)
{
	if (flow->state.segs == 1)
		trace_lro_start(lro, flow);
	else
		trace_lro_merge(lro, flow);
}

void lro_grown(struct lro *lro, struct lro_flow *flow)
{
	lro_count_grown(lro, flow, lro_flows_grown(&lro->flows, flow, &lro->limits));
}

void lro_flush(struct lro *lro, struct lro_flow *flow, enum lro_reason why)
{
	const struct lro_state *state = &flow->state;
	struct sk_buff *skb;

	trace_lro_flush(lro, flow, why);
	lro->reason[why]++;
	lro->count[LRO_COUNT_HELD] -= state->segs;
	lro_settle(flow);
	if (flow->layout == LRO_LAYOUT_COPY)
		lro_fit_copy(lro, flow);
	if (state->segs > 1) {
		lro_finish_skb(flow);
		lro->count[LRO_COUNT_MERGED] += state->segs;
		lro->count[LRO_COUNT_AGGREGATES]++;
		lro->count[LRO_COUNT_AGGREGATE_BYTES] += state->ip_len;
	} else {
		lro->count[LRO_COUNT_SINGLES]++;
	}
	skb = lro_flows_close(&lro->flows, flow);
	lro_deliver(lro, skb);
}

void lro_flush_all(struct lro *lro, enum lro_reason why)
{
	struct lro_flow *flow;

	while ((flow = lro_flows_oldest(&lro->flows)))
		lro_flush(lro, flow, why);
}
