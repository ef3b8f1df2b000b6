/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations that the parts of the instruction plugin share.
 */
#ifndef INSN_H
#define INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api.h"

#define INSN_SCHEMA	2
#define MAX_VCPUS	64
#define LABEL_MAX	63

/* The owner of a virtual address of code, in a PV host or natively. */
enum category {
	CAT_XEN,
	CAT_KERNEL,
	CAT_MODULES,
	CAT_USER,
	CAT_OTHER,
	CAT_COUNT
};

extern const char *const category_name[CAT_COUNT];

/**
 * category_of() - the category that a code address belongs to
 * @pc: virtual address of an instruction
 *
 * Return: CAT_OTHER for an address in none of the known ranges, so that the sum over all categories
 * is always the number of executed instructions.
 */
enum category category_of(uint64_t pc);

/* decode.c */

/* The plugin's view of an instruction. */
struct decoded {
	enum { INSN_PLAIN, INSN_MOVS, INSN_STOS, INSN_MARKER, INSN_PAUSE } kind;
	uint16_t value;		/* bytes per iteration, or the marker's label */
};

/**
 * decode_insn() - recognise string instructions, markers and pause
 * @code: the instruction's bytes, in 64- or 32-bit mode
 * @len: number of bytes in @code
 *
 * A marker is "nopl disp32(%rax)" with 0x5a5a in the upper half of the displacement and the label
 * in the lower: no effect on any processor, and no compiler emits it.
 */
struct decoded decode_insn(const uint8_t *code, size_t len);

/* count.c */

/* Counters of one vCPU, as laid out in the scoreboard; all monotonic. */
struct counters {
	uint64_t insns[CAT_COUNT];	/* guest instructions executed */
	uint64_t waits[CAT_COUNT];	/* those of them in loops that wait for another CPU */
	uint64_t movs[CAT_COUNT];	/* bytes written by (rep) movs */
	uint64_t stos[CAT_COUNT];	/* bytes written by (rep) stos */
};

/**
 * count_setup() - allocate the counters and hook the translator
 * @id: the plugin's identity, from QEMU
 * @exact: count at every instruction instead of at every translation block
 */
void count_setup(uint64_t id, bool exact);

/* A copy of the counters: each field is read once, atomically, while the vCPU keeps running. */
void count_read(unsigned int vcpu, struct counters *out);

/* idle.c */

/* Times when a vCPU had nothing to run; all monotonic. */
struct idle {
	uint64_t halted_ns;	/* host time spent halted */
	uint64_t halts;		/* times it halted */
	uint64_t empty_wakes;	/* wake-ups in which only the hypervisor ran */
	uint64_t empty_insns;	/* instructions of those wake-ups */
};

void idle_setup(uint64_t id);
void idle_read(unsigned int vcpu, struct idle *out);

/* profile.c */

/**
 * profile_setup() - allocate one counter per translation block address
 *
 * Return: false when there is no memory for it.
 */
bool profile_setup(void);

/* The counter that a block starting at @pc adds to; context: translation. */
qemu_plugin_u64 profile_entry(uint64_t pc, enum category cat);

/**
 * profile_write() - write every counter that is not zero
 * @path: file to create
 *
 * Return: true when the file is complete.
 */
bool profile_write(const char *path);
bool profile_enabled(void);

/* snapshot.c */

/* Opens @path and writes the header line. Return: 0 or an errno. */
int snapshot_open(const char *path, const struct qemu_info_t *info, bool exact);

/**
 * snapshot_take() - append one line with all counters
 * @label: name of the snapshot, of which at most LABEL_MAX characters are kept
 * @by: the source of the request
 * @histogram: also write the profile's counters, into a separate file
 * @reply: when not NULL, receives the line too
 * @size: bytes at @reply
 *
 * Context: any thread. Return: false when the line or the histogram could not be written.
 */
bool snapshot_take(const char *label, const char *by, bool histogram, char *reply, size_t size);

uint64_t monotonic_ns(void);

/* control.c */

/* Listens on a Unix socket at @path. Return: 0 or an errno. */
int control_setup(const char *path);
void control_close(void);

#endif /* INSN_H */
