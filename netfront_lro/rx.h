/* SPDX-License-Identifier: GPL-2.0-only */
/* What the grafted xen-netfront calls; defined behind the driver's own code in rx.c. */
#ifndef _NETFRONT_LRO_RX_H
#define _NETFRONT_LRO_RX_H

#include <linux/delay.h>
#include <linux/jiffies.h>

#include <compat.h>
#include <lro.h>

#include "frame.h"
#include "kept.h"

/* How often a wait for the backend looks at what it says. */
#define LRO_XENNET_LOOK_MS	20

/*
 * Wait until @condition holds, for XENNET_TIMEOUT at most. The condition reads xenstore, and so it
 * sleeps. In a wait_event_timeout() that sleep would end the sleep of the wait each time. The time
 * limit counts only while the wait sleeps, so the wait would keep the CPU busy, without an end.
 */
#define lro_xennet_wait(condition)						\
({										\
	unsigned long __end = jiffies + XENNET_TIMEOUT;				\
	bool __holds = (condition);						\
										\
	while (!__holds && time_before(jiffies, __end)) {			\
		msleep(LRO_XENNET_LOOK_MS);					\
		__holds = (condition);						\
	}									\
	__holds;								\
})

struct netfront_info;
struct netfront_queue;
struct xen_netif_rx_response;
struct xenbus_device;

static void lro_xennet_create(struct netfront_queue *queue);
static void lro_xennet_destroy(struct netfront_queue *queue);
static void lro_xennet_synchronize(struct netfront_queue *queue);
static void lro_xennet_free_pages(struct netfront_queue *queue);
static struct sk_buff *lro_xennet_rx_buffer(struct netfront_queue *queue);
static void lro_xennet_reuse(struct netfront_queue *queue, struct sk_buff *skb);
static void lro_xennet_begin(struct netfront_queue *queue, int budget);
static void lro_xennet_end(struct netfront_queue *queue, int work_done, int budget);
static bool lro_xennet_take_singles(struct netfront_queue *queue, RING_IDX *next, RING_IDX end,
				    int *work_done, int budget, struct sk_buff_head *before);
static int lro_xennet_incoming(struct netfront_queue *queue, struct sk_buff_head *rxq);
static int lro_xennet_fill_frags(struct netfront_queue *queue, struct sk_buff *skb,
				 struct sk_buff_head *slots);
static bool lro_xennet_beyond_page(const struct xen_netif_rx_response *rx);
static void lro_xennet_undo_queues(struct netfront_queue *last);
static int lro_xennet_finish(struct netfront_queue *queue, int budget);
static int lro_xennet_broken(struct netfront_queue *queue, struct sk_buff_head *received,
			     struct sk_buff_head *refused, struct sk_buff_head *slots,
			     int budget);
static bool lro_xennet_beyond_room(const struct xen_netif_rx_response *rx);
static int lro_xennet_xdp_refused(struct netfront_info *info, struct netlink_ext_ack *extack);
static int lro_xennet_xdp_set(struct net_device *dev, struct bpf_prog *prog,
			      struct netlink_ext_ack *extack);
static void lro_xennet_xdp_keep(struct netfront_queue *queue);
static void lro_xennet_xdp_put_back(struct netfront_queue *queue);
static bool lro_xennet_waits(struct xenbus_device *dev);
static bool lro_xennet_extra_answered(struct netfront_queue *queue);
static int lro_xennet_xdp_send(struct net_device *dev, struct netfront_queue *queue,
			       struct xdp_frame *frame);
static void lro_xennet_xdp_gone(struct sk_buff *skb, u32 verdict);
static struct sk_buff *lro_xennet_end_tx(struct sk_buff *skb, grant_ref_t ref);
static void lro_xennet_receive(struct netfront_queue *queue, struct sk_buff *skb);
static bool lro_xennet_complete_done(struct napi_struct *napi, int work_done);
static void lro_xennet_init_features(struct net_device *dev);
static netdev_features_t lro_xennet_fix_features(struct net_device *dev,
						 netdev_features_t features);
static void lro_xennet_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info);
static void lro_xennet_get_strings(struct net_device *dev, u32 stringset, u8 *data);
static int lro_xennet_get_sset_count(struct net_device *dev, int sset);
static void lro_xennet_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats,
					 u64 *data);

#endif /* _NETFRONT_LRO_RX_H */
