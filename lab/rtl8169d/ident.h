/* SPDX-License-Identifier: GPL-2.0-only */
/* A sender whose IPv4 datagrams all have the same identification. */
#ifndef RTL8169D_IDENT_H
#define RTL8169D_IDENT_H

#include "util.h"

/** ident_clear() - set the identification of a datagram with DF to 0, and correct its header's checksum. */
void ident_clear(u8 *frame, u32 len);

#endif
