// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module parameters; all may change while packets flow. Setters of one module's
 * parameters exclude each other: kernel_param_lock().
 */
#include <linux/glob.h>
#include <linux/if.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "br_linearize.h"

static const char * const mode_names[BRL_MODES] = {
	[BRL_OFF] = "off",
	[BRL_LINEARIZE] = "linearize",
	[BRL_INPHASE] = "inphase",
	[BRL_SEGMENT] = "segment",
	[BRL_AUTO] = "auto",
};

static const char * const hook_names[BRL_HOOKS] = {
	[BRL_BRIDGE] = "bridge",
	[BRL_EGRESS] = "egress",
};

static enum brl_mode current_mode = BRL_OFF;
static enum brl_hook current_hook = BRL_BRIDGE;

/* From brl_param_start() on; the command line is read before. */
static bool started;

enum brl_mode brl_mode(void)
{
	return READ_ONCE(current_mode);
}

enum brl_hook brl_hook(void)
{
	return READ_ONCE(current_hook);
}

/* Characters of a wrong value that a message repeats: some, and no line end. */
static int shown(const char *value)
{
	return min_t(int, strcspn(value, "\n"), 20);
}

static int mode_set(const char *value, const struct kernel_param *kp)
{
	int mode = sysfs_match_string(mode_names, value);

	if (mode < 0) {
		pr_err("mode is one of off, linearize, inphase, segment, auto; not '%.*s'\n",
		       shown(value), value);
		return mode;
	}
	WRITE_ONCE(current_mode, mode);
	return 0;
}

static int mode_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", mode_names[current_mode]);
}

static const struct kernel_param_ops mode_ops = {
	.set = mode_set,
	.get = mode_get,
};

module_param_cb(mode, &mode_ops, NULL, 0644);
MODULE_PARM_DESC(mode, "What happens to aggregates before a port transmits them: off (default), linearize, inphase, segment or auto");

static int hook_set(const char *value, const struct kernel_param *kp)
{
	int hook = sysfs_match_string(hook_names, value), err = 0;

	if (hook < 0) {
		pr_err("hook is bridge or egress; not '%.*s'\n", shown(value), value);
		return hook;
	}
	if (hook == BRL_EGRESS && !IS_ENABLED(CONFIG_NETFILTER_EGRESS)) {
		pr_err("this kernel has no egress hooks (CONFIG_NETFILTER_EGRESS); keeping bridge\n");
		return -EOPNOTSUPP;
	}
	if (hook == current_hook)
		return 0;
	if (started && hook == BRL_EGRESS)
		err = brl_egress_start();
	else if (started)
		brl_egress_stop();
	if (!err)
		WRITE_ONCE(current_hook, hook);
	return err;
}

static int hook_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", hook_names[current_hook]);
}

static const struct kernel_param_ops hook_ops = {
	.set = hook_set,
	.get = hook_get,
};

module_param_cb(hook, &hook_ops, NULL, 0644);
MODULE_PARM_DESC(hook, "Where aggregates are met: bridge (default), or egress of the ports, which serves Open vSwitch and routing too");

/* A glob may have a character class for each character of a name. */
#define PORTS_MAX (4 * IFNAMSIZ)

/*
 * The pattern and the one before it, whose readers may not be done. Not allocated: a module that
 * fails to load for another parameter has no place to free it.
 */
static char globs[2][PORTS_MAX];
/* NULL until the parameter is first set. */
static const char __rcu *current_glob;
static const char default_glob[] = "vif*";

bool brl_port_matches(const char *name)
{
	const char *glob;
	bool match;

	rcu_read_lock();
	glob = rcu_dereference(current_glob);
	match = glob_match(glob ? glob : default_glob, name);
	rcu_read_unlock();
	return match;
}

static int ports_set(const char *value, const struct kernel_param *kp)
{
	const char *now = rcu_dereference_protected(current_glob, true);
	size_t length = strcspn(value, "\n");
	char *next = globs[now == globs[0]];

	if (!length || length >= PORTS_MAX) {
		pr_err("ports is a glob of 1 to %d characters, such as vif*\n",
		       PORTS_MAX - 1);
		return -EINVAL;
	}
	strscpy(next, value, length + 1);
	rcu_assign_pointer(current_glob, next);
	/* The other one is free to be written from here on. */
	synchronize_rcu();
	if (!started || current_hook != BRL_EGRESS)
		return 0;
	/* Looks at all devices again. */
	brl_egress_stop();
	return brl_egress_start();
}

static int ports_get(char *buffer, const struct kernel_param *kp)
{
	const char *glob = rcu_dereference_protected(current_glob, true);

	return sysfs_emit(buffer, "%s\n", glob ? glob : default_glob);
}

static const struct kernel_param_ops ports_ops = {
	.set = ports_set,
	.get = ports_get,
};

module_param_cb(ports, &ports_ops, NULL, 0644);
MODULE_PARM_DESC(ports, "glob of the ports whose aggregates are rewritten (default vif*)");

int brl_param_start(void)
{
	int err = 0;

	kernel_param_lock(THIS_MODULE);
	if (current_hook == BRL_EGRESS)
		err = brl_egress_start();
	started = !err;
	kernel_param_unlock(THIS_MODULE);
	return err;
}

void brl_param_stop(void)
{
	kernel_param_lock(THIS_MODULE);
	if (started && current_hook == BRL_EGRESS)
		brl_egress_stop();
	started = false;
	kernel_param_unlock(THIS_MODULE);
	/* Hooks may still read the pattern. */
	synchronize_rcu();
}
