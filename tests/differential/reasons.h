/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why the engine may merge what GRO does not, each with the test whether it applies.
 */
#ifndef _DIFFERENTIAL_REASONS_H
#define _DIFFERENTIAL_REASONS_H

#include "exact.h"
#include "stream.h"

/**
 * struct batch - packets of one poll, and what became of them
 * @pkt: packets
 * @gro: by GRO
 * @lro: by the engine
 */
struct batch {
	struct stream_packet pkt[BATCH];
	struct result gro;
	struct result lro;
};

/**
 * struct reason - a difference that is meant
 * @name: what the packets have
 * @why: why the engine does otherwise than GRO
 * @applies: whether packet @i of the batch, which only the engine merged, has it; @before is
 *	the packet of the same flow before it
 */
struct reason {
	const char *name;
	const char *why;
	bool (*applies)(const struct batch *batch, unsigned int before, unsigned int i);
};

extern const struct reason reasons[];
extern const unsigned int reason_count;

#endif /* _DIFFERENTIAL_REASONS_H */
