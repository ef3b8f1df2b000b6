// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the mode of a device is chosen: by features that ethtool switches for one
 * device, and by the module parameter lro= that every driver of the engine has,
 * which sets these features of all its devices.
 */
#include <linux/inetdevice.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <net/addrconf.h>
#include <net/dsa.h>
#include <net/net_namespace.h>

#include <compat.h>
#include <lro.h>

static netdev_features_t mode_features(unsigned int mode)
{
	switch (mode) {
	case LRO_OFF:
		return 0;
	case LRO_STRICT:
		return NETIF_F_GRO_HW;
	}
	/* With both wanted, the device goes back to strict when relaxed is taken away. */
	return LRO_FEATURES;
}

/* Why a device can have no mode now, neither strict nor relaxed; NULL if it can. */
static const char *obstacle(const struct net_device *dev, netdev_features_t features)
{
	if (rtnl_dereference(dev->xdp_prog))
		return "a generic XDP program wants single packets";
	if (netdev_uses_dsa(dev))
		return "packets are for a switch behind it";
	if (!(features & NETIF_F_LRO) && !(features & NETIF_F_GRO))
		return "GRO is off";
	return NULL;
}

/* Give a device the mode of its driver's parameter; log the cases that a user does not expect. */
static void set_device(struct net_device *dev, unsigned int before, unsigned int mode)
{
	netdev_features_t features = mode_features(mode), had = dev->wanted_features & LRO_FEATURES;
	const char *why;

	netdev_lock_ops(dev);
	dev->wanted_features &= ~LRO_FEATURES;
	dev->wanted_features |= features;
	netdev_update_features(dev);
	netdev_unlock_ops(dev);

	why = features ? obstacle(dev, dev->wanted_features) : NULL;
	if (why)
		netdev_info(dev, "lro=%u has to wait: %s\n", mode, why);
	else if (had != features && had != mode_features(before))
		netdev_info(dev, "lro=%u takes the place of what was chosen for this device\n",
			    mode);
	if (!net_eq(dev_net(dev), current->nsproxy->net_ns))
		netdev_info(dev, "lro=%u was written in another network namespace\n", mode);
}

static void set_devices(const struct lro_mode_param *param, unsigned int before)
{
	struct net_device *dev;
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net)
		for_each_netdev(net, dev)
			if (dev->netdev_ops == param->ops)
				set_device(dev, before, param->mode);
	up_read(&net_rwsem);
}

/* The parameter is the driver's, and so is the name in front. */
#undef pr_fmt
#define pr_fmt(fmt) fmt

static int parse_mode(const char *text, const struct kernel_param *kp, unsigned int now,
		      unsigned int *mode)
{
	if (!kstrtouint(text, 0, mode) && *mode <= LRO_RELAXED)
		return 0;
	pr_err("%s: lro is 0 (off), 1 (strict) or 2 (relaxed); keeping %u\n",
	       module_name(kp->mod), now);
	return -EINVAL;
}

static int mode_set(const char *text, const struct kernel_param *kp)
{
	unsigned int mode;
	int err = parse_mode(text, kp, *(unsigned int *)kp->arg, &mode);

	if (!err)
		WRITE_ONCE(*(unsigned int *)kp->arg, mode);
	return err;
}

const struct kernel_param_ops lro_mode_param_ops = {
	.set = mode_set,
	.get = param_get_uint,
};
EXPORT_SYMBOL_XENLRO(lro_mode_param_ops);

static int devices_set(const char *text, const struct kernel_param *kp)
{
	struct lro_mode_param *param = kp->arg;
	unsigned int mode, before;
	int err = parse_mode(text, kp, param->mode, &mode);

	if (err)
		return err;
	rtnl_lock();
	before = param->mode;
	param->mode = mode;
	set_devices(param, before);
	rtnl_unlock();
	return 0;
}

static int devices_get(char *buffer, const struct kernel_param *kp)
{
	const struct lro_mode_param *param = kp->arg;

	return sysfs_emit(buffer, "%u\n", param->mode);
}

const struct kernel_param_ops lro_devices_param_ops = {
	.set = devices_set,
	.get = devices_get,
};
EXPORT_SYMBOL_XENLRO(lro_devices_param_ops);

void lro_init_features(struct net_device *dev, const struct lro_mode_param *param)
{
	dev->hw_features |= LRO_FEATURES;
	dev->features |= mode_features(param->mode);
}
EXPORT_SYMBOL_XENLRO(lro_init_features);

/* Where packets go on to others, none of them may lose anything. */
static bool passes_on(struct net_device *dev)
{
	struct in_device *ipv4 = __in_dev_get_rtnl(dev);

	return netdev_has_any_upper_dev(dev) || (ipv4 && IN_DEV_FORWARD(ipv4)) ||
	       xenlro_forwards_ipv6(dev);
}

netdev_features_t lro_fix_features(struct net_device *dev, netdev_features_t features)
{
	if (obstacle(dev, features))
		return features & ~LRO_FEATURES;
	if (!(features & NETIF_F_LRO))
		return features;
	/* The kernel allows one of the two. */
	if (!passes_on(dev))
		return features & ~NETIF_F_GRO_HW;
	return features & ~(features & NETIF_F_GRO ? NETIF_F_LRO : LRO_FEATURES);
}
EXPORT_SYMBOL_XENLRO(lro_fix_features);
