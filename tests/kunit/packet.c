// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes packets and skbs from their descriptions.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "packet.h"

#define TS_LEN		12
#define OPTION_LEN	4
#define HEADROOM	(NET_SKB_PAD + NET_IP_ALIGN)

#define EXTENSION_LEN	8

static bool has_extension(const struct pkt *pkt)
{
	return pkt->quirk == QUIRK_EXTENSION || pkt->quirk == QUIRK_V6_FRAGMENT;
}

static unsigned int ip_header_len(const struct pkt *pkt)
{
	if (pkt->v6)
		return sizeof(struct ipv6hdr) + (has_extension(pkt) ? EXTENSION_LEN : 0);
	return sizeof(struct iphdr) + (pkt->quirk == QUIRK_IP_OPTIONS ? OPTION_LEN : 0);
}

static unsigned int l4_header_len(const struct pkt *pkt)
{
	if (pkt->quirk == QUIRK_UDP)
		return sizeof(struct udphdr);
	return sizeof(struct tcphdr) + (pkt->ts ? TS_LEN : 0) +
	       (pkt->quirk == QUIRK_TCP_OPTIONS ? OPTION_LEN : 0);
}

unsigned int packet_header_len(const struct pkt *pkt)
{
	return ETH_HLEN + ip_header_len(pkt) + l4_header_len(pkt);
}

