// SPDX-License-Identifier: GPL-2.0-only
/*
 * Facts that only the machine outside knows: user-mode Linux is a process of that machine, so this
 * makes system calls of that machine, past the kernel inside.
 */
#include <linux/build_bug.h>
#include <linux/module.h>

#include "clock.h"

/* Numbers of system calls on x86-64, and what they need. */
#define HOST_READ	0
#define HOST_GETRUSAGE	98
#define HOST_SELF	0

static int pmu_fd = -1;
module_param(pmu_fd, int, 0444);
MODULE_PARM_DESC(pmu_fd, "file descriptor of a perf event, -1 without a PMU");

/**
 * struct host_rusage - struct rusage of x86-64 Linux
 * @time: user and system time
 * @other: counters that are of no interest here
 * @voluntary: context switches because the process slept
 * @involuntary: context switches because another one had to run
 */
struct host_rusage {
	u64 time[4];
	u64 other[12];
	u64 voluntary;
	u64 involuntary;
};

static_assert(sizeof(struct host_rusage) == 144);

static long host_call(long number, long a, void *b, long c)
{
	long result;

	asm volatile("syscall" : "=a" (result)
		     : "0" (number), "D" (a), "S" (b), "d" (c)
		     : "rcx", "r11", "memory");
	return result;
}

bool clock_has_pmu(void)
{
	return pmu_fd >= 0;
}

u64 clock_pmu(void)
{
	u64 value = 0;

	if (pmu_fd < 0 || host_call(HOST_READ, pmu_fd, &value, sizeof(value)) != sizeof(value))
		return 0;
	return value;
}

u64 clock_switches(void)
{
	struct host_rusage usage = {};

	host_call(HOST_GETRUSAGE, HOST_SELF, &usage, 0);
	return usage.voluntary + usage.involuntary;
}
