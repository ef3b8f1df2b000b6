// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test bed.
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>

#include "bed.h"
#include "compat.h"
#include "netdev.h"

#define PREFIX	"rx0_lro_"

static rx_handler_result_t collect(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct bed *bed = rcu_dereference(skb->dev->rx_handler_data);

	skb_push(skb, ETH_HLEN);
	skb_queue_tail(&bed->delivered, skb);
	return RX_HANDLER_CONSUMED;
}

/* What a device tells of a packet, but for where it is. */
static struct lro_frame told(const struct bed *bed, const struct fed *fed, u32 vlan)
{
	const struct sk_buff *skb = fed->skb;

	return (struct lro_frame){
		.vlan = vlan,
		.hash = fed->pkt->hash,
		.hash_type = fed->pkt->hash ? PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_NONE,
		.hwtstamp = fed->pkt->stamp,
		.rx_queue = fed->pkt->hash ? PACKET_QUEUE + 1 : 0,
		.fwd_mark = fed->pkt->quirk == QUIRK_FORWARDED,
		.ip_summed = skb->ip_summed,
		.csum = skb->csum,
	};
}

/* The buffer is the driver's again at once, so what the engine keeps must not be in it. */
static bool feed_copy(struct bed *bed, struct fed *fed, u32 vlan)
{
	struct lro_frame frame = told(bed, fed, vlan);
	bool taken;

	memcpy(bed->buffer, fed->wire, fed->wire_len);
	frame.data = bed->buffer;
	frame.len = fed->wire_len;
	taken = lro_receive_copy(bed->lro, &frame);
	memset(bed->buffer, 0x5a, fed->wire_len);
	return taken;
}

static void free_frags(const skb_frag_t *frags, unsigned int count, struct page_pool *pool)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct page *page = skb_frag_page(&frags[i]);

		if (pool)
			page_pool_put_full_page(pool, page, false);
		else
			put_page(page);
	}
}

static bool feed_page(struct bed *bed, struct fed *fed, u32 vlan)
{
	struct page_pool *pool = fed->pkt->quirk == QUIRK_RECYCLE ? bed->pool : NULL;
	skb_frag_t frags[PACKET_FRAGS];
	unsigned int count = packet_frags(fed, pool, frags);
	static const u32 truesize[PACKET_FRAGS] = { [0 ... PACKET_FRAGS - 1] = PAGE_SIZE };
	struct lro_frame frame = told(bed, fed, vlan);

	frame.frags = frags;
	frame.truesize = truesize;
	frame.count = count;
	frame.pool = pool;
	if (count && lro_receive_page(bed->lro, &frame))
		return true;
	free_frags(frags, count, pool);
	return false;
}

/* As a driver has it that calls napi_gro_frags(). */
static bool feed_frags(struct bed *bed, struct fed *fed, u32 vlan)
{
	struct page_pool *pool = fed->pkt->quirk == QUIRK_RECYCLE ? bed->pool : NULL;
	struct sk_buff *skb = napi_get_frags(&bed->napi);
	unsigned int count, i;
	skb_frag_t frags[PACKET_FRAGS];

	count = skb ? packet_frags(fed, pool, frags) : 0;
	if (!count)
		return false;
	for (i = 0; i < count; i++)
		skb_add_rx_frag(skb, i, skb_frag_page(&frags[i]), skb_frag_off(&frags[i]),
				skb_frag_size(&frags[i]), PAGE_SIZE);
	skb->ip_summed = fed->skb->ip_summed;
	skb->csum = fed->skb->csum;
	skb->hash = fed->skb->hash;
	skb->l4_hash = fed->skb->l4_hash;
	skb->queue_mapping = fed->skb->queue_mapping;
	skb->offload_fwd_mark = fed->skb->offload_fwd_mark;
	skb_hwtstamps(skb)->hwtstamp = skb_hwtstamps(fed->skb)->hwtstamp;
	if (pool)
		skb_mark_for_recycle(skb);
	if (vlan)
		__vlan_hwaccel_put_tag(skb, htons(vlan >> 16), vlan & 0xffff);
	lro_receive_frags(bed->lro);
	return true;
}

