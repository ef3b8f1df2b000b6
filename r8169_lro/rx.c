// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receive path of r8169_lro: the kernel's r8169 with frames going from the
 * receive ring to the engine, which copies the payload straight to its place.
 *
 * The kernel's driver keeps its private types and functions in its one source
 * file, so this file is compiled together with it.
 */
#include "r8169_main.c"
#include "buffers.c"

static struct lro_mode_param lro_mode = { .mode = LRO_STRICT, .ops = &rtl_netdev_ops };
module_param_cb(lro, &lro_devices_param_ops, &lro_mode, 0644);
MODULE_PARM_DESC(lro, "Large receive offload: 0 off, 1 strict (default), 2 relaxed; may change while packets flow");

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
	lro_set_ring(tp->lro, NUM_RX_DESC);
}

static struct RxDesc *lro_rtl_desc(const struct rtl8169_private *tp)
{
	return tp->RxDescArray + tp->cur_rx % NUM_RX_DESC;
}

static u32 lro_rtl_vlan(const struct RxDesc *desc)
{
	u32 opts2 = le32_to_cpu(desc->opts2);

	return opts2 & RxVlanTag ? lro_vlan(ETH_P_8021Q, swab16(opts2 & 0xffff)) : 0;
}

/* Offer the frame of a descriptor to the engine; on false it is untouched. */
static __always_inline bool lro_rtl_offer(struct rtl8169_private *tp, unsigned int entry,
					  struct lro_frame *frame, bool coherent)
{
	const struct RxDesc *desc = tp->RxDescArray + entry;
	unsigned int size = frame->len;
	dma_addr_t addr = le64_to_cpu(desc->addr);
	struct device *d = tp_to_dev(tp);
	bool taken;

	if (!coherent)
		dma_sync_single_for_cpu(d, addr, size, DMA_FROM_DEVICE);
	frame->data = coherent ? tp->lro_buffers[entry] : lro_rtl_buffer(tp, entry);
	frame->vlan = lro_rtl_vlan(desc);
	taken = lro_receive_copy(tp->lro, frame);
	if (!coherent)
		dma_sync_single_for_device(d, addr, size, DMA_FROM_DEVICE);
	return taken;
}

/*
 * Whole frames without errors that the chip recognised as TCP and whose checksums it
 * found right, as many in a row as the engine takes. rtl_rx() takes all others, with
 * their statistics: @status is that of the descriptor where the row ends. It is not read
 * again: a frame meant for the engine may have arrived, and rtl_rx() would take it.
 */
static __always_inline int lro_rtl_rx_row(struct net_device *dev, struct rtl8169_private *tp,
					  int budget, bool coherent, u32 *status)
{
	const u32 good = FirstFrag | LastFrag | RxProtoTCP;
	struct lro_frame frame = { .ip_summed = CHECKSUM_UNNECESSARY };
	unsigned int cur = tp->cur_rx, bytes = 0;
	int count;

	for (count = 0; count < budget; count++, cur++) {
		unsigned int entry = cur % NUM_RX_DESC;
		struct RxDesc *desc = tp->RxDescArray + entry;

		*status = le32_to_cpu(READ_ONCE(desc->opts1));
		if ((*status & (DescOwn | RxRES | RxCSFailMask | RxProtoMask | good)) != good ||
		    (*status & GENMASK(13, 0)) < ETH_ZLEN + ETH_FCS_LEN)
			break;
		/* The rest of the descriptor is valid once the chip has let go of it. */
		dma_rmb();

		frame.len = (*status & GENMASK(13, 0)) - ETH_FCS_LEN;
		if (!lro_rtl_offer(tp, entry, &frame, coherent))
			break;
		bytes += frame.len;
		rtl8169_mark_to_asic(desc);
	}

	if (count) {
		struct pcpu_sw_netstats *stats = this_cpu_ptr(dev->tstats);

		tp->cur_rx = cur;
		u64_stats_update_begin(&stats->syncp);
		u64_stats_add(&stats->rx_packets, count);
		u64_stats_add(&stats->rx_bytes, bytes);
		u64_stats_update_end(&stats->syncp);
	}
	return count;
}

