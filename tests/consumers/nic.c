// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device that receives, nic0; wire0, whose transmitted frames it receives, too; and
 * nic1, which is of the same driver.
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>

#include <compat.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#include <net/netdev_lock.h>
#else
/* A device has no lock of its own there. */
#define napi_enable_locked napi_enable
#define napi_disable_locked napi_disable
#endif

#include "consumers.h"

/**
 * struct nic - a device with the engine
 * @dev: device
 * @napi: polls
 * @lro: engine
 * @queue: frames from the wire
 * @flight: what is being received, or NULL
 * @next: its frame that comes next
 * @way: how frames from the wire are handed in
 */
struct nic {
	struct net_device *dev;
	struct napi_struct napi;
	struct lro *lro;
	struct sk_buff_head queue;
	const struct flight *flight;
	unsigned int next;
	enum way way;
};

static struct nic nics[2];
static struct net_device *wire_dev;

static const struct net_device_ops nic_ops;
static struct lro_mode_param mode = { .mode = LRO_STRICT, .ops = &nic_ops };
module_param_cb(lro, &lro_devices_param_ops, &mode, 0644);
MODULE_PARM_DESC(lro, "Large receive offload: 0 off, 1 strict (default), 2 relaxed");

struct net_device *nic_device(void)
{
	return nics[0].dev;
}

void nic_set_way(enum way way)
{
	nics[0].way = way;
}

static struct nic *nic_of(const struct net_device *dev)
{
	return &nics[dev == nics[1].dev];
}

static bool feed_next(struct nic *nic, bool engine)
{
	const struct flight *flight = READ_ONCE(nic->flight);
	struct sk_buff *skb;
	int err = 0;

	skb = skb_dequeue(&nic->queue);
	if (skb) {
		err = feed_wire(nic->lro, &nic->napi, skb->data, skb->len, nic->way, engine);
		kfree_skb(skb);
	} else if (flight) {
		err = feed_frame(nic->lro, &nic->napi, flight, nic->next, engine);
		if (++nic->next == flight->count)
			WRITE_ONCE(nic->flight, NULL);
	} else {
		return false;
	}
	if (err)
		consumers_fault("no memory");
	return true;
}

static int poll(struct napi_struct *napi, int budget)
{
	struct nic *nic = container_of(napi, struct nic, napi);
	bool engine = lro_begin(nic->lro, lro_device_mode(nic->dev), budget);
	int done = 0;

	while (done < budget && feed_next(nic, engine))
		done++;
	if (done < budget)
		lro_complete_done(nic->lro, napi, done);
	else
		lro_end(nic->lro);
	return done;
}

static void kick(struct nic *nic)
{
	local_bh_disable();
	napi_schedule(&nic->napi);
	local_bh_enable();
}

static u64 held(const struct nic *nic)
{
	static u64 values[256];
	static u8 names[256 * ETH_GSTRING_LEN];
	unsigned int count = lro_stats_count(), i;
	u8 *name = names;
	u64 *value = values;

	if (WARN_ON(count > ARRAY_SIZE(values)))
		return 0;
	lro_stats_strings(&name, 0);
	lro_stats_values(nic->lro, &value);
	for (i = 0; i < count; i++)
		if (!strcmp(names + i * ETH_GSTRING_LEN, "rx0_lro_held"))
			return values[i];
	return 0;
}

int nic_receive(const struct flight *flight)
{
	struct nic *nic = &nics[0];
	unsigned int tries;

	nic->next = 0;
	WRITE_ONCE(nic->flight, flight);
	kick(nic);
	for (tries = 0; tries < 20000; tries++) {
		if (!READ_ONCE(nic->flight) && !held(nic) &&
		    !test_bit(NAPI_STATE_SCHED, &nic->napi.state))
			return 0;
		usleep_range(50, 100);
	}
	return -ETIMEDOUT;
}

static int nic_open(struct net_device *dev)
{
	napi_enable_locked(&nic_of(dev)->napi);
	netif_start_queue(dev);
	return 0;
}

