// SPDX-License-Identifier: GPL-2.0-only
/* Counters as JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "stats.h"

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
#define X(name) { #name, offsetof(struct stats, name) },
	STATS_COUNTERS(X)
#undef X
};

/* 22 = 20 digits of a u64, colon and comma; 24 = the longest name with its quotes. */
_Static_assert(ARRAY_SIZE(counters) * (22 + 24) + 3 < STATS_JSON_MAX, "STATS_JSON_MAX too small");

void stats_json(const struct stats *stats, char *buf, size_t size)
{
	size_t used = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counters); i++) {
		const char *at = (const char *)stats + counters[i].offset;

		used += (size_t)snprintf(buf + used, size - used, "%c\"%s\":%" PRIu64,
					 i ? ',' : '{', counters[i].name,
					 *(const u64 *)(const void *)at);
	}
	snprintf(buf + used, size - used, "}");
}
