/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The promises. Strict: segmenting the delivered packets gives back the packets that were fed in.
 * Relaxed: the payload is the same, and each header field is exact or the latest.
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
 * verify_bytes() - segment all delivered packets and compare them bit for bit
 * @test: test
 * @bed: bed after a run; what was delivered is consumed
 *
 * Each packet fed in must come back once, unchanged but for its Ethernet
 * padding, and in the order of its flow.
 */
void verify_bytes(struct kunit *test, struct bed *bed);

/**
 * verify_relaxed() - compare all delivered packets under the relaxed promise
 * @test: test
 * @bed: bed after a run; what was delivered is consumed
 *
 * As verify_bytes(), but in an aggregate acknowledgment, window and timestamps
 * are those of its last packet, and the IP identification is free.
 */
void verify_relaxed(struct kunit *test, struct bed *bed);

/**
 * verify_next() - the oldest packet of a flow that was not delivered yet
 * @bed: bed
 * @flow: flow
 * Return: packet, or NULL.
 */
struct fed *verify_next(struct bed *bed, unsigned int flow);

/**
 * verify_frame() - compare a packet delivered alone, or a segment
 * @test: test
 * @bed: bed
 * @skb: packet
 * @data: space for %PACKET_MAX bytes
 */
void verify_frame(struct kunit *test, struct bed *bed, struct sk_buff *skb, u8 *data);

#endif /* _LRO_KUNIT_VERIFY_H */
