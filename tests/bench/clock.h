/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clocks of the benchmark: the time stamp counter, which user-mode Linux reads as any process does,
 * processor cycles if the runner opened a counter, and the signs of a worthless figure.
 */
#ifndef _LRO_BENCH_CLOCK_H
#define _LRO_BENCH_CLOCK_H

#include <linux/types.h>

/**
 * struct clock - a moment, or a sum of intervals
 * @tsc: ticks of the time stamp counter; a constant rate, not processor cycles
 * @pmu: processor cycles, 0 without a PMU
 */
struct clock {
	u64 tsc;
	u64 pmu;
};

/**
 * clock_has_pmu() - whether processor cycles are counted
 */
bool clock_has_pmu(void);

/**
 * clock_pmu() - processor cycles so far
 * Return: cycles, 0 without a PMU.
 */
u64 clock_pmu(void);

/**
 * clock_switches() - times that the machine took the processor away so far
 */
u64 clock_switches(void);

static inline u64 clock_tsc(void)
{
	u32 low, high;

	/* The fence keeps work before this line from being timed after it. */
	asm volatile("lfence; rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (u64)high << 32 | low;
}

/**
 * clock_read() - now
 */
static inline struct clock clock_read(void)
{
	return (struct clock){ .tsc = clock_tsc(), .pmu = clock_pmu() };
}

/**
 * clock_add() - add an interval to a sum
 * @sum: sum
 * @from: begin
 * @to: end
 */
static inline void clock_add(struct clock *sum, const struct clock *from, const struct clock *to)
{
	sum->tsc += to->tsc - from->tsc;
	sum->pmu += to->pmu - from->pmu;
}

#endif /* _LRO_BENCH_CLOCK_H */
