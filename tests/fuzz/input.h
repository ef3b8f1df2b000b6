/* SPDX-License-Identifier: GPL-2.0-only */
/* The fuzzer's bytes, read as numbers. When they are used up, all further ones are 0. */
#ifndef _FUZZ_INPUT_H
#define _FUZZ_INPUT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

/**
 * struct input - the rest of one input
 * @at: next byte
 * @left: bytes left
 */
struct input {
	const u8 *at;
	size_t left;
};

static inline u8 input_u8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static inline u16 input_u16(struct input *in)
{
	u16 high = input_u8(in);

	return high << 8 | input_u8(in);
}

static inline u32 input_u32(struct input *in)
{
	u32 high = input_u16(in);

	return high << 16 | input_u16(in);
}

/* A failed condition is a finding. */
#define MUST(condition) do {							\
	if (!(condition)) {							\
		fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__,		\
			__LINE__, #condition);					\
		abort();							\
	}									\
} while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif /* _FUZZ_INPUT_H */
