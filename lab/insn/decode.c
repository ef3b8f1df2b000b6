// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instructions that the plugin recognises.
 */
#include <string.h>

#include "insn.h"

#define MARKER_LEN	7
#define MARKER_MAGIC	0x5a5a

#define OPCODE_NOP	0x90
#define PREFIX_REP	0xf3

static bool is_legacy_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:	/* segments */
	case 0x64: case 0x65:
	case 0x66: case 0x67:				/* operand and address size */
	case 0xf0: case 0xf2: case 0xf3:		/* lock, repne, rep */
		return true;
	default:
		return false;
	}
}

static bool is_marker(const uint8_t *code, size_t len)
{
	static const uint8_t nopl[] = { 0x0f, 0x1f, 0x80 };

	return len == MARKER_LEN && !memcmp(code, nopl, sizeof(nopl)) &&
	       (code[5] | code[6] << 8) == MARKER_MAGIC;
}

struct decoded decode_insn(const uint8_t *code, size_t len)
{
	struct decoded plain = { .kind = INSN_PLAIN };
	bool narrow = false, wide = false;
	size_t i = 0;

	if (is_marker(code, len))
		return (struct decoded){ .kind = INSN_MARKER, .value = code[3] | code[4] << 8 };

	if (len == 2 && code[0] == PREFIX_REP && code[1] == OPCODE_NOP)
		return (struct decoded){ .kind = INSN_PAUSE };

	for (; i < len && is_legacy_prefix(code[i]); i++)
		narrow |= code[i] == 0x66;
	if (i + 1 < len && (code[i] & 0xf0) == 0x40)	/* REX */
		wide = code[i++] & 8;
	if (i + 1 != len)
		return plain;

	switch (code[i]) {
	case 0xa4:
		return (struct decoded){ .kind = INSN_MOVS, .value = 1 };
	case 0xa5:
		return (struct decoded){ .kind = INSN_MOVS, .value = wide ? 8 : narrow ? 2 : 4 };
	case 0xaa:
		return (struct decoded){ .kind = INSN_STOS, .value = 1 };
	case 0xab:
		return (struct decoded){ .kind = INSN_STOS, .value = wide ? 8 : narrow ? 2 : 4 };
	default:
		return plain;
	}
}
