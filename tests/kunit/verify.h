/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The strict promise: segmenting what was delivered gives back what was fed in.
 */
#ifndef _LRO_KUNIT_VERIFY_H
#define _LRO_KUNIT_VERIFY_H

#include <kunit/test.h>

#include "bed.h"

/**
 * verify_segments() - compare the skbs delivered with how packets should merge
 * @test: test
 * @bed: bed after a run
 * @segs: packets in each skb, in order; 0 ends
 */
void verify_segments(struct kunit *test, const struct bed *bed, const u8 *segs);

/**
 * verify_bytes() - segment all that was delivered and compare it bit for bit
 * @test: test
 * @bed: bed after a run; what was delivered is consumed
 *
 * Each packet fed in must come back once, unchanged but for its Ethernet
 * padding, and in the order of its flow.
 */
void verify_bytes(struct kunit *test, struct bed *bed);

#endif /* _LRO_KUNIT_VERIFY_H */
