// SPDX-License-Identifier: GPL-2.0-only
#include <linux/list.h>
#include <linux/types.h>

#include "flows.h"

static struct lro_flow *key_set(const struct lro_flows *flows, const struct lro_key *key)
{
	/* Odd multipliers spread every input bit into the upper half. */
	u64 h = ((u64)key->saddr << 32 | key->daddr) ^ flows->seed;

	h *= 0x9e3779b97f4a7c15ull;
	h ^= h >> 32;
	h += (u64)key->ports << 32 | (key->vlan ^ flows->seed);
	h *= 0xc2b2ae3d27d4eb4full;
	return flows->flow + ((u32)(h >> 32) & flows->set_mask) * LRO_WAYS;
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
	flows->flow = memory;
	flows->set_mask = lro_flows_places(limit) / LRO_WAYS - 1;
	flows->seed = seed;
	flows->born = 0;
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
	struct lro_flow *set = key_set(flows, key), *oldest = set;
	unsigned int way;

	if (flows->count >= flows->limit)
		return lro_flows_oldest(flows);

	for (way = 0; way < LRO_WAYS; way++) {
		if (!set[way].skb)
			return &set[way];
		if ((s32)(set[way].born - oldest->born) < 0)
			oldest = &set[way];
	}
	return oldest;
}

void lro_flows_open(struct lro_flows *flows, struct lro_flow *flow, const struct lro_key *key,
		    struct sk_buff *skb)
{
	flow->key = *key;
	flow->born = flows->born++;
	flow->skb = skb;
	flow->tail = skb;
	list_add_tail(&flow->age, &flows->open);
	flows->count++;
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
	return list_empty(&flows->open) ? NULL :
		list_first_entry(&flows->open, struct lro_flow, age);
}