static void write_ethernet(const struct pkt *pkt, struct ethhdr *eth)
{
	eth_zero_addr(eth->h_source);
	eth_zero_addr(eth->h_dest);
	eth->h_source[0] = 2;
	eth->h_source[5] = pkt->quirk == QUIRK_MAC ? 2 : 1;
	eth->h_dest[0] = 2;
	eth->h_proto = htons(pkt->v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (pkt->quirk == QUIRK_NOT_IP)
		eth->h_proto = htons(ETH_P_802_3_MIN);
}

static void write_ip(const struct pkt *pkt, struct iphdr *iph, unsigned int len, u16 id)
{
	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = ip_header_len(pkt) / 4;
	iph->tos = pkt->tos;
	iph->tot_len = htons(len);
	iph->id = htons(id);
	iph->frag_off = htons(pkt->no_df ? 0 : IP_DF);
	if (pkt->quirk == QUIRK_FRAGMENT)
		iph->frag_off = htons(IP_MF);
	if (pkt->quirk == QUIRK_RESERVED)
		iph->frag_off |= htons(IP_CE);
	iph->ttl = 64 + pkt->ttl;
	iph->protocol = pkt->quirk == QUIRK_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	iph->saddr = htonl(0x0a000001);
	iph->daddr = htonl(0x0a000002);
	if (pkt->quirk == QUIRK_IP_OPTIONS)
		memset(iph + 1, IPOPT_NOOP, OPTION_LEN);
	if (pkt->quirk == QUIRK_IP_LENGTH)
		iph->tot_len = htons(len + 1);
	ip_send_check(iph);
	if (pkt->quirk == QUIRK_IP_HEADER)
		iph->ihl = 4;
	if (pkt->quirk == QUIRK_IP_CHECKSUM)
		iph->check ^= htons(1);
}

static void write_ip6(const struct pkt *pkt, struct ipv6hdr *ip6, unsigned int len)
{
	memset(ip6, 0, sizeof(*ip6));
	ip6_flow_hdr(ip6, pkt->tos, htonl(pkt->label));
	ip6->payload_len = htons(len - sizeof(*ip6));
	ip6->nexthdr = pkt->quirk == QUIRK_EXTENSION ? IPPROTO_DSTOPTS : IPPROTO_TCP;
	ip6->hop_limit = 64 + pkt->ttl;
	ip6->saddr.s6_addr32[0] = htonl(0xfd000000);
	ip6->saddr.s6_addr32[3] = htonl(1);
	ip6->daddr.s6_addr32[0] = htonl(0xfd000000);
	ip6->daddr.s6_addr32[3] = htonl(2);
	if (pkt->quirk == QUIRK_EXTENSION)
		*(__be64 *)(ip6 + 1) = cpu_to_be64(((u64)IPPROTO_TCP << 56) | (1ull << 40));
	if (pkt->quirk == QUIRK_V6_FRAGMENT) {
		ip6->nexthdr = IPPROTO_FRAGMENT;
		*(__be64 *)(ip6 + 1) = cpu_to_be64((u64)IPPROTO_TCP << 56);
	}
}

static void write_tcp(const struct pkt *pkt, struct tcphdr *th, u32 seq)
{
	__be32 *option = (__be32 *)(th + 1);

	memset(th, 0, sizeof(*th));
	th->source = htons(PACKET_PORT + pkt->flow);
	th->dest = htons(5001);
	th->seq = htonl(seq);
	th->ack_seq = htonl(1 + pkt->ack);
	tcp_flag_byte(th) = pkt->flags | (pkt->quirk == QUIRK_NO_ACK ? 0 : TCPHDR_ACK);
	th->doff = l4_header_len(pkt) / 4;
	th->window = htons(501 + pkt->window);
	th->urg_ptr = pkt->quirk == QUIRK_URGENT ? htons(1) : 0;
	if (pkt->ts) {
		*option++ = htonl(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 |
				  TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP);
		*option++ = htonl(1000000 + pkt->tsval);
		*option++ = htonl(2000000 + pkt->tsecr);
	}
	if (pkt->quirk == QUIRK_TS_MIDDLE) {
		memmove((u8 *)(th + 1) + 1, (u8 *)(th + 1) + 2, TS_LEN - 2);
		*((u8 *)(th + 1) + TS_LEN - 1) = TCPOPT_NOP;
	}
	if (pkt->quirk == QUIRK_TCP_OPTIONS)
		*option = htonl(TCPOPT_NOP << 24 | TCPOPT_WINDOW << 16 | TCPOLEN_WINDOW << 8 | 7);
	if (pkt->quirk == QUIRK_TCP_HEADER)
		th->doff = 4;
}

static void write_check(const struct pkt *pkt, const void *ip, void *l4, unsigned int len)
{
	const struct iphdr *iph = ip;
	const struct ipv6hdr *ip6 = ip;
	__wsum sum = csum_partial(l4, len, 0);
	__sum16 check;

	if (pkt->v6)
		check = csum_ipv6_magic(&ip6->saddr, &ip6->daddr, len, IPPROTO_TCP, sum);
	else
		check = csum_tcpudp_magic(iph->saddr, iph->daddr, len, iph->protocol, sum);
	if (pkt->quirk == QUIRK_UDP)
		((struct udphdr *)l4)->check = check ? check : CSUM_MANGLED_0;
	else
		((struct tcphdr *)l4)->check = check;
	if (pkt->quirk == QUIRK_TCP_CHECKSUM)
		((struct tcphdr *)l4)->check ^= htons(1);
}

static void write_frame(struct fed *fed, const struct flow_state *state)
{
	const struct pkt *pkt = fed->pkt;
	unsigned int l4_len = l4_header_len(pkt) + pkt->payload;
	unsigned int ip_len = ip_header_len(pkt) + l4_len;
	void *ip = fed->data + ETH_HLEN;
	u8 *l4 = ip + ip_header_len(pkt);
	unsigned int i;

	write_ethernet(pkt, (struct ethhdr *)fed->data);
	if (pkt->v6)
		write_ip6(pkt, ip, ip_len);
	else
		write_ip(pkt, ip, ip_len, state->id + pkt->id);
	if (pkt->quirk == QUIRK_UDP) {
		*(struct udphdr *)l4 = (struct udphdr){
			.source = htons(PACKET_PORT + pkt->flow),
			.dest = htons(5001),
			.len = htons(l4_len),
		};
	} else {
		write_tcp(pkt, (struct tcphdr *)l4, state->seq + pkt->seq);
	}
	/* Each byte tells where in its flow it belongs. */
	for (i = l4_header_len(pkt); i < l4_len; i++)
		l4[i] = (state->seq + pkt->seq + i) * 37 >> 3;
	write_check(pkt, ip, l4, l4_len);
	fed->trim = ETH_HLEN + ip_len;
	memset(fed->data + fed->trim, 0xee, pkt->pad);
	if (pkt->quirk == QUIRK_TRUNCATED)
		fed->trim = l4 - fed->data + 8;
	fed->len = fed->trim + pkt->pad;
}

static unsigned int tag_len(const struct pkt *pkt)
{
	return pkt->in_band ? VLAN_HLEN : 0;
}

static void write_wire(struct fed *fed)
{
	const struct pkt *pkt = fed->pkt;
	u8 *to = fed->wire;

	memcpy(to, fed->data, 2 * ETH_ALEN);
	to += 2 * ETH_ALEN;
	if (pkt->in_band) {
		put_unaligned_be16(ETH_P_8021Q, to);
		put_unaligned_be16(pkt->vlan, to + 2);
		to += VLAN_HLEN;
	}
	memcpy(to, fed->data + 2 * ETH_ALEN, fed->len - 2 * ETH_ALEN);
	fed->wire_len = fed->len + tag_len(pkt);
}

/* The linear part of the skb, with room for @len bytes. */
static struct sk_buff *make_head(struct fed *fed, unsigned int len)
{
	struct sk_buff *skb;

	if (fed->pkt->layout == LAYOUT_KMALLOC || fed->pkt->layout == LAYOUT_HEADERS) {
		skb = alloc_skb(HEADROOM + len, GFP_KERNEL);
	} else {
		fed->page[0] = alloc_page(GFP_KERNEL);
		if (!fed->page[0])
			return NULL;
		skb = build_skb(page_address(fed->page[0]), PAGE_SIZE);
		if (skb)
			get_page(fed->page[0]);
	}
	if (skb) {
		skb_reserve(skb, HEADROOM);
		skb_put_data(skb, fed->wire, len);
	}
	return skb;
}

static int make_frag(struct fed *fed, unsigned int from)
{
	if (from == fed->wire_len)
		return 0;
	fed->page[1] = alloc_page(GFP_KERNEL);
	if (!fed->page[1])
		return -ENOMEM;
	memcpy(page_address(fed->page[1]) + HEADROOM, fed->wire + from, fed->wire_len - from);
	get_page(fed->page[1]);
	skb_add_rx_frag(fed->skb, 0, fed->page[1], HEADROOM, fed->wire_len - from, PAGE_SIZE);
	return 0;
}

static __sum16 pseudo_sum(const struct fed *fed)
{
	const struct pkt *pkt = fed->pkt;
	unsigned int len = fed->trim - ETH_HLEN - ip_header_len(pkt);
	const struct iphdr *iph = (const struct iphdr *)(fed->data + ETH_HLEN);
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)iph;

	if (pkt->v6)
		return ~csum_ipv6_magic(&ip6->saddr, &ip6->daddr, len, IPPROTO_TCP, 0);
	return ~csum_tcpudp_magic(iph->saddr, iph->daddr, len, IPPROTO_TCP, 0);
}

