// SPDX-License-Identifier: GPL-2.0-only
#include "wire.h"

unsigned int wire_tcp(const u8 *frame)
{
	unsigned int at = WIRE_ETH + WIRE_V6, next = frame[WIRE_ETH + 6];

	if (!wire_is_v6(frame))
		return WIRE_ETH + WIRE_V4;
	while (next == 0 || next == 43 || next == 60) {
		next = frame[at];
		at += 8 + frame[at + 1] * 8;
	}
	return at;
}

u64 wire_sum(const u8 *p, unsigned int len, u64 sum)
{
	/* The sum is the same in any byte order but for that order. */
	u64 native = 0;
	u32 word;

	for (; len >= 4; len -= 4, p += 4) {
		memcpy(&word, p, 4);
		native += word;
	}
	if (len) {
		word = 0;
		memcpy(&word, p, len);
		native += word;
	}
	native = (native & 0xffffffff) + (native >> 32);
	native = (native & 0xffff) + (native >> 16 & 0xffff) + (native >> 32);
	native = (native & 0xffff) + (native >> 16);
	word = native;
	return sum + wire_get16((const u8 *)&word) + (native >> 16);
}

u16 wire_fold(u64 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

u64 wire_pseudo(const u8 *frame, unsigned int len)
{
	unsigned int from = wire_is_v6(frame) ? 8 : 12;

	return wire_sum(frame + WIRE_ETH + from, wire_is_v6(frame) ? 32 : 8, 6 + len);
}

void wire_check_ip(u8 *ip)
{
	wire_put16(ip + 10, 0);
	wire_put16(ip + 10, wire_fold(wire_sum(ip, (ip[0] & 0xf) * 4, 0)));
}

void wire_check_tcp(u8 *frame, unsigned int tcp, unsigned int len)
{
	u8 *th = frame + tcp;

	wire_put16(th + 16, 0);
	wire_put16(th + 16, wire_fold(wire_sum(th, len, wire_pseudo(frame, len))));
}
