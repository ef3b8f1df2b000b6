// SPDX-License-Identifier: GPL-2.0-only
/* The packets are those of the property test. */
#include "../property/stream.c"
