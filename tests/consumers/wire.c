// SPDX-License-Identifier: GPL-2.0-only
/* What the frames are written and read with. */
#include "../property/wire.c"
