// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of one packet: parsed, then merged, held, or passed on.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/tcp.h>
#include <net/checksum.h>

#include "deliver.h"
#include "flush.h"
#include "join.h"
#include "tag.h"
#include "trace.h"

static bool is_ip(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) || skb->protocol == htons(ETH_P_IPV6);
}

static u32 skb_vlan(const struct sk_buff *skb)
{
	if (!skb_vlan_tag_present(skb))
		return 0;
	return (u32)ntohs(skb->vlan_proto) << 16 | skb_vlan_tag_get(skb);
}

/* IPv4 with something else, which is seen before anything is parsed. */
static bool is_foreign(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) && skb_headlen(skb) >= sizeof(struct iphdr) &&
	       ((const struct iphdr *)skb->data)->protocol != IPPROTO_TCP;
}

/*
 * Make the headers linear, as far as the packet has them and the rules read them,
 * but none of the payload: linear bytes cannot become a fragment.
 */
static bool pull_headers(struct sk_buff *skb)
{
	unsigned int avail, want;

	for (;;) {
		avail = skb_headlen(skb) + ETH_HLEN;
		want = min(lro_headers_wanted(skb_mac_header(skb), avail), skb->len + ETH_HLEN);
		if (want <= avail)
			return true;
		if (!pskb_may_pull(skb, want - ETH_HLEN))
			return false;
	}
}

static void pass_on(struct lro *lro, struct sk_buff *skb, enum lro_reason why)
{
	trace_lro_pass(lro, skb, why);
	lro->reason[why]++;
	lro->count[LRO_COUNT_PASSED]++;
	lro_deliver(lro, skb);
}

static void to_gro(struct lro *lro, struct sk_buff *skb, enum lro_reason why)
{
	trace_lro_pass(lro, skb, why);
	lro->reason[why]++;
	lro->count[LRO_COUNT_TO_GRO]++;
	napi_gro_receive(lro->napi, skb);
}

static void drop(struct lro *lro, struct sk_buff *skb)
{
	lro->reason[LRO_DROP_NO_MEMORY]++;
	lro->count[LRO_COUNT_DROPPED]++;
	kfree_skb(skb);
}

/* Deliver what may be of the same flow as a packet whose ports are not known. */
static void flush_stray(struct lro *lro, const struct lro_key *key)
{
	struct lro_flow *flow;

	while ((flow = lro_flows_stray(&lro->flows, key)))
		lro_flush(lro, flow, LRO_FLUSH_PASS);
}

static void flush_key(struct lro *lro, const struct lro_key *key)
{
	struct lro_flow *flow = lro_flows_find(&lro->flows, key);

	if (flow)
		lro_flush(lro, flow, LRO_FLUSH_PASS);
}

/*
 * State that a merge would lose, or that forbids writing to the packet. Drivers
 * hand in fresh skbs, so any of this is unusual.
 */
static enum lro_reason skb_state(const struct sk_buff *skb)
{
	if (skb_is_gso(skb))
		return LRO_PASS_GSO;
	if (skb_cloned(skb) || skb_shared(skb) || skb->slow_gro || skb->encapsulation ||
	    skb_metadata_len(skb) || skb_pfmemalloc(skb) || !skb_frags_readable(skb))
		return LRO_PASS_SKB_STATE;
	if (skb_has_frag_list(skb))
		return LRO_PASS_FRAG_LIST;
	return LRO_CONTINUE;
}

/* The same for usual packets, by fewer looks; false also for some that have no such state. */
static __always_inline bool is_plain(const struct sk_buff *skb)
{
	static const u8 no_frags[8] = { 255, 255, 0, 255, 255, 255, 255, 255 };
	const struct skb_shared_info *info = skb_shinfo(skb);

	/* Flags, length of metadata, number of fragments, all of GSO but its type. */
	BUILD_BUG_ON(offsetof(struct skb_shared_info, nr_frags) != 2);
	BUILD_BUG_ON(offsetof(struct skb_shared_info, frag_list) != sizeof(no_frags));
	return !(lro_load64((const u8 *)info) & lro_load64(no_frags)) && !info->frag_list &&
	       !skb->cloned && !skb_pfmemalloc(skb) && !skb->slow_gro && !skb->encapsulation &&
	       skb_frags_readable(skb) && !skb_shared(skb);
}

/*
 * Is the TCP checksum right? Also cuts padding off, which no checksum covers.
 * After merging, the aggregate gets new checksums: a wrong one must not become
 * right by that.
 */
static enum lro_reason check_payload(struct sk_buff *skb, const struct lro_packet *pkt)
{
	unsigned int tcp_len = lro_tcp_len(pkt), at = pkt->tcp - LRO_IP_OFF;
	const struct tcphdr *th;
	__wsum sum;

	if (pskb_trim_rcsum(skb, pkt->ip_len))
		return LRO_PASS_NO_MEMORY;
	th = (const struct tcphdr *)(skb->data + at);

	switch (skb->ip_summed) {
	case CHECKSUM_UNNECESSARY:
		return LRO_CONTINUE;
	case CHECKSUM_PARTIAL:
		/* From a local sender: not yet computed, and covered by memory. */
		if (skb_checksum_start_offset(skb) != at ||
		    skb->csum_offset != offsetof(struct tcphdr, check) ||
		    th->check != (__force __sum16)~lro_tcp_check(&pkt->key, tcp_len, 0))
			return LRO_PASS_TCP_CHECKSUM;
		return LRO_CONTINUE;
	case CHECKSUM_COMPLETE:
		sum = csum_sub(skb->csum, csum_partial(skb->data, at, 0));
		if (!lro_tcp_check(&pkt->key, tcp_len, sum))
			return LRO_CONTINUE;
		break;
	}
	sum = skb_checksum(skb, at, tcp_len, 0);
	if (lro_tcp_check(&pkt->key, tcp_len, sum))
		return LRO_PASS_TCP_CHECKSUM;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = 0;
	return LRO_CONTINUE;
}

