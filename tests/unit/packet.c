// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "packet.h"

const struct spec spec_bulk = {
	.mac_last = 0x11,
	.id = 1000,
	.frag = 0x4000,
	.ttl = 64,
	.proto = 6,
	.saddr = 0x0a000001,
	.daddr = 0x0a000002,
	.sport = 40000,
	.dport = 5001,
	.seq = 100000,
	.ack = 7000,
	.flags = 0x10,
	.window = 502,
	.tsval = 123456,
	.tsecr = 654321,
	.tcp_options = 12,
	.option = 1,
	.payload = 1448,
};

void put_be16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v & 0xff;
}

void put_be32(u8 *p, u32 v)
{
	put_be16(p, v >> 16);
	put_be16(p + 2, v & 0xffff);
}

static u16 checksum(const u8 *p, unsigned int len, u32 sum)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

struct spec spec_v6(struct spec spec)
{
	spec.ipv6 = true;
	spec.label = 0x12345;
	return spec;
}

static bool is_v6(const struct frame *frame)
{
	return frame->data[12] == 0x86;
}

void frame_fix_ip_checksum(struct frame *frame)
{
	u8 *ip = frame->data + 14;

	if (is_v6(frame))
		return;
	put_be16(ip + 10, 0);
	put_be16(ip + 10, checksum(ip, (ip[0] & 0xf) * 4, 0));
}

void frame_fix_tcp_checksum(struct frame *frame)
{
	u8 *ip = frame->data + 14, *end = ip + (is_v6(frame) ? 40 : 20), *tcp = end;
	unsigned int len, addr = is_v6(frame) ? 8 : 12;
	u32 pseudo = 6;

	if (is_v6(frame) && ip[6] == 60)
		tcp += 8 + tcp[1] * 8;
	len = is_v6(frame) ? ip[4] << 8 | ip[5] : (ip[2] << 8 | ip[3]) - 20;
	len -= tcp - end;
	pseudo += len;
	for (; ip + addr < end; addr += 2)
		pseudo += ip[addr] << 8 | ip[addr + 1];
	put_be16(tcp + 16, 0);
	put_be16(tcp + 16, checksum(tcp, len, pseudo));
}

static void build_v4(u8 *ip, const struct spec *s, unsigned int ip_hdr, unsigned int ip_len)
{
	ip[0] = 0x40 | ip_hdr / 4;
	ip[1] = s->tos;
	put_be16(ip + 2, ip_len);
	put_be16(ip + 4, s->id);
	put_be16(ip + 6, s->frag);
	ip[8] = s->ttl;
	ip[9] = s->proto;
	put_be32(ip + 12, s->saddr);
	put_be32(ip + 16, s->daddr);
	memset(ip + 20, 1, s->ip_options);
}

static void build_v6(u8 *ip, const struct spec *s, unsigned int ip_len)
{
	put_be32(ip, 6u << 28 | s->tos << 20 | s->label);
	put_be16(ip + 4, ip_len - 40);
	ip[6] = s->proto;
	ip[7] = s->ttl;
	memset(ip + 8, 0xfd, 32);
	put_be32(ip + 20, s->saddr);
	put_be32(ip + 36, s->daddr);
	if (!s->extensions)
		return;
	ip[6] = 60;
	ip[40] = s->proto;
	ip[41] = s->extensions / 8 - 1;
	memset(ip + 42, s->extension, s->extensions - 2);
}

struct frame frame_build(const struct spec *s)
{
	unsigned int ip_hdr = s->ipv6 ? 40 + s->extensions : 20 + s->ip_options;
	unsigned int tcp_hdr = 20 + s->tcp_options, ip_len = ip_hdr + tcp_hdr + s->payload, i;
	struct frame frame = { .len = 14 + ip_len + s->padding };
	u8 *ip, *tcp;

	frame.data = calloc(1, frame.len);
	memcpy(frame.data, "\x02\0\0\0\0\x02\x02\0\0\0\0", 11);
	frame.data[11] = s->mac_last;
	put_be16(frame.data + 12, s->ipv6 ? 0x86dd : 0x0800);

	ip = frame.data + 14;
	if (s->ipv6)
		build_v6(ip, s, ip_len);
	else
		build_v4(ip, s, ip_hdr, ip_len);

	tcp = ip + ip_hdr;
	put_be16(tcp, s->sport);
	put_be16(tcp + 2, s->dport);
	put_be32(tcp + 4, s->seq);
	put_be32(tcp + 8, s->ack);
	tcp[12] = tcp_hdr / 4 << 4 | s->reserved;
	tcp[13] = s->flags;
	put_be16(tcp + 14, s->window);
	put_be16(tcp + 18, s->urgent);
	memset(tcp + 20, s->option, s->tcp_options);
	if (s->tcp_options == 12) {
		put_be32(tcp + 20, 0x0101080a);
		put_be32(tcp + 24, s->tsval);
		put_be32(tcp + 28, s->tsecr);
	}
	for (i = 0; i < s->payload; i++)
		tcp[tcp_hdr + i] = (s->seq + i) * 7 >> 3;
	memset(tcp + tcp_hdr + s->payload, 0xee, s->padding);

	frame_fix_ip_checksum(&frame);
	if (!s->ip_options)
		frame_fix_tcp_checksum(&frame);
	return frame;
}

void frame_free(struct frame *frame)
{
	free(frame->data);
	frame->data = NULL;
}
