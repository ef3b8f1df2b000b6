/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LRO_KUNIT_DELAY_H
#define _LRO_KUNIT_DELAY_H

#include <kunit/test.h>

/* Effects of the kernel's delays, of threads that poll and of the ring's size on waiting. */
extern struct kunit_suite lro_delay_suite;

#endif /* _LRO_KUNIT_DELAY_H */
