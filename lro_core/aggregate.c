// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joining packets to an aggregate, and what makes the result a GSO packet.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/tcp.h>

#include "engine.h"

void lro_chain_skb(struct lro_flow *flow, struct sk_buff *skb)
{
	struct skb_shared_info *info = skb_shinfo(flow->skb);

	skb->next = NULL;
	if (flow->tail == flow->skb)
		info->frag_list = skb;
	else
		flow->tail->next = skb;
	flow->tail = skb;
	info->flags |= skb_shinfo(skb)->flags & SKBFL_SHARED_FRAG;
	/* No header but the first is part of the packet from now on. */
	__skb_header_release(skb);
}

struct sk_buff *lro_header_skb(struct lro *lro, const struct lro_packet *pkt)
{
	struct sk_buff *skb = napi_alloc_skb(lro->napi, LRO_HDR_MAX);

	if (!skb)
		return NULL;
	skb_put_data(skb, pkt->frame, pkt->hdr_len);
	skb->protocol = eth_type_trans(skb, lro->dev);
	if (pkt->vlan)
		__vlan_hwaccel_put_tag(skb, htons(pkt->vlan >> 16), pkt->vlan & 0xffff);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}

/*
 * Payload becomes fragments of the last skb as long as it has room, else the
 * packet starts a new skb on the frag_list. Both kinds of page, those of a
 * page_pool and others, are never in one aggregate, although each skb of a
 * frag_list could have its own: drivers that transmit it expect one kind.
 */
bool lro_join_skb(struct lro_flow *flow, struct sk_buff *skb, unsigned int hdr_len)
{
	struct sk_buff *head = flow->skb, *tail = flow->tail;
	unsigned int payload = skb->len - hdr_len;
	bool head_stolen;
	int truesize;

	if (flow->layout != LRO_LAYOUT_SKB || head->pp_recycle != skb->pp_recycle ||
	    skb_zcopy(head) || skb_zcopy(skb) || skb_cmp_decrypted(head, skb))
		return false;

	__skb_pull(skb, hdr_len);
	if (skb_try_coalesce(tail, skb, &head_stolen, &truesize)) {
		kfree_skb_partial(skb, head_stolen);
		/* The head was accounted for already if it is the tail. */
		if (tail == head)
			return true;
	} else {
		lro_chain_skb(flow, skb);
		truesize = skb->truesize;
	}
	head->len += payload;
	head->data_len += payload;
	head->truesize += truesize;
	return true;
}

void lro_finish_skb(struct sk_buff *skb, const struct lro_state *state)
{
	struct skb_shared_info *info = skb_shinfo(skb);
	struct tcphdr *th;
	struct iphdr *ip;

	skb_reset_network_header(skb);
	skb_set_transport_header(skb, LRO_IP_LEN);
	ip = ip_hdr(skb);
	th = tcp_hdr(skb);

	ip->tot_len = htons(state->ip_len);
	ip_send_check(ip);

	/*
	 * Each packet's checksum was verified, so the aggregate only carries what
	 * a device or the software segmentation needs to compute new ones.
	 */
	th->check = ~tcp_v4_check(state->ip_len - LRO_IP_LEN, ip->saddr, ip->daddr, 0);
	th->psh = !!(state->tail_flags & LRO_TCP_PSH);
	th->fin = !!(state->tail_flags & LRO_TCP_FIN);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);

	info->gso_size = state->gso_size;
	info->gso_segs = state->segs;
	info->gso_type = SKB_GSO_TCPV4;
	if (state->fixed_id)
		info->gso_type |= SKB_GSO_TCP_FIXEDID;
	if (th->cwr)
		info->gso_type |= SKB_GSO_TCP_ECN;
}
