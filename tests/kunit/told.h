/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LRO_KUNIT_TOLD_H
#define _LRO_KUNIT_TOLD_H

#include <kunit/test.h>

/* Facts that a device tells about its packets, and those that an aggregate keeps. */
extern struct kunit_suite lro_told_suite;

#endif /* _LRO_KUNIT_TOLD_H */
