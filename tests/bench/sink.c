// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device and its sink.
 */
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>

#include "netdev.h"
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
	flow = stream_flow(sink->stream, iph->saddr, th->source);
	if (flow >= sink->stream->flows || ntohl(th->seq) != sink->expect[flow])
		return false;
	sink->expect[flow] += sink->stream->kind == STREAM_SINGLE ? 2 * payload : payload;
	if (segments > 1 && skb_shinfo(skb)->gso_size != sink->stream->payload)
		return false;
	return payload == segments * sink->stream->payload;
}

/* A packet of no flow, received as it was sent. */
static bool is_stray(const struct sk_buff *skb, const struct iphdr *iph)
{
	return skb->protocol == htons(ETH_P_IPV6) || iph->frag_off & htons(IP_MF);
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
	if (iph && is_stray(skb, iph)) {
		sink->payload += sink->stream->payload;
		good = stream_has_strays(sink->stream) && skb->len + ETH_HLEN == sink->stream->size;
	} else if (iph && ntohs(iph->tot_len) <= skb->len) {
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

struct net_device *sink_create(struct sink *sink)
{
	return test_netdev_create("bench%d", sink_receive, sink);
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
