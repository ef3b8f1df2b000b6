// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Internet checksum over 32-bit words in host order: the byte order of ones' complement
 * addition matters at its end only, and 2^32 words fit into the 64-bit sum without a carry.
 */
#include "csum.h"

u64 csum_add(u64 sum, const void *data, size_t len)
{
	const u8 *p = data;
	u64 other = 0;
	u32 word;

	/* Two independent sums keep two adders busy. */
	for (; len >= 16; len -= 16, p += 16) {
		u32 w[4];

		memcpy(w, p, sizeof(w));
		sum += w[0];
		other += w[1];
		sum += w[2];
		other += w[3];
	}
	sum += other;
	for (; len >= 4; len -= 4, p += 4) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	word = 0;
	memcpy(&word, p, len);
	return sum + word;
}

u16 csum_fold(u64 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~be16toh((u16)sum);
}
