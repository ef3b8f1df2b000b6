// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters as ethtool shows them. The order is fixed: counters, then reasons.
 */
#include <linux/ethtool.h>

#include "engine.h"

#define PREFIX		"rx999_lro_"	/* longest prefix with a sane queue number */
#define NAME_SIZE	(ETH_GSTRING_LEN - sizeof(PREFIX) + 1)
#define NAME(id, name)	name,
#define TOO_LONG(id, name) + (sizeof(name) > NAME_SIZE)

static const char * const names[] = {
	LRO_COUNTERS(NAME)
	LRO_REASONS(NAME)
};

static_assert(!(0 LRO_COUNTERS(TOO_LONG) LRO_REASONS(TOO_LONG)));

unsigned int lro_stats_count(void)
{
	/* LRO_CONTINUE has no counter. */
	BUILD_BUG_ON(ARRAY_SIZE(names) != LRO_COUNTER_COUNT + LRO_REASON_COUNT - 1);
	return ARRAY_SIZE(names);
}
EXPORT_SYMBOL_XENLRO(lro_stats_count);

void lro_stats_strings(u8 **data, unsigned int queue)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(*data, ETH_GSTRING_LEN, "rx%u_lro_%s", queue, names[i]);
		*data += ETH_GSTRING_LEN;
	}
}
EXPORT_SYMBOL_XENLRO(lro_stats_strings);

void lro_stats_values(const struct lro *lro, u64 **data)
{
	unsigned int i;

	for (i = 0; i < LRO_COUNTER_COUNT; i++)
		*(*data)++ = lro ? READ_ONCE(lro->count[i]) : 0;
	for (i = LRO_CONTINUE + 1; i < LRO_REASON_COUNT; i++)
		*(*data)++ = lro ? READ_ONCE(lro->reason[i]) : 0;
}
EXPORT_SYMBOL_XENLRO(lro_stats_values);
