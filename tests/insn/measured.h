/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Known work for the plugin to count: a marker, a loop of known length, a copy of known size.
 */
#ifndef MEASURED_H
#define MEASURED_H

#define LOOP_COUNT	5000000		/* two instructions each */

#define TO_TEXT_(x)	#x
#define TO_TEXT(x)	TO_TEXT_(x)

/* The jump ends the block, so that nothing measured shares one with the marker. */
#define MARKER(label)									\
	asm volatile(".byte 0x0f, 0x1f, 0x80\n\t.long 0x5a5a0000 + " TO_TEXT(label)	\
		     "\n\tjmp 1f\n1:" ::: "memory")

#define LOOP(count) do {								\
	unsigned long left_ = (count);							\
											\
	asm volatile("1: dec %0\n\tjnz 1b" : "+r"(left_) :: "cc");			\
} while (0)

#define STRING_COPY(to, from, bytes) do {						\
	unsigned long count_ = (bytes);							\
	void *to_ = (to);								\
	const void *from_ = (from);							\
											\
	asm volatile("cld\n\trep movsb"							\
		     : "+c"(count_), "+D"(to_), "+S"(from_) :: "memory");		\
} while (0)

#endif /* MEASURED_H */
