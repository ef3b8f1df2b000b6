// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine as include/lro.h promises it, with nothing behind it: it takes some packets, keeps some of these until
 * they are due, and looks at what it is given as the stack does.
 */
#include "input.h"
#include "model.h"

#include <lro.h>

#include "engine.h"

#define HELD 64

struct lro {
	struct net_device *dev;
	struct napi_struct *napi;
	struct page *pages[HELD];
	unsigned int held;
	bool quiet, active;
};

const struct kernel_param_ops lro_devices_param_ops;
unsigned int engine_takes;

static unsigned int turn;

struct lro *lro_create(struct net_device *dev, struct napi_struct *napi)
{
	struct lro *lro = kzalloc(sizeof(*lro), GFP_KERNEL);

	if (!lro)
		return NULL;
	lro->dev = dev;
	lro->napi = napi;
	lro->quiet = true;
	return lro;
}

static void deliver(struct lro *lro)
{
	while (lro->held) {
		check_read(lro->pages[--lro->held], 0, 0);
		page_pool_put(lro->pages[lro->held]);
	}
}

void lro_stop(struct lro *lro)
{
	if (!lro)
		return;
	if (lro->napi->enabled)
		finding("engine", "lro_stop() while NAPI is enabled");
	deliver(lro);
	lro->quiet = true;
}

void lro_destroy(struct lro *lro)
{
	if (!lro)
		return;
	if (lro->napi->enabled)
		finding("engine", "lro_destroy() while NAPI is enabled");
	deliver(lro);
	kfree(lro);
}

bool lro_begin(struct lro *lro, enum lro_mode mode, int budget)
{
	if (!lro || budget <= 0)
		return false;
	lro->quiet = false;
	lro->active = mode != LRO_OFF;
	if (!lro->active)
		deliver(lro);
	return lro->active;
}

static void must_be_active(const struct lro *lro)
{
	if (!lro || !lro->active || !lro->napi->polling)
		finding("engine", "the engine is given a packet outside of a poll");
}

void lro_set_ring(struct lro *lro, unsigned int frames)
{
	if (lro && !frames)
		finding("engine", "the engine is told of a ring of no frames");
}

void lro_receive_skb(struct lro *lro, struct sk_buff *skb)
{
	must_be_active(lro);
	read_packet(skb);
	kfree_skb(skb);
}

bool lro_receive_page(struct lro *lro, const struct lro_frame *frame)
{
	const skb_frag_t *frags = frame->frags;
	unsigned int count = frame->count;

	must_be_active(lro);
	if (!count || count > MAX_SKB_FRAGS)
		finding("engine", "the engine is given a packet of no fragments, or of too many");
	for (unsigned int i = 0; i < count; i++) {
		check_read(frags[i].page, frags[i].offset, frags[i].size);
		if (frags[i].page->pool != frame->pool)
			finding("engine", "a page is not of the pool that the engine is told of");
		if (frame->truesize[i] != PAGE_SIZE)
			finding("engine", "the engine is told of other memory than a page");
	}
	/* One in @engine_takes is none of a bulk flow. */
	if (!engine_takes || turn++ % engine_takes || frags->size < 54 || lro->held + count > HELD)
		return false;
	for (unsigned int i = 0; i < count; i++)
		lro->pages[lro->held++] = frags[i].page;
	return true;
}

void lro_end(struct lro *lro)
{
	if (lro && !lro->napi->polling)
		finding("engine", "lro_end() outside of a poll");
}

bool lro_complete_done(struct lro *lro, struct napi_struct *napi, int work_done)
{
	bool held;

	if (!lro)
		return napi_complete_done(napi, work_done);
	/* What is due goes; now and then that is not all. */
	held = lro->held && turn % 2;
	if (!held)
		deliver(lro);
	return napi_complete_done(napi, work_done) && !held;
}

void engine_timer(struct net_device *dev)
{
	for (unsigned int i = 0; i < QUEUES; i++)
		if (dev->napis[i])
			napi_schedule(dev->napis[i]);
}

unsigned int lro_stats_count(void)
{
	return 1;
}

void lro_stats_strings(u8 **data, unsigned int queue)
{
	snprintf((char *)*data, ETH_GSTRING_LEN, "rx%u_lro_held", queue);
	*data += ETH_GSTRING_LEN;
}

void lro_stats_values(const struct lro *lro, u64 **data)
{
	*(*data)++ = lro ? lro->held : 0;
}

void lro_init_features(struct net_device *dev, const struct lro_mode_param *param)
{
	dev->hw_features |= LRO_FEATURES;
	if (param->mode)
		dev->features |= NETIF_F_GRO_HW;
}

netdev_features_t lro_fix_features(struct net_device *dev, netdev_features_t features)
{
	(void)dev;
	return features & ~NETIF_F_LRO;
}

void engine_reset(void)
{
	turn = 0;
	engine_takes = 0;
}
