// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at each packet as it leaves the engine, before anybody else has it.
 *
 * What would take the machine down is told and dropped, so that the other flights have
 * their turn.
 */
#include <linux/if_vlan.h>
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include <net/busy_poll.h>
#include <net/ip.h>
#include <net/tcp.h>

#include <compat.h>

#include "consumers.h"
#include "wire.h"

#define HEADROOM	(NET_SKB_PAD + NET_IP_ALIGN)
#define HH_LEN		16	/* what neigh_hh_bridge() writes before the network header */

struct tap_counts tap_counts;

/* Bytes before the Ethernet header, as of a driver's own skb. */
static bool has_headroom(const struct sk_buff *skb)
{
	unsigned int room = skb_mac_header(skb) - skb->head;

	if (room >= HEADROOM)
		return true;
	consumers_fault("headroom of %u bytes before the Ethernet header, a driver's skb has %u",
			room, HEADROOM);
	/* Nothing is overwritten that is not the packet's as long as there is room for this. */
	return room + ETH_HLEN >= HH_LEN;
}

/* skb_segment() takes linear parts of members that are no longer than a segment. */
static bool has_fit_members(const struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int len = skb_headlen(skb), truesize = 0, n = 0, i;
	const struct sk_buff *member;

	for (i = 0; i < info->nr_frags; i++)
		len += skb_frag_size(&info->frags[i]);
	skb_walk_frags(skb, member) {
		if (skb_is_gso(skb) && skb_headlen(member) > info->gso_size) {
			consumers_fault("member %u has a linear part of %u bytes, gso_size is %u",
					n, skb_headlen(member), info->gso_size);
			return false;
		}
		/* Before this, tc may have made a packet with a clone writable, which clears the head's. */
		if (skb_has_frag_list(member) ||
		    (!consumers_row->keep && member->pp_recycle != skb->pp_recycle)) {
			consumers_fault("member %u has members or other pages", n);
			return false;
		}
		len += member->len;
		truesize += member->truesize;
		n++;
	}
	tap_counts.members += n;
	if (len != skb->len || skb->truesize < skb->len || skb->truesize < truesize) {
		consumers_fault("%u bytes in the parts of %u, truesize %u", len, skb->len,
				skb->truesize);
		return false;
	}
	return true;
}

static void check_limits(const struct sk_buff *skb)
{
	const struct net_device *dev = skb->dev;
	unsigned int limit = READ_ONCE(dev->gro_max_size);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	if (skb->protocol == htons(ETH_P_IP))
		limit = READ_ONCE(dev->gro_ipv4_max_size);
#endif
	if (skb->len > limit)
		consumers_fault("%u bytes in an aggregate, the device's limit is %u", skb->len,
				limit);
	if (consumers_row->single)
		consumers_fault("an aggregate of %u segments", skb_shinfo(skb)->gso_segs);
}

static void check_origin(const struct sk_buff *skb)
{
	if (skb->dev != nic_device())
		consumers_fault("the packet is of another device");
#ifdef CONFIG_NET_RX_BUSY_POLL
	if (skb->napi_id < MIN_NAPI_ID)
		consumers_fault("no NAPI instance is told");
#endif
	/* Only an skb can tell these. */
	if (consumers_flight->way <= WAY_CHAIN && (!skb->hash || !skb_rx_queue_recorded(skb)))
		consumers_fault("the hash or the queue is lost");
}

/* As neigh_hh_bridge() does it: the Ethernet header, and two bytes before. */
static void scribble(struct sk_buff *skb)
{
	u8 header[HH_LEN];

	memset(header, 0xa5, HH_LEN - ETH_HLEN);
	memcpy(header + HH_LEN - ETH_HLEN, skb_mac_header(skb), ETH_HLEN);
	memcpy(skb->data - HH_LEN, header, HH_LEN);
}

static bool is_ours(const struct sk_buff *skb)
{
	unsigned int tcp = skb->protocol == htons(ETH_P_IPV6) ? WIRE_V6 : WIRE_V4;

	if (skb->protocol != htons(ETH_P_IPV6) && skb->protocol != htons(ETH_P_IP))
		return false;
	return consumers_row && skb_headlen(skb) >= tcp + WIRE_TCP &&
	       wire_get16(skb->data + tcp + 2) == DPORT;
}

static unsigned int look(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	bool fit;

	if (!is_ours(skb))
		return NF_ACCEPT;
	tap_counts.packets++;
	fit = has_headroom(skb) && has_fit_members(skb);
	if (skb_is_gso(skb)) {
		tap_counts.aggregates++;
		check_limits(skb);
	}
	check_origin(skb);
	if (fit && consumers_row->scribble)
		scribble(skb);
	return fit ? NF_ACCEPT : NF_DROP;
}

/* Destination NAT as a firewall does it, as far as a packet is concerned. */
static unsigned int translate(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	__be32 to = htonl(0x0a090003), from;
	struct iphdr *iph;
	struct tcphdr *th;

	if (!consumers_row || !consumers_row->dnat || ip_hdr(skb)->protocol != IPPROTO_TCP ||
	    ip_hdr(skb)->daddr == to)
		return NF_ACCEPT;
	if (skb_ensure_writable(skb, ip_hdrlen(skb) + sizeof(*th)))
		return NF_DROP;
	iph = ip_hdr(skb);
	th = (struct tcphdr *)(skb->data + iph->ihl * 4);
	if (ntohs(th->dest) != DPORT)
		return NF_ACCEPT;
	from = iph->daddr;
	inet_proto_csum_replace4(&th->check, skb, from, to, true);
	csum_replace4(&iph->check, from, to);
	iph->daddr = to;
	return NF_ACCEPT;
}

static struct nf_hook_ops hooks[] = {
	{
		.hook = look,
		.pf = NFPROTO_NETDEV,
		.hooknum = NF_NETDEV_INGRESS,
		.priority = INT_MIN,
	},
	{
		.hook = translate,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = -100,
	},
};

static unsigned int registered;

int tap_setup(struct net_device *dev)
{
	int err = 0;

	hooks[0].dev = dev;
	for (registered = 0; registered < ARRAY_SIZE(hooks); registered++) {
		err = nf_register_net_hook(&init_net, &hooks[registered]);
		if (err)
			break;
	}
	return err;
}

void tap_remove(void)
{
	while (registered)
		nf_unregister_net_hook(&init_net, &hooks[--registered]);
}
