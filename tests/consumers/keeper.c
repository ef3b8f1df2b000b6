// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a clone of each packet that nic0 receives, as a capture does, until all others are
 * done with it. What is in it then has to be what came in.
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>

#include <compat.h>

#include "consumers.h"
#include "gso.h"

#define SPACE	(70 * 1024)

static struct sk_buff_head kept;
static u8 *space;

static int keep(struct sk_buff *skb, struct net_device *dev, struct packet_type *type,
		struct net_device *orig)
{
	struct sk_buff *clone = NULL;

	if (consumers_row && consumers_row->keep && skb->pkt_type != PACKET_OUTGOING &&
	    flight_has(eth_hdr(skb)))
		clone = skb_clone(skb, GFP_ATOMIC);
	if (clone)
		skb_queue_tail(&kept, clone);
	consume_skb(skb);
	return 0;
}

static struct packet_type type = {
	.type = htons(ETH_P_ALL),
	.func = keep,
};

int keeper_setup(struct net_device *dev)
{
	skb_queue_head_init(&kept);
	space = kvmalloc(SPACE, GFP_KERNEL);
	if (!space)
		return -ENOMEM;
	type.dev = dev;
	dev_add_pack(&type);
	return 0;
}

void keeper_remove(void)
{
	if (type.dev)
		dev_remove_pack(&type);
	if (space)
		skb_queue_purge(&kept);
	kvfree(space);
}

static bool is_frame(unsigned int n, const u8 *hdr, unsigned int hdr_len, const u8 *payload,
		     unsigned int payload_len)
{
	const struct frame *frame = &consumers_flight->frame[n];

	return n < consumers_flight->count && frame->len == hdr_len + payload_len &&
	       !memcmp(frame->data, hdr, hdr_len) &&
	       !memcmp(frame->data + hdr_len, payload, payload_len);
}

/* Compare a packet with the frames from number @n on; returns the number of the next. */
static unsigned int check(const struct sk_buff *skb, unsigned int n)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int len = skb->len + ETH_HLEN, i;
	struct segment seg;

	if (len > SPACE || skb_copy_bits(skb, -ETH_HLEN, space, len))
		return n;
	if (!skb_is_gso(skb)) {
		if (!is_frame(n, space, len, NULL, 0))
			consumers_fault("what is kept of segment %u is not what came", n);
		return n + 1;
	}
	for (i = 0; segment_cut(space, len, info->gso_size, segment_kind(skb), i, &seg); i++, n++)
		if (!is_frame(n, seg.hdr, seg.hdr_len, seg.payload, seg.payload_len))
			consumers_fault("what is kept of segment %u is not what came", n);
	return n;
}

void keeper_check(void)
{
	struct sk_buff *skb;
	unsigned int n = 0;

	while ((skb = skb_dequeue(&kept))) {
		n = check(skb, n);
		kfree_skb(skb);
	}
	if (n < consumers_flight->count)
		consumers_fault("%u of %u segments were there to be kept", n,
				consumers_flight->count);
}
