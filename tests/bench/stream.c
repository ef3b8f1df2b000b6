// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packet stream.
 */
#include <linux/etherdevice.h>
#include <linux/gfp.h>
#include <linux/ip.h>
#include <linux/mm.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/tcp.h>

#include "stream.h"

/* Smaller frames have no room for the option that senders usually set. */
#define TIMESTAMP_SIZE_MIN	128
#define TIMESTAMP_LEN		12

#define SADDR	0x0a000001
#define DADDR	0x0a000002

static unsigned int timestamp_len(const struct stream *s)
{
	return s->kind == STREAM_TCP && s->size >= TIMESTAMP_SIZE_MIN ? TIMESTAMP_LEN : 0;
}

static void write_payload(const struct stream *s, u8 *data)
{
	unsigned int i;

	for (i = s->headers; i < s->size; i++)
		data[i] = s->payload ? i : 0;
}

static int renew_page(const struct stream *s, struct frame *frame, gfp_t gfp)
{
	struct page *page = alloc_page(gfp);

	if (!page)
		return -ENOMEM;
	if (frame->page)
		put_page(frame->page);
	frame->page = page;
	frame->data = page_address(page);
	write_payload(s, frame->data);
	return 0;
}

int stream_init(struct stream *s)
{
	unsigned int i;
	int err;

	for (i = 0; i < STREAM_SLOTS; i++) {
		err = renew_page(s, &s->slot[i], GFP_KERNEL);
		if (err)
			return err;
	}
	return 0;
}

void stream_exit(struct stream *s)
{
	unsigned int i;

	for (i = 0; i < STREAM_SLOTS; i++)
		if (s->slot[i].page)
			put_page(s->slot[i].page);
}

void stream_start(struct stream *s, enum stream_kind kind, unsigned int flows, unsigned int size)
{
	unsigned int i;

	s->kind = kind;
	s->flows = flows;
	s->size = size;
	s->headers = ETH_HLEN + sizeof(struct iphdr);
	if (kind == STREAM_UDP)
		s->headers += sizeof(struct udphdr);
	else
		s->headers += sizeof(struct tcphdr) + timestamp_len(s);
	s->payload = kind == STREAM_ACK ? 0 : size - s->headers;
	s->packets = 0;
	for (i = 0; i < flows; i++) {
		s->seq[i] = i * 0x01000001;
		s->id[i] = i;
	}
	for (i = 0; i < STREAM_SLOTS; i++) {
		write_payload(s, s->slot[i].data);
		s->slot[i].len = size;
	}
}

static void write_tcp(const struct stream *s, struct tcphdr *th, unsigned int flow)
{
	__be32 *option = (__be32 *)(th + 1);

	memset(th, 0, sizeof(*th));
	th->source = htons(STREAM_PORT + flow);
	th->dest = htons(5001);
	th->seq = htonl(s->seq[flow]);
	th->ack_seq = htonl(1);
	th->doff = (sizeof(*th) + timestamp_len(s)) / 4;
	th->ack = 1;
	th->window = htons(501);
	if (timestamp_len(s)) {
		option[0] = htonl(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 |
				  TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP);
		option[1] = htonl(1000000);
		option[2] = htonl(2000000);
	}
}

static void write_udp(const struct stream *s, struct udphdr *uh, unsigned int flow)
{
	uh->source = htons(STREAM_PORT + flow);
	uh->dest = htons(5001);
	uh->len = htons(sizeof(*uh) + s->payload);
	uh->check = 0;
}

static void write_headers(struct stream *s, u8 *data, unsigned int flow)
{
	unsigned int l4_len = s->headers - ETH_HLEN - sizeof(struct iphdr) + s->payload;
	bool udp = s->kind == STREAM_UDP;
	u8 proto = udp ? IPPROTO_UDP : IPPROTO_TCP;
	struct iphdr *iph = (struct iphdr *)(data + ETH_HLEN);
	struct ethhdr *eth = (struct ethhdr *)data;
	void *l4 = iph + 1;
	__sum16 check;

	eth_zero_addr(eth->h_source);
	eth_zero_addr(eth->h_dest);
	eth->h_source[0] = 2;
	eth->h_dest[0] = 2;
	eth->h_proto = htons(ETH_P_IP);

	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = 5;
	iph->tot_len = htons(sizeof(*iph) + l4_len);
	iph->id = htons(s->id[flow]++);
	iph->frag_off = htons(IP_DF);
	iph->ttl = 64;
	iph->protocol = proto;
	iph->saddr = htonl(SADDR);
	iph->daddr = htonl(DADDR);
	ip_send_check(iph);

	if (udp)
		write_udp(s, l4, flow);
	else
		write_tcp(s, l4, flow);
	check = csum_tcpudp_magic(iph->saddr, iph->daddr, l4_len, proto,
				  csum_partial(l4, l4_len, 0));
	if (udp)
		((struct udphdr *)l4)->check = check ? check : CSUM_MANGLED_0;
	else
		((struct tcphdr *)l4)->check = check;
	s->seq[flow] += s->payload;
}

int stream_fill(struct stream *s, unsigned int count)
{
	while (count--) {
		struct frame *frame = &s->slot[s->packets % STREAM_SLOTS];

		if (page_ref_count(frame->page) > 1 && renew_page(s, frame, GFP_ATOMIC))
			return -ENOMEM;
		write_headers(s, frame->data, s->packets % s->flows);
		s->packets++;
	}
	return 0;
}
