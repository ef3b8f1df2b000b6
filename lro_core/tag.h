/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VLAN tags in the data of a frame.
 */
#ifndef _XENLRO_TAG_H
#define _XENLRO_TAG_H

#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/skbuff.h>

struct lro;

/**
 * struct lro_view - a frame as the rules want it: without a tag in the data
 * @hdr: first byte of the Ethernet header
 * @avail: bytes that may be read at @hdr
 * @len: length without FCS, bytes
 * @vlan: tag that the device or lro_untag() took out, see &lro_packet.vlan
 * @skip: bytes that the frame as received has more before its payload
 */
struct lro_view {
	const u8 *hdr;
	unsigned int avail;
	unsigned int len;
	u32 vlan;
	unsigned int skip;
};

/**
 * lro_untag() - take a tag out of the data
 * @lro: context; keeps the headers that @view points to from then on
 * @view: frame with a tag in the data
 */
void lro_untag(struct lro *lro, struct lro_view *view);

/**
 * lro_untag_skb() - take a tag out of the data of an skb
 * @skb: packet; ownership passes
 *
 * The stack would do the same as the first thing.
 *
 * Return: the packet, untouched if it has two tags or ends within the first; or NULL
 * without memory.
 */
struct sk_buff *lro_untag_skb(struct sk_buff *skb);

/* Two tags are not taken out: such frames are left to GRO. */
static inline bool lro_is_tagged(const struct lro_view *view)
{
	return unlikely(view->avail >= ETH_HLEN && !view->vlan &&
			eth_type_vlan(((const struct ethhdr *)view->hdr)->h_proto));
}

#endif /* _XENLRO_TAG_H */