static int nic_stop(struct net_device *dev)
{
	struct nic *nic = nic_of(dev);

	netif_stop_queue(dev);
	napi_disable_locked(&nic->napi);
	lro_stop(nic->lro);
	return 0;
}

static netdev_tx_t nic_transmit(struct sk_buff *skb, struct net_device *dev)
{
	if (skb_linearize(skb) || !netif_running(wire_dev)) {
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}
	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb->protocol = eth_type_trans(skb, wire_dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	netif_rx(skb);
	return NETDEV_TX_OK;
}

static netdev_features_t nic_fix_features(struct net_device *dev, netdev_features_t features)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	/* Debian's kernels do not look, as they have no lockdep. */
	WARN_ON(netdev_need_ops_lock(dev) && !mutex_is_locked(&dev->lock));
#endif
	return lro_fix_features(dev, features);
}

static const struct net_device_ops nic_ops = {
	.ndo_open		= nic_open,
	.ndo_stop		= nic_stop,
	.ndo_start_xmit		= nic_transmit,
	.ndo_fix_features	= nic_fix_features,
	.ndo_set_mac_address	= eth_mac_addr,
};

static netdev_tx_t wire_transmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nic *nic = &nics[0];

	if (skb_linearize(skb) || skb->len > FRAME_MAX || !netif_running(nic->dev)) {
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}
	skb_orphan(skb);
	skb_queue_tail(&nic->queue, skb);
	napi_schedule(&nic->napi);
	return NETDEV_TX_OK;
}

static const struct net_device_ops wire_ops = {
	.ndo_start_xmit		= wire_transmit,
	.ndo_set_mac_address	= eth_mac_addr,
};

static struct net_device *create(const char *name, const struct net_device_ops *ops)
{
	struct net_device *dev = alloc_etherdev(0);

	if (!dev)
		return NULL;
	strscpy(dev->name, name, IFNAMSIZ);
	dev->netdev_ops = ops;
	/* Names end with a digit, and addresses with the name's first and last letter. */
	eth_hw_addr_set(dev, (const u8 []){ 2, 0, 0, 0, name[0], name[strlen(name) - 1] });
	return dev;
}

static int create_nic(struct nic *nic, const char *name)
{
	int err;

	skb_queue_head_init(&nic->queue);
	nic->dev = create(name, &nic_ops);
	if (!nic->dev)
		return -ENOMEM;
	nic->dev->hw_features |= NETIF_F_RXCSUM;
	nic->dev->features |= NETIF_F_RXCSUM;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	/* Features then change under the lock of the device. */
	nic->dev->request_ops_lock = true;
#endif
	lro_init_features(nic->dev, &mode);
	netif_napi_add(nic->dev, &nic->napi, poll);
	nic->lro = lro_create(nic->dev, &nic->napi);
	err = nic->lro ? register_netdev(nic->dev) : -ENOMEM;
	if (err) {
		lro_destroy(nic->lro);
		netif_napi_del(&nic->napi);
		free_netdev(nic->dev);
		nic->dev = NULL;
	}
	return err;
}

int nic_setup(void)
{
	int err;

	wire_dev = create("wire0", &wire_ops);
	if (!wire_dev)
		return -ENOMEM;
	err = register_netdev(wire_dev);
	if (err) {
		free_netdev(wire_dev);
		wire_dev = NULL;
		return err;
	}
	return create_nic(&nics[0], "nic0") ?: create_nic(&nics[1], "nic1");
}

void nic_unregister(struct list_head *list)
{
	unsigned int i;

	if (wire_dev)
		unregister_netdevice_queue(wire_dev, list);
	for (i = 0; i < ARRAY_SIZE(nics); i++)
		if (nics[i].dev)
			unregister_netdevice_queue(nics[i].dev, list);
}

void nic_remove(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nics); i++) {
		if (!nics[i].dev)
			continue;
		lro_destroy(nics[i].lro);
		netif_napi_del(&nics[i].napi);
		skb_queue_purge(&nics[i].queue);
		free_netdev(nics[i].dev);
	}
	if (wire_dev)
		free_netdev(wire_dev);
}
