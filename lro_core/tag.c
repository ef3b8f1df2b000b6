// SPDX-License-Identifier: GPL-2.0-only
/*
 * VLAN tags that the device has left in the data.
 *
 * The rules know tags only beside the frame, where devices put them and where the
 * stack moves those that it finds in the data. So one tag is moved there first:
 * in an skb as the stack does it, of a frame in the driver's memory by a copy of
 * the headers. Transmission of the aggregate puts the tag back into each segment.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/skbuff.h>

#include "bytes.h"
#include "engine.h"
#include "tag.h"

/* The tag lies between the addresses and the type. */
#define ADDRESSES	(2 * ETH_ALEN)

void lro_untag(struct lro *lro, struct lro_view *view)
{
	unsigned int copy = min(view->avail, view->len);

	if (copy < ADDRESSES + VLAN_HLEN)
		return;
	copy = min(copy - VLAN_HLEN, LRO_HDR_MAX);
	memcpy(lro->untagged, view->hdr, ADDRESSES);
	memcpy(lro->untagged + ADDRESSES, view->hdr + ADDRESSES + VLAN_HLEN, copy - ADDRESSES);
	view->vlan = lro_vlan(lro_get_be16(view->hdr + ADDRESSES),
			      lro_get_be16(view->hdr + ADDRESSES + 2));
	view->hdr = lro->untagged;
	view->avail = copy;
	view->len -= VLAN_HLEN;
	view->skip = VLAN_HLEN;
}

struct sk_buff *lro_untag_skb(struct sk_buff *skb)
{
	/* skb_vlan_untag() frees what it finds too short. */
	if (skb->len < VLAN_HLEN + sizeof(u16))
		return skb;
	return skb_vlan_untag(skb);
}
