/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the grafted drivers of PCI devices share: contexts by queue, the parameter lro=,
 * features, counters, and the choice of devices. Included once in each driver.
 *
 * A driver calls, in the order of a device's life:
 *   lro_register_driver()	when the module is loaded
 *   lro_queue_create()		when a NAPI instance was added
 *   lro_graft_init()		before register_netdev()
 *   lro_queue_begin(), lro_queue_receive(), lro_queue_complete(), lro_queue_end()	in a poll
 *   lro_stop()			when no poll may come any more
 *   lro_queue_destroy()	before the NAPI instance is deleted
 *   lro_unregister_driver()	when the module goes
 * and says where its struct lro_graft and its operations are: lro_graft_of() and
 * lro_graft_netdev_ops().
 */
#ifndef _XENLRO_GRAFT_H
#define _XENLRO_GRAFT_H

#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/slab.h>

#if IS_ENABLED(CONFIG_XEN_PV)
#include <xen/page.h>
#include <xen/xen.h>
#endif

#include <compat.h>
#include <lro.h>

/* The largest number of NAPI instances that receive, for one device of any of these drivers. */
#define LRO_QUEUES	8

/**
 * struct lro_queue - the engine's side of one NAPI instance that receives
 * @lro: context, or NULL
 * @active: the engine takes the packets of this poll
 * @offer: frames may go to it in the driver's buffers, as they are without FCS and errors
 * @frame: the frame at hand; what is the same for all frames of the queue stays
 */
struct lro_queue {
	struct lro *lro;
	bool active;
	bool offer;
	struct lro_frame frame;
};

/**
 * struct lro_graft - what is kept for each device, behind the driver's own private data
 * @ethtool: the driver's ethtool operations with the engine's before them
 * @stock: the driver's alone
 * @queue: receive queues by number
 */
struct lro_graft {
	struct ethtool_ops ethtool;
	const struct ethtool_ops *stock;
	struct lro_queue queue[LRO_QUEUES];
};

/* Each driver defines these two. */
static struct lro_graft *lro_graft_of(const struct net_device *dev);
static const struct net_device_ops *lro_graft_netdev_ops(void);

/* The driver's operations with the engine's before them. */
static struct net_device_ops lro_netdev_ops;

static struct lro_mode_param lro_mode = { .mode = LRO_STRICT, .ops = &lro_netdev_ops };
module_param_cb(lro, &lro_devices_param_ops, &lro_mode, 0644);
MODULE_PARM_DESC(lro, "Large receive offload: 0 off, 1 strict (default), 2 relaxed; may change while packets flow");

/* Queues */

/* @rx_queue: number of the receive queue, counted from one; 0: consumers get no number. */
static inline void lro_queue_create(struct lro_queue *queue, struct net_device *dev,
				    struct napi_struct *napi, unsigned int rx_queue)
{
	queue->frame.rx_queue = rx_queue;
	queue->lro = lro_create(dev, napi);
	if (!queue->lro)
		netdev_warn(dev, "no memory for LRO: receiving without it\n");
}

static inline void lro_queue_destroy(struct lro_queue *queue)
{
	lro_destroy(queue->lro);
	queue->lro = NULL;
	queue->active = false;
	queue->offer = false;
}

/* Ask the engine at the beginning of a poll. A poll without budget, netpoll's, takes no frame. */
static inline void lro_queue_begin(struct lro_queue *queue, const struct net_device *dev,
				   enum lro_mode mode, int budget)
{
	queue->active = lro_begin(queue->lro, mode, budget);
	queue->offer = queue->active && !(dev->features & (NETIF_F_RXFCS | NETIF_F_RXALL));
}

/* A packet that the driver has built an skb of. */
static inline void lro_queue_receive(const struct lro_queue *queue, struct napi_struct *napi,
				     struct sk_buff *skb)
{
	if (queue->active)
		lro_receive_skb(queue->lro, skb);
	else
		napi_gro_receive(napi, skb);
}

/*
 * A frame in the driver's buffer, and whether the device found its TCP checksum right. The hash
 * that the device has written to the descriptor is of the kind @hash_type.
 */
static inline const struct lro_frame *lro_queue_frame(struct lro_queue *queue,
						      const struct net_device *dev,
						      const void *data, unsigned int size,
						      bool verified, __le32 hash,
						      enum pkt_hash_types hash_type)
{
	struct lro_frame *frame = &queue->frame;

	frame->data = data;
	frame->len = size;
	frame->ip_summed = verified ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
	frame->hash = le32_to_cpu(hash);
	frame->hash_type = dev->features & NETIF_F_RXHASH ? hash_type : PKT_HASH_TYPE_NONE;
	return frame;
}

/* In place of napi_complete_done(). */
static inline bool lro_queue_complete(const struct lro_queue *queue, struct napi_struct *napi,
				      int done)
{
	return lro_complete_done(queue->lro, napi, done);
}

/* The last action of a poll. Return: what the poll returns. */
static inline int lro_queue_end(const struct lro_queue *queue, int done, int budget)
{
	if (budget && done == budget)
		lro_end(queue->lro);
	return done;
}

