// SPDX-License-Identifier: GPL-2.0-only
/*
 * An imitated switch behind nic0, which is its conduit then: the network stack gives all
 * frames of such a device to the switch's driver, who reads the tag in them.
 */
#include <linux/etherdevice.h>
#include <net/dsa.h>

#include "consumers.h"

#if IS_ENABLED(CONFIG_NET_DSA)
static struct sk_buff *take_none(struct sk_buff *skb, struct net_device *dev)
{
	return NULL;
}

static struct dsa_port port = { .rcv = take_none };

static int take(struct sk_buff *skb, struct net_device *dev, struct packet_type *type,
		struct net_device *orig)
{
	static u8 frame[70 * 1024];
	unsigned int len = skb->len + ETH_HLEN;

	if (skb_is_gso(skb))
		consumers_fault("the switch gets an aggregate");
	if (!skb_copy_bits(skb, -ETH_HLEN, frame, min_t(unsigned int, len, sizeof(frame))))
		port_compare(0, frame, min_t(unsigned int, len, sizeof(frame)), 0);
	consume_skb(skb);
	return 0;
}

static struct packet_type type = {
	.type = htons(ETH_P_XDSA),
	.func = take,
};

void switch_attach(struct net_device *dev)
{
	type.dev = dev;
	dev_add_pack(&type);
	dev->dsa_ptr = &port;
}

void switch_detach(struct net_device *dev)
{
	dev->dsa_ptr = NULL;
	dev_remove_pack(&type);
}
#else
void switch_attach(struct net_device *dev)
{
	consumers_fault("this kernel knows no switches");
}

void switch_detach(struct net_device *dev)
{
}
#endif