/* As a driver has it that does not build an skb first. */
static bool feed_frame(struct bed *bed, struct fed *fed)
{
	const struct sk_buff *skb = fed->skb;
	u32 vlan = skb_vlan_tag_present(skb) ?
		   lro_vlan(ntohs(skb->vlan_proto), skb_vlan_tag_get(skb)) : 0;

	/* These are about the skb. */
	if (skb_is_gso(skb) || fed->pkt->quirk == QUIRK_CLONED)
		return false;
	if (bed->way == WAY_COPY)
		return skb->ip_summed != CHECKSUM_PARTIAL && feed_copy(bed, fed, vlan);
	if (bed->way == WAY_FRAGS)
		return skb->ip_summed != CHECKSUM_PARTIAL && feed_frags(bed, fed, vlan);
	return bed->way == WAY_PAGE && feed_page(bed, fed, vlan);
}

static void feed(struct bed *bed, struct fed *fed)
{
	struct sk_buff *skb = fed->skb;

	if (bed->begin_result && feed_frame(bed, fed)) {
		bed->taken++;
		kfree_skb(fed->skb);
		fed->skb = NULL;
		return;
	}
	fed->skb = NULL;
	if (bed->begin_result)
		lro_receive_skb(bed->lro, skb);
	else
		napi_gro_receive(&bed->napi, skb);
}

static struct fed *next_fed(const struct bed *bed, struct fed *fed)
{
	return list_is_last(&fed->list, &bed->fed) ? NULL : list_next_entry(fed, list);
}

/* Feeds until a packet says that the poll ends; returns how it ends. */
static enum then feed_poll(struct bed *bed)
{
	enum then then = THEN_NEXT;

	while (bed->next && then == THEN_NEXT) {
		struct fed *fed = bed->next;

		bed->next = next_fed(bed, fed);
		then = fed->pkt->then;
		if (fed->pkt->mode)
			bed->mode = fed->pkt->mode;
		if (fed->pkt->off)
			bed->mode = LRO_OFF;
		feed(bed, fed);
	}
	return then;
}

static int bed_poll(struct napi_struct *napi, int budget)
{
	struct bed *bed = container_of(napi, struct bed, napi);
	int work = (bed->tell_work && bed->next) + bed->dropped;
	enum then then;
	bool more;

	WRITE_ONCE(bed->polls, bed->polls + 1);
	bed->begin_result = lro_begin(bed->lro, bed->mode, budget);
	then = feed_poll(bed);
	if (then == THEN_FULL && !bed->abandon) {
		if (bed->last)
			set_bit(NAPI_STATE_DISABLE, &napi->state);
		lro_end(bed->lro);
		return budget;
	}
	if (!bed->next && bed->abandon) {
		lro_end(bed->lro);
		napi_complete_done(napi, 0);
	} else {
		bed->interrupt = lro_complete_done(bed->lro, napi, work);
	}
	more = bed->next;
	if (more)
		napi_schedule(napi);
	else
		complete(&bed->done);
	return 0;
}

static int setup_device(struct bed *bed)
{
	bed->dev = test_netdev_create("kunit%d", collect, bed);
	if (!bed->dev)
		return -ENOMEM;
	bed->pool = page_pool_create(&(struct page_pool_params){
		.pool_size = 64,
		.nid = NUMA_NO_NODE,
	});
	if (IS_ERR(bed->pool))
		bed->pool = NULL;
	netif_napi_add(bed->dev, &bed->napi, bed_poll);
	bed->lro = lro_create(bed->dev, &bed->napi);
	napi_enable(&bed->napi);
	return bed->lro && bed->pool ? 0 : -ENOMEM;
}