/* The sum that a local sender leaves in the place of the checksum. */
void packet_unfinish(const struct fed *fed, void *headers)
{
	struct tcphdr *th = headers + ETH_HLEN + tag_len(fed->pkt) +
			    ip_header_len(fed->pkt);

	th->check = pseudo_sum(fed);
}

static void set_checksum(struct fed *fed)
{
	struct sk_buff *skb = fed->skb;

	skb->ip_summed = CHECKSUM_UNNECESSARY;
	if (fed->pkt->summed)
		skb->ip_summed = fed->pkt->summed - 1;
	if (fed->pkt->quirk == QUIRK_TCP_CHECKSUM && !fed->pkt->summed)
		skb->ip_summed = CHECKSUM_NONE;
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->csum = csum_partial(fed->wire + ETH_HLEN, fed->wire_len - ETH_HLEN, 0);
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		packet_unfinish(fed, skb->data - ETH_HLEN);
		skb->csum_start = skb_headroom(skb) + tag_len(fed->pkt) +
				  ip_header_len(fed->pkt);
		skb->csum_offset = offsetof(struct tcphdr, check);
	}
}

static int make_skb(struct fed *fed, struct net_device *dev)
{
	const struct pkt *pkt = fed->pkt;
	unsigned int linear = fed->wire_len;

	if (pkt->layout == LAYOUT_FRAG || pkt->layout == LAYOUT_HEADERS)
		linear = fed->wire_len - pkt->payload - pkt->pad;
	else if (pkt->layout == LAYOUT_ALL_FRAG)
		linear = ETH_HLEN;
	fed->skb = make_head(fed, linear);
	if (!fed->skb || make_frag(fed, linear))
		return -ENOMEM;
	fed->skb->protocol = eth_type_trans(fed->skb, dev);
	set_checksum(fed);
	if (pkt->vlan && !pkt->in_band)
		__vlan_hwaccel_put_tag(fed->skb, htons(ETH_P_8021Q), pkt->vlan);
	if (pkt->quirk == QUIRK_RECYCLE)
		skb_mark_for_recycle(fed->skb);
	if (pkt->hash) {
		skb_set_hash(fed->skb, pkt->hash, PKT_HASH_TYPE_L4);
		skb_record_rx_queue(fed->skb, PACKET_QUEUE);
	}
	skb_hwtstamps(fed->skb)->hwtstamp = pkt->stamp;
	fed->skb->offload_fwd_mark = pkt->quirk == QUIRK_FORWARDED;
	if (pkt->quirk == QUIRK_OTHER_CPU)
		fed->skb->alloc_cpu++;
	if (pkt->quirk == QUIRK_GSO) {
		skb_shinfo(fed->skb)->gso_size = pkt->payload / 2;
		skb_shinfo(fed->skb)->gso_segs = 2;
		skb_shinfo(fed->skb)->gso_type = SKB_GSO_TCPV4;
	}
	if (pkt->quirk == QUIRK_CLONED) {
		fed->clone = skb_clone(fed->skb, GFP_KERNEL);
		if (!fed->clone)
			return -ENOMEM;
	}
	return 0;
}

