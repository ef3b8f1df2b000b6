// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rewrites aggregates just before a bridge port transmits them.
 *
 * A driver that merges packets leaves an aggregate of many small fragments. A
 * port that copies fragment by fragment, as Xen's netback does with grant
 * copies, pays for each of them.
 */
#include <linux/module.h>
#include <linux/netfilter_bridge.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "br_linearize.h"

struct brl_net {
	atomic_long_t linearized;
	atomic_long_t failed;
};

static unsigned int brl_net_id __read_mostly;

/*
 * Without memory the packet goes on as it was: slower to transmit, not lost.
 */
static unsigned int brl_hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct brl_net *stats;

	if (!skb_is_gso(skb) || !skb_is_nonlinear(skb) || brl_mode() == BRL_OFF ||
	    !brl_port_matches(state->out->name))
		return NF_ACCEPT;
	stats = net_generic(state->net, brl_net_id);
	if (skb_linearize(skb))
		atomic_long_inc(&stats->failed);
	else
		atomic_long_inc(&stats->linearized);
	return NF_ACCEPT;
}

/* Last, so that no other hook looks at a packet that is rewritten in vain. */
static const struct nf_hook_ops brl_hook_ops = {
	.hook = brl_hook,
	.pf = NFPROTO_BRIDGE,
	.hooknum = NF_BR_POST_ROUTING,
	.priority = NF_BR_PRI_LAST,
};

static int brl_stats_show(struct seq_file *file, void *v)
{
	struct brl_net *stats = net_generic(seq_file_single_net(file), brl_net_id);

	seq_printf(file, "linearized %ld\n", atomic_long_read(&stats->linearized));
	seq_printf(file, "failed %ld\n", atomic_long_read(&stats->failed));
	return 0;
}

static int __net_init brl_net_init(struct net *net)
{
	int err;

	if (!proc_create_net_single("br_linearize", 0444, net->proc_net, brl_stats_show, NULL))
		return -ENOMEM;
	err = nf_register_net_hook(net, &brl_hook_ops);
	if (err)
		remove_proc_entry("br_linearize", net->proc_net);
	return err;
}

static void __net_exit brl_net_exit(struct net *net)
{
	nf_unregister_net_hook(net, &brl_hook_ops);
	remove_proc_entry("br_linearize", net->proc_net);
}

static struct pernet_operations brl_net_ops = {
	.init = brl_net_init,
	.exit = brl_net_exit,
	.id = &brl_net_id,
	.size = sizeof(struct brl_net),
};

static int __init brl_init(void)
{
	int err = register_pernet_subsys(&brl_net_ops);

	if (err)
		brl_param_exit();
	return err;
}

static void __exit brl_exit(void)
{
	unregister_pernet_subsys(&brl_net_ops);
	brl_param_exit();
}

module_init(brl_init);
module_exit(brl_exit);

MODULE_DESCRIPTION("Rewrites receive aggregates before a bridge port transmits them");
MODULE_LICENSE("GPL");
