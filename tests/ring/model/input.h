/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fuzzer's bytes. What happens one after another is told from the front; what happens between two reads of the
 * driver is told from the back, so that a byte more here does not change the meaning of all that follows there.
 */
#ifndef _RING_INPUT_H
#define _RING_INPUT_H

#include "base.h"

/**
 * struct input - an input, or what is left of it
 * @front: next byte from the front
 * @back: behind the next byte from the back
 * @amid: bytes are taken from the back
 */
struct input {
	const u8 *front, *back;
	bool amid;
};

extern struct input input;

static inline bool input_ends(void)
{
	return input.front >= input.back;
}

static inline u8 input_u8(void)
{
	if (input_ends())
		return 0;
	return input.amid ? *--input.back : *input.front++;
}

static inline u16 input_u16(void)
{
	u16 high = input_u8();

	return (u16)(high << 8 | input_u8());
}

/* A number below @sides. */
static inline unsigned int choice(unsigned int sides)
{
	return input_u8() % sides;
}

#endif /* _RING_INPUT_H */
