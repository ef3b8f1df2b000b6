// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receive path of r8169_lro: the kernel's r8169 with packets going to the
 * engine instead of GRO.
 *
 * The kernel's driver keeps its private types and functions in its one source
 * file, so this file is compiled together with it.
 */
#include "r8169_main.c"

static unsigned int lro_mode = LRO_STRICT;
module_param_cb(lro, &lro_mode_param_ops, &lro_mode, 0644);
MODULE_PARM_DESC(lro, "Large receive offload: 0 off, 1 strict (default); may change while packets flow");

static void lro_rtl_destroy(void *lro)
{
	lro_destroy(lro);
}

static void lro_rtl_create(struct rtl8169_private *tp)
{
	tp->lro = lro_create(tp->dev, &tp->napi);
	if (!tp->lro || devm_add_action_or_reset(tp_to_dev(tp), lro_rtl_destroy, tp->lro)) {
		tp->lro = NULL;
		netdev_warn(tp->dev, "no memory for LRO: receiving without it\n");
	}
}

static int lro_rtl_rx(struct net_device *dev, struct rtl8169_private *tp, int budget)
{
	tp->lro_active = lro_begin(tp->lro, READ_ONCE(lro_mode));

	return rtl_rx(dev, tp, budget);
}

static void lro_rtl_receive(struct rtl8169_private *tp, struct sk_buff *skb)
{
	if (tp->lro_active)
		lro_receive_skb(tp->lro, skb);
	else
		napi_gro_receive(&tp->napi, skb);
}

static bool lro_rtl_complete_done(struct napi_struct *napi, int work_done)
{
	struct rtl8169_private *tp = container_of(napi, struct rtl8169_private, napi);

	return lro_complete_done(tp->lro, napi, work_done);
}

static void lro_rtl_get_strings(struct net_device *dev, u32 stringset, u8 *data)
{
	rtl8169_get_strings(dev, stringset, data);
	if (stringset == ETH_SS_STATS) {
		data += rtl8169_get_sset_count(dev, stringset) * ETH_GSTRING_LEN;
		lro_stats_strings(&data, 0);
	}
}

static int lro_rtl_get_sset_count(struct net_device *dev, int sset)
{
	int count = rtl8169_get_sset_count(dev, sset);

	return sset == ETH_SS_STATS && count >= 0 ? count + lro_stats_count() : count;
}

static void lro_rtl_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats,
					u64 *data)
{
	struct rtl8169_private *tp = netdev_priv(dev);

	rtl8169_get_ethtool_stats(dev, stats, data);
	data += rtl8169_get_sset_count(dev, ETH_SS_STATS);
	lro_stats_values(tp->lro, &data);
}

MODULE_IMPORT_XENLRO();
