// SPDX-License-Identifier: GPL-2.0-only
/*
 * Example of a driver that uses the engine: a pair of devices, lropair0 and
 * lropair1, of which each receives what the other transmits.
 *
 * It stands for a NIC that writes frames into receive buffers of its driver. The lines for the
 * engine are marked with "LRO:"; without them this is a driver that hands its packets to GRO. See
 * docs/porting.md.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

#include <compat.h>	/* LRO: */
#include <lro.h>	/* LRO: */

#define RING_SIZE	256	/* frames; a power of two */
#define FRAME_MAX	2048	/* bytes */

/**
 * struct frame - a receive buffer
 * @len: bytes in use
 * @data: Ethernet frame without FCS
 */
struct frame {
	unsigned int len;
	u8 data[FRAME_MAX];
};

/**
 * struct pair_port - one of the two devices
 * @dev: device
 * @peer: the other one
 * @napi: polls @ring
 * @lro: engine context
 * @lro_wanted: result of lro_begin() for this poll
 * @head: frames that the other port has written, ever
 * @tail: frames that @napi has read, ever
 * @ring: receive buffers
 */
struct pair_port {
	struct net_device *dev;
	struct pair_port *peer;
	struct napi_struct napi;
	struct lro *lro;		/* LRO: */
	bool lro_wanted;		/* LRO: */
	unsigned int head;
	unsigned int tail;
	struct frame *ring;
};

static struct pair_port *ports[2];

static unsigned int lro_mode = LRO_STRICT;			/* LRO: */
module_param_cb(lro, &lro_mode_param_ops, &lro_mode, 0644);	/* LRO: */
MODULE_PARM_DESC(lro, "Large receive offload: 0 off, 1 strict (default), 2 relaxed");

enum way {
	WAY_SKB = 0,
	WAY_COPY = 1,
	WAY_PAGE = 2,
};

static unsigned int way = WAY_COPY;
module_param(way, uint, 0644);
MODULE_PARM_DESC(way, "What the engine gets: 0 skbs, 1 receive buffers (default), 2 pages, as far as it takes them");

static struct sk_buff *build(struct pair_port *port, const struct frame *frame)
{
	struct sk_buff *skb = napi_alloc_skb(&port->napi, frame->len);

	if (!skb) {
		port->dev->stats.rx_dropped++;
		return NULL;
	}
	skb_put_data(skb, frame->data, frame->len);
	skb->protocol = eth_type_trans(skb, port->dev);
	/* The other port's stack has computed it just now. */
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}

/* LRO: optional, saves the skb. The payload goes from the receive buffer to its place. */
static bool offer_buffer(struct pair_port *port, const struct frame *frame)
{
	const struct lro_frame offer = {
		.data = frame->data,
		.len = frame->len,
		.ip_summed = CHECKSUM_UNNECESSARY,
	};

	return lro_receive_copy(port->lro, &offer);
}

/* LRO: optional, saves the skb. For NICs that receive into pages; this one has to copy first. */
static bool offer_page(struct pair_port *port, const struct frame *frame)
{
	static const u32 truesize = PAGE_SIZE;
	struct page *page = dev_alloc_page();
	skb_frag_t frag;
	const struct lro_frame offer = {
		.frags = &frag,
		.truesize = &truesize,
		.count = 1,
		.ip_summed = CHECKSUM_UNNECESSARY,
	};

	if (!page)
		return false;
	memcpy(page_address(page), frame->data, frame->len);
	skb_frag_fill_page_desc(&frag, page, 0, frame->len);
	if (lro_receive_page(port->lro, &offer))
		return true;
	put_page(page);
	return false;
}

static void receive(struct pair_port *port, const struct frame *frame)
{
	struct sk_buff *skb;

	port->dev->stats.rx_packets++;
	port->dev->stats.rx_bytes += frame->len;
	if (port->lro_wanted && ((way == WAY_COPY && offer_buffer(port, frame)) ||
				 (way == WAY_PAGE && offer_page(port, frame))))
		return;
	skb = build(port, frame);
	if (!skb)
		return;
	if (port->lro_wanted)				/* LRO: */
		lro_receive_skb(port->lro, skb);	/* LRO: */
	else						/* LRO: */
		napi_gro_receive(&port->napi, skb);
}

static int pair_poll(struct napi_struct *napi, int budget)
{
	struct pair_port *port = container_of(napi, struct pair_port, napi);
	unsigned int head = smp_load_acquire(&port->head);	/* frames come before head */
	int done = 0;

	port->lro_wanted = lro_begin(port->lro, READ_ONCE(lro_mode), budget);	/* LRO: */
	for (; done < budget && port->tail != head; done++) {
		receive(port, &port->ring[port->tail % RING_SIZE]);
		/* The buffer may be written again from here on. */
		smp_store_release(&port->tail, port->tail + 1);
	}
	if (done < budget)
		lro_complete_done(port->lro, napi, done);	/* LRO: not napi_complete_done() */
	else
		lro_end(port->lro);				/* LRO: */
	return done;
}

