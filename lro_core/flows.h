/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table: which aggregates are open. Set-associative, so that a lookup
 * touches one set, and threaded on a list by age, so that the oldest aggregate
 * leaves first. Compiles in user space like the rules.
 */
#ifndef _XENLRO_FLOWS_H
#define _XENLRO_FLOWS_H

#include <linux/list.h>
#include <linux/types.h>

#include "match.h"
#include "predict.h"

#define LRO_WAYS	8	/* flows in one set */

/* Segments in sequence that make a flow bulk. A page or a message is shorter. */
#define LRO_BULK_STREAK	8

struct sk_buff;
struct skb_shared_info;

/**
 * enum lro_layout - how the payload of an aggregate is stored
 * @LRO_LAYOUT_SKB: as the packets brought it: fragments, then a frag_list
 * @LRO_LAYOUT_COPY: copied into pages that belong to the aggregate alone
 */
enum lro_layout {
	LRO_LAYOUT_SKB,
	LRO_LAYOUT_COPY,
};

/**
 * struct lro_flow - one open aggregate, or a free place in the table
 * @streak: full-sized segments in sequence of the aggregates before this one, counted to
 *	%LRO_BULK_STREAK, where bursts that end go on counting; outlives the aggregate
 * @rest: polls in which it is not held any more, see lro_flow_waits(); outlives the aggregate
 * @vain: times in a row that it was held in vain, at most %LRO_VAIN_MAX, and %LRO_GAINED;
 *	outlives it
 * @layout: how its payload is stored, an &enum lro_layout
 * @kind: packets of another kind must not join; the caller's, joined packets only
 * @had: pieces that the memory of @skb stands for; copies only
 * @frags: fragments of the skb that grows
 * @added: payload in @tail that its lengths do not tell yet, bytes; joined packets only
 * @fill: bytes used of the last piece, counted from its start; copies only
 * @skb: aggregate, owned by the flow; NULL if the place is free
 * @info: where that skb has its fragments
 * @tail: skb the next packet is joined to: @skb or the last of its frag_list; joined
 *	packets only
 * @piece: the last piece's memory; copies only
 * @truesize: memory behind @added, bytes; joined packets only
 * @size: bytes that the last piece has; copies only
 * @state: what the rules know of it; outlives the aggregate
 * @key: flow; outlives the aggregate
 * @age: place in one of the lists of &struct lro_flows, oldest first
 * @pair: place among the open aggregates between the same addresses
 * @deadline: until when the aggregate stays, if it is held; the caller's unit
 * @until: latest deadline it may have, set when it is held first; 0 before that
 * @born: running number, tells age within a set; a new one whenever it is held
 * @held_segs: packets in the aggregate when it was held last, 0 if it was not
 *
 * One more packet of a bulk transfer touches the first two cache lines only, three with IPv6.
 * With many flows that is most of what it costs.
 */
struct lro_flow {
	u8 streak;
	u8 layout;
	union {
		u8 kind;
		u8 had;
	};
	u8 frags;
	union {
		u32 added;
		u32 fill;
	};
	struct sk_buff *skb;
	struct skb_shared_info *info;
	union {
		struct sk_buff *tail;
		u8 *piece;
	};
	union {
		u32 truesize;
		u32 size;
	};
	struct lro_state state;
	struct lro_key key;
	struct list_head age;
	struct hlist_node pair;
	u64 deadline;
	u64 until;
	u32 born;
	u16 held_segs;
	u8 rest;
	u8 vain;
} __aligned(64);

/**
 * struct lro_flow_set - the places for flows with equal upper bits of the hash
 * @hash: of each place's key; outlives the aggregate
 * @pairs: open aggregates of any set whose addresses alone hash to this one
 * @flow: places
 *
 * The hashes share a cache line, so that a lookup reads that one and the flow's own, wherever
 * in its set the flow is. With that line the sets are not a power of two apart; otherwise
 * all flows would compete for few sets of the processor's cache.
 */
struct lro_flow_set {
	u32 hash[LRO_WAYS];
	struct hlist_head pairs;
	struct lro_flow flow[LRO_WAYS];
};

/**
 * struct lro_hash_key - secret of a table
 * @word: random numbers
 *
 * A sender that does not know it cannot choose ports or addresses that share a set.
 */
struct lro_hash_key {
	u64 word[4];
};

/**
 * struct lro_flows - flow table
 * @open: open aggregates that began in this poll, of flows not known to be bulk, oldest first
 * @bulk: the same of bulk flows
 * @held: open aggregates kept from polls before, by when they were held last
 * @last: one that the next packet is probably of, or NULL
 * @recent: latest flow that @last did not predict; compared only
 * @set: places
 * @sets: number of sets
 * @key: makes the choice of set unpredictable from outside
 * @born: running number of the next aggregate
 * @count: open aggregates
 * @limit: open aggregates allowed
 */
struct lro_flows {
	struct list_head open;
	struct list_head bulk;
	struct list_head held;
	struct lro_flow *last;
	const struct lro_flow *recent;
	struct lro_flow_set *set;
	struct lro_hash_key key;
	u32 sets;
	u32 born;
	unsigned int count;
	unsigned int limit;
};

