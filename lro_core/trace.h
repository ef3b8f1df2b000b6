/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: where an aggregate begins, grows and ends, and which packets are
 * none of the engine's. Below events/lro_core/ in tracefs.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM lro_core

#if !defined(_XENLRO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _XENLRO_TRACE_H

#include <linux/tracepoint.h>

#include "engine.h"

/* Lets tools that read the raw buffer know the values behind the names. */
#define LRO_TRACE_ENUM(id, name)	TRACE_DEFINE_ENUM(LRO_##id);
LRO_REASONS(LRO_TRACE_ENUM)

#define LRO_TRACE_NAME(id, name)	{ LRO_##id, name },
#define lro_trace_reason(why)						\
	__print_symbolic(why, LRO_REASONS(LRO_TRACE_NAME) { LRO_CONTINUE, "none" })

#define LRO_TRACE_FLOW_FIELDS						\
	__array(char, dev, IFNAMSIZ)					\
	__field(unsigned int, napi_id)					\
	__array(__u8, from, sizeof(struct sockaddr_in6))		\
	__array(__u8, to, sizeof(struct sockaddr_in6))			\
	__field(__u32, vlan)						\
	__field(__u32, next_seq)					\
	__field(unsigned int, segs)					\
	__field(unsigned int, bytes)

#define lro_trace_flow_assign(lro, flow)				\
do {									\
	strscpy(__entry->dev, (lro)->dev->name, IFNAMSIZ);		\
	__entry->napi_id = (lro)->napi->napi_id;			\
	lro_key_ends(&(flow)->key, (struct sockaddr_in6 *)__entry->from,	\
		     (struct sockaddr_in6 *)__entry->to);		\
	__entry->vlan = (flow)->state.vlan;				\
	__entry->next_seq = lro_next_seq(&(flow)->state);			\
	__entry->segs = (flow)->state.segs;				\
	__entry->bytes = (flow)->state.ip_len;				\
} while (0)

#define LRO_TRACE_FLOW_FORMAT						\
	"dev=%s napi_id=%u from=%pISpc to=%pISpc vlan=%08x next_seq=%u segs=%u bytes=%u"

#define LRO_TRACE_FLOW_VALUES						\
	__entry->dev, __entry->napi_id, __entry->from, __entry->to, __entry->vlan,	\
	__entry->next_seq, __entry->segs, __entry->bytes

DECLARE_EVENT_CLASS(lro_flow_class,
	TP_PROTO(const struct lro *lro, const struct lro_flow *flow),
	TP_ARGS(lro, flow),
	TP_STRUCT__entry(LRO_TRACE_FLOW_FIELDS),
	TP_fast_assign(lro_trace_flow_assign(lro, flow);),
	TP_printk(LRO_TRACE_FLOW_FORMAT, LRO_TRACE_FLOW_VALUES)
);

/* An aggregate begins with its first packet. */
DEFINE_EVENT(lro_flow_class, lro_start,
	TP_PROTO(const struct lro *lro, const struct lro_flow *flow),
	TP_ARGS(lro, flow)
);

/* A packet was added to an aggregate. */
DEFINE_EVENT(lro_flow_class, lro_merge,
	TP_PROTO(const struct lro *lro, const struct lro_flow *flow),
	TP_ARGS(lro, flow)
);

/* An aggregate ends; @why is one of the flush reasons. */
TRACE_EVENT(lro_flush,
	TP_PROTO(const struct lro *lro, const struct lro_flow *flow, enum lro_reason why),
	TP_ARGS(lro, flow, why),
	TP_STRUCT__entry(
		LRO_TRACE_FLOW_FIELDS
		__field(unsigned int, reason)
	),
	TP_fast_assign(
		lro_trace_flow_assign(lro, flow);
		__entry->reason = why;
	),
	TP_printk(LRO_TRACE_FLOW_FORMAT " reason=%s", LRO_TRACE_FLOW_VALUES,
		  lro_trace_reason(__entry->reason))
);

/* A packet was not merged; @why is one of the pass, gro or drop reasons. */
TRACE_EVENT(lro_pass,
	TP_PROTO(const struct lro *lro, const struct sk_buff *skb, enum lro_reason why),
	TP_ARGS(lro, skb, why),
	TP_STRUCT__entry(
		__array(char, dev, IFNAMSIZ)
		__field(unsigned int, napi_id)
		__field(const void *, skbaddr)
		__field(unsigned int, protocol)
		__field(unsigned int, len)
		__field(unsigned int, reason)
	),
	TP_fast_assign(
		strscpy(__entry->dev, lro->dev->name, IFNAMSIZ);
		__entry->napi_id = lro->napi->napi_id;
		__entry->skbaddr = skb;
		__entry->protocol = ntohs(skb->protocol);
		__entry->len = skb->len;
		__entry->reason = why;
	),
	TP_printk("dev=%s napi_id=%u skbaddr=%p protocol=0x%04x len=%u reason=%s", __entry->dev,
		  __entry->napi_id, __entry->skbaddr, __entry->protocol, __entry->len,
		  lro_trace_reason(__entry->reason))
);

#endif /* _XENLRO_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
