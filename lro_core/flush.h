/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How an aggregate begins, grows and ends.
 */
#ifndef _XENLRO_FLUSH_H
#define _XENLRO_FLUSH_H

#include <linux/skbuff.h>
#include <linux/tracepoint-defs.h>

#include "engine.h"
#include "predict.h"

DECLARE_TRACEPOINT(lro_start);
DECLARE_TRACEPOINT(lro_merge);

/**
 * lro_settle() - let the skbs of an aggregate tell all that it has
 * @flow: open aggregate
 */
void lro_settle(struct lro_flow *flow);

/**
 * lro_open() - begin an aggregate
 * @lro: context
 * @skb: first packet, or the skb that stands for it; ownership passes
 * @pkt: what lro_parse() found; its flow has no open aggregate
 *
 * Makes room first by ending the oldest aggregate, if need be.
 *
 * Return: the flow. The caller calls lro_grown() when it has filled it.
 */
struct lro_flow *lro_open(struct lro *lro, struct sk_buff *skb, const struct lro_packet *pkt);

/**
 * lro_grown() - account for one packet more in an aggregate
 * @lro: context
 * @flow: aggregate; closed if the packet ends it
 */
void lro_grown(struct lro *lro, struct lro_flow *flow);

/* Tell the tracepoints of a packet that an aggregate begins or goes on with. */
void lro_trace_grown(const struct lro *lro, const struct lro_flow *flow);

/**
 * lro_flush() - end an aggregate
 * @lro: context
 * @flow: open aggregate
 * @why: counted
 */
void lro_flush(struct lro *lro, struct lro_flow *flow, enum lro_reason why);

static __always_inline bool lro_is_traced(void)
{
	return tracepoint_enabled(lro_start) || tracepoint_enabled(lro_merge);
}

/* Count a frame of @len bytes that the driver is done with. */
static __always_inline void lro_count_packet(struct lro *lro, unsigned int len)
{
	lro->count[LRO_COUNT_PACKETS]++;
	lro->count[LRO_COUNT_BYTES] += len - LRO_MAC_LEN;
}

/* Count a packet that an aggregate begins or goes on with, and end it if there is a reason. */
static __always_inline void lro_count_grown(struct lro *lro, struct lro_flow *flow,
					    enum lro_reason why)
{
	lro->count[LRO_COUNT_HELD]++;
	if (lro_is_traced())
		lro_trace_grown(lro, flow);
	if (why)
		lro_flush(lro, flow, why);
}

/**
 * lro_count_predicted() - account for a packet that lro_flows_predicted() knew
 * @lro: context
 * @flow: its aggregate, which has the payload already; closed if the packet ends it
 */
static __always_inline void lro_count_predicted(struct lro *lro, struct lro_flow *flow)
{
	lro_count_grown(lro, flow, lro_state_advance_predicted(&flow->state, flow->state.tcp));
}

/**
 * lro_flush_all() - end all aggregates, oldest first
 * @lro: context
 * @why: counted for each
 */
void lro_flush_all(struct lro *lro, enum lro_reason why);

#endif /* _XENLRO_FLUSH_H */
