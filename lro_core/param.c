// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parameters of the module.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>

#include "contexts.h"
#include "param.h"

#define MAX_FLOWS_DEFAULT	1024
#define MAX_FLOWS_LIMIT		65536
#define MAX_SEGS_DEFAULT	64
#define MAX_SEGS_LIMIT		1024
#define HOLD_US_DEFAULT		100
#define HOLD_US_LIMIT		10000

static unsigned int max_flows = MAX_FLOWS_DEFAULT;
static unsigned int max_segs = MAX_SEGS_DEFAULT;
static unsigned int hold_us = HOLD_US_DEFAULT;

static int get_in_range(const char *text, const struct kernel_param *kp, unsigned int min,
			unsigned int max, unsigned int *value)
{
	if (!kstrtouint(text, 0, value) && *value >= min && *value <= max)
		return 0;
	pr_err("%s is a number from %u to %u; keeping %u\n", kp->name, min, max,
	       *(unsigned int *)kp->arg);
	return -EINVAL;
}

static int set_in_range(const char *text, const struct kernel_param *kp, unsigned int min,
			unsigned int max)
{
	unsigned int value;
	int err = get_in_range(text, kp, min, max, &value);

	if (!err)
		WRITE_ONCE(*(unsigned int *)kp->arg, value);
	return err;
}

static int set_max_flows(const char *text, const struct kernel_param *kp)
{
	unsigned int value;
	int err = get_in_range(text, kp, 1, MAX_FLOWS_LIMIT, &value);

	if (err)
		return err;
	err = lro_contexts_resize(value, &max_flows);
	if (err)
		pr_err("no memory for %s=%u; keeping %u\n", kp->name, value, max_flows);
	return err;
}

static int set_max_segs(const char *text, const struct kernel_param *kp)
{
	return set_in_range(text, kp, 1, MAX_SEGS_LIMIT);
}

static int set_hold_us(const char *text, const struct kernel_param *kp)
{
	return set_in_range(text, kp, 0, HOLD_US_LIMIT);
}

static const struct kernel_param_ops max_flows_ops = {
	.set = set_max_flows,
	.get = param_get_uint,
};

static const struct kernel_param_ops max_segs_ops = {
	.set = set_max_segs,
	.get = param_get_uint,
};

static const struct kernel_param_ops hold_us_ops = {
	.set = set_hold_us,
	.get = param_get_uint,
};

module_param_cb(max_flows, &max_flows_ops, &max_flows, 0644);
MODULE_PARM_DESC(max_flows, "Flows that a queue merges at the same time, 1 to 65536");
module_param_cb(max_segs, &max_segs_ops, &max_segs, 0644);
MODULE_PARM_DESC(max_segs, "Packets merged into one, 1 to 1024");
module_param_cb(hold_us, &hold_us_ops, &hold_us, 0644);
MODULE_PARM_DESC(hold_us, "Microseconds a bulk flow's packets may wait for the next one when a poll ends, 0 to 10000; 0: never");

unsigned int lro_param_max_flows(void)
{
	return READ_ONCE(max_flows);
}

unsigned int lro_param_max_segs(void)
{
	return READ_ONCE(max_segs);
}

unsigned int lro_param_hold_us(void)
{
	return READ_ONCE(hold_us);
}