static netdev_tx_t pair_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct pair_port *to = (*(struct pair_port **)netdev_priv(dev))->peer;
	struct frame *frame = &to->ring[to->head % RING_SIZE];

	if (!netif_running(to->dev) || skb->len > FRAME_MAX ||
	    to->head - smp_load_acquire(&to->tail) == RING_SIZE) {	/* pairs with pair_poll() */
		dev->stats.tx_dropped++;
	} else {
		skb_copy_bits(skb, 0, frame->data, skb->len);
		frame->len = skb->len;
		smp_store_release(&to->head, to->head + 1);	/* the frame is complete */
		dev->stats.tx_packets++;
		dev->stats.tx_bytes += skb->len;
		napi_schedule(&to->napi);
	}
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

static int pair_open(struct net_device *dev)
{
	struct pair_port *port = *(struct pair_port **)netdev_priv(dev);

	napi_enable(&port->napi);
	netif_start_queue(dev);
	return 0;
}

static int pair_stop(struct net_device *dev)
{
	struct pair_port *port = *(struct pair_port **)netdev_priv(dev);

	netif_stop_queue(dev);
	napi_disable(&port->napi);
	lro_stop(port->lro);		/* LRO: */
	return 0;
}

static const struct net_device_ops pair_ops = {
	.ndo_open	= pair_open,
	.ndo_stop	= pair_stop,
	.ndo_start_xmit	= pair_xmit,
};

static void pair_strings(struct net_device *dev, u32 set, u8 *data)
{
	if (set == ETH_SS_STATS)
		lro_stats_strings(&data, 0);	/* LRO: */
}

static int pair_sset_count(struct net_device *dev, int set)
{
	return set == ETH_SS_STATS ? lro_stats_count() : -EOPNOTSUPP;	/* LRO: */
}

static void pair_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	lro_stats_values((*(struct pair_port **)netdev_priv(dev))->lro, &data);	/* LRO: */
}

static const struct ethtool_ops pair_ethtool_ops = {
	.get_link		= ethtool_op_get_link,
	.get_strings		= pair_strings,
	.get_sset_count		= pair_sset_count,
	.get_ethtool_stats	= pair_stats,
};

static void destroy_port(struct pair_port *port)
{
	if (!port)
		return;
	if (port->dev) {
		lro_destroy(port->lro);		/* LRO: before netif_napi_del() */
		netif_napi_del(&port->napi);
		free_netdev(port->dev);
	}
	kvfree(port->ring);
	kfree(port);
}

/* The port is not part of the device's memory, as each port reads the other's. */
static struct pair_port *create_port(void)
{
	struct pair_port *port = kzalloc(sizeof(*port), GFP_KERNEL);

	if (!port)
		return NULL;
	port->dev = alloc_etherdev(sizeof(port));
	port->ring = kvcalloc(RING_SIZE, sizeof(*port->ring), GFP_KERNEL);
	if (!port->dev || !port->ring) {
		if (port->dev)
			free_netdev(port->dev);
		kvfree(port->ring);
		kfree(port);
		return NULL;
	}
	*(struct pair_port **)netdev_priv(port->dev) = port;
	port->dev->netdev_ops = &pair_ops;
	port->dev->ethtool_ops = &pair_ethtool_ops;
	port->dev->max_mtu = FRAME_MAX - ETH_HLEN;
	eth_hw_addr_random(port->dev);
	strscpy(port->dev->name, "lropair%d", IFNAMSIZ);
	netif_napi_add(port->dev, &port->napi, pair_poll);
	port->lro = lro_create(port->dev, &port->napi);		/* LRO: NULL is allowed */
	return port;
}

static int __init pair_init(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < 2; i++)
		ports[i] = create_port();
	if (!ports[0] || !ports[1])
		err = -ENOMEM;
	for (i = 0; !err && i < 2; i++) {
		ports[i]->peer = ports[!i];
		err = register_netdev(ports[i]->dev);
		if (err && i)
			unregister_netdev(ports[0]->dev);
	}
	if (err)
		for (i = 0; i < 2; i++)
			destroy_port(ports[i]);
	return err;
}

static void __exit pair_exit(void)
{
	unsigned int i;

	/* No port transmits any more when the first one is freed. */
	for (i = 0; i < 2; i++)
		unregister_netdev(ports[i]->dev);
	for (i = 0; i < 2; i++)
		destroy_port(ports[i]);
}

module_init(pair_init);
module_exit(pair_exit);

MODULE_DESCRIPTION("Example of a driver with large receive offload: two devices back to back");
MODULE_LICENSE("GPL");
MODULE_IMPORT_XENLRO();		/* LRO: */