/*
 * A length that no frame can have comes from a chip that is broken or lies.
 * rtl_rx() would take off the FCS and copy as much as that wraps to.
 */
static bool lro_rtl_impossible(const struct net_device *dev, u32 status)
{
	/* What the chip calls an error is not looked at, unless errors are asked for. */
	bool refused = status & RxRES && !(dev->features & NETIF_F_RXALL);

	return (status & GENMASK(13, 0)) < ETH_HLEN + ETH_FCS_LEN && !refused &&
	       !rtl8169_fragmented_frame(status);
}

/* A frame that is not for the engine, if there is one. */
static bool lro_rtl_rx_other(struct net_device *dev, struct rtl8169_private *tp, u32 status)
{
	if (status & DescOwn)
		return false;
	dma_rmb();
	if (unlikely(lro_rtl_impossible(dev, status))) {
		dev->stats.rx_dropped++;
		dev->stats.rx_length_errors++;
		rtl8169_mark_to_asic(lro_rtl_desc(tp));
		tp->cur_rx++;
	} else {
		rtl_rx(dev, tp, 1);
	}
	return true;
}

/* The receive ring while the engine is in the path. */
static int lro_rtl_rx_ring(struct net_device *dev, struct rtl8169_private *tp, int budget)
{
	bool offer = !(dev->features & (NETIF_F_RXFCS | NETIF_F_RXALL));
	u32 status = DescOwn;
	int count = 0;

	do {
		if (offer && tp->lro_buffers)
			count += lro_rtl_rx_row(dev, tp, budget - count, true, &status);
		else if (offer)
			count += lro_rtl_rx_row(dev, tp, budget - count, false, &status);
		else
			status = le32_to_cpu(READ_ONCE(lro_rtl_desc(tp)->opts1));
	} while (count < budget && lro_rtl_rx_other(dev, tp, status) && ++count < budget);

	if (count == budget)
		lro_end(tp->lro);
	return count;
}

static int lro_rtl_rx(struct net_device *dev, struct rtl8169_private *tp, int budget)
{
	tp->lro_active = lro_begin(tp->lro, lro_device_mode(dev), budget);

	return tp->lro_active ? lro_rtl_rx_ring(dev, tp, budget) : rtl_rx(dev, tp, budget);
}

/* The frames that rtl_rx() has built an skb of. */
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

static void lro_rtl_init_features(struct net_device *dev)
{
	lro_init_features(dev, &lro_mode);
}

static netdev_features_t lro_rtl_fix_features(struct net_device *dev, netdev_features_t features)
{
	return lro_fix_features(dev, rtl8169_fix_features(dev, features));
}

/* The chip has to know of all features but the engine's. */
static int lro_rtl_set_features(struct net_device *dev, netdev_features_t features)
{
	return (dev->features ^ features) & ~LRO_FEATURES ? rtl8169_set_features(dev, features) : 0;
}

static void lro_rtl_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	rtl8169_get_drvinfo(dev, info);
	strscpy(info->version, XENLRO_VERSION, sizeof(info->version));
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

/*
 * The stock driver may serve other cards of the same host, so a card is ours
 * only when its driver_override names this driver.
 */
static int __init lro_rtl_init(void)
{
	struct pci_device_id *id;

	for (id = rtl8169_pci_tbl; id->vendor; id++)
		id->override_only = PCI_ID_F_VFIO_DRIVER_OVERRIDE;
	return pci_register_driver(&rtl8169_pci_driver);
}
module_init(lro_rtl_init);

static void __exit lro_rtl_exit(void)
{
	pci_unregister_driver(&rtl8169_pci_driver);
}
module_exit(lro_rtl_exit);

MODULE_VERSION(XENLRO_VERSION);
MODULE_IMPORT_XENLRO();
