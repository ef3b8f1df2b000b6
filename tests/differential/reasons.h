/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why GRO and the engine may merge differently, each with the test whether it applies.
 */
#ifndef _DIFFERENTIAL_REASONS_H
#define _DIFFERENTIAL_REASONS_H

#include "stream.h"

#define BATCH	32	/* packets of one poll; no aggregate gets full */

/**
 * struct batch - packets of one poll, and what became of them
 * @pkt: packets
 * @gro: packets in the delivery that this one begins, 0 if it joined another; by GRO
 * @lro: likewise, by the engine
 */
struct batch {
	struct stream_packet pkt[BATCH];
	unsigned int gro[BATCH];
	unsigned int lro[BATCH];
};

/**
 * struct reason - a difference that is meant
 * @name: what the packets have
 * @why: why the engine does otherwise than GRO
 * @gro_merges: GRO is the one that merges
 * @applies: whether packet @i of the batch, which one of both merged, has it; @before is
 *	the packet of the same flow before it
 */
struct reason {
	const char *name;
	const char *why;
	bool gro_merges;
	bool (*applies)(const struct batch *batch, unsigned int before, unsigned int i);
};

extern const struct reason reasons[];
extern const unsigned int reason_count;

#endif /* _DIFFERENTIAL_REASONS_H */
