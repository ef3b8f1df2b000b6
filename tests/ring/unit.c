// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver: the kernel's xen-netfront, or the graft, which the compiler is told by DRIVER. What follows reaches
 * what is private to it.
 */
#include "driver.h"

#include "unit.h"

const unsigned int driver_kernel = LINUX_VERSION_CODE;

void driver_parameters(unsigned int queues, bool trusted, unsigned int mode)
{
	xennet_max_queues = queues;
	xennet_trusted = trusted;
#ifdef GRAFTED
	lro_mode.mode = mode;
#else
	(void)mode;
#endif
}

static struct netfront_info *info_of(const struct net_device *netdev)
{
	return netdev_priv(netdev);
}

struct net_device *driver_netdev(const struct xenbus_device *dev)
{
	struct netfront_info *info = dev_get_drvdata(&dev->dev);

	return info->netdev;
}

bool driver_is_broken(const struct net_device *netdev)
{
	return info_of(netdev)->broken;
}

unsigned int driver_queues(const struct net_device *netdev)
{
	return info_of(netdev)->queues ? netdev->real_num_tx_queues : 0;
}

const struct bpf_prog *driver_program(const struct net_device *netdev, unsigned int queue)
{
	return info_of(netdev)->queues[queue].xdp_prog;
}

struct timer_list *driver_timer(const struct net_device *netdev, unsigned int queue)
{
	return &info_of(netdev)->queues[queue].rx_refill_timer;
}

bool driver_ring_is_full(const struct net_device *netdev, unsigned int number)
{
	struct netfront_queue *queue = &info_of(netdev)->queues[number];

	for (unsigned int i = 0; i < NET_RX_RING_SIZE; i++)
		if (!queue->rx_skbs[i] || !grant_page(queue->grant_rx_ref[i]))
			return false;
	return queue->rx.req_prod_pvt - queue->rx.rsp_cons == NET_RX_RING_SIZE &&
	       queue->rx.sring->req_prod == queue->rx.req_prod_pvt;
}

bool driver_has_sent(const struct net_device *netdev, unsigned int number)
{
	struct netfront_queue *queue = &info_of(netdev)->queues[number];
	unsigned int count = 0, id;

	for (id = queue->tx_skb_freelist; id != TX_LINK_NONE; id = queue->tx_link[id])
		count++;
	return count == NET_TX_RING_SIZE;
}
