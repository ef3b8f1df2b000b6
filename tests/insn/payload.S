/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine without an operating system that executes a known number of instructions at an address
 * of each category, and moves a known number of bytes there.
 *
 * One physical page of code is mapped at the lower half (user), where Xen, where the kernel and
 * where modules live. Between marker 16 * c + 0 and 16 * c + 1 runs the loop, between + 2 and + 3
 * the string instructions, between + 4 and + 5 a loop that waits, c being the category's place in
 * the order user, xen, kernel, modules.
 */

#define MAGIC		0x1badb002
#define MEMINFO		0x2
#define LOOP_COUNT	500000		/* two instructions each */
#define WAIT_COUNT	3000		/* three instructions each */
#define MOVSB_BYTES	200000		/* more than one batch of the translator's */
#define MOVSQ_WORDS	3000
#define STOSQ_WORDS	70000
#define STOSW_WORDS	11
#define SOURCE		0x400000
#define TARGET		0x600000

#define HUGE_PAGE	0x83		/* present, writable, 2 MiB */
#define TABLE		0x03
#define HUGE_COUNT	8		/* 16 MiB are mapped */
#define EFER		0xc0000080
#define EXIT_PORT	0xf4
#define EXIT_VALUE	7		/* QEMU exits with 2 * 7 + 1 */

#define BASE_USER	0
#define BASE_XEN	0xffff82d040000000
#define BASE_KERNEL	0xffffffff80000000
#define BASE_MODULES	0xffffffffc0000000

#define PML4_INDEX(a)	(((a) >> 39) & 511)
#define PDPT_INDEX(a)	(((a) >> 30) & 511)

	.section .text
	.globl _start
	.align 4
	.long MAGIC, MEMINFO, -(MAGIC + MEMINFO)

	.code32
_start:
	mov $stack_top, %esp

	mov $huge, %edi
	mov $HUGE_PAGE, %eax
	mov $HUGE_COUNT, %ecx
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	dec %ecx
	jnz 1b

	movl $huge + TABLE, pdpt_low
	movl $huge + TABLE, pdpt_xen + 8 * PDPT_INDEX(BASE_XEN)
	movl $huge + TABLE, pdpt_high + 8 * PDPT_INDEX(BASE_KERNEL)
	movl $huge + TABLE, pdpt_high + 8 * PDPT_INDEX(BASE_MODULES)
	movl $pdpt_low + TABLE, pml4
	movl $pdpt_xen + TABLE, pml4 + 8 * PML4_INDEX(BASE_XEN)
	movl $pdpt_high + TABLE, pml4 + 8 * PML4_INDEX(BASE_KERNEL)

	mov $pml4, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x20, %eax			/* PAE */
	mov %eax, %cr4
	mov $EFER, %ecx
	rdmsr
	or $0x100, %eax			/* LME */
	wrmsr
	mov %cr0, %eax
	or $0x80000000, %eax		/* PG */
	mov %eax, %cr0
	lgdt gdt_pointer
	ljmp $8, $long_mode

	.macro marker label
	.byte 0x0f, 0x1f, 0x80
	.long 0x5a5a0000 + \label
	.endm

	/* The jumps after each marker begin a block, so that none straddles a measured interval. */
	.macro measured first
	marker \first
	jmp 1f
1:	mov $LOOP_COUNT, %ecx
2:	dec %ecx
	jnz 2b
	marker \first + 1
	jmp 1f
1:	marker \first + 2
	jmp 1f
1:	mov $SOURCE, %esi
	mov $TARGET, %edi
	mov $MOVSB_BYTES, %ecx
	rep movsb
	mov $MOVSQ_WORDS, %ecx
	rep movsq
	mov $TARGET, %edi
	mov $STOSQ_WORDS, %ecx
	rep stosq
	mov $STOSW_WORDS, %ecx
	rep stosw
	marker \first + 3
	jmp 1f
1:	marker \first + 4
	jmp 1f
1:	mov $WAIT_COUNT, %ecx
2:	pause
	dec %ecx
	jnz 2b
	marker \first + 5
	jmp 1f
1:
	.endm

	.macro enter base
	mov $\base, %rax
	lea 1f(%rip), %rbx
	mov $0x1fffff, %ecx
	and %rcx, %rbx
	add %rbx, %rax
	jmp *%rax
1:
	.endm

	.code64
long_mode:
	cld
	enter BASE_USER
	measured 0
	enter BASE_XEN
	measured 16
	enter BASE_KERNEL
	measured 32
	enter BASE_MODULES
	measured 48
	enter BASE_USER
	mov $EXIT_VALUE, %al
	out %al, $EXIT_PORT
1:	hlt
	jmp 1b

	.align 8
gdt:
	.quad 0, 0x00af9a000000ffff
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.section .bss
	.align 4096
pml4:		.skip 4096
pdpt_low:	.skip 4096
pdpt_xen:	.skip 4096
pdpt_high:	.skip 4096
huge:		.skip 4096
		.skip 4096
stack_top:
