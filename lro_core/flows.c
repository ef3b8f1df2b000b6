// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow table.
 */
#include <linux/list.h>
#include <linux/string.h>
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

/* Where the aggregates between two addresses are chained. */
static struct hlist_head *pairs_of(const struct lro_flows *flows, const struct lro_key *key)
{
	const u64 *secret = flows->key.word;
	u64 h = lro_hash_addr(flows, key->addr, key->link & LRO_KEY_IPV6 ? 32 : 8);

	h = lro_hash_fold(h ^ secret[1], secret[2]);
	return &lro_flows_set(flows, lro_hash_fold(h ^ secret[3], secret[0]) >> 32)->pairs;
}

void lro_flows_setup(struct lro_flows *flows, struct lro_flow_set *memory, unsigned int limit,
		     const struct lro_hash_key *key)
{
	INIT_LIST_HEAD(&flows->open);
	INIT_LIST_HEAD(&flows->bulk);
	INIT_LIST_HEAD(&flows->held);
	flows->last = NULL;
	flows->recent = NULL;
	flows->set = memory;
	flows->sets = lro_flows_sets(limit);
	flows->key = *key;
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

struct lro_flow *lro_flows_predicted_any(struct lro_flows *flows, const u8 *frame,
					 unsigned int avail, unsigned int len, u32 vlan)
{
	/* Where all open aggregates have them; lro_predicted() sees to the rest of the headers. */
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
	if (!flow || !lro_predicted(&flow->state, frame, avail, len, vlan))
		return NULL;
	lro_flows_guess(flows, flow);
	return flow;
}

static struct lro_flow *first_of(const struct list_head *list)
{
	return list_empty(list) ? NULL : list_first_entry(list, struct lro_flow, age);
}

/*
 * The aggregate that gives way to a new flow. One packet of many flows, such as a scan of
 * ports, costs bulk flows nothing that way. A flow that becomes bulk in this poll changes
 * its list here, and at most once.
 */
static struct lro_flow *to_give_way(struct lro_flows *flows)
{
	struct lro_flow *flow;

	while ((flow = first_of(&flows->open)) && lro_flow_is_bulk(flow))
		list_move_tail(&flow->age, &flows->bulk);
	return flow ? flow : lro_flows_oldest(flows);
}

/* Of two aggregates in a full set: does @a give way before @b? */
static bool gives_way_before(const struct lro_flow *a, const struct lro_flow *b)
{
	bool bulk = lro_flow_is_bulk(a);

	return bulk == lro_flow_is_bulk(b) ? (s32)(a->born - b->born) < 0 : !bulk;
}

struct lro_flow *lro_flows_place(struct lro_flows *flows, const struct lro_key *key)
{
	struct lro_flow *set = lro_flows_set(flows, key_hash(flows, key))->flow;
	struct lro_flow *place = NULL;
	unsigned int way;

	if (flows->count >= flows->limit)
		return to_give_way(flows);

	for (way = 0; way < LRO_WAYS; way++) {
		if (set[way].skb)
			continue;
		/* The place that knows the flow, else the least recent. */
		if (lro_key_equal(&set[way].key, key))
			return &set[way];
		if (!place || (s32)(set[way].born - place->born) < 0)
			place = &set[way];
	}
	if (place)
		return place;
	place = set;
	for (way = 1; way < LRO_WAYS; way++)
		if (gives_way_before(&set[way], place))
			place = &set[way];
	return place;
}

static bool same_addresses(const struct lro_key *a, const struct lro_key *b)
{
	return !memcmp(a->addr, b->addr, sizeof(a->addr));
}

struct lro_flow *lro_flows_stray(const struct lro_flows *flows, const struct lro_key *key)
{
	unsigned int others = 0;
	struct lro_flow *flow;

	if (!flows->count)
		return NULL;
	hlist_for_each_entry(flow, pairs_of(flows, key), pair)
		if (same_addresses(&flow->key, key) || ++others > LRO_STRAY_OTHERS)
			return flow;
	return NULL;
}

void lro_flows_open(struct lro_flows *flows, struct lro_flow *flow, const struct lro_packet *pkt,
		    struct sk_buff *skb, unsigned int rules)
{
	const struct lro_state *before = &flow->state;
	u32 hash = key_hash(flows, &pkt->key);
	struct lro_flow_set *set = lro_flows_set(flows, hash);

	if (!lro_key_equal(&flow->key, &pkt->key)) {
		flow->streak = 0;
		flow->rest = 0;
		flow->vain = 0;
	} else if (pkt->seq != lro_next_seq(before) || pkt->payload != before->gso_size) {
		flow->streak = 0;
	}
	flow->vain &= ~LRO_GAINED;
	flow->key = pkt->key;
	set->hash[flow - set->flow] = hash;
	lro_state_start(&flow->state, pkt, rules);
	flow->born = flows->born++;
	flow->held_segs = 0;
	flow->until = 0;
	flow->skb = skb;
	flow->tail = skb;
	list_add_tail(&flow->age, flow->streak < LRO_BULK_STREAK ? &flows->open : &flows->bulk);
	hlist_add_head(&flow->pair, pairs_of(flows, &flow->key));
	flows->count++;
}

enum lro_reason lro_flows_grown(struct lro_flows *flows, struct lro_flow *flow,
				const struct lro_limits *limits)
{
	if (flow->state.segs == 1)
		lro_state_limit(&flow->state, limits);
	flows->last = flow;
	return lro_state_ends(&flow->state, limits);
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
	list_move_tail(&flow->age, &flows->held);
}

void lro_flow_has_waited(struct lro_flow *flow)
{
	if (lro_flow_has_grown(flow) || flow->vain & LRO_GAINED)
		flow->vain = 0;
	else if (flow->vain < LRO_VAIN_MAX)
		flow->vain++;
	flow->rest = (1 << flow->vain) - 1;
}

struct sk_buff *lro_flows_close(struct lro_flows *flows, struct lro_flow *flow)
{
	struct sk_buff *skb = flow->skb;

	/* A hold in which the aggregate grew was worth it, however it ends. */
	if (flow->held_segs && lro_flow_has_grown(flow)) {
		flow->vain = 0;
		flow->rest = 0;
	}
	flow->streak = streak_behind(flow);
	list_del(&flow->age);
	hlist_del(&flow->pair);
	if (flows->last == flow)
		flows->last = NULL;
	flow->skb = NULL;
	flow->tail = NULL;
	flows->count--;
	return skb;
}

struct lro_flow *lro_flows_oldest(const struct lro_flows *flows)
{
	struct lro_flow *flow = first_of(&flows->held);

	if (!flow)
		flow = first_of(&flows->bulk);
	return flow ? flow : first_of(&flows->open);
}
