// SPDX-License-Identifier: GPL-2.0-only
/* The module parameter lro= that every driver of the engine has. */
#include <linux/moduleparam.h>

#include <compat.h>
#include <lro.h>

static int mode_set(const char *text, const struct kernel_param *kp)
{
	unsigned int mode;

	if (kstrtouint(text, 0, &mode) || mode > LRO_STRICT) {
		pr_err("%s: lro is 0 (off) or 1 (strict); keeping %u\n", module_name(kp->mod),
		       *(unsigned int *)kp->arg);
		return -EINVAL;
	}
	WRITE_ONCE(*(unsigned int *)kp->arg, mode);
	return 0;
}

const struct kernel_param_ops lro_mode_param_ops = {
	.set = mode_set,
	.get = param_get_uint,
};
EXPORT_SYMBOL_XENLRO(lro_mode_param_ops);
