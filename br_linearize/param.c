// SPDX-License-Identifier: GPL-2.0-only
/* Module parameters; both may change while packets flow. */
#include <linux/glob.h>
#include <linux/if.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "br_linearize.h"

static const char *const mode_names[BRL_MODES] = {
	[BRL_OFF] = "off",
	[BRL_LINEARIZE] = "linearize",
};

static enum brl_mode current_mode = BRL_OFF;

enum brl_mode brl_mode(void)
{
	return READ_ONCE(current_mode);
}

static int mode_set(const char *value, const struct kernel_param *kp)
{
	int mode = sysfs_match_string(mode_names, value);

	if (mode < 0) {
		pr_err("br_linearize: mode is one of off, linearize; not '%.20s'\n", value);
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
MODULE_PARM_DESC(mode, "off (default) or linearize: copy each aggregate into one buffer before a port transmits it");

/* A glob may have a character class for each character of a name. */
#define PORTS_MAX (4 * IFNAMSIZ)

struct ports {
	struct rcu_head rcu;
	char glob[PORTS_MAX];
};

/* NULL until the parameter is first set. */
static struct ports __rcu *current_ports;
static const char default_glob[] = "vif*";

bool brl_port_matches(const char *name)
{
	const struct ports *ports;
	bool match;

	rcu_read_lock();
	ports = rcu_dereference(current_ports);
	match = glob_match(ports ? ports->glob : default_glob, name);
	rcu_read_unlock();
	return match;
}

/* Setters of one module's parameters exclude each other: kernel_param_lock(). */
static struct ports *ports_replace(struct ports *ports)
{
	return rcu_replace_pointer(current_ports, ports, true);
}

static int ports_set(const char *value, const struct kernel_param *kp)
{
	size_t length = strcspn(value, "\n");
	struct ports *ports;

	if (!length || length >= PORTS_MAX) {
		pr_err("br_linearize: ports is a glob of 1 to %d characters, such as vif*\n",
		       PORTS_MAX - 1);
		return -EINVAL;
	}
	ports = kzalloc(sizeof(*ports), GFP_KERNEL);
	if (!ports)
		return -ENOMEM;
	memcpy(ports->glob, value, length);
	ports = ports_replace(ports);
	if (ports)
		kfree_rcu(ports, rcu);
	return 0;
}

static int ports_get(char *buffer, const struct kernel_param *kp)
{
	const struct ports *ports = rcu_dereference_protected(current_ports, true);

	return sysfs_emit(buffer, "%s\n", ports ? ports->glob : default_glob);
}

static const struct kernel_param_ops ports_ops = {
	.set = ports_set,
	.get = ports_get,
};

module_param_cb(ports, &ports_ops, NULL, 0644);
MODULE_PARM_DESC(ports, "glob of the bridge ports whose aggregates are rewritten (default vif*)");

/* No hook is left that could still read the pattern. */
void brl_param_exit(void)
{
	kfree(ports_replace(NULL));
}
