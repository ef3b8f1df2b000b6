// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joining packets to an aggregate, and what makes the result a GSO packet.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "flush.h"
#include "join.h"

/* Packets are joined to this skb from now on. */
static void begin_tail(struct lro_flow *flow, struct sk_buff *skb)
{
	flow->tail = skb;
	flow->info = skb_shinfo(skb);
	flow->frags = flow->info->nr_frags;
	flow->added = 0;
	flow->truesize = 0;
}

void lro_begin_skb(struct lro_flow *flow)
{
	flow->layout = LRO_LAYOUT_SKB;
	flow->kind = lro_kind(flow->skb);
	begin_tail(flow, flow->skb);
}

static void account(struct sk_buff *skb, unsigned int len, unsigned int truesize)
{
	skb->len += len;
	skb->data_len += len;
	skb->truesize += truesize;
}

void lro_settle_skb(struct lro_flow *flow)
{
	flow->info->nr_frags = flow->frags;
	account(flow->tail, flow->added, flow->truesize);
	if (flow->tail != flow->skb)
		account(flow->skb, flow->added, flow->truesize);
	flow->added = 0;
	flow->truesize = 0;
}

/* Bytes of payload that there is room for behind the headers of an aggregate. */
static unsigned int room_of(const struct lro_flow *flow)
{
	const struct sk_buff *skb = flow->skb;

	return flow->had ? HEAD_ROOM + HEAD_FILLED - (skb_tail_pointer(skb) - skb->head) : 0;
}

void lro_settle_copy(struct lro_flow *flow)
{
	unsigned int payload = flow->state.ip_len + LRO_MAC_LEN - flow->state.hdr_len;
	skb_frag_t *frag = flow->info->frags, *end = frag + flow->frags;
	struct sk_buff *skb = flow->skb;
	unsigned int linear = min(payload, room_of(flow));

	/* None of this is kept up to date packet by packet. */
	__skb_put(skb, linear);
	flow->info->nr_frags = flow->frags;
	skb->len += payload - linear;
	skb->data_len = payload - linear;
	if (frag == end)
		return;
	/* Each fragment, the last one included, goes to the end of its piece. */
	for (; frag < end; frag++)
		skb->truesize += skb_frag_off(frag) + skb_frag_size(frag);
	frag = end - 1;
	skb_frag_size_set(frag, flow->fill - skb_frag_off(frag));
}

void lro_fit_copy(struct lro *lro, struct lro_flow *flow)
{
	struct sk_buff *skb = flow->skb, *fit;
	unsigned int len = ETH_HLEN + skb->len;

	if (len * COPY_SHARE >= skb->truesize)
		return;
	fit = napi_alloc_skb(lro->napi, len);
	if (!fit)
		return;
	if (unlikely(skb_pfmemalloc(fit))) {
		kfree_skb(fit);
		return;
	}
	skb_copy_bits(skb, -ETH_HLEN, skb_put(fit, len), len);
	fit->protocol = eth_type_trans(fit, lro->dev);
	if (skb_vlan_tag_present(skb))
		__vlan_hwaccel_put_tag(fit, skb->vlan_proto, skb_vlan_tag_get(skb));
	fit->ip_summed = skb->ip_summed;
	skb_copy_hash(fit, skb);
	skb_copy_queue_mapping(fit, skb);
	*skb_hwtstamps(fit) = *skb_hwtstamps(skb);
	if (xenlro_fwd_mark(skb))
		xenlro_set_fwd_mark(fit);
	napi_consume_skb(skb, 1);
	flow->skb = fit;
}

void lro_chain_skb(struct lro_flow *flow, struct sk_buff *skb)
{
	struct skb_shared_info *info = skb_shinfo(flow->skb);

	lro_settle_skb(flow);
	skb->next = NULL;
	if (flow->tail == flow->skb)
		info->frag_list = skb;
	else
		flow->tail->next = skb;
	begin_tail(flow, skb);
	info->flags |= skb_shinfo(skb)->flags & SKBFL_SHARED_FRAG;
	/* No header but the first is part of the packet from now on. */
	__skb_header_release(skb);
}

/* The first packet's word counts for the aggregate. */
static void tell(struct sk_buff *skb, const struct lro_frame *frame)
{
	if (frame->hash_type)
		skb_set_hash(skb, frame->hash, frame->hash_type);
	if (frame->rx_queue)
		skb_record_rx_queue(skb, frame->rx_queue - 1);
	if (frame->hwtstamp)
		skb_hwtstamps(skb)->hwtstamp = frame->hwtstamp;
	if (frame->fwd_mark)
		xenlro_set_fwd_mark(skb);
}

void lro_put_headers(struct lro *lro, struct sk_buff *skb, const struct lro_packet *pkt,
		     const struct lro_frame *frame)
{
	skb_put_data(skb, pkt->frame, pkt->hdr_len);
	skb->protocol = eth_type_trans(skb, lro->dev);
	if (pkt->vlan)
		__vlan_hwaccel_put_tag(skb, htons(pkt->vlan >> 16), pkt->vlan & 0xffff);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	tell(skb, frame);
}

