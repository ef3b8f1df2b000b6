// SPDX-License-Identifier: GPL-2.0-only
/* Counters of each network namespace, shown in its /proc/net/br_linearize. */
#include <linux/atomic.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "br_linearize.h"

#define NAME(id, name)	name,

static const char * const names[BRL_COUNTER_COUNT] = {
	BRL_COUNTERS(NAME)
};

struct brl_stats {
	atomic_long_t count[BRL_COUNTER_COUNT];
};

static unsigned int brl_net_id __read_mostly;

void brl_count(struct net *net, enum brl_counter counter, long n)
{
	struct brl_stats *stats = net_generic(net, brl_net_id);

	atomic_long_add(n, &stats->count[counter]);
}

static int brl_stats_show(struct seq_file *file, void *v)
{
	struct brl_stats *stats = net_generic(seq_file_single_net(file), brl_net_id);
	unsigned int i;

	for (i = 0; i < BRL_COUNTER_COUNT; i++)
		seq_printf(file, "%s %ld\n", names[i], atomic_long_read(&stats->count[i]));
	return 0;
}

static int __net_init brl_net_init(struct net *net)
{
	if (!proc_create_net_single("br_linearize", 0444, net->proc_net, brl_stats_show, NULL))
		return -ENOMEM;
	return 0;
}

static void __net_exit brl_net_exit(struct net *net)
{
	remove_proc_entry("br_linearize", net->proc_net);
}

static struct pernet_operations brl_net_ops = {
	.init = brl_net_init,
	.exit = brl_net_exit,
	.id = &brl_net_id,
	.size = sizeof(struct brl_stats),
};

int brl_stats_start(void)
{
	return register_pernet_subsys(&brl_net_ops);
}

void brl_stats_stop(void)
{
	unregister_pernet_subsys(&brl_net_ops);
}
