/* SPDX-License-Identifier: GPL-2.0-only */
/* What the grafted r8169 calls; defined behind the driver's own code in rx.c. */
#ifndef _R8169_LRO_RX_H
#define _R8169_LRO_RX_H

#include <compat.h>
#include <lro.h>

struct rtl8169_private;

static void lro_rtl_create(struct rtl8169_private *tp);
static int lro_rtl_rx_fill(struct rtl8169_private *tp);
static void lro_rtl_rx_clear(struct rtl8169_private *tp);
static void *lro_rtl_buffer(const struct rtl8169_private *tp, unsigned int entry);
static void lro_rtl_sync_for_cpu(const struct rtl8169_private *tp, struct device *d,
				 dma_addr_t addr, size_t size);
static void lro_rtl_sync_for_device(const struct rtl8169_private *tp, struct device *d,
				    dma_addr_t addr, size_t size);
static int lro_rtl_rx(struct net_device *dev, struct rtl8169_private *tp, int budget);
static void lro_rtl_receive(struct rtl8169_private *tp, struct sk_buff *skb);
static bool lro_rtl_complete_done(struct napi_struct *napi, int work_done);
static void lro_rtl_init_features(struct net_device *dev);
static netdev_features_t lro_rtl_fix_features(struct net_device *dev, netdev_features_t features);
static int lro_rtl_set_features(struct net_device *dev, netdev_features_t features);
static void lro_rtl_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info);
static void lro_rtl_get_strings(struct net_device *dev, u32 stringset, u8 *data);
static int lro_rtl_get_sset_count(struct net_device *dev, int sset);
static void lro_rtl_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats,
				      u64 *data);

#endif /* _R8169_LRO_RX_H */
