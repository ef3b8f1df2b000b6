/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network device of the tests in the kernel: it sends nothing, and all packets that it receives
 * go to the test instead of the stack. It is a header, because each test is a separate module.
 */
#ifndef _XENLRO_TEST_NETDEV_H
#define _XENLRO_TEST_NETDEV_H

#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

static inline netdev_tx_t test_netdev_transmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops test_netdev_ops = {
	.ndo_start_xmit	= test_netdev_transmit,
};

/**
 * test_netdev_create() - make a device and open it
 * @name: as for alloc_netdev()
 * @receive: gets all packets; skb->dev->rx_handler_data is @data
 * @data: the test's
 *
 * GRO is on, and relaxed merging allowed.
 *
 * Context: process.
 * Return: device, or NULL.
 */
static inline struct net_device *test_netdev_create(const char *name, rx_handler_func_t *receive,
						    void *data)
{
	struct net_device *dev = alloc_etherdev(0);
	int err;

	if (!dev)
		return NULL;
	strscpy(dev->name, name, IFNAMSIZ);
	dev->netdev_ops = &test_netdev_ops;
	dev->hw_features |= NETIF_F_LRO;
	dev->features |= NETIF_F_LRO;
	eth_hw_addr_set(dev, (const u8 []){ 2, 0, 0, 0, 0, 0 });
	rtnl_lock();
	err = register_netdevice(dev);
	if (!err) {
		err = netdev_rx_handler_register(dev, receive, data) ?: dev_open(dev, NULL);
		if (err)
			unregister_netdevice(dev);
	}
	rtnl_unlock();
	if (!err)
		return dev;
	free_netdev(dev);
	return NULL;
}

/**
 * test_netdev_destroy() - close and free it
 * @dev: device without NAPI instances, or NULL
 *
 * Context: process.
 */
static inline void test_netdev_destroy(struct net_device *dev)
{
	if (!dev)
		return;
	rtnl_lock();
	netdev_rx_handler_unregister(dev);
	unregister_netdevice(dev);
	rtnl_unlock();
	free_netdev(dev);
}

#endif /* _XENLRO_TEST_NETDEV_H */