/* Both halves of a product: each of its bits depends on all bits of both factors. */
static __always_inline u64 lro_hash_fold(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

/* Of addresses, @addr_len bytes as in the packet. */
static __always_inline u64 lro_hash_addr(const struct lro_flows *flows, const void *addr,
					 unsigned int addr_len)
{
	const u64 *key = flows->key.word;
	const u8 *at = addr;

	if (addr_len == 8)
		return lro_load64(at);
	return lro_hash_fold(lro_load64(at) ^ key[3], lro_load64(at + 8) ^ key[2]) ^
	       lro_hash_fold(lro_load64(at + 16) ^ key[1], lro_load64(at + 24) ^ key[0]);
}

/*
 * Of addresses, @addr_len bytes as in the packet, ports and @link of a &struct lro_key. Two
 * rounds of a multiplication by secrets, as in wyhash: with one, ports in arithmetic
 * progression would share sets under some keys.
 */
static __always_inline u32 lro_flow_hash(const struct lro_flows *flows, const void *addr,
					 unsigned int addr_len, u32 ports, u32 link)
{
	const u64 *key = flows->key.word;
	u64 h = lro_hash_addr(flows, addr, addr_len);

	h = lro_hash_fold(h ^ key[0], ((u64)link << 32 | ports) ^ key[1]);
	return lro_hash_fold(h ^ key[2], key[3]) >> 32;
}

static __always_inline struct lro_flow_set *lro_flows_set(const struct lro_flows *flows, u32 hash)
{
	return flows->set + ((u64)hash * flows->sets >> 32);
}

/* The open aggregate with a hash, which one of another flow has once in 2^32. */
static __always_inline struct lro_flow *lro_flows_hashed(const struct lro_flows *flows, u32 hash)
{
	struct lro_flow_set *set = lro_flows_set(flows, hash);
	unsigned int way;

	for (way = 0; way < LRO_WAYS; way++)
		if (set->hash[way] == hash && set->flow[way].skb)
			return &set->flow[way];
	return NULL;
}

/* Flows that take turns are not compared with the one before. */
static inline void lro_flows_guess(struct lro_flows *flows, struct lro_flow *flow)
{
	flows->last = flows->recent == flow ? flow : NULL;
	flows->recent = flow;
}

/**
 * lro_flows_sets() - size of a table
 * @limit: open aggregates allowed
 *
 * Twice as many places as flows, because flows do not spread evenly over the
 * sets: with half of the places taken, about one flow in fifty finds its set
 * full; with all of them, one in seven.
 *
 * Return: sets to allocate, a power of two.
 */
unsigned int lro_flows_sets(unsigned int limit);

/**
 * lro_flows_setup() - make an empty table
 * @flows: table
 * @memory: zeroed sets; stays the caller's
 * @limit: open aggregates allowed; @memory has lro_flows_sets() of it
 * @key: random numbers
 */
void lro_flows_setup(struct lro_flows *flows, struct lro_flow_set *memory, unsigned int limit,
		     const struct lro_hash_key *key);

/**
 * lro_flows_find() - find the open aggregate of a flow
 * @flows: table
 * @key: flow
 * Return: the flow, or NULL.
 */
struct lro_flow *lro_flows_find(const struct lro_flows *flows, const struct lro_key *key);

/**
 * lro_flows_predicted_any() - find the aggregate that a raw frame is the next of
 * @flows: table
 * @frame: first byte of the Ethernet header
 * @avail: bytes that may be read at @frame
 * @len: length of the frame without FCS, bytes
 * @vlan: tag the device removed
 *
 * Return: flow that the frame continues, and for which lro_predicted() is true; or NULL.
 */
struct lro_flow *lro_flows_predicted_any(struct lro_flows *flows, const u8 *frame,
					 unsigned int avail, unsigned int len, u32 vlan);

/* The same, for frames that mostly are of the flow of the frame before. */
static inline struct lro_flow *lro_flows_predicted(struct lro_flows *flows, const u8 *frame,
						   unsigned int avail, unsigned int len, u32 vlan)
{
	struct lro_flow *flow = flows->last;

	if (flow && lro_predicted(&flow->state, frame, avail, len, vlan))
		return flow;
	return flows->count > !!flow ?
	       lro_flows_predicted_any(flows, frame, avail, len, vlan) : NULL;
}

/*
 * The same, without a call: only IPv4 with timestamps, and %LRO_V4_BULK_LEN bytes may be read
 * if the frame has them. Flows that take turns are most of what many flows are.
 */
static __always_inline struct lro_flow *lro_flows_predicted_v4(struct lro_flows *flows,
							       const u8 *frame, unsigned int len,
							       u32 vlan)
{
	const u8 *addr = frame + LRO_V4_ADDR;
	struct lro_flow *flow = flows->last;

	if (flow && lro_predicted_v4(&flow->state, frame, len, vlan))
		return flow;
	if (flows->count <= !!flow || len <= LRO_V4_BULK_LEN ||
	    frame[LRO_V4_PROTO] != LRO_PROTO_TCP)
		return NULL;
	flow = lro_flows_hashed(flows, lro_flow_hash(flows, addr, 8, lro_load32(addr + 8),
						     vlan & ~LRO_TAG_PRIORITY));
	if (!flow || !lro_predicted_v4(&flow->state, frame, len, vlan))
		return NULL;
	lro_flows_guess(flows, flow);
	return flow;
}

/**
 * lro_flows_place() - find the place for a flow that has none
 * @flows: table
 * @key: flow
 *
 * Return: a free place, or else the aggregate that has to give way: one of all at the
 * limit, one of the set if that is full. It is the oldest that is not of a bulk flow;
 * the oldest where all are. The caller delivers it, takes it out with lro_flows_close()
 * and asks again.
 */
struct lro_flow *lro_flows_place(struct lro_flows *flows, const struct lro_key *key);

/* Aggregates between other addresses that lro_flows_stray() passes over. */
#define LRO_STRAY_OTHERS	LRO_WAYS

/**
 * lro_flows_stray() - an aggregate that a packet without ports may belong to
 * @flows: table
 * @key: addresses of the packet
 *
 * The caller delivers it, takes it out with lro_flows_close() and asks again until there
 * is none. The time for a packet is bounded: each aggregate that is looked at leaves, but
 * for %LRO_STRAY_OTHERS. So one between other addresses may have to leave as well.
 *
 * Return: an open aggregate, or NULL.
 */
struct lro_flow *lro_flows_stray(const struct lro_flows *flows, const struct lro_key *key);

/**
 * lro_flows_open() - make a free place the newest open aggregate
 * @flows: table
 * @flow: free place, from lro_flows_place()
 * @pkt: first packet
 * @skb: aggregate; ownership passes to the flow
 * @rules: bits of &enum lro_rule
 */
void lro_flows_open(struct lro_flows *flows, struct lro_flow *flow, const struct lro_packet *pkt,
		    struct sk_buff *skb, unsigned int rules);

/**
 * lro_flows_grown() - take note of the packet that an aggregate begins or goes on with
 * @flows: table
 * @flow: open aggregate, its state up to date
 * @limits: how large an aggregate may become
 * Return: %LRO_CONTINUE if it may grow, else the reason to end it.
 */
enum lro_reason lro_flows_grown(struct lro_flows *flows, struct lro_flow *flow,
				const struct lro_limits *limits);

/**
 * lro_flow_is_bulk() - is more to be expected soon
 * @flow: open aggregate
 *
 * Return: true if the flow sent several full-sized segments in sequence without PSH, and
 * since then only more in sequence and of that size, or shorter ones with PSH, so that its
 * receiver does not wait for the part that is here.
 */
bool lro_flow_is_bulk(const struct lro_flow *flow);

/**
 * lro_flows_hold() - keep an aggregate beyond the poll, for the first time or again
 * @flows: table
 * @flow: open aggregate; becomes the newest of those held
 * @deadline: not before that of any aggregate held already
 */
void lro_flows_hold(struct lro_flows *flows, struct lro_flow *flow, u64 deadline);

/**
 * lro_flow_has_grown() - did an aggregate get packets since it was held
 * @flow: aggregate that is held
 */
static inline bool lro_flow_has_grown(const struct lro_flow *flow)
{
	return flow->state.segs != flow->held_segs;
}

/* A flow that is never worth waiting for is held once in 2^8 polls. */
#define LRO_VAIN_MAX	8
/* The aggregate has grown while it was held, and was held again. */
#define LRO_GAINED	0x80

/**
 * lro_flow_waits() - is a bulk flow worth waiting for, by what it did so far
 * @flow: open aggregate of a bulk flow, at the end of a poll that it began in
 */
static inline bool lro_flow_waits(struct lro_flow *flow)
{
	if (!flow->rest)
		return true;
	flow->rest--;
	return false;
}

/* A held aggregate has grown, and is held again. */
static inline void lro_flow_goes_on(struct lro_flow *flow)
{
	flow->vain = LRO_GAINED;
}

/**
 * lro_flow_has_waited() - take note of how a held aggregate ends whose time is up
 * @flow: aggregate that was held
 *
 * The poll after a hold in vain holds nothing of the flow, the next three after another one,
 * and so on; whenever the flow has gone on, holding begins as at first. lro_flows_close() does
 * that for an aggregate which goes on, and ends before its time is up.
 */
void lro_flow_has_waited(struct lro_flow *flow);

/**
 * lro_flows_close() - free a place
 * @flows: table
 * @flow: open aggregate
 * Return: the aggregate; ownership passes to the caller.
 */
struct sk_buff *lro_flows_close(struct lro_flows *flows, struct lro_flow *flow);

/**
 * lro_flows_oldest() - the aggregate that is held for longest, or else open for longest
 * @flows: table
 * Return: the flow, or NULL if none is open.
 */
struct lro_flow *lro_flows_oldest(const struct lro_flows *flows);

#endif /* _XENLRO_FLOWS_H */
