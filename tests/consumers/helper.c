// SPDX-License-Identifier: GPL-2.0-only
/*
 * Consumers in user space, for the tests: each says that it is ready, then goes on until it is
 * killed.
 *
 *	helper xdp DEVICE	generic XDP that drops what is longer than a frame
 *	helper taps A B		two tap devices; what one gets is given to the other as it is,
 *				aggregates included
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FRAME_MAX	1522

static void fail(const char *what)
{
	fprintf(stderr, "helper: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void xdp(const char *device)
{
	static const struct bpf_insn program[] = {
		/* r2 = data_end - data */
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 4 },
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 3, .src_reg = 1, .off = 0 },
		{ .code = BPF_ALU64 | BPF_SUB | BPF_X, .dst_reg = 2, .src_reg = 3 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_JLE | BPF_K, .dst_reg = 2, .off = 1, .imm = FRAME_MAX },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_DROP },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)program,
		.insn_cnt = sizeof(program) / sizeof(program[0]),
		.license = (uintptr_t)"GPL",
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		fail("the program is not accepted");
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = fd;
	attr.link_create.target_ifindex = if_nametoindex(device);
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = XDP_FLAGS_SKB_MODE;
	if (bpf(BPF_LINK_CREATE, &attr) < 0)
		fail("the program cannot be attached");
}

static int tap(const char *name)
{
	int fd = open("/dev/net/tun", O_RDWR), size = sizeof(struct virtio_net_hdr);
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETVNETHDRSZ, &size) ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN))
		fail(name);
	return fd;
}

static void pass_on(int from, int to)
{
	static char packet[70 * 1024];
	ssize_t len = read(from, packet, sizeof(packet));

	if (len > 0 && write(to, packet, len) != len && errno != EIO)
		fail("a packet cannot be passed on");
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = { { .events = POLLIN }, { .events = POLLIN } };

	if (argc == 3 && !strcmp(argv[1], "xdp")) {
		xdp(argv[2]);
		puts("ready");
		fflush(stdout);
		for (;;)
			pause();
	}
	if (argc != 4 || strcmp(argv[1], "taps")) {
		fputs("usage: helper xdp DEVICE | helper taps A B\n", stderr);
		return 2;
	}
	fds[0].fd = tap(argv[2]);
	fds[1].fd = tap(argv[3]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			fail("poll");
		for (int i = 0; i < 2; i++)
			if (fds[i].revents & POLLIN)
				pass_on(fds[i].fd, fds[!i].fd);
	}
}
