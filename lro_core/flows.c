// SPDX-License-Identifier: GPL-2.0-only
#include <linux/list.h>
#include <linux/types.h>

#include "flows.h"

static u32 key_hash(const struct lro_flows *flows, const struct lro_key *key)
{
	return lro_flow_hash(flows, key->addr, key->link & LRO_KEY_IPV6 ? 32 : 8, key->ports,
			     key->link);
}

unsigned int lro_flows_sets(unsigned int limit)
{
	unsigned int sets = 1;

	while (sets * LRO_WAYS < 2 * limit)
		sets *= 2;
	return sets;
}

void lro_flows_setup(struct lro_flows *flows, struct lro_flow_set *memory, unsigned int limit,
		     u32 seed)
{
	INIT_LIST_HEAD(&flows->open);
	INIT_LIST_HEAD(&flows->held);
	flows->last = NULL;
	flows->recent = NULL;
	flows->set = memory;
	flows->sets = lro_flows_sets(limit);
	flows->seed = seed;
	flows->born = 1;	/* places never used count as older */
	flows->count = 0;
	flows->limit = limit;
}

struct lro_flow *lro_flows_find(const struct lro_flows *flows, const struct lro_key *key)
{
	struct lro_flow_set *set;
	unsigned int way;
	u32 hash;

	if (!flows->count)
		return NULL;
	hash = key_hash(flows, key);
	set = lro_flows_set(flows, hash);
	for (way = 0; way < LRO_WAYS; way++)
		if (set->hash[way] == hash && set->flow[way].skb &&
		    lro_key_equal(&set->flow[way].key, key))
			return &set->flow[way];
	return NULL;
}

struct lro_flow *lro_flows_repeated_any(struct lro_flows *flows, const u8 *frame,
					unsigned int avail, unsigned int len, u32 vlan)
{
	/* Where all open aggregates have them; lro_repeats() sees to the rest of the headers. */
	const u8 *addr = frame + LRO_V4_ADDR, *end = addr + 8;
	u32 hash, link = vlan & ~LRO_TAG_PRIORITY;
	struct lro_flow *flow;

	if (lro_never_merges(frame, avail))
		return NULL;
	if (frame[LRO_IP_OFF] >> 4 != 4) {
		addr = frame + LRO_IP_OFF + 8;
		end = addr + 32;
		link |= LRO_KEY_IPV6;
	}
	if (avail < (unsigned int)(end + 4 - frame))
		return NULL;
	hash = link & LRO_KEY_IPV6 ? lro_flow_hash(flows, addr, 32, lro_load32(end), link) :
				     lro_flow_hash(flows, addr, 8, lro_load32(end), link);
	flow = lro_flows_hashed(flows, hash);
	if (!flow || !lro_repeats(&flow->state, frame, avail, len, vlan))
		return NULL;
	lro_flows_expect(flows, flow);
	return flow;
}

struct lro_flow *lro_flows_place(const struct lro_flows *flows, const struct lro_key *key)
{
	struct lro_flow *set = lro_flows_set(flows, key_hash(flows, key))->flow;
	struct lro_flow *oldest = set, *place = NULL;
	unsigned int way;

	if (flows->count >= flows->limit)
		return lro_flows_oldest(flows);

	for (way = 0; way < LRO_WAYS; way++) {
		if (!set[way].skb) {
			/* The place that knows the flow, else the least recent. */
			if (lro_key_equal(&set[way].key, key))
				return &set[way];
			if (!place || (s32)(set[way].born - place->born) < 0)
				place = &set[way];
		} else if ((s32)(set[way].born - oldest->born) < 0) {
			oldest = &set[way];
		}
	}
	return place ? place : oldest;
}

void lro_flows_open(struct lro_flows *flows, struct lro_flow *flow, const struct lro_packet *pkt,
		    struct sk_buff *skb)
{
	const struct lro_state *before = &flow->state;
	u32 hash = key_hash(flows, &pkt->key);
	struct lro_flow_set *set = lro_flows_set(flows, hash);

	if (!lro_key_equal(&flow->key, &pkt->key) || pkt->seq != lro_next_seq(before) ||
	    pkt->payload != before->gso_size)
		flow->streak = 0;
	flow->key = pkt->key;
	set->hash[flow - set->flow] = hash;
	lro_state_start(&flow->state, pkt);
	flow->born = flows->born++;
	flow->holds = 0;
	flow->skb = skb;
	flow->tail = skb;
	list_add_tail(&flow->age, &flows->open);
	flows->count++;
}

enum lro_reason lro_flows_grown(struct lro_flows *flows, struct lro_flow *flow,
				unsigned int max_segs)
{
	if (flow->state.segs == 1)
		lro_state_limit(&flow->state, max_segs);
	flows->last = flow;
	return lro_state_ends(&flow->state, max_segs);
}

bool lro_flow_is_bulk(const struct lro_flow *flow)
{
	return flow->streak + flow->state.segs >= LRO_BULK_STREAK;
}

/* What an aggregate that ends adds to the streak. */
static u8 streak_behind(const struct lro_flow *flow)
{
	const struct lro_state *state = &flow->state;
	unsigned int streak = flow->streak + state->segs;

	/* A bulk flow goes on behind the last packet of a burst, which may be shorter. */
	if (state->tail_flags)
		return streak > LRO_BULK_STREAK ? LRO_BULK_STREAK : 0;
	if (lro_state_is_short(state))
		return 0;
	return streak < LRO_BULK_STREAK ? streak : LRO_BULK_STREAK;
}

void lro_flows_hold(struct lro_flows *flows, struct lro_flow *flow, u64 deadline)
{
	flow->deadline = deadline;
	flow->born = flows->born++;
	flow->held_segs = flow->state.segs;
	flow->holds++;
	list_move_tail(&flow->age, &flows->held);
}

struct sk_buff *lro_flows_close(struct lro_flows *flows, struct lro_flow *flow)
{
	struct sk_buff *skb = flow->skb;

	flow->streak = streak_behind(flow);
	list_del(&flow->age);
	if (flows->last == flow)
		flows->last = NULL;
	flow->skb = NULL;
	flow->tail = NULL;
	flows->count--;
	return skb;
}

struct lro_flow *lro_flows_oldest(const struct lro_flows *flows)
{
	if (!list_empty(&flows->held))
		return list_first_entry(&flows->held, struct lro_flow, age);
	if (!list_empty(&flows->open))
		return list_first_entry(&flows->open, struct lro_flow, age);
	return NULL;
}
