// SPDX-License-Identifier: GPL-2.0-only
/*
 * A known loop and a known copy, executed in a module, and a known copy by the kernel proper.
 */
#include <linux/module.h>
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "measured.h"

#define COPY_BYTES	SZ_1M

static int __init probe_init(void)
{
	void *(*copy)(void *to, const void *from, size_t len) = memcpy;
	void *source = kzalloc(COPY_BYTES, GFP_KERNEL);
	void *target = kzalloc(COPY_BYTES, GFP_KERNEL);
	unsigned long flags;

	if (!source || !target) {
		kfree(source);
		kfree(target);
		return -ENOMEM;
	}
	/* Called, not expanded in place: it is the kernel's own that is wanted. */
	OPTIMIZER_HIDE_VAR(copy);
	local_irq_save(flags);
	MARKER(11);
	LOOP(LOOP_COUNT);
	MARKER(12);
	STRING_COPY(target, source, COPY_BYTES);
	MARKER(13);
	copy(target, source, COPY_BYTES);
	MARKER(14);
	local_irq_restore(flags);
	kfree(source);
	kfree(target);
	return 0;
}

static void __exit probe_exit(void)
{
}

module_init(probe_init);
module_exit(probe_exit);
MODULE_DESCRIPTION("executes what the instruction plugin is measured against");
MODULE_LICENSE("GPL");
