// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program of any domain: a known loop and a known copy in user space, between markers 21, 22 and 23. Without a C
 * library it is small enough for a serial port.
 */
#include "measured.h"

#define COPY_BYTES	(1 << 20)

static char source[COPY_BYTES], target[COPY_BYTES];

/* Nothing is on the stack that the compiler could take for arguments. */
__attribute__((noreturn, force_align_arg_pointer)) void _start(void)
{
	/* Touched beforehand: a page fault inside would count the kernel's work as well. */
	for (int i = 0; i < COPY_BYTES; i += 4096)
		((volatile char *)source)[i] = ((volatile char *)target)[i] = 1;
	MARKER(21);
	LOOP(LOOP_COUNT);
	MARKER(22);
	STRING_COPY(target, source, COPY_BYTES);
	MARKER(23);
	/* exit_group(0) */
	asm volatile("syscall" :: "a"(231), "D"(0) : "rcx", "r11", "memory");
	__builtin_unreachable();
}
