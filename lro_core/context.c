// SPDX-License-Identifier: GPL-2.0-only
/*
 * A context's life: created and destroyed with its NAPI instance, begun and
 * completed with each poll.
 */
#include <linux/inetdevice.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/dsa.h>

#include "contexts.h"
#include "deliver.h"
#include "dump.h"
#include "engine.h"
#include "flush.h"
#include "hold.h"
#include "idle.h"
#include "param.h"

struct lro *lro_create(struct net_device *dev, struct napi_struct *napi)
{
	struct lro *lro;

	/* The engine may schedule the instance at any time from now on. */
	if (WARN_ON_ONCE(!napi->poll))
		return NULL;
	lro = kzalloc(sizeof(*lro), GFP_KERNEL);
	if (!lro)
		return NULL;
	lro->dev = dev;
	lro->napi = napi;
	lro->mode = LRO_OFF;
	lro->quiet = true;
	INIT_LIST_HEAD(&lro->ready);
	lro_hold_setup(lro);
	if (!page_pieces_setup(&lro->pieces) || lro_contexts_add(lro)) {
		page_pieces_free(&lro->pieces);
		kfree(lro);
		return NULL;
	}
	return lro;
}
EXPORT_SYMBOL_XENLRO(lro_create);

void lro_stop(struct lro *lro)
{
	if (!lro)
		return;
	lro_hold_stop(lro);
	lro->polling = false;
	local_bh_disable();
	lro_flush_all(lro, LRO_FLUSH_STOP);
	lro_deliver_ready(lro);
	local_bh_enable();
	lro_contexts_quiet(lro);
	lro_idle_empty(lro);
}
EXPORT_SYMBOL_XENLRO(lro_stop);

static void drop(struct lro *lro, struct sk_buff *skb, unsigned int packets)
{
	while (packets--)
		dev_core_stats_rx_dropped_inc(lro->dev);
	kfree_skb(skb);
}

void lro_destroy(struct lro *lro)
{
	struct sk_buff *skb, *next;
	struct lro_flow *flow;

	if (!lro)
		return;
	lro_hold_stop(lro);
	/* The device may be gone for the stack, so nothing can be delivered any more. */
	while ((flow = lro_flows_oldest(&lro->flows))) {
		lro_settle(flow);
		skb = lro_flows_close(&lro->flows, flow);
		drop(lro, skb, flow->state.segs);
	}
	list_for_each_entry_safe(skb, next, &lro->ready, list) {
		skb_list_del_init(skb);
		drop(lro, skb, max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1));
	}
	page_pieces_free(&lro->pieces);
	lro_contexts_remove(lro);
	kfree(lro);
}
EXPORT_SYMBOL_XENLRO(lro_destroy);

void lro_set_ring(struct lro *lro, unsigned int frames)
{
	if (lro)
		WRITE_ONCE(lro->ring, frames);
}
EXPORT_SYMBOL_XENLRO(lro_set_ring);

static u64 unmerged(const struct lro *lro)
{
	return lro->count[LRO_COUNT_SINGLES] + lro->count[LRO_COUNT_PASSED] +
	       lro->count[LRO_COUNT_TO_GRO];
}

/* GRO keeps an IP packet below these limits of the device. */
static u16 len_limit(unsigned int max_size)
{
	return clamp(max_size, 1u, LRO_IP_MAX + 1) - 1;
}

static void read_limits(struct lro *lro)
{
	unsigned int v6 = READ_ONCE(lro->dev->gro_max_size);

	lro->limits.segs = lro_param_max_segs();
	lro->limits.v6_len = len_limit(v6);
	lro->limits.v4_len = len_limit(xenlro_gro_ipv4_max_size(lro->dev));
}

/* Netlink may set this for one device, and kernels before 7.3 leave the feature alone then. */
static bool forwards_ipv4(const struct net_device *dev)
{
	struct in_device *in_dev;	/* not const in 6.1 */
	bool forwards;

	rcu_read_lock();
	in_dev = __in_dev_get_rcu(dev);
	forwards = in_dev && IN_DEV_FORWARD(in_dev);
	rcu_read_unlock();
	return forwards;
}

