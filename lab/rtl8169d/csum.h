/* SPDX-License-Identifier: GPL-2.0-only */
/* The Internet checksum. */
#ifndef RTL8169D_CSUM_H
#define RTL8169D_CSUM_H

#include "util.h"

/**
 * csum_add() - add @len bytes to a sum, as 16-bit words in memory order.
 * @sum:	so far; a part of odd length may only be the last
 */
u64 csum_add(u64 sum, const void *data, size_t len);

/** csum_fold() - 16-bit complement of the sum, as a number to store in network order. */
u16 csum_fold(u64 sum);

#endif
