// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "tests.h"

int main(void)
{
	struct result (*const groups[])(void) = {
		run_parse_tests,
		run_match_tests,
		run_flows_tests,
		run_hash_tests,
		run_segment_tests,
		run_slots_tests,
	};
	int run = 0, failed = 0;

	for (unsigned int i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		struct result r = groups[i]();

		run += r.run;
		failed += r.failed;
	}
	printf("%d passed, %d failed\n", run - failed, failed);
	return failed ? 1 : 0;
}