static int setup_counters(struct bed *bed)
{
	unsigned int count = lro_stats_count();
	u8 *name;

	bed->value = kcalloc(count, sizeof(*bed->value), GFP_KERNEL);
	bed->name = kcalloc(count, ETH_GSTRING_LEN, GFP_KERNEL);
	if (!bed->value || !bed->name)
		return -ENOMEM;
	name = bed->name;
	lro_stats_strings(&name, 0);
	return 0;
}

struct bed *bed_create(void)
{
	struct bed *bed = kzalloc(sizeof(*bed), GFP_KERNEL);

	if (!bed)
		return NULL;
	INIT_LIST_HEAD(&bed->fed);
	skb_queue_head_init(&bed->delivered);
	init_completion(&bed->done);
	bed->mode = LRO_STRICT;
	if (setup_device(bed) || setup_counters(bed)) {
		bed_destroy(bed);
		return NULL;
	}
	return bed;
}

void bed_stop_engine(struct bed *bed)
{
	napi_disable(&bed->napi);
	lro_destroy(bed->lro);
	bed->lro = NULL;
	napi_enable(&bed->napi);
}

void bed_empty(struct bed *bed)
{
	skb_queue_purge(&bed->delivered);
}

void bed_drop_clones(struct bed *bed)
{
	struct fed *fed;

	list_for_each_entry(fed, &bed->fed, list) {
		kfree_skb(fed->clone);
		fed->clone = NULL;
	}
}

void bed_destroy(struct bed *bed)
{
	struct fed *fed, *next;

	if (!bed)
		return;
	if (bed->dev) {
		napi_disable(&bed->napi);
		lro_destroy(bed->lro);
		netif_napi_del(&bed->napi);
		test_netdev_destroy(bed->dev);
	}
	bed_empty(bed);
	list_for_each_entry_safe(fed, next, &bed->fed, list)
		packet_free(fed);
	if (bed->pool)
		page_pool_destroy(bed->pool);
	kfree(bed->value);
	kfree(bed->name);
	kfree(bed);
}

int bed_add(struct bed *bed, const struct pkt *pkt, unsigned int count)
{
	unsigned int i, again;

	for (i = 0; i < count; i++) {
		for (again = 0; again <= pkt[i].repeat; again++) {
			struct fed *fed = packet_make(&pkt[i], &bed->flow[pkt[i].flow], bed->dev);

			if (!fed)
				return -ENOMEM;
			list_add_tail(&fed->list, &bed->fed);
			if (!bed->next)
				bed->next = fed;
		}
	}
	return 0;
}

/* The engine may hold aggregates beyond the last poll, for a time of its own. */
static int await_held(struct bed *bed)
{
	unsigned int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (bed->abandon || bed->no_wait || bed_counter(bed, "held") <= 0)
			return 0;
		usleep_range(1000, 2000);
	}
	return -ETIMEDOUT;
}

int bed_run(struct bed *bed)
{
	reinit_completion(&bed->done);
	local_bh_disable();
	napi_schedule(&bed->napi);
	local_bh_enable();
	if (!wait_for_completion_timeout(&bed->done, 10 * HZ))
		return -ETIMEDOUT;
	return await_held(bed);
}

s64 bed_counter(struct bed *bed, const char *name)
{
	unsigned int i, count = lro_stats_count();
	u64 *value = bed->value;

	lro_stats_values(bed->lro, &value);
	for (i = 0; i < count; i++)
		if (!strcmp((char *)bed->name + i * ETH_GSTRING_LEN + strlen(PREFIX), name))
			return bed->value[i];
	return -1;
}

unsigned int bed_leaks(const struct bed *bed)
{
	const struct fed *fed;
	unsigned int leaks = 0;

	list_for_each_entry(fed, &bed->fed, list)
		leaks += !packet_pages_free(fed);
	return leaks;
}
