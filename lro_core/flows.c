// SPDX-License-Identifier: GPL-2.0-only
#include <linux/list.h>
#include <linux/types.h>

#include "flows.h"

/* Segments in sequence that make a flow bulk. A page or a message is shorter. */
#define BULK_STREAK	8

static struct lro_flow *key_set(const struct lro_flows *flows, const struct lro_key *key)
{
	/* Odd multipliers spread every input bit into the upper half. */
	u64 h = flows->seed;
	unsigned int i;

	for (i = 0; i < (key->link & LRO_KEY_IPV6 ? 8 : 2); i += 2) {
		h ^= (u64)key->addr[i] << 32 | key->addr[i + 1];
		h *= 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	h += (u64)key->ports << 32 | (key->link ^ flows->seed);
	h *= 0xc2b2ae3d27d4eb4full;
	/* A product's top bits depend on all bits of its factors, its low bits on few. */
	return flows->flow + ((h >> 32) * (flows->set_mask + 1) >> 32) * LRO_WAYS;
}

unsigned int lro_flows_places(unsigned int limit)
{
	unsigned int places = LRO_WAYS;

	while (places < 2 * limit)
		places *= 2;
	return places;
}

void lro_flows_setup(struct lro_flows *flows, struct lro_flow *memory, unsigned int limit,
		     u32 seed)
{
	INIT_LIST_HEAD(&flows->open);
	INIT_LIST_HEAD(&flows->held);
	flows->flow = memory;
	flows->set_mask = lro_flows_places(limit) / LRO_WAYS - 1;
	flows->seed = seed;
	flows->born = 1;	/* places never used count as older */
	flows->count = 0;
	flows->limit = limit;
}

struct lro_flow *lro_flows_find(const struct lro_flows *flows, const struct lro_key *key)
{
	struct lro_flow *flow = key_set(flows, key);
	unsigned int way;

	for (way = 0; way < LRO_WAYS; way++, flow++)
		if (flow->skb && lro_key_equal(&flow->key, key))
			return flow;
	return NULL;
}

struct lro_flow *lro_flows_place(const struct lro_flows *flows, const struct lro_key *key)
{
	struct lro_flow *set = key_set(flows, key), *oldest = set, *place = NULL;
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

	if (!lro_key_equal(&flow->key, &pkt->key) || pkt->seq != before->next_seq ||
	    pkt->payload != before->gso_size)
		flow->streak = 0;
	flow->key = pkt->key;
	lro_state_start(&flow->state, pkt);
	flow->born = flows->born++;
	flow->skb = skb;
	flow->tail = skb;
	list_add_tail(&flow->age, &flows->open);
	flows->count++;
}

enum lro_reason lro_flow_grown(struct lro_flow *flow, unsigned int max_segs)
{
	enum lro_reason why = lro_state_ends(&flow->state, max_segs);

	if (why == LRO_FLUSH_PSH || why == LRO_FLUSH_FIN || why == LRO_FLUSH_SHORT)
		flow->streak = 0;
	else if (flow->streak < BULK_STREAK)
		flow->streak++;
	return why;
}

bool lro_flow_is_bulk(const struct lro_flow *flow)
{
	return flow->streak >= BULK_STREAK;
}

void lro_flows_hold(struct lro_flows *flows, struct lro_flow *flow, u64 deadline)
{
	flow->deadline = deadline;
	list_move_tail(&flow->age, &flows->held);
}

struct sk_buff *lro_flows_close(struct lro_flows *flows, struct lro_flow *flow)
{
	struct sk_buff *skb = flow->skb;

	list_del(&flow->age);
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
