/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of cases: packets to feed, and the expected deliveries.
 */
#ifndef _LRO_KUNIT_CASES_H
#define _LRO_KUNIT_CASES_H

#include "packet.h"

#define CASE_DELIVERIES	24

/*
 * The runner loads lro_core with these: evictions need a table that fills quickly, and a slow
 * machine needs time for a poll that follows another.
 */
#define PARAMETER_MAX_FLOWS	8
#define PARAMETER_HOLD_US	10000

/**
 * struct lro_case - one case
 * @name: name, shown when it runs
 * @seq: sequence number the flows start with, 0 for a common one
 * @id: IPv4 identification the flows start with
 * @pkt: packets
 * @count: number of packets in @pkt
 * @segs: packets in each delivered skb, in order; 0 ends
 * @counts: counter that must have a value, or NULL, and the value
 */
struct lro_case {
	const char *name;
	u32 seq;
	u16 id;
	const struct pkt *pkt;
	unsigned int count;
	u8 segs[CASE_DELIVERIES];
	struct {
		const char *reason;
		unsigned int times;
	} counts;
};

extern const struct lro_case lro_cases[];
extern const unsigned int lro_case_count;
extern const struct lro_case lro_relaxed_cases[];
extern const unsigned int lro_relaxed_case_count;

#endif /* _LRO_KUNIT_CASES_H */
