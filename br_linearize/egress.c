// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks of single ports, which see all packets that are sent there: by a bridge, by
 * Open vSwitch or by routing. The list of hooks is changed under the RTNL only.
 */
#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/netfilter_netdev.h>
#include <linux/slab.h>

#include "br_linearize.h"

struct port {
	struct list_head list;
	struct rcu_head rcu;
	struct nf_hook_ops ops;
};

static LIST_HEAD(ports);

static unsigned int egress_hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct sk_buff *segments, *one, *next;

	if (!brl_concerns(skb))
		return NF_ACCEPT;
	segments = brl_rewrite(state->net, skb);
	if (!segments)
		return NF_ACCEPT;
	skb_list_walk_safe(segments, one, next) {
		skb_mark_not_on_list(one);
		dev_queue_xmit(one);
	}
	return NF_STOLEN;
}

static struct port *find_port(const struct net_device *dev)
{
	struct port *port;

	list_for_each_entry(port, &ports, list)
		if (port->ops.dev == dev)
			return port;
	return NULL;
}

static void remove_port(struct port *port)
{
	nf_unregister_net_hook(dev_net(port->ops.dev), &port->ops);
	list_del(&port->list);
	/* The list of hooks may still be read. */
	kfree_rcu(port, rcu);
}

static void add_port(struct net_device *dev)
{
	struct port *port = kzalloc(sizeof(*port), GFP_KERNEL);
	int err = -ENOMEM;

	if (port) {
		port->ops.hook = egress_hook;
		port->ops.dev = dev;
		port->ops.pf = NFPROTO_NETDEV;
		port->ops.hooknum = NF_NETDEV_EGRESS;
		/* First: its segments pass all hooks, so the packet itself must pass none. */
		port->ops.priority = INT_MIN;
		err = nf_register_net_hook(dev_net(dev), &port->ops);
	}
	if (err) {
		kfree(port);
		netdev_warn(dev, "br_linearize: no hook here, aggregates go on unchanged: error %d\n",
			    err);
		return;
	}
	list_add(&port->list, &ports);
}

static int device_event(struct notifier_block *self, unsigned long event, void *data)
{
	struct net_device *dev = netdev_notifier_info_to_dev(data);
	struct port *port = find_port(dev);

	switch (event) {
	case NETDEV_REGISTER:
	case NETDEV_CHANGENAME:
		if (!port && brl_port_matches(dev->name))
			add_port(dev);
		else if (port && !brl_port_matches(dev->name))
			remove_port(port);
		break;
	case NETDEV_UNREGISTER:
		if (port)
			remove_port(port);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = {
	.notifier_call = device_event,
};

/* Both report the devices there are as if each came or went just now. */
int brl_egress_start(void)
{
	return register_netdevice_notifier(&device_notifier);
}

void brl_egress_stop(void)
{
	unregister_netdevice_notifier(&device_notifier);
}
