// SPDX-License-Identifier: GPL-2.0-only
/* What the ports cut aggregates up with. */
#include "../property/segment.c"
