// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random packet streams through the engine: it must deliver the packets that it got.
 *
 * One run for each way in and each promise, and one in which ways in and the
 * engine's being in the path change. A run prints "ok" or "not ok".
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <compat.h>

#include "feed.h"
#include "netdev.h"
#include "verify.h"

static unsigned long packets = 100000;
module_param(packets, ulong, 0);
MODULE_PARM_DESC(packets, "packets of each run");

static unsigned long seed = 1;
module_param(seed, ulong, 0);
MODULE_PARM_DESC(seed, "what the streams depend on");

static int only = -1;
module_param(only, int, 0);
MODULE_PARM_DESC(only, "number of the one run wanted, -1: all");

static bool tight;
module_param(tight, bool, 0);
MODULE_PARM_DESC(tight, "say that the engine's limits are tight");

struct run {
	const char *name;
	enum feed_mode feed;
	enum lro_mode promise;
	bool port;	/* the device is one of a bridge */
};

static const struct run runs[] = {
	{ "skb, strict", FEED_SKB, LRO_STRICT },
	{ "copy, strict", FEED_COPY, LRO_STRICT },
	{ "page, strict", FEED_PAGE, LRO_STRICT },
	{ "skb, relaxed", FEED_SKB, LRO_RELAXED },
	{ "copy, relaxed", FEED_COPY, LRO_RELAXED, .port = true },
	{ "page, relaxed", FEED_PAGE, LRO_RELAXED },
	{ "all in turn, strict and off", FEED_MIXED, LRO_STRICT },
};

/**
 * struct bed - a device for one run
 * @napi: its NAPI instance
 * @dev: device
 * @lro: engine context
 * @run: which run
 * @left: packets still to come
 * @done: they all have been fed, and the last poll completed
 * @mode: promise in force
 * @error: of the last packet that could not be made
 * @stream: packets
 * @feed: driver
 * @verify: comparison
 */
struct bed {
	struct napi_struct napi;
	struct net_device *dev;
	struct lro *lro;
	const struct run *run;
	unsigned long left;
	struct completion done;
	enum lro_mode mode;
	int error;
	struct stream stream;
	struct feed feed;
	struct verify verify;
};

static rx_handler_result_t collect(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct bed *bed = rcu_dereference(skb->dev->rx_handler_data);

	skb_push(skb, ETH_HLEN);
	verify_delivery(&bed->verify, skb);
	consume_skb(skb);
	return RX_HANDLER_CONSUMED;
}

static bool finished(const struct bed *bed)
{
	return !bed->left || bed->error || *bed->verify.fault;
}

static void feed_one(struct bed *bed, bool engine)
{
	struct slot *slot = verify_expect(&bed->verify);

	if (!slot)
		return;
	stream_next(&bed->stream, &slot->pkt);
	verify_received(&bed->verify, slot);
	bed->error = feed_packet(&bed->feed, &slot->pkt, engine);
	bed->left--;
}

static int poll(struct napi_struct *napi, int budget)
{
	struct bed *bed = container_of(napi, struct bed, napi);
	unsigned int want = 1 + stream_below(&bed->stream, budget), fed = 0;
	bool engine;

	if (bed->run->feed == FEED_MIXED && !stream_below(&bed->stream, 50))
		bed->mode = bed->mode == LRO_OFF ? LRO_STRICT : LRO_OFF;
	engine = lro_begin(bed->lro, bed->mode, budget);
	for (; fed < want && !finished(bed); fed++)
		feed_one(bed, engine);
	if (!finished(bed) && stream_below(&bed->stream, 4)) {
		lro_end(bed->lro);
		return budget;
	}
	lro_complete_done(bed->lro, napi, 0);
	if (!finished(bed))
		napi_schedule(napi);
	else
		complete(&bed->done);
	return 0;
}

static int setup_device(struct bed *bed)
{
	bed->dev = test_netdev_create("property%d", collect, bed);
	if (!bed->dev)
		return -ENOMEM;
	/* Only the engine merges. */
	bed->dev->features &= ~NETIF_F_GRO;
	if (bed->run->port)
		bed->dev->priv_flags |= IFF_BRIDGE_PORT;
	netif_napi_add(bed->dev, &bed->napi, poll);
	bed->lro = lro_create(bed->dev, &bed->napi);
	napi_enable(&bed->napi);
	return bed->lro ? 0 : -ENOMEM;
}

static void destroy(struct bed *bed)
{
	if (bed->dev) {
		napi_disable(&bed->napi);
		lro_destroy(bed->lro);
		netif_napi_del(&bed->napi);
		test_netdev_destroy(bed->dev);
	}
	if (bed->feed.pool)
		page_pool_destroy(bed->feed.pool);
	verify_free(&bed->verify);
	kvfree(bed);
}

