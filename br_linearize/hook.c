// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook of bridges, and the module's start and end.
 */
#include <linux/if_ether.h>
#include <linux/module.h>
#include <linux/netfilter_bridge.h>
#include <net/net_namespace.h>

#include "br_linearize.h"

static unsigned int bridge_hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct sk_buff *segments, *one, *next;

	if (!brl_concerns(skb) || brl_hook() != BRL_BRIDGE || brl_mode() == BRL_OFF ||
	    !brl_port_matches(state->out->name))
		return NF_ACCEPT;
	skb_push(skb, ETH_HLEN);
	segments = brl_rewrite(state->net, skb);
	if (!segments) {
		skb_pull(skb, ETH_HLEN);
		return NF_ACCEPT;
	}
	skb_list_walk_safe(segments, one, next) {
		skb_mark_not_on_list(one);
		skb_pull(one, ETH_HLEN);
		NF_HOOK(NFPROTO_BRIDGE, NF_BR_POST_ROUTING, state->net, state->sk, one, NULL,
			state->out, state->okfn);
	}
	return NF_STOLEN;
}

/* First: its segments pass all hooks, so the packet itself must pass none. */
static const struct nf_hook_ops bridge_hook_ops = {
	.hook = bridge_hook,
	.pf = NFPROTO_BRIDGE,
	.hooknum = NF_BR_POST_ROUTING,
	.priority = NF_BR_PRI_FIRST,
};

static int __net_init bridge_net_init(struct net *net)
{
	return nf_register_net_hook(net, &bridge_hook_ops);
}

static void __net_exit bridge_net_exit(struct net *net)
{
	nf_unregister_net_hook(net, &bridge_hook_ops);
}

static struct pernet_operations bridge_net_ops = {
	.init = bridge_net_init,
	.exit = bridge_net_exit,
};

static int __init brl_init(void)
{
	int err = brl_rewrite_start();

	if (err)
		goto out;
	err = brl_stats_start();
	if (err)
		goto out_rewrite;
	err = register_pernet_subsys(&bridge_net_ops);
	if (err)
		goto out_stats;
	err = brl_param_start();
	if (err)
		goto out_bridge;
	return 0;

out_bridge:
	unregister_pernet_subsys(&bridge_net_ops);
	synchronize_net();
out_stats:
	brl_stats_stop();
out_rewrite:
	brl_rewrite_stop();
out:
	brl_param_stop();
	return err;
}

static void __exit brl_exit(void)
{
	unregister_pernet_subsys(&bridge_net_ops);
	brl_param_stop();
	/* No hook is left, but packets may still be in one. */
	synchronize_net();
	brl_stats_stop();
	brl_rewrite_stop();
}

module_init(brl_init);
module_exit(brl_exit);

MODULE_DESCRIPTION("Rewrites receive aggregates before a port transmits them");
MODULE_LICENSE("GPL");
/* Builds for user-mode Linux name none. */
#ifdef XENLRO_VERSION
MODULE_VERSION(XENLRO_VERSION);
#endif
