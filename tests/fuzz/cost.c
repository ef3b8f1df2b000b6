// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>

#include "cost.h"

#define LEVELS	4096

/* libFuzzer reads these after each input: one that was 0 for all earlier inputs is new coverage. */
static u8 level[LEVELS] __attribute__((section("__libfuzzer_extra_counters"), used));

static u64 blocks, events;
static bool paused;

void cost_block(u32 *guard)
{
	(void)guard;
	blocks += !paused;
}

void cost_blocks(u32 *first, u32 *end)
{
	(void)first;
	(void)end;
}

void cost_begin(void)
{
	blocks = 0;
	events = 0;
}

void cost_event(void)
{
	events++;
}

void cost_pause(bool on)
{
	paused = on;
}

void cost_end(void)
{
	u64 each = events ? blocks / events : 0;

	level[each < LEVELS ? each : LEVELS - 1] = 1;
	if (getenv("FUZZ_COST"))
		fprintf(stderr, "cost: %llu blocks, %llu events\n", (unsigned long long)blocks,
			(unsigned long long)events);
}
