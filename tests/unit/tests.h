/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TESTS_H
#define _TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/**
 * struct result - what one group of tests came to
 * @run: tests run
 * @failed: tests failed
 */
struct result {
	int run;
	int failed;
};

#define RUN_GROUP(name, tests) ((struct result) { \
	.run = sizeof(tests) / sizeof((tests)[0]), \
	.failed = cmocka_run_group_tests_name(name, tests, NULL, NULL), \
})

struct result run_parse_tests(void);
struct result run_match_tests(void);
struct result run_flows_tests(void);
struct result run_hash_tests(void);
struct result run_segment_tests(void);
struct result run_slots_tests(void);

#endif /* _TESTS_H */
