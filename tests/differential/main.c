// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same packets through GRO and through the engine's strict mode.
 *
 * Each poll hands in some packets and completes, so that nothing outlives it in
 * either. A packet begins a delivery or joins one. Where only GRO merges, the kernel's own
 * segmentation must fail to give back what it got, or a packet of the flow be overtaken:
 * else the engine has missed a merge. Where only the engine does, a reason of the list must
 * apply. What follows in that flow until the poll ends is not judged: the aggregates differ
 * then. What the engine delivers must be cut up into what it got, and in order, always.
 */
#include <linux/completion.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/mm.h>
#include <linux/module.h>

#include <compat.h>
#include <lro.h>

#include "exact.h"
#include "netdev.h"
#include "reasons.h"

static unsigned long packets = 100000;
module_param(packets, ulong, 0);
MODULE_PARM_DESC(packets, "packets");

static unsigned long seed = 1;
module_param(seed, ulong, 0);
MODULE_PARM_DESC(seed, "what the stream depends on");

#define REASONS_MAX	16
#define SHOWN_MAX	5

/**
 * struct bed - a device
 * @napi: its NAPI instance
 * @dev: device
 * @lro: engine context
 * @engine: the engine is in the path, else GRO
 * @done: the poll has completed
 * @error: a packet could not be made
 * @batch: packets
 * @stream: generator
 * @deliveries: of GRO and of the engine
 * @same: packets that both treated alike
 * @unjudged: packets after a difference
 * @changed: packets that only GRO merges, and loses bits of
 * @overtaken: packets that only GRO merges, and loses the order of
 * @unexplained: differences without a reason
 * @times: how often each reason explained a difference
 */
struct bed {
	struct napi_struct napi;
	struct net_device *dev;
	struct lro *lro;
	bool engine;
	struct completion done;
	int error;
	struct batch batch;
	struct stream stream;
	unsigned long deliveries[2];
	unsigned long same;
	unsigned long unjudged;
	unsigned long changed;
	unsigned long overtaken;
	unsigned long unexplained;
	unsigned long times[REASONS_MAX];
};

/* A delivery bears the mark of its first packet. */
static rx_handler_result_t collect(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct bed *bed = rcu_dereference(skb->dev->rx_handler_data);
	struct batch *b = &bed->batch;

	if (skb->mark && skb->mark <= BATCH)
		exact_deliver(bed->engine ? &b->lro : &b->gro, b->pkt, skb);
	consume_skb(skb);
	return RX_HANDLER_CONSUMED;
}

static int feed(struct bed *bed, unsigned int i)
{
	const struct stream_packet *pkt = &bed->batch.pkt[i];
	struct sk_buff *skb = napi_alloc_skb(&bed->napi, pkt->len);

	if (!skb)
		return -ENOMEM;
	skb_put_data(skb, pkt->data, pkt->len);
	skb->protocol = eth_type_trans(skb, bed->dev);
	skb->ip_summed = pkt->verified ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
	skb->mark = i + 1;
	/* Spread over GRO's buckets, none of which gets full. */
	skb_set_hash(skb, pkt->lane + 1, PKT_HASH_TYPE_L4);
	if (pkt->vlan)
		__vlan_hwaccel_put_tag(skb, htons(pkt->vlan >> 16), pkt->vlan & 0xffff);
	if (bed->engine)
		lro_receive_skb(bed->lro, skb);
	else
		napi_gro_receive(&bed->napi, skb);
	return 0;
}

static int poll(struct napi_struct *napi, int budget)
{
	struct bed *bed = container_of(napi, struct bed, napi);
	unsigned int i;

	lro_begin(bed->lro, bed->engine ? LRO_STRICT : LRO_OFF, budget);
	for (i = 0; i < BATCH && !bed->error; i++)
		bed->error = feed(bed, i);
	lro_complete_done(bed->lro, napi, 0);
	complete(&bed->done);
	return 0;
}

static void run_poll(struct bed *bed, bool engine)
{
	bed->engine = engine;
	reinit_completion(&bed->done);
	local_bh_disable();
	napi_schedule(&bed->napi);
	local_bh_enable();
	wait_for_completion(&bed->done);
}

static __printf(3, 4) void fault(struct bed *bed, unsigned int i, const char *format, ...)
{
	const struct stream_packet *pkt = &bed->batch.pkt[i];
	struct va_format vaf = { .fmt = format };
	va_list arguments;
	int before;

	if (bed->unexplained++ >= SHOWN_MAX)
		return;
	va_start(arguments, format);
	vaf.va = &arguments;
	pr_info("differential: fault: packet %u of its poll, flow %u: %pV\n", i, pkt->lane, &vaf);
	va_end(arguments);
	for (before = i - 1; before >= 0 && bed->batch.pkt[before].lane != pkt->lane; before--)
		;
	if (before >= 0)
		pr_info("differential: before: %*phN\n", 64, bed->batch.pkt[before].data + 14);
	pr_info("differential: packet: %*phN\n", 64, pkt->data + 14);
}

