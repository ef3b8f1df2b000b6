// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receive path of netfront_lro: the kernel's xen-netfront with packets going to
 * the engine instead of GRO.
 *
 * The kernel's driver keeps its private types and functions in its one source
 * file, so this file is compiled together with it.
 */
#include "xen-netfront.c"

static unsigned int lro_mode = LRO_STRICT;
module_param_cb(lro, &lro_mode_param_ops, &lro_mode, 0644);
MODULE_PARM_DESC(lro, "Large receive offload: 0 off, 1 strict (default); may change while packets flow");

static void lro_xennet_create(struct netfront_queue *queue)
{
	queue->lro = lro_create(queue->info->netdev, &queue->napi);
	if (!queue->lro)
		netdev_warn(queue->info->netdev, "no memory for LRO: queue %u receives without it\n",
			    queue->id);
}

static void lro_xennet_destroy(struct netfront_queue *queue)
{
	lro_destroy(queue->lro);
	queue->lro = NULL;
}

static int lro_xennet_incoming(struct netfront_queue *queue, struct sk_buff_head *rxq)
{
	queue->lro_active = lro_begin(queue->lro, READ_ONCE(lro_mode));

	return handle_incoming_queue(queue, rxq);
}

static void lro_xennet_receive(struct netfront_queue *queue, struct sk_buff *skb)
{
	if (queue->lro_active)
		lro_receive_skb(queue->lro, skb);
	else
		napi_gro_receive(&queue->napi, skb);
}

static bool lro_xennet_complete_done(struct napi_struct *napi, int work_done)
{
	struct netfront_queue *queue = container_of(napi, struct netfront_queue, napi);

	return lro_complete_done(queue->lro, napi, work_done);
}

static void lro_xennet_get_strings(struct net_device *dev, u32 stringset, u8 *data)
{
	unsigned int i;

	xennet_get_strings(dev, stringset, data);
	if (stringset != ETH_SS_STATS)
		return;
	data += xennet_get_sset_count(dev, stringset) * ETH_GSTRING_LEN;
	for (i = 0; i < dev->real_num_tx_queues; i++)
		lro_stats_strings(&data, i);
}

static int lro_xennet_get_sset_count(struct net_device *dev, int sset)
{
	int count = xennet_get_sset_count(dev, sset);

	if (sset == ETH_SS_STATS && count >= 0)
		count += dev->real_num_tx_queues * lro_stats_count();
	return count;
}

static void lro_xennet_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats,
					 u64 *data)
{
	struct netfront_info *info = netdev_priv(dev);
	unsigned int i;

	xennet_get_ethtool_stats(dev, stats, data);
	data += xennet_get_sset_count(dev, ETH_SS_STATS);
	/* The queues are gone while the backend is away; the table keeps its size. */
	for (i = 0; i < dev->real_num_tx_queues; i++)
		lro_stats_values(info->queues ? info->queues[i].lro : NULL, &data);
}

MODULE_IMPORT_XENLRO();