struct sk_buff *lro_header_skb(struct lro *lro, const struct lro_packet *pkt,
			       const struct lro_frame *frame)
{
	struct sk_buff *skb = napi_alloc_skb(lro->napi, LRO_HDR_MAX);

	if (!skb)
		return NULL;
	/* A socket drops a packet that begins in memory for emergencies, whole. */
	if (unlikely(skb_pfmemalloc(skb))) {
		kfree_skb(skb);
		return NULL;
	}
	lro_put_headers(lro, skb, pkt, frame);
	return skb;
}

/*
 * skb_segment() takes the linear part of a frag_list member for one segment. So a member's
 * tailroom stays empty, although skb_try_coalesce() would copy a short packet there.
 */
static bool may_coalesce(const struct sk_buff *head, const struct sk_buff *tail,
			 const struct sk_buff *skb)
{
	return tail == head || skb->len > skb_tailroom(tail);
}

void lro_append_skb(struct lro_flow *flow, struct sk_buff *skb, unsigned int hdr_len)
{
	struct sk_buff *head = flow->skb, *tail = flow->tail;
	unsigned int payload = skb->len - hdr_len;
	bool head_stolen;
	int truesize;

	__skb_pull(skb, hdr_len);
	lro_settle_skb(flow);
	if (may_coalesce(head, tail, skb) &&
	    skb_try_coalesce(tail, skb, &head_stolen, &truesize)) {
		kfree_skb_partial(skb, head_stolen);
		flow->frags = flow->info->nr_frags;
		if (tail == head)
			return;
		skb_shinfo(head)->flags |= flow->info->flags & SKBFL_SHARED_FRAG;
	} else {
		truesize = skb->truesize;
		lro_chain_skb(flow, skb);
	}
	account(head, payload, truesize);
}

void lro_flatten_skb(struct sk_buff *skb)
{
	struct sk_buff *list = skb_shinfo(skb)->frag_list, *next;
	unsigned int truesize = 0;
	bool head_stolen;
	int delta;

	skb_walk_frags(skb, next)
		truesize += next->truesize;
	/* Not all drivers count the list in truesize; then there is nothing to subtract. */
	if (skb->truesize <= truesize)
		return;
	skb_walk_frags(skb, next) {
		skb->len -= next->len;
		skb->data_len -= next->len;
	}
	skb->truesize -= truesize;
	skb_shinfo(skb)->frag_list = NULL;

	for (; list; list = next) {
		next = list->next;
		skb_mark_not_on_list(list);
		if (!skb_try_coalesce(skb, list, &head_stolen, &delta)) {
			list->next = next;
			break;
		}
		kfree_skb_partial(list, head_stolen);
	}

	skb_shinfo(skb)->frag_list = list;
	for (; list; list = list->next) {
		skb->len += list->len;
		skb->data_len += list->len;
		skb->truesize += list->truesize;
	}
}

__sum16 lro_tcp_check(const struct lro_key *key, unsigned int tcp_len, __wsum sum)
{
	if (key->link & LRO_KEY_IPV6)
		return csum_ipv6_magic((const struct in6_addr *)&key->addr[0],
				       (const struct in6_addr *)&key->addr[4],
				       tcp_len, IPPROTO_TCP, sum);
	return csum_tcpudp_magic((__force __be32)key->addr[0], (__force __be32)key->addr[1],
				 tcp_len, IPPROTO_TCP, sum);
}

/* In relaxed mode the last packet's word counts; in strict mode all said the same. */
static void copy_latest(struct tcphdr *th, const struct lro_state *state)
{
	const u8 *from = state->hdr + state->tcp;
	unsigned int options = state->hdr_len - state->tcp - LRO_TCP_LEN;

	memcpy(&th->ack_seq, from + offsetof(struct tcphdr, ack_seq), sizeof(th->ack_seq));
	memcpy(&th->window, from + offsetof(struct tcphdr, window), sizeof(th->window));
	memcpy(th + 1, from + LRO_TCP_LEN, options);
}

void lro_finish_skb(struct lro_flow *flow)
{
	const struct lro_state *state = &flow->state;
	unsigned int ip_hdr_len = state->tcp - LRO_IP_OFF;
	struct sk_buff *skb = flow->skb;
	struct skb_shared_info *info = skb_shinfo(skb);
	struct tcphdr *th;

	skb_reset_network_header(skb);
	skb_set_transport_header(skb, ip_hdr_len);
	th = tcp_hdr(skb);

	if (flow->key.link & LRO_KEY_IPV6) {
		ipv6_hdr(skb)->payload_len = htons(state->ip_len - LRO_IPV6_LEN);
		info->gso_type = SKB_GSO_TCPV6;
	} else {
		ip_hdr(skb)->tot_len = htons(state->ip_len);
		ip_send_check(ip_hdr(skb));
		info->gso_type = SKB_GSO_TCPV4;
		if (state->fixed_id)
			info->gso_type |= SKB_GSO_TCP_FIXEDID;
	}
	info->gso_size = state->gso_size;
	info->gso_segs = state->segs;
	if (th->cwr)
		info->gso_type |= XENLRO_GSO_CWR;

	/*
	 * Each packet's checksum was verified, so the aggregate only carries what
	 * a device or the software segmentation needs to compute new ones.
	 */
	copy_latest(th, state);
	th->check = ~lro_tcp_check(&flow->key, state->ip_len - ip_hdr_len, 0);
	th->psh = !!(state->tail_flags & LRO_TCP_PSH);
	th->fin = !!(state->tail_flags & LRO_TCP_FIN);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
}
