// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device and its sink.
 */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>

#include "sink.h"

static bool check_tcp(struct sink *sink, const struct sk_buff *skb, const struct iphdr *iph,
		      unsigned int segments)
{
	struct tcphdr space;
	const struct tcphdr *th;
	unsigned int flow;
	u32 payload;

	th = skb_header_pointer(skb, sizeof(*iph), sizeof(space), &space);
	if (!th)
		return false;
	payload = ntohs(iph->tot_len) - sizeof(*iph) - th->doff * 4;
	sink->payload += payload;
	flow = ntohs(th->source) - STREAM_PORT;
	if (flow >= sink->stream->flows || ntohl(th->seq) != sink->expect[flow])
		return false;
	sink->expect[flow] += payload;
	if (segments > 1 && skb_shinfo(skb)->gso_size != sink->stream->payload)
		return false;
	return payload == segments * sink->stream->payload;
}

static rx_handler_result_t sink_receive(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct sink *sink = rcu_dereference(skb->dev->rx_handler_data);
	unsigned int segments = skb_shinfo(skb)->gso_segs ?: 1;
	struct iphdr space;
	const struct iphdr *iph;
	bool good = false;

	sink->deliveries++;
	sink->segments += segments;
	iph = skb_header_pointer(skb, 0, sizeof(space), &space);
	if (iph && ntohs(iph->tot_len) <= skb->len) {
		if (iph->protocol == IPPROTO_TCP) {
			good = check_tcp(sink, skb, iph, segments);
		} else {
			sink->payload += sink->stream->payload;
			good = skb->len + ETH_HLEN == sink->stream->size;
		}
	}
	if (!good)
		sink->wrong++;
	napi_consume_skb(skb, 1);
	return RX_HANDLER_CONSUMED;
}

static netdev_tx_t sink_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops sink_ops = {
	.ndo_start_xmit	= sink_xmit,
};

static int sink_open(struct net_device *dev, struct sink *sink)
{
	int err;

	rtnl_lock();
	err = register_netdevice(dev);
	if (err)
		goto unlock;
	err = netdev_rx_handler_register(dev, sink_receive, sink);
	if (!err)
		err = dev_open(dev, NULL);
	if (err)
		unregister_netdevice(dev);
unlock:
	rtnl_unlock();
	return err;
}

struct net_device *sink_create(struct sink *sink)
{
	struct net_device *dev = alloc_etherdev(0);

	if (!dev)
		return NULL;
	strscpy(dev->name, "bench%d", IFNAMSIZ);
	dev->netdev_ops = &sink_ops;
	eth_hw_addr_set(dev, (const u8 []){ 2, 0, 0, 0, 0, 0 });
	if (sink_open(dev, sink)) {
		free_netdev(dev);
		return NULL;
	}
	return dev;
}

void sink_destroy(struct net_device *dev)
{
	if (!dev)
		return;
	rtnl_lock();
	netdev_rx_handler_unregister(dev);
	unregister_netdevice(dev);
	rtnl_unlock();
	free_netdev(dev);
}

void sink_start(struct sink *sink, const struct stream *stream)
{
	memcpy(sink->expect, stream->seq, sizeof(sink->expect));
	sink->stream = stream;
	sink->deliveries = 0;
	sink->segments = 0;
	sink->payload = 0;
	sink->wrong = 0;
}
