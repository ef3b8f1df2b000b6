// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: what is set up when it is loaded.
 */
#include <linux/module.h>

#include "dump.h"
#include "idle.h"

static int __init lro_core_init(void)
{
	lro_dump_setup();
	return 0;
}

/* Only when no driver is loaded: each uses symbols of this module. */
static void __exit lro_core_exit(void)
{
	lro_idle_stop();
	lro_dump_remove();
}

module_init(lro_core_init);
module_exit(lro_core_exit);

MODULE_DESCRIPTION("Large Receive Offload engine");
MODULE_AUTHOR("xenlro authors");
MODULE_LICENSE("GPL");
/* Builds for user-mode Linux name none. */
#ifdef XENLRO_VERSION
MODULE_VERSION(XENLRO_VERSION);
#endif