/* Only GRO merges packet @i. */
static void explain_gro(struct bed *bed, unsigned int i)
{
	const struct batch *b = &bed->batch;

	if (exact_is_changed(&b->gro, b->pkt, i))
		bed->changed++;
	else if (exact_is_overtaken(&b->gro, b->pkt, i))
		bed->overtaken++;
	else
		fault(bed, i, "only GRO merges it, and in order, and loses no bit");
}

/* Only the engine does. */
static void explain_engine(struct bed *bed, int before, unsigned int i)
{
	unsigned int n;

	for (n = 0; before >= 0 && n < reason_count; n++) {
		if (reasons[n].applies(&bed->batch, before, i)) {
			bed->times[n]++;
			return;
		}
	}
	fault(bed, i, "only the engine merges it");
}

/* Whatever GRO does, what the engine has merged comes back, and in order. */
static void check_engine(struct bed *bed, unsigned int i)
{
	const struct batch *b = &bed->batch;

	if (exact_is_changed(&b->lro, b->pkt, i))
		fault(bed, i, "segmentation does not give back what the engine merged");
	else if (exact_is_overtaken(&b->lro, b->pkt, i))
		fault(bed, i, "the engine merges it past another of its flow");
}

static void compare(struct bed *bed)
{
	const struct batch *b = &bed->batch;
	unsigned int i, gro = 0, lro = 0;
	bool apart[STREAM_LANES] = {};
	int before[STREAM_LANES];

	memset(before, 0xff, sizeof(before));
	for (i = 0; i < BATCH; i++) {
		unsigned int lane = b->pkt[i].lane;
		bool by_gro = !b->gro.count[i], by_engine = !b->lro.count[i];

		gro += b->gro.count[i];
		lro += b->lro.count[i];
		bed->deliveries[0] += !by_gro;
		bed->deliveries[1] += !by_engine;
		if (by_engine)
			check_engine(bed, i);
		if (apart[lane]) {
			bed->unjudged++;
		} else if (by_gro == by_engine) {
			bed->same++;
		} else {
			if (by_gro)
				explain_gro(bed, i);
			else
				explain_engine(bed, before[lane], i);
			apart[lane] = true;
		}
		before[lane] = i;
	}
	if (gro != BATCH || lro != BATCH) {
		bed->unexplained++;
		pr_info("differential: fault: of %u packets GRO delivered %u, the engine %u\n",
			BATCH, gro, lro);
	}
}

static void run_batch(struct bed *bed)
{
	struct batch *b = &bed->batch;
	unsigned int i;

	memset(&b->gro, 0, sizeof(b->gro));
	memset(b->gro.first, 0xff, sizeof(b->gro.first));
	b->lro = b->gro;
	for (i = 0; i < BATCH; i++)
		stream_next(&bed->stream, &b->pkt[i]);
	run_poll(bed, false);
	run_poll(bed, true);
	if (!bed->error)
		compare(bed);
}

static void report(const struct bed *bed)
{
	unsigned int n;

	for (n = 0; n < reason_count; n++)
		pr_info("differential: reason: %lu times, only the engine merges: %s: %s\n",
			bed->times[n], reasons[n].name, reasons[n].why);
	pr_info("differential: reason: %lu times, only GRO merges, and segmentation does not give back the packets\n",
		bed->changed);
	pr_info("differential: reason: %lu times, only GRO merges, and a packet of the flow is overtaken\n",
		bed->overtaken);
	pr_info("differential: %s: %lu packets alike, %lu deliveries of GRO, %lu of the engine, %lu packets not judged, %lu faults; seed=%lu\n",
		bed->unexplained || bed->error ? "not ok" : "ok", bed->same, bed->deliveries[0],
		bed->deliveries[1], bed->unjudged, bed->unexplained, seed);
}

static int __init differential_init(void)
{
	struct bed *bed = kvzalloc(sizeof(*bed), GFP_KERNEL);
	unsigned long n;
	int err = -ENOMEM;

	if (!bed)
		return -ENOMEM;
	if (WARN_ON(reason_count > REASONS_MAX)) {
		kvfree(bed);
		return -E2BIG;
	}
	init_completion(&bed->done);
	stream_setup(&bed->stream, seed);
	bed->dev = test_netdev_create("differ%d", collect, bed);
	if (bed->dev) {
		err = 0;
		netif_napi_add(bed->dev, &bed->napi, poll);
		bed->lro = lro_create(bed->dev, &bed->napi);
		napi_enable(&bed->napi);
		for (n = 0; bed->lro && n < packets && !bed->error; n += BATCH)
			run_batch(bed);
		napi_disable(&bed->napi);
		if (bed->lro)
			report(bed);
		lro_destroy(bed->lro);
		netif_napi_del(&bed->napi);
		test_netdev_destroy(bed->dev);
	}
	kvfree(bed);
	return err;
}

static void __exit differential_exit(void)
{
}

module_init(differential_init);
module_exit(differential_exit);

MODULE_IMPORT_XENLRO();
MODULE_DESCRIPTION("GRO and the receive offload engine on the same packets");
MODULE_LICENSE("GPL");
