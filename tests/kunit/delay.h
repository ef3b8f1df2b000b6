/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LRO_KUNIT_DELAY_H
#define _LRO_KUNIT_DELAY_H

#include <kunit/test.h>

/* What the kernel's own delays, threads that poll, and the size of the ring do to waiting. */
extern struct kunit_suite lro_delay_suite;

#endif /* _LRO_KUNIT_DELAY_H */
