// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes in: every way in with every kind of length, IPv4 and IPv6.
 */
#include <linux/etherdevice.h>
#include <net/tcp.h>

#include "consumers.h"
#include "wire.h"

#define TIMESTAMPS	12
#define V6_LESS		(WIRE_V6 - WIRE_V4)

/* A kind of length; @last is 0 for one as long as the others. */
struct size {
	const char *name;
	u16 payload;
	u16 count;
	u16 last;
	u8 flags;
	bool cwr;
};

static const struct size sizes[] = {
	{ "20 full", 1448, 20 },
	{ "64 KiB", 1448, 45 },
	{ "odd", 1447, 21, .last = 333, .flags = TCPHDR_PSH },
	{ "536 bytes", 536, 60 },
	{ "90-byte frames", 24, 8 },
	{ "many 90-byte frames", 24, 40 },
	{ "1 byte each", 1, 40, .flags = TCPHDR_PSH },
	{ "1 byte last", 1000, 12, .last = 1, .flags = TCPHDR_FIN },
	{ "CWR first", 700, 20, .cwr = true },
};

static const char * const ways[] = {
	[WAY_KMALLOC] = "kmalloc head", [WAY_PAGE_HEAD] = "page head", [WAY_SPLIT] = "split",
	[WAY_CHAIN] = "chain", [WAY_COPY] = "copy", [WAY_PAGE] = "page", [WAY_PAGES] = "pages",
	[WAY_POOL] = "pool", [WAY_TURNS] = "in turns",
};

static const u8 from_mac[] = { 2, 0, 0, 0, 0, 9 }, far_mac[] = { 2, 0, 0, 0, 0x99, 0x99 };

bool flight_has(const struct ethhdr *eth)
{
	return ether_addr_equal(eth->h_source, from_mac);
}

unsigned int flight_count(void)
{
	return 2 * ARRAY_SIZE(ways) * ARRAY_SIZE(sizes);
}

static void write_addresses(u8 *frame, bool v6)
{
	static const u8 from[16] = { 0xfd, 1, [15] = 9 }, to[16] = { 0xfd, 9, [15] = 2 };

	if (v6) {
		memcpy(frame + WIRE_ETH + 8, from, sizeof(from));
		memcpy(frame + WIRE_ETH + 24, to, sizeof(to));
	} else {
		wire_put32(frame + WIRE_ETH + 12, 0x0a010009);
		wire_put32(frame + WIRE_ETH + 16, 0x0a090002);
	}
}

static void write_frame(struct frame *frame, const struct flight *flight, unsigned int n,
			unsigned int payload, u8 flags, const struct row *row)
{
	unsigned int tcp = WIRE_ETH + (flight->v6 ? WIRE_V6 : WIRE_V4), i;
	unsigned int tcp_len = WIRE_TCP + TIMESTAMPS + payload;
	u32 seq = 1000 + n * flight->payload;
	u8 *p = frame->data, *ip = p + WIRE_ETH, *th = p + tcp;

	memset(p, 0, tcp + WIRE_TCP);
	ether_addr_copy(p, row->bridged ? far_mac : nic_device()->dev_addr);
	memcpy(p + ETH_ALEN, from_mac, ETH_ALEN);
	wire_put16(p + 12, flight->v6 ? ETH_P_IPV6 : ETH_P_IP);
	write_addresses(p, flight->v6);
	if (flight->v6) {
		ip[0] = 0x60;
		wire_put16(ip + 4, tcp_len);
		ip[6] = IPPROTO_TCP;
		ip[7] = 64;
	} else {
		ip[0] = 0x45;
		wire_put16(ip + 2, WIRE_V4 + tcp_len);
		wire_put16(ip + 4, 65500 + n);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = IPPROTO_TCP;
		wire_check_ip(ip);
	}
	/* Each flight is a connection of its own. */
	wire_put16(th, flight->sport);
	wire_put16(th + 2, DPORT);
	wire_put32(th + 4, seq);
	wire_put32(th + 8, 1);
	th[12] = (WIRE_TCP + TIMESTAMPS) / 4 << 4;
	th[13] = TCPHDR_ACK | flags;
	wire_put16(th + 14, 501);
	wire_put32(th + WIRE_TCP, 0x0101080a);
	wire_put32(th + WIRE_TCP + 4, 1000000);
	wire_put32(th + WIRE_TCP + 8, 2000000);
	/* Each byte tells where in its flow it belongs. */
	for (i = 0; i < payload; i++)
		th[WIRE_TCP + TIMESTAMPS + i] = (seq + i) * 37 >> 3;
	wire_check_tcp(p, tcp, tcp_len);
	frame->len = tcp + tcp_len;
}

void flight_make(struct flight *flight, unsigned int n, const struct row *row, char *buf,
		 size_t len)
{
	const struct size *size = &sizes[n / 2 % ARRAY_SIZE(sizes)];
	unsigned int i;

	flight->sport = 10000 + n;
	flight->v6 = n % 2;
	flight->way = n / 2 / ARRAY_SIZE(sizes);
	flight->payload = min_t(unsigned int, size->payload,
				1448 - (flight->v6 ? V6_LESS : 0));
	flight->last = size->last ?: flight->payload;
	flight->count = size->count;
	flight->flags = size->flags;
	flight->cwr = size->cwr;
	flight->tag = row->tag;
	flight->in_band = row->in_band;
	for (i = 0; i < flight->count; i++) {
		bool last = i == flight->count - 1;

		write_frame(&flight->frame[i], flight, i, last ? flight->last : flight->payload,
			    (last ? flight->flags : 0) | (!i && flight->cwr ? TCPHDR_CWR : 0),
			    row);
	}
	snprintf(buf, len, "%s, %s, IPv%u", ways[flight->way], size->name, flight->v6 ? 6 : 4);
}
