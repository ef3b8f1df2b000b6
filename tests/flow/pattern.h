/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes that follow from their place in a stream, so that either end can compute them. */
#ifndef FLOW_PATTERN_H
#define FLOW_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t pattern_word(uint64_t seed, uint64_t index)
{
	uint64_t x = (index + seed) * 0x9e3779b97f4a7c15u;

	return x ^ x >> 29;
}

/* Write the bytes at `at` and after of the stream `seed`. */
static inline void pattern_fill(uint8_t *to, size_t len, uint64_t seed, uint64_t at)
{
	while (len) {
		uint64_t word = pattern_word(seed, at / 8);
		size_t skip = at % 8, n = 8 - skip < len ? 8 - skip : len;

		memcpy(to, (uint8_t *)&word + skip, n);
		to += n;
		at += n;
		len -= n;
	}
}

/* Return how many bytes are right; `len` if all are. */
static inline size_t pattern_check(const uint8_t *from, size_t len, uint64_t seed, uint64_t at)
{
	size_t done = 0;

	while (done < len) {
		uint64_t word = pattern_word(seed, (at + done) / 8);
		size_t skip = (at + done) % 8, n = 8 - skip < len - done ? 8 - skip : len - done;

		if (memcmp(from + done, (uint8_t *)&word + skip, n))
			break;
		done += n;
	}
	return done;
}

#endif /* FLOW_PATTERN_H */
