// SPDX-License-Identifier: GPL-2.0-only
/*
 * macOS, the BSDs and many servers give all datagrams with DF the same identification. Linux counts it up in the
 * segments of each write, behind all hooks that rules could have, so it is changed here.
 */
#include "ident.h"

#define IP		14
#define IP_ID		(IP + 4)
#define IP_OFFSET	(IP + 6)
#define IP_CHECK	(IP + 10)
#define IP_END		(IP + 20)
#define DONT_FRAGMENT	0x4000

void ident_clear(u8 *frame, u32 len)
{
	u32 sum;

	if (len < IP_END || get_be16(frame + IP - 2) != 0x0800 || get_be16(frame + IP_OFFSET) != DONT_FRAGMENT)
		return;
	/* RFC 1624: the new word is 0. */
	sum = (u16)~get_be16(frame + IP_CHECK) + (u32)(u16)~get_be16(frame + IP_ID);
	sum = (sum & 0xffff) + (sum >> 16);
	put_be16(frame + IP_CHECK, (u16)~sum);
	put_be16(frame + IP_ID, 0);
}