/* A packet that the rules allow to merge, checksum not yet verified. */
static void skb_receive_candidate(struct lro *lro, struct sk_buff *skb,
				  const struct lro_packet *pkt, struct lro_flow *flow)
{
	enum lro_reason why = check_payload(skb, pkt);

	if (why) {
		if (flow)
			lro_flush(lro, flow, LRO_FLUSH_PASS);
		pass_on(lro, skb, why);
		return;
	}
	if (flow) {
		why = lro_match(&flow->state, pkt, lro_rules(lro));
		if (!why && lro_may_join_skb(flow, skb)) {
			lro_state_add(&flow->state, pkt, lro_rules(lro));
			lro_join_skb(flow, skb, pkt->hdr_len - LRO_MAC_LEN, false);
			lro_grown(lro, flow);
			return;
		}
		lro_flush(lro, flow, why ? why : LRO_FLUSH_LAYOUT);
	}
	lro_grown(lro, lro_open(lro, skb, pkt));
}

/* The packet that bulk TCP sends next, verified and without padding. */
static __always_inline bool skb_receive_next(struct lro *lro, struct sk_buff *skb)
{
	unsigned int len = skb->len + ETH_HLEN, avail = skb_headlen(skb) + ETH_HLEN;
	const u8 *frame = skb_mac_header(skb);
	struct lro_flow *flow = NULL;
	u32 vlan = skb_vlan(skb);

	if (!lro->flows.count || !is_ip(skb) || skb->ip_summed != CHECKSUM_UNNECESSARY ||
	    skb_mac_offset(skb) != -ETH_HLEN || !is_plain(skb))
		return false;
	if (avail >= LRO_V4_BULK_LEN)
		flow = lro_flows_predicted_v4(&lro->flows, frame, len, vlan);
	if (!flow)
		flow = lro_flows_predicted(&lro->flows, frame, avail, len, vlan);
	if (!flow || len != flow->state.full_len ||
	    flow->layout != LRO_LAYOUT_SKB || flow->kind != lro_plain_kind(skb))
		return false;
	lro_join_skb(flow, skb, flow->state.hdr_len - ETH_HLEN, true);
	lro_count_predicted(lro, flow);
	return true;
}

/* Any packet. */
static noinline void skb_receive(struct lro *lro, struct sk_buff *skb)
{
	struct lro_packet pkt __uninitialized;	/* zeroes would cost as much as parsing */
	enum lro_verdict verdict;
	enum lro_reason why;

	if (!is_ip(skb) && eth_type_vlan(skb->protocol)) {
		skb = lro_untag_skb(skb);
		if (!skb) {
			drop(lro, NULL);
			return;
		}
	}
	if (!is_ip(skb) || skb_mac_offset(skb) != -ETH_HLEN) {
		to_gro(lro, skb, LRO_GRO_NOT_IP);
		return;
	}

	if (is_foreign(skb)) {
		to_gro(lro, skb, LRO_GRO_NOT_TCP);
		return;
	}
	if (lro_is_lone_request(lro, skb_mac_header(skb), skb_headlen(skb) + ETH_HLEN,
				skb->len + ETH_HLEN)) {
		pass_on(lro, skb, LRO_PASS_REQUEST);
		return;
	}
	if (!pull_headers(skb)) {
		/* Without memory to read the headers the flow is not known. */
		lro_flush_all(lro, LRO_FLUSH_PASS);
		pass_on(lro, skb, LRO_PASS_NO_MEMORY);
		return;
	}

	verdict = lro_parse(skb_mac_header(skb), skb_headlen(skb) + ETH_HLEN,
			    skb->len + ETH_HLEN, skb_vlan(skb), &pkt, &why);
	if (verdict == LRO_CANDIDATE) {
		why = skb_state(skb);
		if (why == LRO_PASS_FRAG_LIST) {
			lro_flatten_skb(skb);
			why = skb_state(skb);
		}
		if (why)
			verdict = LRO_PASS;
	}

	switch (verdict) {
	case LRO_FOREIGN:
		to_gro(lro, skb, why);
		break;
	case LRO_STRAY:
		flush_stray(lro, &pkt.key);
		pass_on(lro, skb, why);
		break;
	case LRO_PASS:
		flush_key(lro, &pkt.key);
		pass_on(lro, skb, why);
		break;
	case LRO_CANDIDATE:
		skb_receive_candidate(lro, skb, &pkt, lro_flows_find(&lro->flows, &pkt.key));
		break;
	}
}

void lro_receive_skb(struct lro *lro, struct sk_buff *skb)
{
	lro->count[LRO_COUNT_PACKETS]++;
	lro->count[LRO_COUNT_BYTES] += skb->len;
	if (!skb_receive_next(lro, skb))
		skb_receive(lro, skb);
}
EXPORT_SYMBOL_XENLRO(lro_receive_skb);

void lro_receive_frags(struct lro *lro)
{
	struct sk_buff *skb = lro->napi->skb;

	lro->napi->skb = NULL;
	if (pskb_may_pull(skb, ETH_HLEN)) {
		skb->protocol = eth_type_trans(skb, lro->dev);
		/* Where they can be seen at once; without memory the next attempt fails, too. */
		pull_headers(skb);
		lro_receive_skb(lro, skb);
		return;
	}
	lro->count[LRO_COUNT_PACKETS]++;
	drop(lro, skb);
}
EXPORT_SYMBOL_XENLRO(lro_receive_frags);
