/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LRO_KUNIT_FEATURES_H
#define _LRO_KUNIT_FEATURES_H

#include <kunit/test.h>

/* Skbs made in unusual ways, and packets held while polls stop or never complete. */
extern struct kunit_suite lro_feature_suite;

#endif /* _LRO_KUNIT_FEATURES_H */
