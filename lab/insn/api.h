/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of QEMU's TCG plugin API, version 7, that the instruction plugin uses.
 *
 * QEMU documents this interface in docs/devel/tcg-plugins but Debian packages no header for it.
 * The declarations below describe a binary interface, so every one of them has to match the API
 * version that qemu_plugin_version announces; QEMU refuses a plugin of any other version.
 */
#ifndef INSN_API_H
#define INSN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef INSN_PLUGIN_API
#define INSN_PLUGIN_API	7
#endif
#define PLUGIN_EXPORT	__attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;

/* One u64 at byte @offset in every vCPU's element of @score; passed by value. */
typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;

struct qemu_info_t {
	const char *target_name;
	struct {
		int min;
		int cur;
	} version;
	bool system_emulation;
	struct {
		int smp_vcpus;
		int max_vcpus;
	} system;
};

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_R = 1, QEMU_PLUGIN_MEM_W };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void qemu_plugin_tb_trans_fn(struct qemu_plugin_tb *tb, void *userdata);
typedef void qemu_plugin_vcpu_fn(unsigned int vcpu, void *userdata);
typedef void qemu_plugin_fn(void *userdata);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, qemu_plugin_tb_trans_fn *cb,
					   void *userdata);
void qemu_plugin_register_vcpu_init_cb(uint64_t id, qemu_plugin_vcpu_fn *cb, void *userdata);
void qemu_plugin_register_vcpu_idle_cb(uint64_t id, qemu_plugin_vcpu_fn *cb, void *userdata);
void qemu_plugin_register_vcpu_resume_cb(uint64_t id, qemu_plugin_vcpu_fn *cb, void *userdata);
void qemu_plugin_register_atexit_cb(uint64_t id, qemu_plugin_fn *cb, void *userdata);

void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb,
						       enum qemu_plugin_op op,
						       qemu_plugin_u64 entry, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *insn,
							 enum qemu_plugin_op op,
							 qemu_plugin_u64 entry, uint64_t imm);
void qemu_plugin_register_vcpu_mem_inline_per_vcpu(struct qemu_plugin_insn *insn,
						   enum qemu_plugin_mem_rw rw,
						   enum qemu_plugin_op op,
						   qemu_plugin_u64 entry, uint64_t imm);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_vcpu_fn *cb,
					    enum qemu_plugin_cb_flags flags, void *userdata);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

int qemu_plugin_num_vcpus(void);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
uint64_t qemu_plugin_u64_get(qemu_plugin_u64 entry, unsigned int vcpu);

#endif /* INSN_API_H */
