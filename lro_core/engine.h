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
#include <linux/tracepoint-defs.h>

#include <compat.h>
#include <lro.h>
#include <page_pieces.h>

#include "flows.h"
#include "match.h"

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

#define LRO_MAX_FLOWS_DEFAULT	1024

/**
 * struct lro_table - memory of a flow table
 * @next: chain of tables that no context uses yet
 * @limit: open aggregates allowed
 * @set: places, lro_flows_sets() of @limit
 */
struct lro_table {
	struct lro_table *next;
	unsigned int limit;
	struct lro_flow_set set[];
};

struct lro_snapshot;

DECLARE_TRACEPOINT(lro_start);
DECLARE_TRACEPOINT(lro_merge);

/**
 * struct lro - context of one NAPI instance
 * @dev: device the packets arrive on
 * @napi: NAPI instance; only its poll function uses the context
 * @mode: promise in force
 * @limits: how large an aggregate may become, read once per poll
 * @polling: a poll has begun and not ended
 * @hold_ns: for how long aggregates are held, nanoseconds
 * @hold_packets: packets counted when an aggregate was held last
 * @hold_pause: polls to come that hold nothing
 * @due: when the aggregate held first must be delivered, ktime; 0 if none is held
 * @timer: makes NAPI poll at @due
 * @timer_set: @timer is going to run; who sets it starts the timer
 * @flows: open aggregates
 * @table: memory of @flows, or NULL while the engine is off
 * @next_table: memory of another size that the next poll takes over, or NULL
 * @snapshot: filled in at the next opportunity by the poll, or NULL
 * @contexts: place among all contexts
 * @quiet: stopped, and not polled since
 * @untagged: headers of the frame at hand, if it came with a tag in the data
 * @unmerged: packets that were not merged until this poll began
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
	u64 hold_ns;
	u64 hold_packets;
	unsigned int hold_pause;
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

static inline bool lro_relaxed(const struct lro *lro)
{
	return lro->mode == LRO_RELAXED;
}

/* TCP header and payload, bytes. */
static inline unsigned int lro_tcp_len(const struct lro_packet *pkt)
{
	return pkt->ip_len + LRO_IP_OFF - pkt->tcp;
}

/* tag.c: VLAN tags in the data of a frame */

/**
 * struct lro_frame - a frame as the rules want it: without a tag in the data
 * @hdr: first byte of the Ethernet header
 * @avail: bytes that may be read at @hdr
 * @len: length without FCS, bytes
 * @vlan: tag that the device or lro_untag() took out, see &lro_packet.vlan
 * @skip: bytes that the frame as received has more before its payload
 */
struct lro_frame {
	const u8 *hdr;
	unsigned int avail;
	unsigned int len;
	u32 vlan;
	unsigned int skip;
};

/**
 * lro_untag() - take a tag out of the data
 * @lro: context; keeps the headers that @frame points to from then on
 * @frame: frame with a tag in the data
 */
void lro_untag(struct lro *lro, struct lro_frame *frame);

/**
 * lro_untag_skb() - take a tag out of the data of an skb
 * @skb: packet; ownership passes
 *
 * The stack would do the same as the first thing.
 *
 * Return: the packet, untouched if it has two tags or ends within the first; or NULL
 * without memory.
 */
struct sk_buff *lro_untag_skb(struct sk_buff *skb);

/* Two tags are not taken out: such frames are left to GRO. */
static inline bool lro_is_tagged(const struct lro_frame *frame)
{
	return unlikely(frame->avail >= ETH_HLEN && !frame->vlan &&
			eth_type_vlan(((const struct ethhdr *)frame->hdr)->h_proto));
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

/* aggregate.c: joining packets */

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
};