/*
 * Relaxed merging is only for traffic that ends on this machine. The kernel clears the
 * feature where packets are routed or bridged, but not where hooks of tc and netfilter at
 * ingress, IPVS, or a macvlan on top send them on, nor where only other devices' settings let
 * IPv6 packets go on, nor on each way to let IPv4 packets go on.
 */
static bool may_relax(const struct net_device *dev)
{
	return READ_ONCE(dev->features) & NETIF_F_LRO && !xenlro_has_ingress_hooks(dev) &&
	       !xenlro_has_ipvs(dev) && !forwards_ipv4(dev) && !xenlro_forwards_ipv6(dev) &&
	       list_empty_careful(&dev->adj_list.upper);
}

static enum lro_mode mode_in_force(const struct net_device *dev, enum lro_mode wanted)
{
	/* A switch has put tags into the frames, which only its driver can read. */
	if (netdev_uses_dsa(dev))
		return LRO_OFF;
	return wanted == LRO_RELAXED && !may_relax(dev) ? LRO_STRICT : wanted;
}

bool lro_begin(struct lro *lro, enum lro_mode mode, int budget)
{
	/* netpoll, with interrupts off: nothing may be delivered or freed. */
	if (!lro || budget <= 0)
		return false;
	/* The poll before may have used up its budget without lro_end(). */
	if (unlikely(lro->polling))
		lro_end(lro);
	if (unlikely(READ_ONCE(lro->next_table)))
		lro_contexts_adopt(lro);
	mode = mode_in_force(lro->dev, mode);
	if (unlikely(!lro->table) && mode != LRO_OFF) {
		lro_idle_want_table(lro);
		mode = LRO_OFF;
	}
	if (lro->mode != mode) {
		lro_flush_all(lro, LRO_FLUSH_MODE);
		lro_deliver_ready(lro);
		if (lro->mode == LRO_OFF)
			lro_drain_gro(lro->napi);
		WRITE_ONCE(lro->mode, mode);
		lro_idle_watch();
	}
	if (unlikely(READ_ONCE(lro->give_back)))
		lro_idle_give_back(lro, mode);
	if (unlikely(lro->quiet)) {
		WRITE_ONCE(lro->quiet, false);
		lro_idle_watch();
	}
	if (unlikely(READ_ONCE(lro->snapshot)))
		lro_snapshot_fill(lro);
	read_limits(lro);
	lro->polling = mode != LRO_OFF;
	lro->budget = budget;
	lro->unmerged = unmerged(lro);
	lro->began = lro->count[LRO_COUNT_PACKETS];
	return mode != LRO_OFF;
}
EXPORT_SYMBOL_XENLRO(lro_begin);

void lro_end(struct lro *lro)
{
	if (!lro || !lro->polling)
		return;
	lro->polling = false;
	lro->ring_work += lro->budget;
	lro_hold_or_flush(lro, true);
	lro_deliver_ready(lro);
}
EXPORT_SYMBOL_XENLRO(lro_end);

bool lro_complete_done(struct lro *lro, struct napi_struct *napi, int work_done)
{
	bool held = lro && lro->flows.count;

	/*
	 * The engine is off, or the poll has a budget of 0. When NAPI is complete the driver may
	 * disable it and destroy the context.
	 */
	if (!lro || !lro->polling)
		return napi_complete_done(napi, work_done) && !held;
	lro->polling = false;
	if (unlikely(READ_ONCE(lro->snapshot)))
		lro_snapshot_fill(lro);
	lro->ring_work += work_done;
	held = lro_hold_or_flush(lro, false);
	lro_deliver_ready(lro);
	/*
	 * Where the kernel delays interrupts, it sets a timer when there was work. The engine's
	 * is enough while it holds something; and behind the end of a burst, when all that came
	 * was merged and delivered, a timer's poll is hardly ever in time for the next. Packets
	 * that the driver or XDP took are work.
	 */
	if (held || (lro->unmerged == unmerged(lro) &&
		     lro->count[LRO_COUNT_PACKETS] - lro->began >= work_done))
		work_done = 0;
	return napi_complete_done(napi, work_done) && !held;
}
EXPORT_SYMBOL_XENLRO(lro_complete_done);
