// SPDX-License-Identifier: GPL-2.0-only
/*
 * Snapshots: one JSON line each, all vCPUs in it, on one time base.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "insn.h"

#define LINE_MAX_BYTES	(1024 + MAX_VCPUS * 1024)

/* A line under construction; text that does not fit is dropped. */
struct line {
	char *text;
	size_t size;
	size_t used;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *out;
static char *out_path;
static unsigned int sequence;
static char buffer[LINE_MAX_BYTES];

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

uint64_t monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

__attribute__((format(printf, 2, 3)))
static void add(struct line *line, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line->text + line->used, line->size - line->used, format, args);
	va_end(args);
	if (len > 0 && (size_t)len < line->size - line->used)
		line->used += len;
}

static void add_categories(struct line *line, const char *name, const uint64_t *value)
{
	add(line, ",\"%s\":{", name);
	for (int cat = 0; cat < CAT_COUNT; cat++)
		add(line, "%s\"%s\":%llu", cat ? "," : "", category_name[cat],
		    (unsigned long long)value[cat]);
	add(line, "}");
}

static void add_vcpu(struct line *line, unsigned int vcpu)
{
	struct counters count;
	struct idle idle;

	count_read(vcpu, &count);
	idle_read(vcpu, &idle);
	add(line, "%s{\"vcpu\":%u", vcpu ? "," : "", vcpu);
	add_categories(line, "insns", count.insns);
	add_categories(line, "waits", count.waits);
	add_categories(line, "movs", count.movs);
	add_categories(line, "stos", count.stos);
	add(line, ",\"halted_ns\":%llu,\"halts\":%llu,\"empty_wakes\":%llu,\"empty_insns\":%llu}",
	    (unsigned long long)idle.halted_ns, (unsigned long long)idle.halts,
	    (unsigned long long)idle.empty_wakes, (unsigned long long)idle.empty_insns);
}

/* Labels come from a socket: keep the characters that need no quoting in JSON. */
static void clean_label(char *dest, const char *label)
{
	size_t len = 0;

	for (; *label && len < LABEL_MAX; label++)
		dest[len++] = *label < ' ' || *label > '~' || *label == '"' || *label == '\\' ?
			      '_' : *label;
	dest[len] = '\0';
}

static bool write_histogram(struct line *line)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s.hist.%u", out_path, sequence);
	const char *base = strrchr(path, '/');

	if (len < 0 || (size_t)len >= sizeof(path) || !profile_enabled() || !profile_write(path))
		return false;
	add(line, ",\"histogram\":\"%s\"", base ? base + 1 : path);
	return true;
}

bool snapshot_take(const char *label, const char *by, bool histogram, char *reply, size_t size)
{
	struct line line = { .text = buffer, .size = sizeof(buffer) };
	unsigned int vcpus = qemu_plugin_num_vcpus();
	char clean[LABEL_MAX + 1];
	bool written = true;

	clean_label(clean, label);
	pthread_mutex_lock(&lock);
	add(&line, "{\"type\":\"snapshot\",\"seq\":%u,\"label\":\"%s\",\"by\":\"%s\","
	    "\"monotonic_ns\":%llu,\"realtime_ns\":%llu,\"vcpus\":[", ++sequence, clean, by,
	    (unsigned long long)monotonic_ns(), (unsigned long long)clock_ns(CLOCK_REALTIME));
	for (unsigned int v = 0; v < vcpus && v < MAX_VCPUS; v++)
		add_vcpu(&line, v);
	add(&line, "]");
	if (histogram)
		written = write_histogram(&line);
	add(&line, "}\n");

	if (fputs(line.text, out) == EOF || fflush(out) == EOF)
		written = false;
	if (reply)
		snprintf(reply, size, "%s", line.text);
	pthread_mutex_unlock(&lock);
	return written;
}

int snapshot_open(const char *path, const struct qemu_info_t *info, bool exact)
{
	out = fopen(path, "w");
	out_path = strdup(path);
	if (!out || !out_path)
		return errno;
	fprintf(out, "{\"type\":\"header\",\"schema\":%d,\"plugin_api\":%d,\"qemu_api_min\":%d,"
		"\"qemu_api\":%d,\"vcpus\":%d,\"exact\":%s,\"profile\":%s}\n", INSN_SCHEMA,
		INSN_PLUGIN_API, info->version.min, info->version.cur, info->system.smp_vcpus,
		exact ? "true" : "false", profile_enabled() ? "true" : "false");
	return fflush(out) == EOF ? errno : 0;
}
