/* SPDX-License-Identifier: GPL-2.0-only */
/* Line rate of one direction. */
#ifndef RTL8169D_RATE_H
#define RTL8169D_RATE_H

#include "util.h"

struct rate {
	u64 mbit;		/* Mbit/s, 0 = no limit */
	u64 free_at;		/* ns time at which the line will have carried all frames so far */
};

/** rate_set() - new limit in Mbit/s, 0 for none. */
void rate_set(struct rate *rate, u64 mbit);

/** rate_ready() - may a frame start at time @now? */
bool rate_ready(const struct rate *rate, u64 now);

/** rate_charge() - a frame of @bytes (without FCS) was put on the line at time @now. */
void rate_charge(struct rate *rate, u64 now, u64 bytes);

#endif
