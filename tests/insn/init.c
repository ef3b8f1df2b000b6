// SPDX-License-Identifier: GPL-2.0-only
/*
 * First program of a test machine: executes a known loop in user space and lets a module execute
 * one in the kernel, each between two markers, then switches the machine off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measured.h"

#define COPY_BYTES	(1 << 20)

static char source[COPY_BYTES], target[COPY_BYTES];

static void load_probe(void)
{
	int fd = open("/probe.ko", O_RDONLY);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		perror("INSN-FAILED probe.ko");
	else
		puts("INSN-PROBED");
}

/* Where the kernel really put its modules and its own text. */
static void show_ranges(void)
{
	unsigned long long address, low = -1ull, high = 0, text = 0;
	char line[512], type, name[128], owner[128];
	FILE *file;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	file = fopen("/proc/kallsyms", "r");
	while (file && fgets(line, sizeof(line), file)) {
		int fields = sscanf(line, "%llx %c %127s %127s", &address, &type, name, owner);

		if (fields == 3 && (type == 't' || type == 'T') && address > text)
			text = address;
		if (fields == 4 && (type == 't' || type == 'T')) {
			low = address < low ? address : low;
			high = address > high ? address : high;
		}
	}
	printf("INSN-RANGES text-end %llx modules %llx %llx\n", text, low, high);
	if (file)
		fclose(file);
}

static void reveal_addresses(void)
{
	FILE *file = fopen("/proc/sys/kernel/kptr_restrict", "w");

	if (file) {
		fputs("0\n", file);
		fclose(file);
	}
}

int main(void)
{
	/* Touched beforehand: a page fault inside would count the kernel's work as well. */
	for (int i = 0; i < COPY_BYTES; i += 4096)
		source[i] = target[i] = 1;
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	reveal_addresses();
	MARKER(1);
	LOOP(LOOP_COUNT);
	MARKER(2);
	STRING_COPY(target, source, COPY_BYTES);
	MARKER(3);
	load_probe();
	show_ranges();
	fflush(stdout);
	sleep(2);
	MARKER(4);
	sleep(3);
	MARKER(5);
	puts("INSN-END");
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
