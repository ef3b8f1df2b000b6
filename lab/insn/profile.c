// SPDX-License-Identifier: GPL-2.0-only
/*
 * The profile: one counter per vCPU for every address at which a translation block starts.
 *
 * User space shares one counter: its addresses mean nothing without their process.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "insn.h"

#define SLOTS		(1u << 18)
#define BUCKETS		(2 * SLOTS)
#define SLOT_USER	0	/* reported with address 0 */
#define SLOT_FULL	1	/* addresses that found no slot, reported with address 1 */
#define SLOT_FIRST	2

static struct qemu_plugin_scoreboard *board;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t *slot_pc;	/* address of each slot */
static uint32_t *bucket_slot;	/* open addressing, 0: empty */
static unsigned int slots_used = SLOT_FIRST;

bool profile_enabled(void)
{
	return slot_pc;
}

bool profile_setup(void)
{
	bucket_slot = calloc(BUCKETS, sizeof(*bucket_slot));
	slot_pc = calloc(SLOTS, sizeof(*slot_pc));
	if (!bucket_slot || !slot_pc)
		return false;
	slot_pc[SLOT_FULL] = SLOT_FULL;
	board = qemu_plugin_scoreboard_new(SLOTS * sizeof(uint64_t));
	return true;
}

static unsigned int find_slot(uint64_t pc)
{
	unsigned int at = (pc * 0x9e3779b97f4a7c15ull) >> 40;

	for (at %= BUCKETS; bucket_slot[at]; at = (at + 1) % BUCKETS)
		if (slot_pc[bucket_slot[at]] == pc)
			return bucket_slot[at];
	if (slots_used == SLOTS)
		return SLOT_FULL;
	bucket_slot[at] = slots_used;
	slot_pc[slots_used] = pc;
	return slots_used++;
}

static qemu_plugin_u64 slot_entry(unsigned int slot)
{
	return (qemu_plugin_u64){ .score = board, .offset = slot * sizeof(uint64_t) };
}

qemu_plugin_u64 profile_entry(uint64_t pc, enum category cat)
{
	unsigned int slot = SLOT_USER;

	if (cat != CAT_USER) {
		pthread_mutex_lock(&lock);
		slot = find_slot(pc);
		pthread_mutex_unlock(&lock);
	}
	return slot_entry(slot);
}

bool profile_write(const char *path)
{
	unsigned int vcpus = qemu_plugin_num_vcpus(), used;
	FILE *file = fopen(path, "w");
	bool complete;

	if (!file)
		return false;
	pthread_mutex_lock(&lock);
	used = slots_used;
	pthread_mutex_unlock(&lock);

	for (unsigned int slot = 0; slot < used; slot++) {
		uint64_t count[MAX_VCPUS], sum = 0;

		for (unsigned int v = 0; v < vcpus; v++)
			sum += count[v] = qemu_plugin_u64_get(slot_entry(slot), v);
		if (!sum)
			continue;
		fprintf(file, "%llx", (unsigned long long)slot_pc[slot]);
		for (unsigned int v = 0; v < vcpus; v++)
			fprintf(file, " %llu", (unsigned long long)count[v]);
		fputc('\n', file);
	}
	fputs("end\n", file);
	complete = !ferror(file);
	return !fclose(file) && complete;
}
