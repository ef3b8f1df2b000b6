/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Header fields as bytes: loads, stores and differences at any alignment.
 */
#ifndef _XENLRO_BYTES_H
#define _XENLRO_BYTES_H

#include <linux/types.h>

/* Compilers turn these into one load. */
static inline u16 lro_get_be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static inline u32 lro_get_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline u16 lro_load16(const u8 *p)
{
	u16 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline u32 lro_load32(const u8 *p)
{
	u32 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline u64 lro_load64(const u8 *p)
{
	u64 v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/* The kernel's memcpy() checks its bounds at runtime where it knows them in part. */
static inline void lro_store16(u8 *p, u16 v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void lro_store32(u8 *p, u32 v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void lro_store64(u8 *p, u64 v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void lro_put_be16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline void lro_put_be32(u8 *p, u32 v)
{
	p[0] = v >> 24;
	p[1] = v >> 16;
	p[2] = v >> 8;
	p[3] = v;
}

static __always_inline u64 lro_diff64(const u8 *a, const u8 *b)
{
	return lro_load64(a) ^ lro_load64(b);
}

#endif /* _XENLRO_BYTES_H */
