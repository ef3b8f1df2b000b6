// SPDX-License-Identifier: GPL-2.0-only
/* What the packets are written with. */
#include "../property/wire.c"
