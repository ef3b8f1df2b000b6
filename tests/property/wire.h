/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Header fields and checksums, in the kernel and in user space; not the engine's own, so that a
 * fault there does not repeat here.
 */
#ifndef _PROPERTY_WIRE_H
#define _PROPERTY_WIRE_H

#include <linux/string.h>
#include <linux/types.h>

#define WIRE_ETH	14	/* Ethernet header */
#define WIRE_V4		20	/* IPv4 header without options */
#define WIRE_V6		40
#define WIRE_TCP	20	/* TCP header without options */

static inline u16 wire_get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static inline u32 wire_get32(const u8 *p)
{
	return (u32)wire_get16(p) << 16 | wire_get16(p + 2);
}

static inline void wire_put16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v & 0xff;
}

static inline void wire_put32(u8 *p, u32 v)
{
	wire_put16(p, v >> 16);
	wire_put16(p + 2, v & 0xffff);
}

static inline bool wire_is_v6(const u8 *frame)
{
	return wire_get16(frame + 12) == 0x86dd;
}

/*
 * Frame bytes before the TCP header, behind the extension headers that the generator writes;
 * without IPv4 options.
 */
unsigned int wire_tcp(const u8 *frame);

/* Sum of 16-bit words in network byte order, for wire_fold(); @p is at an even place. */
u64 wire_sum(const u8 *p, unsigned int len, u64 sum);

/* The checksum that a sum stands for. */
u16 wire_fold(u64 sum);

/* Sum over the pseudo header of TCP, which is @len bytes long with its payload. */
u64 wire_pseudo(const u8 *frame, unsigned int len);

/* Write the checksum of an IPv4 header with its options. */
void wire_check_ip(u8 *ip);

/* Write the checksum of a TCP segment at frame offset @tcp, @len bytes long, all in memory. */
void wire_check_tcp(u8 *frame, unsigned int tcp, unsigned int len);

#endif /* _PROPERTY_WIRE_H */
