// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares aggregates of the relaxed promise.
 */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/tcp.h>

#include "verify.h"

#define HEADERS_MAX	128

/* The bytes before timestamps in their usual form. */
#define USUAL_STAMPS	(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 | \
			 TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP)

/* Flags that need not be the same in all packets of an aggregate. */
#define FLAGS_FREE	(TCPHDR_PSH | TCPHDR_FIN | TCPHDR_CWR)

/**
 * struct latest - fields that the last packet of an aggregate decides
 * @ack_seq: acknowledgment
 * @window: window
 * @stamps: timestamp and its echo, or 0
 * @flags: PSH and FIN
 */
struct latest {
	__be32 ack_seq;
	__be16 window;
	__be32 stamps[2];
	u8 flags;
};

/* Takes @latest out of the headers and clears what differs from packet to packet. */
static void reduce(u8 *headers, unsigned int ip_len, struct latest *latest)
{
	struct tcphdr *th = (struct tcphdr *)(headers + ETH_HLEN + ip_len);
	__be32 *option = (__be32 *)(th + 1);

	memset(latest, 0, sizeof(*latest));
	latest->ack_seq = th->ack_seq;
	latest->window = th->window;
	latest->flags = tcp_flag_byte(th) & (TCPHDR_PSH | TCPHDR_FIN);
	if (th->doff == 8 && *option == htonl(USUAL_STAMPS)) {
		memcpy(latest->stamps, option + 1, sizeof(latest->stamps));
		memset(option + 1, 0, sizeof(latest->stamps));
	}
	th->seq = 0;
	th->ack_seq = 0;
	th->window = 0;
	th->check = 0;
	tcp_flag_byte(th) &= ~FLAGS_FREE;
	if (ip_len >= sizeof(struct ipv6hdr)) {
		((struct ipv6hdr *)(headers + ETH_HLEN))->payload_len = 0;
	} else {
		struct iphdr *iph = (struct iphdr *)(headers + ETH_HLEN);

		iph->tot_len = 0;
		iph->id = 0;
		iph->check = 0;
	}
}

static void verify_merged(struct kunit *test, struct bed *bed, const struct sk_buff *skb)
{
	unsigned int ip_len = skb_checksum_start_offset(skb) - ETH_HLEN;
	u8 *data = kunit_kmalloc(test, skb->len, GFP_KERNEL), headers[HEADERS_MAX];
	struct latest have, want = {};
	unsigned int i, at, flow;
	struct tcphdr *th;

	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_EQ(test, skb_copy_bits(skb, 0, data, skb->len), 0);
	th = (struct tcphdr *)(data + ETH_HLEN + ip_len);
	flow = ntohs(th->source) - PACKET_PORT;
	at = ETH_HLEN + ip_len + th->doff * 4;
	KUNIT_ASSERT_LT(test, flow, (unsigned int)PACKET_FLOWS);
	KUNIT_ASSERT_LE(test, at, (unsigned int)HEADERS_MAX);
	KUNIT_EXPECT_EQ(test, (unsigned int)skb->ip_summed, (unsigned int)CHECKSUM_PARTIAL);

	for (i = 0; i < skb_shinfo(skb)->gso_segs; i++) {
		struct fed *fed = verify_next(bed, flow);
		unsigned int len;

		KUNIT_ASSERT_NOT_NULL(test, fed);
		fed->seen = true;
		len = packet_header_len(fed->pkt);
		KUNIT_ASSERT_LE(test, at + fed->trim - len, skb->len);
		KUNIT_EXPECT_EQ(test, memcmp(data + at, fed->data + len, fed->trim - len), 0);
		at += fed->trim - len;
		if (!i) {
			KUNIT_EXPECT_EQ(test, ntohl(th->seq),
					get_unaligned_be32(fed->data + ETH_HLEN + ip_len + 4));
			KUNIT_EXPECT_EQ(test, (unsigned int)skb_shinfo(skb)->gso_size,
					fed->trim - len);
			reduce(data, ip_len, &have);
		}
		memcpy(headers, fed->data, len);
		reduce(headers, ip_len, &want);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(data, headers, len), 0, "headers of packet %u", i);
	}
	KUNIT_EXPECT_EQ_MSG(test, at, skb->len, "bytes of payload");
	KUNIT_EXPECT_EQ_MSG(test, memcmp(&have, &want, sizeof(have)), 0,
			    "acknowledgment, window or timestamps are not the latest");
	kunit_kfree(test, data);
}

void verify_relaxed(struct kunit *test, struct bed *bed)
{
	u8 *data = kunit_kmalloc(test, PACKET_MAX, GFP_KERNEL);
	const struct fed *fed;
	struct sk_buff *skb;

	KUNIT_ASSERT_NOT_NULL(test, data);
	while ((skb = skb_dequeue(&bed->delivered))) {
		if (skb_shinfo(skb)->gso_segs > 1)
			verify_merged(test, bed, skb);
		else
			verify_frame(test, bed, skb, data);
		kfree_skb(skb);
	}
	list_for_each_entry(fed, &bed->fed, list)
		KUNIT_EXPECT_TRUE_MSG(test, fed->seen, "a packet was lost");
}
