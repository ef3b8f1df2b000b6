// SPDX-License-Identifier: GPL-2.0-only
/*
 * The packet stream.
 */
#include <linux/etherdevice.h>
#include <linux/gfp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
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
#define DPORT	5001

/* Addresses without a flow between them. */
#define STRAY_SADDR	0x0a010001
#define STRAY_DADDR	0x0a010002

static bool is_tcp(const struct stream *s)
{
	return s->kind != STREAM_ACK && s->kind != STREAM_UDP;
}

static unsigned int timestamp_len(const struct stream *s)
{
	return s->kind == STREAM_TINY || (is_tcp(s) && s->size >= TIMESTAMP_SIZE_MIN) ?
	       TIMESTAMP_LEN : 0;
}

/*
 * A hash that multiplies both ports, as they lie in the packet, by a number with this lower half
 * puts flows with these ports beside each other, for any seed.
 */
#define KNOWN_MULTIPLIER	0x27d4eb4fu

static unsigned int choose_ports(struct stream *s)
{
	unsigned int upper, port, found = 0;

	for (upper = 0; upper < 256 && found < STREAM_CHOSEN; upper++) {
		for (port = 1, found = 0; port < 65536 && found < STREAM_CHOSEN; port++) {
			u8 both[4] = { port >> 8, port, DPORT >> 8, (u8)DPORT };
			u32 product = get_unaligned_le32(both) * KNOWN_MULTIPLIER;

			if (product >> 24 == upper)
				s->port[found++] = port;
		}
	}
	return found;
}

static void start_ports(struct stream *s)
{
	unsigned int i;

	s->ports = STREAM_PORTS;
	if (s->kind == STREAM_CHOSEN_PORTS)
		s->ports = choose_ports(s);
	else
		for (i = 0; i < s->ports; i++)
			s->port[i] = STREAM_PORT + i;
	memset(s->flow_of, 0xff, sizeof(s->flow_of));
	for (i = 0; i < s->ports; i++)
		s->flow_of[s->port[i]] = i;
}

unsigned int stream_flow(const struct stream *s, __be32 saddr, __be16 port)
{
	unsigned int of_address = s->flow_of[ntohs(port)];

	if (of_address >= s->ports)
		return STREAM_FLOWS_MAX;
	return (ntohl(saddr) - SADDR) / 256 * s->ports + of_address;
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
	start_ports(s);
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
	th->source = htons(s->port[flow % s->ports]);
	th->dest = htons(DPORT);
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
	uh->dest = htons(DPORT);
	uh->len = htons(sizeof(*uh) + s->payload);
	uh->check = 0;
}

static void write_mac(u8 *data, u16 protocol)
{
	struct ethhdr *eth = (struct ethhdr *)data;

	eth_zero_addr(eth->h_source);
	eth_zero_addr(eth->h_dest);
	eth->h_source[0] = 2;
	eth->h_dest[0] = 2;
	eth->h_proto = htons(protocol);
}

/* The first fragment of a packet, without the rest. */
static void write_fragment(const struct stream *s, u8 *data)
{
	struct iphdr *iph = (struct iphdr *)(data + ETH_HLEN);

	write_mac(data, ETH_P_IP);
	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = 5;
	iph->tot_len = htons(s->size - ETH_HLEN);
	iph->frag_off = htons(IP_MF);
	iph->ttl = 64;
	iph->protocol = IPPROTO_TCP;
	iph->saddr = htonl(STRAY_SADDR);
	iph->daddr = htonl(STRAY_DADDR);
	ip_send_check(iph);
}

/* An empty header of destination options before TCP. */
static void write_extension(const struct stream *s, u8 *data)
{
	struct ipv6hdr *ip6h = (struct ipv6hdr *)(data + ETH_HLEN);
	u8 *option = (u8 *)(ip6h + 1);

	write_mac(data, ETH_P_IPV6);
	memset(ip6h, 0, sizeof(*ip6h));
	ip6h->version = 6;
	ip6h->payload_len = htons(s->size - ETH_HLEN - sizeof(*ip6h));
	ip6h->nexthdr = NEXTHDR_DEST;
	ip6h->hop_limit = 64;
	ipv6_addr_set(&ip6h->saddr, htonl(0xfd000000), 0, 0, htonl(1));
	ipv6_addr_set(&ip6h->daddr, htonl(0xfd000000), 0, 0, htonl(2));
	memset(option, 0, 8);
	option[0] = IPPROTO_TCP;
	option[2] = IPV6_TLV_PADN;
	option[3] = 4;
}

static void write_headers(struct stream *s, u8 *data, unsigned int flow)
{
	unsigned int l4_len = s->headers - ETH_HLEN - sizeof(struct iphdr) + s->payload;
	bool udp = s->kind == STREAM_UDP;
	u8 proto = udp ? IPPROTO_UDP : IPPROTO_TCP;
	struct iphdr *iph = (struct iphdr *)(data + ETH_HLEN);
	void *l4 = iph + 1;
	__sum16 check;

	write_mac(data, ETH_P_IP);
	memset(iph, 0, sizeof(*iph));
	iph->version = 4;
	iph->ihl = 5;
	iph->tot_len = htons(sizeof(*iph) + l4_len);
	iph->id = htons(s->id[flow]++);
	iph->frag_off = htons(IP_DF);
	iph->ttl = 64;
	iph->protocol = proto;
	iph->saddr = htonl(SADDR + flow / s->ports * 256);
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
	s->seq[flow] += s->kind == STREAM_SINGLE ? 2 * s->payload : s->payload;
}

static void write_next(struct stream *s, u8 *data)
{
	if (!stream_has_strays(s))
		write_headers(s, data, s->packets % s->flows);
	else if (s->packets % 2 == 0)
		write_headers(s, data, s->packets / 2 % s->flows);
	else if (s->kind == STREAM_FRAGMENT)
		write_fragment(s, data);
	else
		write_extension(s, data);
	s->packets++;
}

int stream_fill(struct stream *s, unsigned int count)
{
	while (count--) {
		struct frame *frame = &s->slot[s->packets % STREAM_SLOTS];

		if (page_ref_count(frame->page) > 1 && renew_page(s, frame, GFP_ATOMIC))
			return -ENOMEM;
		write_next(s, frame->data);
	}
	return 0;
}