struct fed *packet_make(const struct pkt *pkt, struct flow_state *state, struct net_device *dev)
{
	struct fed *fed = kzalloc(sizeof(*fed), GFP_KERNEL);

	if (!fed)
		return NULL;
	fed->pkt = pkt;
	INIT_LIST_HEAD(&fed->list);
	write_frame(fed, state);
	write_wire(fed);
	state->seq += pkt->seq + pkt->payload;
	state->id += pkt->id + 1;
	if (make_skb(fed, dev)) {
		packet_free(fed);
		return NULL;
	}
	return fed;
}

bool packet_pages_free(const struct fed *fed)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fed->page); i++)
		if (fed->page[i] && page_ref_count(fed->page[i]) != 1)
			return false;
	for (i = 0; i < ARRAY_SIZE(fed->frag_page); i++)
		if (fed->frag_page[i] && page_ref_count(fed->frag_page[i]) != 1)
			return false;
	return true;
}

void packet_free(struct fed *fed)
{
	unsigned int i;

	kfree_skb(fed->skb);
	kfree_skb(fed->clone);
	for (i = 0; i < ARRAY_SIZE(fed->page); i++)
		if (fed->page[i])
			put_page(fed->page[i]);
	for (i = 0; i < ARRAY_SIZE(fed->frag_page); i++)
		if (fed->frag_page[i])
			put_page(fed->frag_page[i]);
	list_del(&fed->list);
	kfree(fed);
}
