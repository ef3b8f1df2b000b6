// SPDX-License-Identifier: GPL-2.0-only
/* Time and messages. */
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "util.h"

static const char *program = "rtl8169d";
static bool verbose;

u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * NSEC_PER_SEC + (u64)t.tv_nsec + 1;
}

void set_program(const char *name)
{
	program = name;
}

void set_verbose(bool on)
{
	verbose = on;
}

static void print(const char *fmt, va_list args)
{
	char line[512];

	vsnprintf(line, sizeof(line), fmt, args);
	fprintf(stderr, "%s: %s\n", program, line);
}

void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(fmt, args);
	va_end(args);
}

void say_verbose(const char *fmt, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, fmt);
	print(fmt, args);
	va_end(args);
}
