/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Costs that a sender can cause: streams that merge little or nothing, and that may make an engine
 * search, walk, evict or flush much.
 */
#ifndef _LRO_BENCH_WORST_H
#define _LRO_BENCH_WORST_H

#include "stream.h"

/**
 * struct worst_case - one such stream
 * @name: as in the results
 * @kind: packets
 * @flows: number of flows that take turns
 * @size: bytes of each frame without FCS
 * @max_flows: of lro_core, while it is measured
 * @turns: least number of packets of each flow in one round
 * @quick: also measured in a quick run
 */
struct worst_case {
	const char *name;
	enum stream_kind kind;
	unsigned int flows;
	unsigned int size;
	unsigned int max_flows;
	unsigned int turns;
	bool quick;
};

extern const struct worst_case worst_cases[];
extern const unsigned int worst_case_count;

/* The ways in that are measured, by the names that the paths have; the engine's last. */
extern const char *const worst_paths[];
extern const unsigned int worst_path_count;

#endif /* _LRO_BENCH_WORST_H */
