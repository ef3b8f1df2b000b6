// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>

#include "worst.h"

/*
 * A flow counts as bulk after eight segments in sequence, and its aggregate stays open from then
 * on. So streams of such flows last for some more turns; if every second packet is a stray, for
 * twice as many. The lasting cost of an attack is half of a round with most flows, otherwise three
 * quarters.
 */
#define BULK_TURNS	32
#define STRAY_TURNS	64

/*
 * The others are compared with the first one: a packet that does not merge. It ends the open
 * aggregate of its flow and begins another, and needs no more work.
 */
const struct worst_case worst_cases[] = {
	{ "ordinary",	 STREAM_SINGLE,		64,    128, 1024,  1, true },
	{ "fragments",	 STREAM_FRAGMENT,	1024,  128, 1024,  STRAY_TURNS, true },
	{ "fragments",	 STREAM_FRAGMENT,	8192,  128, 8192,  STRAY_TURNS, false },
	{ "fragments",	 STREAM_FRAGMENT,	65536, 128, 65536, BULK_TURNS, false },
	{ "extensions",	 STREAM_EXTENSION,	1024,  128, 1024,  STRAY_TURNS, true },
	{ "extensions",	 STREAM_EXTENSION,	8192,  128, 8192,  STRAY_TURNS, false },
	{ "extensions",	 STREAM_EXTENSION,	65536, 128, 65536, BULK_TURNS, false },
	{ "evictions",	 STREAM_TCP,		4096,  128, 1024,  BULK_TURNS, true },
	{ "evictions",	 STREAM_TCP,		65536, 128, 8192,  BULK_TURNS, false },
	{ "ports",	 STREAM_CHOSEN_PORTS,	STREAM_CHOSEN, 128, 1024, BULK_TURNS, true },
	{ "singles",	 STREAM_SINGLE,		65536, 128, 1024,  1, true },
	{ "singles",	 STREAM_SINGLE,		65536, 128, 65536, 2, false },
	{ "bytes",	 STREAM_TINY,		1,     67,  1024,  1, true },
	{ "bytes",	 STREAM_TINY,		64,    67,  1024,  1, false },
};

const unsigned int worst_case_count = ARRAY_SIZE(worst_cases);

const char *const worst_paths[] = { "gro_skb", "lro_skb", "lro_copy", "lro_page" };

const unsigned int worst_path_count = ARRAY_SIZE(worst_paths);