/* Of an skb without flags in its shared info. */
static inline u8 lro_plain_kind(const struct sk_buff *skb)
{
	return (skb->pp_recycle ? LRO_KIND_POOL : 0) |
	       (xenlro_decrypted(skb) ? LRO_KIND_DECRYPTED : 0);
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
 * because that takes cache lines of theirs. Nobody else may see them before this.
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
 * lro_put_headers() - have an empty skb begin with a packet's headers
 * @lro: context
 * @skb: skb; afterwards as after eth_type_trans(), checksum marked as verified
 * @pkt: packet
 */
void lro_put_headers(struct lro *lro, struct sk_buff *skb, const struct lro_packet *pkt);

/**
 * lro_header_skb() - allocate an skb with a packet's headers
 * @lro: context
 * @pkt: packet
 *
 * Return: skb as after eth_type_trans(), checksum marked as verified; or NULL.
 */
struct sk_buff *lro_header_skb(struct lro *lro, const struct lro_packet *pkt);

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

/* copy.c: payload copied into pages of the engine */

/**
 * lro_finish_copy() - account for the copied payload in the skb
 * @flow: aggregate with %LRO_LAYOUT_COPY
 */
void lro_finish_copy(struct lro_flow *flow);

/* hold.c: aggregates that outlive a poll */

/**
 * lro_hold_setup() - prepare the timer of a context
 * @lro: context
 */
void lro_hold_setup(struct lro *lro);

/**
 * lro_hold_stop() - stop the timer of a context
 * @lro: context, its NAPI instance disabled
 */
void lro_hold_stop(struct lro *lro);

/**
 * lro_hold_or_flush() - at the end of a poll, end the aggregates that must not wait
 * @lro: context
 * @again: NAPI polls again at once
 *
 * Return: whether the timer is going to make NAPI poll, because aggregates are held.
 */
bool lro_hold_or_flush(struct lro *lro, bool again);

/* deliver.c: handing packets to the stack */

/**
 * lro_deliver() - put a packet at the end of the packets to deliver
 * @lro: context
 * @skb: packet; ownership passes
 */
void lro_deliver(struct lro *lro, struct sk_buff *skb);

/**
 * lro_deliver_ready() - hand all finished packets to the stack
 * @lro: context
 */
void lro_deliver_ready(struct lro *lro);

/**
 * lro_drain_gro() - have GRO deliver what it holds for this NAPI instance
 * @napi: NAPI instance, being polled
 */
void lro_drain_gro(struct napi_struct *napi);

/* context.c */

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

/* contexts.c: all contexts there are */

/**
 * lro_contexts_add() - give a new context its flow table and make it known
 * @lro: context
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int lro_contexts_add(struct lro *lro);

/**
 * lro_contexts_remove() - forget a context and free its flow table
 * @lro: context, its NAPI instance disabled; no aggregate is open
 *
 * Context: process; waits for whoever looks at the context.
 */
void lro_contexts_remove(struct lro *lro);

/**
 * lro_contexts_resize() - change the size of all flow tables
 * @limit: open aggregates allowed in each
 *
 * Each context takes over its new table at its next poll, which is scheduled.
 *
 * Context: process.
 * Return: 0; or -ENOMEM, and nothing has changed.
 */
int lro_contexts_resize(unsigned int limit);

/**
 * lro_contexts_adopt() - take over a table of another size
 * @lro: context that has @lro->next_table
 *
 * Context: NAPI poll.
 */
void lro_contexts_adopt(struct lro *lro);

/**
 * lro_contexts_provide() - give a context without a table one for its next poll
 * @lro: context
 *
 * Context: process, within lro_contexts_each().
 * Return: false without memory.
 */
bool lro_contexts_provide(struct lro *lro);

/**
 * lro_contexts_drop_table() - free the table of a context
 * @lro: context without open aggregates
 *
 * Context: NAPI poll.
 */
void lro_contexts_drop_table(struct lro *lro);

/**
 * lro_contexts_each() - call a function for each context
 * @call: function; stops the walk unless it returns 0
 * @data: handed to @call
 *
 * No context comes or goes meanwhile.
 *
 * Context: process.
 * Return: what @call returned last, or 0.
 */
int lro_contexts_each(int (*call)(struct lro *lro, void *data), void *data);

/**
 * lro_contexts_quiet() - ask for no polls of a context until the next one comes
 * @lro: context
 *
 * Context: process.
 */
void lro_contexts_quiet(struct lro *lro);

/**
 * lro_kick() - have NAPI poll soon
 * @lro: context
 *
 * Context: process, within lro_contexts_each().
 * Return: false if the context is quiet; true also while NAPI is disabled.
 */
bool lro_kick(struct lro *lro);

/* idle.c: memory that goes back */

/**
 * lro_idle_watch() - look in a second for memory that is not needed
 *
 * Context: any.
 */
void lro_idle_watch(void);

/**
 * lro_idle_stop() - look no more
 *
 * Context: process; there are no contexts.
 */
void lro_idle_stop(void);

/**
 * lro_idle_empty() - free what a context keeps for reuse
 * @lro: context
 *
 * Context: NAPI poll, or process with NAPI disabled.
 */
void lro_idle_empty(struct lro *lro);

/**
 * lro_idle_give_back() - free what a context does not need
 * @lro: context that has @lro->give_back
 * @mode: promise in force; without one the table goes as well
 *
 * Context: NAPI poll.
 */
void lro_idle_give_back(struct lro *lro, enum lro_mode mode);

/**
 * lro_idle_want_table() - ask for a table, which the context gets soon
 * @lro: context without one
 *
 * Context: NAPI poll.
 */
void lro_idle_want_table(struct lro *lro);

/* Take note of memory that is kept for reuse from now on. */
static inline void lro_idle_keeps(struct lro *lro)
{
	if (lro->keeps)
		return;
	WRITE_ONCE(lro->keeps, true);
	lro_idle_watch();
}

/* trace.c */

/**
 * lro_key_ends() - addresses and ports of a flow, for printing with %pISpc
 * @key: flow
 * @from: source; filled in, with a struct sockaddr_in for IPv4
 * @to: destination
 */
void lro_key_ends(const struct lro_key *key, struct sockaddr_in6 *from, struct sockaddr_in6 *to);

/* dump.c: the flow tables in debugfs */

/**
 * lro_dump_setup() - create the file
 */
void lro_dump_setup(void);

/**
 * lro_dump_remove() - remove it again
 */
void lro_dump_remove(void);

/**
 * lro_snapshot_fill() - copy the open aggregates for whoever asked
 * @lro: context that has @lro->snapshot
 *
 * Context: NAPI poll.
 */
void lro_snapshot_fill(struct lro *lro);

/* module.c */

unsigned int lro_param_max_segs(void);
unsigned int lro_param_hold_us(void);

#endif /* _XENLRO_ENGINE_H */
