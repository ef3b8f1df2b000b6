/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LRO_KUNIT_TOLD_H
#define _LRO_KUNIT_TOLD_H

#include <kunit/test.h>

/* What a device tells of its packets, and what an aggregate says of that. */
extern struct kunit_suite lro_told_suite;

#endif /* _LRO_KUNIT_TOLD_H */
