// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder against hand-assembled instructions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "insn.h"

#define EXPECT(want_kind, want_value, ...) do {						\
	const uint8_t code[] = { __VA_ARGS__ };						\
	struct decoded got = decode_insn(code, sizeof(code));				\
											\
	assert_int_equal(got.kind, want_kind);						\
	assert_int_equal(got.value, want_value);					\
} while (0)

static void string_instructions(void **state)
{
	(void)state;
	EXPECT(INSN_MOVS, 1, 0xa4);			/* movsb */
	EXPECT(INSN_MOVS, 1, 0xf3, 0xa4);		/* rep movsb */
	EXPECT(INSN_MOVS, 4, 0xf3, 0xa5);		/* rep movsl */
	EXPECT(INSN_MOVS, 2, 0x66, 0xf3, 0xa5);		/* rep movsw */
	EXPECT(INSN_MOVS, 8, 0xf3, 0x48, 0xa5);		/* rep movsq */
	EXPECT(INSN_MOVS, 8, 0xf2, 0x48, 0xa5);		/* repne behaves as rep */
	EXPECT(INSN_MOVS, 8, 0x66, 0xf3, 0x48, 0xa5);	/* REX.W wins over 0x66 */
	EXPECT(INSN_MOVS, 1, 0x65, 0xf3, 0xa4);		/* segment prefix */
	EXPECT(INSN_STOS, 1, 0xf3, 0xaa);		/* rep stosb */
	EXPECT(INSN_STOS, 8, 0xf3, 0x48, 0xab);		/* rep stosq */
	EXPECT(INSN_STOS, 4, 0xf3, 0x67, 0xab);		/* 32-bit addresses */
}

static void others_are_plain(void **state)
{
	(void)state;
	EXPECT(INSN_PLAIN, 0, 0x90);
	EXPECT(INSN_PLAIN, 0, 0x0f, 0xa4, 0xc8, 0x04);	/* shld */
	EXPECT(INSN_PLAIN, 0, 0x0f, 0xa5, 0xc8);
	EXPECT(INSN_PLAIN, 0, 0xf3, 0xa6);		/* repe cmpsb */
	EXPECT(INSN_PLAIN, 0, 0xf3, 0xac);		/* rep lodsb */
	EXPECT(INSN_PLAIN, 0, 0x48);
	EXPECT(INSN_PLAIN, 0, 0x83, 0xc0, 0xa4);	/* 0xa4 as an immediate */
}

static void pauses(void **state)
{
	(void)state;
	EXPECT(INSN_PAUSE, 0, 0xf3, 0x90);
	EXPECT(INSN_PLAIN, 0, 0xf2, 0x90);
	EXPECT(INSN_PLAIN, 0, 0x66, 0x90);
	EXPECT(INSN_PLAIN, 0, 0xf3, 0x0f, 0x1f);
}

static void markers(void **state)
{
	(void)state;
	EXPECT(INSN_MARKER, 0x1234, 0x0f, 0x1f, 0x80, 0x34, 0x12, 0x5a, 0x5a);
	EXPECT(INSN_MARKER, 0, 0x0f, 0x1f, 0x80, 0, 0, 0x5a, 0x5a);
	EXPECT(INSN_PLAIN, 0, 0x0f, 0x1f, 0x80, 0, 0, 0, 0);
	EXPECT(INSN_PLAIN, 0, 0x0f, 0x1f, 0x81, 0x34, 0x12, 0x5a, 0x5a);
	EXPECT(INSN_PLAIN, 0, 0x0f, 0x1f, 0x80, 0x34, 0x12, 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(string_instructions),
		cmocka_unit_test(others_are_plain),
		cmocka_unit_test(pauses),
		cmocka_unit_test(markers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
