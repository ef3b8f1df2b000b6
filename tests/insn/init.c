// SPDX-License-Identifier: GPL-2.0-only
/*
 * First program of a test machine: executes a known loop in user space, between two markers, then
 * what /steps tells, then idles between two more, and switches the machine off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measured.h"

#define COPY_BYTES	(1 << 20)

static char source[COPY_BYTES], target[COPY_BYTES];

static void load(const char *path, const char *options)
{
	int fd = open(path, O_RDONLY);

	/* A module that has nothing to stay for ends with an error of its own choice. */
	if (fd < 0 || (syscall(SYS_finit_module, fd, options, 0) && errno != ECANCELED))
		printf("INSN-FAILED %s: %s\n", path, strerror(errno));
	else
		printf("INSN-LOADED %s\n", path);
	if (fd >= 0)
		close(fd);
}

static void show(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[512];

	if (file && fgets(line, sizeof(line), file))
		printf("INSN-SHOWN %s", line);
	if (file)
		fclose(file);
}

static void write_to(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) == EOF || fclose(file) == EOF)
		printf("INSN-FAILED %s: %s\n", path, strerror(errno));
}

/*
 * Further steps of a test: one of "load MODULE OPTIONS", "show FILE", "write FILE TEXT" per line.
 */
static void run_steps(void)
{
	FILE *file = fopen("/steps", "r");
	char line[512], verb[16], path[256];
	int rest;

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		rest = strlen(line);
		if (sscanf(line, "%15s %255s %n", verb, path, &rest) < 2)
			continue;
		if (!strcmp(verb, "load"))
			load(path, line + rest);
		else if (!strcmp(verb, "show"))
			show(path);
		else if (!strcmp(verb, "write"))
			write_to(path, line + rest);
	}
	if (file)
		fclose(file);
}

/* The true addresses of the kernel's modules and of its own text. */
static void show_ranges(void)
{
	unsigned long long address, low = -1ull, high = 0, text = 0;
	char line[512], type, name[128], owner[128];
	FILE *file;

	file = fopen("/proc/kallsyms", "r");
	while (file && fgets(line, sizeof(line), file)) {
		int fields = sscanf(line, "%llx %c %127s %127s", &address, &type, name, owner);

		if (fields == 3 && (type == 't' || type == 'T') && address > text)
			text = address;
		if (fields == 4 && (type == 't' || type == 'T') && !strcmp(owner, "[probe]")) {
			low = address < low ? address : low;
			high = address > high ? address : high;
		}
	}
	printf("INSN-RANGES text-end %llx modules %llx %llx\n", text, low, high);
	if (file)
		fclose(file);
}

int main(void)
{
	/* Touched beforehand: a page fault inside would count the kernel's work as well. */
	for (int i = 0; i < COPY_BYTES; i += 4096)
		source[i] = target[i] = 1;
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mkdir("/sys", 0755);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	write_to("/proc/sys/kernel/kptr_restrict", "0");
	MARKER(1);
	LOOP(LOOP_COUNT);
	MARKER(2);
	STRING_COPY(target, source, COPY_BYTES);
	MARKER(3);
	run_steps();
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