/*
 * Can a buffer that stays mapped do without syncs? In a Xen PV domain each sync looks up, for
 * every page of the buffer, whether it is bounced. The page is not bounced if the bus address is
 * that of the buffer itself. Then a sync has nothing to do where the caches see DMA, as on x86.
 * Elsewhere a sync is cheap.
 */
static inline bool lro_dma_is_direct(dma_addr_t dma, void *data)
{
#if IS_ENABLED(CONFIG_XEN_PV)
	return xen_pv_domain() && dma == virt_to_machine(data).maddr;
#else
	return false;
#endif
}

/* Features */

static inline netdev_features_t lro_graft_fix_features(struct net_device *dev,
						       netdev_features_t features)
{
	return lro_fix_features(dev, lro_graft_netdev_ops()->ndo_fix_features(dev, features));
}

/* The device has to know of all features but the engine's. */
static inline int lro_graft_set_features(struct net_device *dev, netdev_features_t features)
{
	if (!((dev->features ^ features) & ~LRO_FEATURES))
		return 0;
	return lro_graft_netdev_ops()->ndo_set_features(dev, features);
}

/* ethtool: the version of the module, and the engine's counters behind the device's */

static inline void lro_graft_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	const struct ethtool_ops *stock = lro_graft_of(dev)->stock;

	if (stock->get_drvinfo)
		stock->get_drvinfo(dev, info);
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, XENLRO_VERSION, sizeof(info->version));
}

static inline unsigned int lro_graft_queues(const struct lro_graft *graft)
{
	unsigned int count = LRO_QUEUES;

	while (count && !graft->queue[count - 1].lro)
		count--;
	return count;
}

static inline void lro_graft_get_strings(struct net_device *dev, u32 set, u8 *data)
{
	const struct lro_graft *graft = lro_graft_of(dev);
	unsigned int i;

	graft->stock->get_strings(dev, set, data);
	if (set != ETH_SS_STATS)
		return;
	data += graft->stock->get_sset_count(dev, set) * ETH_GSTRING_LEN;
	for (i = 0; i < lro_graft_queues(graft); i++)
		lro_stats_strings(&data, i);
}

static inline int lro_graft_get_sset_count(struct net_device *dev, int set)
{
	const struct lro_graft *graft = lro_graft_of(dev);
	int count = graft->stock->get_sset_count(dev, set);

	if (set == ETH_SS_STATS && count >= 0)
		count += lro_graft_queues(graft) * lro_stats_count();
	return count;
}

static inline void lro_graft_get_ethtool_stats(struct net_device *dev,
					       struct ethtool_stats *stats, u64 *data)
{
	const struct lro_graft *graft = lro_graft_of(dev);
	unsigned int i;

	graft->stock->get_ethtool_stats(dev, stats, data);
	data += graft->stock->get_sset_count(dev, ETH_SS_STATS);
	for (i = 0; i < lro_graft_queues(graft); i++)
		lro_stats_values(graft->queue[i].lro, &data);
}

/* The device has all its operations and is not registered yet. */
static inline void lro_graft_init(struct net_device *dev)
{
	struct lro_graft *graft = lro_graft_of(dev);

	graft->stock = dev->ethtool_ops;
	graft->ethtool = *dev->ethtool_ops;
	graft->ethtool.get_drvinfo = lro_graft_get_drvinfo;
	graft->ethtool.get_strings = lro_graft_get_strings;
	graft->ethtool.get_sset_count = lro_graft_get_sset_count;
	graft->ethtool.get_ethtool_stats = lro_graft_get_ethtool_stats;
	dev->ethtool_ops = &graft->ethtool;
	dev->netdev_ops = &lro_netdev_ops;
	lro_init_features(dev, &lro_mode);
}

/* The choice of devices */

static struct pci_device_id *lro_pci_ids;

/*
 * The stock driver may serve other devices of the same host, so a device is ours only when
 * its driver_override names this driver.
 */
static inline int lro_register_driver(struct pci_driver *driver)
{
	const struct pci_device_id *id = driver->id_table;
	size_t count = 1;
	int err;

	for (; id->vendor || id->subvendor || id->class_mask; id++)
		count++;
	lro_pci_ids = kmemdup(driver->id_table, count * sizeof(*id), GFP_KERNEL);
	if (!lro_pci_ids)
		return -ENOMEM;
	while (--count)
		lro_pci_ids[count - 1].override_only = PCI_ID_F_VFIO_DRIVER_OVERRIDE;
	driver->id_table = lro_pci_ids;

	lro_netdev_ops = *lro_graft_netdev_ops();
	lro_netdev_ops.ndo_fix_features = lro_graft_fix_features;
	lro_netdev_ops.ndo_set_features = lro_graft_set_features;

	err = pci_register_driver(driver);
	if (err)
		kfree(lro_pci_ids);
	return err;
}

static inline void lro_unregister_driver(struct pci_driver *driver)
{
	pci_unregister_driver(driver);
	kfree(lro_pci_ids);
}

MODULE_VERSION(XENLRO_VERSION);
MODULE_IMPORT_XENLRO();

#endif /* _XENLRO_GRAFT_H */
