// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>

#include "reasons.h"
#include "wire.h"

#define RESERVED_BIT	0x8000

static bool padding(const struct batch *batch, unsigned int before, unsigned int i)
{
	return batch->pkt[before].len > batch->pkt[before].trim ||
	       batch->pkt[i].len > batch->pkt[i].trim;
}

static bool reserved_bit(const struct batch *batch, unsigned int before, unsigned int i)
{
	const u8 *ip = batch->pkt[i].data + WIRE_ETH;

	return !wire_is_v6(batch->pkt[i].data) && wire_get16(ip + 6) & RESERVED_BIT;
}

/* The first that applies is the one counted. */
const struct reason reasons[] = {
	{ "bytes after the IP packet",
	  "the engine cuts padding off, GRO does not merge such packets", padding },
	{ "the reserved bit of IPv4",
	  "segmentation copies it, and GRO takes it for a fragment's", reserved_bit },
};

const unsigned int reason_count = ARRAY_SIZE(reasons);