static struct bed *create(unsigned int n)
{
	struct bed *bed = kvzalloc(sizeof(*bed), GFP_KERNEL);

	if (!bed)
		return NULL;
	bed->run = &runs[n];
	bed->mode = bed->run->promise;
	bed->left = packets;
	init_completion(&bed->done);
	stream_setup(&bed->stream, seed * ARRAY_SIZE(runs) + n);
	bed->feed.mode = bed->run->feed;
	bed->feed.random = &bed->stream;
	bed->verify.relaxed = bed->run->promise == LRO_RELAXED;
	if (verify_setup(&bed->verify) || setup_device(bed) || feed_setup(&bed->feed)) {
		destroy(bed);
		return NULL;
	}
	bed->feed.napi = &bed->napi;
	bed->feed.lro = bed->lro;
	return bed;
}

static u64 counter(const struct bed *bed, const char *name)
{
	unsigned int count = lro_stats_count(), i;
	u64 *values = kcalloc(count, sizeof(*values), GFP_KERNEL), *value = values;
	u8 *names = kcalloc(count, ETH_GSTRING_LEN, GFP_KERNEL), *at = names;
	u64 found = U64_MAX;

	if (values && names) {
		lro_stats_strings(&at, 0);
		lro_stats_values(bed->lro, &value);
		for (i = 0; i < count; i++)
			if (!strcmp(names + i * ETH_GSTRING_LEN + strlen("rx0_lro_"), name))
				found = values[i];
	}
	kfree(names);
	kfree(values);
	return found;
}

/* Open aggregates of bulk flows are held beyond the last poll. */
static void await_held(struct bed *bed)
{
	unsigned int tries;

	for (tries = 0; tries < 1000 && counter(bed, "held"); tries++)
		usleep_range(1000, 2000);
	/* No poll runs behind the comparison's back from here on. */
	napi_disable(&bed->napi);
	verify_end(&bed->verify);
	napi_enable(&bed->napi);
}

/* Packets in are packets out, each counted once. */
static void check_counters(struct bed *bed)
{
	u64 in = counter(bed, "packets"), merged = counter(bed, "merged");
	u64 out = merged + counter(bed, "singles") + counter(bed, "passed") +
		  counter(bed, "to_gro") + counter(bed, "held");
	struct verify *v = &bed->verify;
	/* A stream that does not merge shows nothing; in some runs half of it does not. */
	unsigned long least = v->received / (bed->run->feed == FEED_MIXED ? 20 : 10);

	if (*v->fault)
		return;
	if (in != out || merged != v->merged ||
	    (bed->run->feed != FEED_MIXED && in != v->received))
		snprintf(v->fault, sizeof(v->fault),
			 "counters: in %llu, out %llu, merged %llu; %lu were received, %lu merged",
			 in, out, merged, v->received, v->merged);
	if (v->received > 10000 && v->merged < least)
		snprintf(v->fault, sizeof(v->fault), "only %lu of %lu packets were merged",
			 v->merged, v->received);
}

static bool test(unsigned int n)
{
	struct bed *bed = create(n);
	struct verify *v;
	bool ok;

	if (!bed) {
		pr_err("property: not ok %u - %s: no memory\n", n, runs[n].name);
		return false;
	}
	local_bh_disable();
	napi_schedule(&bed->napi);
	local_bh_enable();
	wait_for_completion(&bed->done);
	v = &bed->verify;
	if (bed->error)
		snprintf(v->fault, sizeof(v->fault), "packet %lu could not be made: %d",
			 v->received, bed->error);
	await_held(bed);
	check_counters(bed);
	ok = !*v->fault;
	pr_info("property: %s %u - %s%s: %lu packets, %lu merged into %lu; seed=%lu only=%u\n",
		ok ? "ok" : "not ok", n, runs[n].name, tight ? ", tight limits" : "", v->received,
		v->merged, v->aggregates, seed, n);
	if (!ok)
		pr_info("property: fault: %s\n", v->fault);
	destroy(bed);
	return ok;
}

static int __init property_init(void)
{
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(runs); n++)
		if (only < 0 || only == n)
			test(n);
	pr_info("property: end\n");
	return 0;
}

static void __exit property_exit(void)
{
}

module_init(property_init);
module_exit(property_exit);

MODULE_IMPORT_XENLRO();
MODULE_DESCRIPTION("Property test of the Large Receive Offload engine");
MODULE_LICENSE("GPL");
