/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the engine share.
 */
#ifndef _XENLRO_ENGINE_H
#define _XENLRO_ENGINE_H

#include <linux/hrtimer.h>
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/in6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include <compat.h>
#include <lro.h>

#include "flows.h"
#include "match.h"
#include "page_pieces.h"

#define LRO_COUNTERS(C)					\
	C(PACKETS, "packets")				\
	C(BYTES, "bytes")				\
	C(HELD, "held")					\
	C(MERGED, "merged")				\
	C(AGGREGATES, "aggregates")			\
	C(AGGREGATE_BYTES, "aggregate_bytes")		\
	C(SINGLES, "singles")				\
	C(PASSED, "passed")				\
	C(TO_GRO, "to_gro")				\
	C(DROPPED, "dropped")				\
	C(HOLDS, "holds")				\
	C(PAGES_NEW, "pages_new")			\
	C(PAGES_RECYCLED, "pages_recycled")

#define LRO_COUNTER_ENUM(id, name) LRO_COUNT_##id,

/**
 * enum lro_counter - counters of a context that are not reasons
 * @LRO_COUNT_PACKETS: packets the driver handed in
 * @LRO_COUNT_BYTES: their bytes after the Ethernet header, with padding and tags
 * @LRO_COUNT_HELD: packets in open aggregates at this moment
 * @LRO_COUNT_MERGED: packets delivered in aggregates of two or more
 * @LRO_COUNT_AGGREGATES: aggregates of two or more delivered
 * @LRO_COUNT_AGGREGATE_BYTES: IP lengths of those aggregates
 * @LRO_COUNT_SINGLES: candidates delivered alone
 * @LRO_COUNT_PASSED: TCP packets delivered untouched
 * @LRO_COUNT_TO_GRO: packets of other protocols, handed to GRO
 * @LRO_COUNT_DROPPED: packets lost inside the engine
 * @LRO_COUNT_HOLDS: times that an aggregate stayed beyond the end of a poll
 * @LRO_COUNT_PAGES_NEW: pages allocated to copy payload into
 * @LRO_COUNT_PAGES_RECYCLED: pages used again for that
 * @LRO_COUNTER_COUNT: number of these counters
 *
 * Always: packets = held + merged + singles + passed + to_gro + dropped.
 */
enum lro_counter {
	LRO_COUNTERS(LRO_COUNTER_ENUM)
	LRO_COUNTER_COUNT
};

/* What segmentation leaves as it was, see &enum lro_rule. */
#define LRO_SEGMENTATION_RULES			\
	((XENLRO_KEEPS_CWR ? LRO_RULE_SAME_CWR : 0) |	\
	 (XENLRO_KEEPS_ID ? LRO_RULE_FIXED_ID : 0))

struct lro_table;
struct lro_snapshot;

/**
 * struct lro - context of one NAPI instance
 * @dev: device the packets arrive on
 * @napi: NAPI instance; only its poll function uses the context
 * @mode: promise in force
 * @limits: how large an aggregate may become, read once per poll
 * @polling: a poll has begun and not ended
 * @budget: of that poll
 * @hold_ns: for how long aggregates are held, nanoseconds
 * @keep_until: when aggregates that are kept as GRO keeps them must go, ktime; 0: none is
 * @ring: frames that the receive ring has, 0 if that is not known
 * @ring_packets: packets counted when a poll completed last
 * @ring_work: packets that the driver says it has taken since
 * @ring_time: when that was, ktime
 * @due: when a poll is due, ktime; 0 if nothing is held or kept
 * @timer: makes NAPI poll at @due
 * @timer_set: @timer is going to run; the code that sets this flag starts the timer
 * @flows: open aggregates
 * @table: memory of @flows, or NULL while the engine is off
 * @next_table: memory of another size that the next poll takes over, or NULL
 * @snapshot: filled in at the next opportunity by the poll, or NULL
 * @contexts: place among all contexts
 * @quiet: stopped, and not polled since
 * @untagged: headers of the frame at hand, if it came with a tag in the data
 * @unmerged: packets that were not merged until this poll began
 * @began: packets until this poll began
 * @ready: packets to deliver, in order
 * @ready_count: number of packets in @ready
 * @pieces: memory to copy payload into
 * @keeps: @pieces has memory
 * @give_back: the next poll frees what is not needed
 * @wants_table: the engine is on and has no @table
 * @looked_at: packets counted when lro_idle looked last
 * @count: counters, see &enum lro_counter
 * @reason: counters of reasons, see &enum lro_reason
 */
struct lro {
	struct net_device *dev;
	struct napi_struct *napi;
	enum lro_mode mode;
	struct lro_limits limits;
	bool polling;
	int budget;
	u64 hold_ns;
	u64 keep_until;
	unsigned int ring;
	u64 ring_packets;
	u64 ring_work;
	u64 ring_time;
	u64 due;
	struct hrtimer timer;
	bool timer_set;
	struct lro_flows flows;
	struct lro_table *table;
	struct lro_table *next_table;
	struct lro_snapshot *snapshot;
	struct list_head contexts;
	bool quiet;
	u8 untagged[LRO_HDR_MAX] __aligned(8);
	u64 unmerged;
	u64 began;
	struct list_head ready;
	unsigned int ready_count;
	struct page_pieces pieces;
	bool keeps;
	bool give_back;
	bool wants_table;
	u64 looked_at;
	u64 count[LRO_COUNTER_COUNT];
	u64 reason[LRO_REASON_COUNT];
};

/* Bits of &enum lro_rule: those of this kernel's segmentation, and of the mode. */
static inline unsigned int lro_rules(const struct lro *lro)
{
	return LRO_SEGMENTATION_RULES | (lro->mode == LRO_RELAXED ? LRO_RULE_RELAXED : 0);
}

/* TCP header and payload, bytes. */
static inline unsigned int lro_tcp_len(const struct lro_packet *pkt)
{
	return pkt->ip_len + LRO_IP_OFF - pkt->tcp;
}

/* Is a frame a request, and there is no aggregate that it could end? */
static inline bool lro_is_lone_request(const struct lro *lro, const u8 *frame,
				       unsigned int avail, unsigned int len)
{
	return !lro->flows.count && lro_is_request(frame, avail, len);
}

/* Would a frame neither join nor begin an aggregate, by what is seen without parsing it? */
static inline bool lro_is_plainly_alone(const struct lro *lro, const u8 *frame,
					unsigned int avail, unsigned int len)
{
	return lro_never_merges(frame, avail) || lro_is_lone_request(lro, frame, avail, len);
}

/**
 * lro_key_ends() - addresses and ports of a flow, for printing with %pISpc
 * @key: flow
 * @from: source; filled in, with a struct sockaddr_in for IPv4
 * @to: destination
 */
void lro_key_ends(const struct lro_key *key, struct sockaddr_in6 *from, struct sockaddr_in6 *to);

#endif /* _XENLRO_ENGINE_H */
