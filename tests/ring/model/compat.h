/* SPDX-License-Identifier: GPL-2.0-only */
/* What include/compat.h makes of kernels' differences, for the model. */
#ifndef _RING_COMPAT_H
#define _RING_COMPAT_H

#include "model.h"

#define xenlro_stats_add(counter, n)						\
do {										\
	if (__same_type(*(counter), u64))					\
		*(u64 *)(counter) += (n);					\
	else									\
		u64_stats_add((u64_stats_t *)(counter), n);			\
} while (0)

#define strscpy(to, from, size) snprintf(to, size, "%s", from)

#endif /* _RING_COMPAT_H */
