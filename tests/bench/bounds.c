// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lower bound of merging: the part that is not done for each packet.
 */
#include <linux/ip.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/tcp.h>
#include <linux/vmalloc.h>

#include "bounds.h"

static unsigned int header_len(const struct sk_buff *skb)
{
	const struct tcphdr *th = (const struct tcphdr *)(skb->data + sizeof(struct iphdr));

	return sizeof(struct iphdr) + th->doff * 4;
}

static void grow_to(struct kept *kept, struct sk_buff *skb)
{
	kept->tail = skb;
	kept->info = skb_shinfo(skb);
	kept->piece = NULL;
	kept->added = 0;
	kept->fill = 0;
	kept->size = 0;
	kept->frags = 0;
}

static void settle(struct kept *kept)
{
	struct sk_buff *skb = kept->skb, *tail = kept->tail;

	kept->info->nr_frags = kept->frags;
	if (kept->piece)
		skb_frag_size_set(&kept->info->frags[kept->frags - 1], kept->fill);
	tail->len += kept->added;
	tail->data_len += kept->added;
	if (tail != skb) {
		skb->len += tail->len;
		skb->data_len += tail->len;
	}
}

void bounds_begin(struct bounds *bounds, struct kept *kept, struct sk_buff *skb,
		  unsigned int payload)
{
	if (kept->skb)
		bounds_deliver(bounds, kept);
	kept->skb = skb;
	kept->seq = ntohl(((struct tcphdr *)(skb->data + sizeof(struct iphdr)))->seq);
	kept->payload = payload;
	kept->segs = min_t(unsigned int, BOUND_SEGS_MAX,
			   (U16_MAX - header_len(skb)) / payload);
	kept->left = kept->segs;
	grow_to(kept, skb);
	bounds->open++;
}

void bounds_chain(struct kept *kept, struct sk_buff *skb)
{
	settle(kept);
	if (kept->tail == kept->skb)
		kept->info->frag_list = skb;
	else
		kept->tail->next = skb;
	grow_to(kept, skb);
}

void bounds_deliver(struct bounds *bounds, struct kept *kept)
{
	struct sk_buff *skb = kept->skb;
	struct skb_shared_info *info = skb_shinfo(skb);

	settle(kept);
	((struct iphdr *)skb->data)->tot_len = htons(skb->len);
	info->gso_size = kept->payload;
	info->gso_segs = kept->segs - kept->left;
	info->gso_type = SKB_GSO_TCPV4;
	kept->skb = NULL;
	bounds->open--;
	netif_receive_skb(skb);
}

struct bounds *bounds_create(void)
{
	struct bounds *bounds = vzalloc(sizeof(*bounds));

	if (!bounds || page_pieces_setup(&bounds->pieces))
		return bounds;
	page_pieces_free(&bounds->pieces);
	vfree(bounds);
	return NULL;
}

void bounds_release(struct bounds *bounds)
{
	unsigned int i;

	for (i = 0; bounds->open && i < BOUND_FLOWS; i++)
		if (bounds->flow[i].skb)
			bounds_deliver(bounds, &bounds->flow[i]);
}

void bounds_destroy(struct bounds *bounds)
{
	unsigned int i;

	if (!bounds)
		return;
	for (i = 0; i < BOUND_FLOWS; i++) {
		if (bounds->flow[i].skb) {
			settle(&bounds->flow[i]);
			kfree_skb(bounds->flow[i].skb);
		}
	}
	page_pieces_free(&bounds->pieces);
	vfree(bounds);
}
