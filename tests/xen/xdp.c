// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp pass|drop DEVICE SECONDS: attaches to a device's driver an XDP program that passes or drops
 * each packet, for that long or until it is killed. Prints "attached" when it is. Exit status 1
 * where the kernel or the driver refuses.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)program,
		.insn_cnt = sizeof(program) / sizeof(program[0]),
		.license = (uintptr_t)"GPL",
	};
	union bpf_attr attach = { .link_create = { .attach_type = BPF_XDP, .flags = XDP_FLAGS_DRV_MODE } };
	int fd;

	if (argc != 4) {
		fprintf(stderr, "usage: xdp pass|drop DEVICE SECONDS\n");
		return 2;
	}
	if (!strcmp(argv[1], "drop"))
		program[0].imm = XDP_DROP;
	fd = bpf(BPF_PROG_LOAD, &load);
	if (fd < 0) {
		fprintf(stderr, "the kernel refuses the program: %s\n", strerror(errno));
		return 1;
	}
	attach.link_create.prog_fd = (uint32_t)fd;
	attach.link_create.target_ifindex = if_nametoindex(argv[2]);
	/* The program stays attached as long as the link is open. */
	if (bpf(BPF_LINK_CREATE, &attach) < 0) {
		fprintf(stderr, "%s refuses the program: %s\n", argv[2], strerror(errno));
		return 1;
	}
	puts("attached");
	fflush(stdout);
	usleep((useconds_t)(atof(argv[3]) * 1e6));
	return 0;
}
