// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receive buffers in coherent memory.
 *
 * The driver never gives a receive buffer away: it copies each frame out and the
 * chip gets the same buffer again. With streaming mappings that takes two syncs
 * per frame, and in a Xen PV domain each looks up for every page of the buffer
 * whether it is bounced. Coherent memory needs none. Reading it is as cheap as
 * reading any memory where the CPU's caches see DMA, as on x86.
 */

/* Frees what rtl8169_rx_fill() or lro_rtl_rx_fill() has allocated. */
static void lro_rtl_rx_clear(struct rtl8169_private *tp)
{
	unsigned int i;

	for (i = 0; tp->lro_buffers && i < NUM_RX_DESC && tp->lro_buffers[i]; i++) {
		struct RxDesc *desc = tp->RxDescArray + i;

		dma_free_coherent(tp_to_dev(tp), R8169_RX_BUF_SIZE, tp->lro_buffers[i],
				  le64_to_cpu(desc->addr));
		desc->addr = 0;
		desc->opts1 = 0;
	}
	kfree(tp->lro_buffers);
	tp->lro_buffers = NULL;
	rtl8169_rx_clear(tp);
}

static bool lro_rtl_fill_coherent(struct rtl8169_private *tp)
{
	unsigned int i;

	tp->lro_buffers = kcalloc(NUM_RX_DESC, sizeof(*tp->lro_buffers), GFP_KERNEL);
	if (!tp->lro_buffers)
		return false;
	for (i = 0; i < NUM_RX_DESC; i++) {
		struct RxDesc *desc = tp->RxDescArray + i;
		dma_addr_t addr;

		tp->lro_buffers[i] = dma_alloc_coherent(tp_to_dev(tp), R8169_RX_BUF_SIZE, &addr,
							GFP_KERNEL | __GFP_NOWARN);
		if (!tp->lro_buffers[i]) {
			lro_rtl_rx_clear(tp);
			return false;
		}
		desc->addr = cpu_to_le64(addr);
		rtl8169_mark_to_asic(desc);
	}
	tp->RxDescArray[NUM_RX_DESC - 1].opts1 |= cpu_to_le32(RingEnd);
	return true;
}

static int lro_rtl_rx_fill(struct rtl8169_private *tp)
{
	if (IS_ENABLED(CONFIG_X86) && lro_rtl_fill_coherent(tp))
		return 0;
	return rtl8169_rx_fill(tp);
}

static void *lro_rtl_buffer(const struct rtl8169_private *tp, unsigned int entry)
{
	return tp->lro_buffers ? tp->lro_buffers[entry] : page_address(tp->Rx_databuff[entry]);
}

static void lro_rtl_sync_for_cpu(const struct rtl8169_private *tp, struct device *d,
				 dma_addr_t addr, size_t size)
{
	if (!tp->lro_buffers)
		dma_sync_single_for_cpu(d, addr, size, DMA_FROM_DEVICE);
}

static void lro_rtl_sync_for_device(const struct rtl8169_private *tp, struct device *d,
				    dma_addr_t addr, size_t size)
{
	if (!tp->lro_buffers)
		dma_sync_single_for_device(d, addr, size, DMA_FROM_DEVICE);
}
