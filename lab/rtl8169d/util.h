/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Integer names, time, unaligned little- and big-endian access, messages.
 */
#ifndef RTL8169D_UTIL_H
#define RTL8169D_UTIL_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BIT(n)		(1u << (n))
#define NSEC_PER_SEC	1000000000ull
#define NSEC_PER_MSEC	1000000ull
#define NSEC_PER_USEC	1000ull

/** now_ns() - monotonic time in nanoseconds, never 0. */
u64 now_ns(void);

/** say() - print one sentence to stderr, with the program's name in front and a newline behind. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** say_verbose() - the same, only with --verbose. */
void say_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** set_program() - name in front of the messages of say(), if it is not rtl8169d. */
void set_program(const char *name);

/** set_verbose() - switch say_verbose() on or off. */
void set_verbose(bool on);

static inline u16 get_le16(const void *p)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline u32 get_le32(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline u64 get_le64(const void *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void put_le16(void *p, u16 v)
{
	v = htole16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_le32(void *p, u32 v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_le64(void *p, u64 v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}

static inline u16 get_be16(const void *p)
{
	u16 v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline u32 get_be32(const void *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline void put_be16(void *p, u16 v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_be32(void *p, u32 v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

/** earliest() - lower @next to @at; @at == 0 means "no deadline". Times in ns. */
static inline void earliest(u64 *next, u64 at)
{
	if (at && at < *next)
		*next = at;
}

#endif
