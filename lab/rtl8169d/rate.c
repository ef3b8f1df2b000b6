// SPDX-License-Identifier: GPL-2.0-only
/* Line rate: a clock that runs ahead by the time each frame takes on the line. */
#include "rate.h"

/* Preamble and start delimiter 8, FCS 4, gap 12. */
#define LINE_OVERHEAD	24

/* Idle time that later frames may use, so that a late wake-up does not lower the rate. */
#define CREDIT_NS	NSEC_PER_MSEC

void rate_set(struct rate *rate, u64 mbit)
{
	rate->mbit = mbit;
	rate->free_at = 0;
}

bool rate_ready(const struct rate *rate, u64 now)
{
	return !rate->mbit || rate->free_at <= now;
}

void rate_charge(struct rate *rate, u64 now, u64 bytes)
{
	if (!rate->mbit)
		return;
	if (rate->free_at + CREDIT_NS < now)
		rate->free_at = now - CREDIT_NS;
	rate->free_at += (bytes + LINE_OVERHEAD) * 8 * 1000 / rate->mbit;
}
