// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counting: instructions per translation block, and bytes per write of a string instruction.
 *
 * Both are inline additions into memory of the executing vCPU: no call, no lock, no atomic.
 */
#include <stdio.h>

#include "insn.h"

#define LOWER_HALF_END	0x8000000000000000ull
#define XEN_START	0xffff800000000000ull
#define XEN_END		0xffff880000000000ull
#define KERNEL_START	0xffffffff80000000ull
/*
 * Kernels that can randomise their base reserve 1 GiB for the image, so the modules begin here with
 * and without nokaslr. BPF programs and trampolines lie among the modules.
 */
#define MODULES_START	0xffffffffc0000000ull
#define MODULES_END	0xffffffffff000000ull

#define PAGE_BYTES	4096
#define PAUSE_LEN	2

const char *const category_name[CAT_COUNT] = { "xen", "kernel", "modules", "user", "other" };

static struct qemu_plugin_scoreboard *board;
static bool count_each;

enum category category_of(uint64_t pc)
{
	if (pc < LOWER_HALF_END)
		return CAT_USER;
	if (pc >= XEN_START && pc < XEN_END)
		return CAT_XEN;
	if (pc >= KERNEL_START && pc < MODULES_START)
		return CAT_KERNEL;
	if (pc >= MODULES_START && pc < MODULES_END)
		return CAT_MODULES;
	return CAT_OTHER;
}

static qemu_plugin_u64 entry_at(size_t offset)
{
	return (qemu_plugin_u64){ .score = board, .offset = offset };
}

#define ENTRY(array, cat) entry_at(offsetof(struct counters, array) + (cat) * sizeof(uint64_t))

static void on_marker(unsigned int vcpu, void *userdata)
{
	char label[LABEL_MAX + 1];

	(void)vcpu;
	snprintf(label, sizeof(label), "%u", (unsigned int)(uintptr_t)userdata);
	snapshot_take(label, "marker", false, NULL, 0);
}

/*
 * A repeated string instruction of any length is one instruction. The translator loops inside the
 * block, leaves it for a page fault or an interrupt and returns. Each memory write happens exactly
 * once in all of these cases, so the writes are counted.
 */
static void count_writes(struct qemu_plugin_insn *insn, qemu_plugin_u64 entry, uint64_t bytes)
{
	qemu_plugin_register_vcpu_mem_inline_per_vcpu(insn, QEMU_PLUGIN_MEM_W,
						      QEMU_PLUGIN_INLINE_ADD_U64, entry, bytes);
}

static struct decoded decoded(const struct qemu_plugin_insn *insn)
{
	uint8_t code[16];
	size_t len = qemu_plugin_insn_data(insn, code, sizeof(code));

	return decode_insn(code, len);
}

/*
 * A loop that waits for another CPU executes a pause: the processor's manual asks for that. The
 * translator ends a block at a pause. So the loop consists of a block that ends in a pause and the
 * block behind it, which checks whether the wait is over.
 */
static bool is_wait(const struct qemu_plugin_tb *tb, size_t count)
{
	const struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
	const uint8_t *host = qemu_plugin_insn_haddr(first);

	if (decoded(qemu_plugin_tb_get_insn(tb, count - 1)).kind == INSN_PAUSE)
		return true;
	/* The bytes in front are readable if they are in the same page. */
	return host && qemu_plugin_tb_vaddr(tb) % PAGE_BYTES >= PAUSE_LEN &&
	       decode_insn(host - PAUSE_LEN, PAUSE_LEN).kind == INSN_PAUSE;
}

static void instrument_insn(struct qemu_plugin_insn *insn, enum category cat)
{
	struct decoded found = decoded(insn);

	switch (found.kind) {
	case INSN_MOVS:
		count_writes(insn, ENTRY(movs, cat), found.value);
		break;
	case INSN_STOS:
		count_writes(insn, ENTRY(stos, cat), found.value);
		break;
	case INSN_MARKER:
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, QEMU_PLUGIN_CB_NO_REGS,
						       (void *)(uintptr_t)found.value);
		break;
	case INSN_PAUSE:
	case INSN_PLAIN:
		break;
	}
}

static void on_translate(struct qemu_plugin_tb *tb, void *userdata)
{
	uint64_t pc = qemu_plugin_tb_vaddr(tb);
	enum category cat = category_of(pc);
	size_t count = qemu_plugin_tb_n_insns(tb);

	(void)userdata;
	if (!count_each)
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64,
								  ENTRY(insns, cat), count);
	if (is_wait(tb, count))
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64,
								  ENTRY(waits, cat), count);
	if (profile_enabled())
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64,
								  profile_entry(pc, cat), count);
	for (size_t i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (count_each)
			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(
				insn, QEMU_PLUGIN_INLINE_ADD_U64, ENTRY(insns, cat), 1);
		instrument_insn(insn, cat);
	}
}

void count_read(unsigned int vcpu, struct counters *out)
{
	for (int cat = 0; cat < CAT_COUNT; cat++) {
		out->insns[cat] = qemu_plugin_u64_get(ENTRY(insns, cat), vcpu);
		out->waits[cat] = qemu_plugin_u64_get(ENTRY(waits, cat), vcpu);
		out->movs[cat] = qemu_plugin_u64_get(ENTRY(movs, cat), vcpu);
		out->stos[cat] = qemu_plugin_u64_get(ENTRY(stos, cat), vcpu);
	}
}

void count_setup(uint64_t id, bool exact)
{
	count_each = exact;
	board = qemu_plugin_scoreboard_new(sizeof(struct counters));
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate, NULL);
}
