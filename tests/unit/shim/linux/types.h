/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's integer types, for code that is tested in user space. */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int32_t s32;

#define __aligned(x)	__attribute__((aligned(x)))
/* Without optimisation one copy of each function, whose branches are counted together. */
#undef __always_inline
#define __always_inline	inline

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#endif /* _SHIM_LINUX_TYPES_H */
