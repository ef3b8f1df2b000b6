// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receive path of e1000e_lro: the kernel's e1000e with frames going from the receive ring
 * to the engine, which copies the payload straight to its place.
 *
 * The kernel's driver keeps its receive functions in one source file, so this file is
 * compiled together with it.
 */
#include "netdev.c"

static struct lro_graft *lro_graft_of(const struct net_device *dev)
{
	return &((struct lro_e1000 *)netdev_priv(dev))->graft;
}

static const struct net_device_ops *lro_graft_netdev_ops(void)
{
	return &e1000e_netdev_ops;
}

/* There is one receive queue. */
static struct lro_queue *lro_e1000_queue(struct e1000_adapter *adapter)
{
	return &container_of(adapter, struct lro_e1000, adapter)->graft.queue[0];
}

static void lro_e1000_create(struct net_device *dev)
{
	struct e1000_adapter *adapter = netdev_priv(dev);

	lro_queue_create(lro_e1000_queue(adapter), dev, &adapter->napi, 0);
}

static void lro_e1000_destroy(struct net_device *dev)
{
	lro_queue_destroy(lro_e1000_queue(netdev_priv(dev)));
}

static void lro_e1000_stop(struct e1000_adapter *adapter)
{
	lro_stop(lro_e1000_queue(adapter)->lro);
}

/*
 * For a reset the driver keeps the NIC from asking for polls, waits for the one that may
 * run, and then cleans the rings with NAPI enabled. The engine's timer may ask for a poll
 * meanwhile: either that is the one waited for, or it sees that the device is down.
 */
static int lro_e1000_poll(struct napi_struct *napi, int budget)
{
	struct e1000_adapter *adapter = container_of(napi, struct e1000_adapter, napi);
	struct lro_queue *queue = lro_e1000_queue(adapter);
	struct net_device *dev = adapter->netdev;

	if (unlikely(test_bit(__E1000_DOWN, &adapter->state))) {
		napi_complete_done(napi, 0);
		return 0;
	}
	lro_set_ring(queue->lro, adapter->rx_ring->count);
	lro_queue_begin(queue, dev, lro_device_mode(dev), budget);
	return lro_queue_end(queue, e1000e_poll(napi, budget), budget);
}

static void lro_e1000_receive(struct e1000_adapter *adapter, struct sk_buff *skb)
{
	lro_queue_receive(lro_e1000_queue(adapter), &adapter->napi, skb);
}

static bool lro_e1000_complete(struct napi_struct *napi, int done)
{
	struct e1000_adapter *adapter = container_of(napi, struct e1000_adapter, napi);

	return lro_queue_complete(lro_e1000_queue(adapter), napi, done);
}

static bool lro_e1000_is_mapped(const struct e1000_buffer *buffer)
{
	return buffer->dma && buffer->dma != DMA_MAPPING_ERROR;
}

static bool lro_e1000_is_done(const struct e1000_buffer *buffer, u32 staterr)
{
	return staterr & E1000_RXD_STAT_DD && likely(buffer->skb && lro_e1000_is_mapped(buffer));
}

/* A NIC that is broken or lies: the frame is dropped and counted. */
static bool lro_e1000_broken(struct e1000_adapter *adapter)
{
	dev_core_stats_rx_dropped_inc(adapter->netdev);
	return true;
}

/* Bytes of FCS at the end of a frame. */
static unsigned int lro_e1000_fcs(const struct e1000_adapter *adapter)
{
	return adapter->flags2 & FLAG2_CRC_STRIPPING ? 0 : ETH_FCS_LEN;
}

/* Does the driver throw a frame away without a look at its length? */
static bool lro_e1000_is_refused(const struct e1000_adapter *adapter, u32 staterr)
{
	return !(staterr & E1000_RXD_STAT_EOP) || adapter->flags2 & FLAG2_IS_DISCARDING ||
	       (staterr & E1000_RXDEXT_ERR_FRAME_ERR_MASK &&
		!(adapter->netdev->features & NETIF_F_RXALL));
}

/* As e1000_rx_checksum() has it, for frames that are TCP and without errors. */
static bool lro_e1000_is_verified(const struct e1000_adapter *adapter, u32 staterr)
{
	return (staterr & (E1000_RXD_STAT_IXSM | E1000_RXD_STAT_TCPCS)) == E1000_RXD_STAT_TCPCS &&
	       adapter->netdev->features & NETIF_F_RXCSUM;
}

/*
 * Offer a frame to the engine; on false it is untouched. The kernel's function takes those
 * that have a time stamp or a wrong checksum, with all that is to be counted and told of
 * them.
 */
static __always_inline bool lro_e1000_offer(struct e1000_adapter *adapter,
					    const union e1000_rx_desc_extended *desc,
					    const struct e1000_buffer *buffer, const void *frame,
					    unsigned int size, u32 staterr)
{
	const u32 never = E1000_RXDEXT_STATERR_TST |
			  (u32)(E1000_RXD_ERR_TCPE | E1000_RXD_ERR_IPE) << 24;
	struct lro_queue *queue = lro_e1000_queue(adapter);
	struct device *d = &adapter->pdev->dev;
	/* Of transmit buffers only; here: whether the buffer needs no sync. */
	bool direct = buffer->bytecount, verified;

	if (!queue->offer || staterr & never || size < ETH_ZLEN)
		return false;
	queue->frame.vlan = 0;
	if (staterr & E1000_RXD_STAT_VP)
		queue->frame.vlan = lro_vlan(ETH_P_8021Q, le16_to_cpu(desc->wb.upper.vlan));
	verified = lro_e1000_is_verified(adapter, staterr);
	if (!direct)
		dma_sync_single_for_cpu(d, buffer->dma, size, DMA_FROM_DEVICE);
	if (!lro_receive_copy(queue->lro,
			      lro_queue_frame(queue, adapter->netdev, frame, size, verified,
					      desc->wb.lower.hi_dword.rss, PKT_HASH_TYPE_L3)))
		return false;
	if (!direct)
		dma_sync_single_for_device(d, buffer->dma, size, DMA_FROM_DEVICE);
	adapter->hw_csum_good += verified;
	return true;
}

/* Return: whether nothing is left to do for a frame but to give its buffer back to the NIC. */
static __always_inline bool lro_e1000_takes(struct e1000_ring *ring,
					    const union e1000_rx_desc_extended *desc,
					    struct e1000_buffer *buffer,
					    const struct sk_buff *skb, u32 staterr,
					    unsigned int *packets, unsigned int *bytes)
{
	struct e1000_adapter *adapter = ring->adapter;
	unsigned int size = le16_to_cpu(desc->wb.upper.length), fcs = lro_e1000_fcs(adapter);

	if (lro_e1000_is_refused(adapter, staterr))
		return false;
	if (unlikely(size < ETH_HLEN + fcs || size > adapter->rx_buffer_len))
		return lro_e1000_broken(adapter);
	size -= fcs;
	if (!lro_e1000_offer(adapter, desc, buffer, skb->data, size, staterr))
		return false;
	++*packets;
	*bytes += size;
	return true;
}

static void lro_e1000_map(struct e1000_adapter *adapter, struct e1000_buffer *buffer, void *data)
{
	struct device *d = &adapter->pdev->dev;

	if (lro_e1000_is_mapped(buffer))
		return;
	buffer->dma = dma_map_single(d, data, adapter->rx_buffer_len, DMA_FROM_DEVICE);
	buffer->bytecount = lro_dma_is_direct(buffer->dma, data);
}

static bool lro_e1000_split_is_broken(struct e1000_adapter *adapter,
				      const union e1000_rx_desc_packet_split *desc, u32 staterr)
{
	unsigned int head = le16_to_cpu(desc->wb.middle.length0), size = head, part, i;

	if (lro_e1000_is_refused(adapter, staterr) || !head)
		return false;
	/* The stack takes the Ethernet header from there. */
	if (head < ETH_HLEN)
		return lro_e1000_broken(adapter);
	for (i = 0; i < PS_PAGE_BUFFERS; i++) {
		part = le16_to_cpu(desc->wb.upper.length[i]);
		if (!part)
			break;
		if (part > PAGE_SIZE || i >= adapter->rx_ps_pages)
			return lro_e1000_broken(adapter);
		size += part;
	}
	if (head <= adapter->rx_ps_bsize0 && size >= ETH_HLEN + lro_e1000_fcs(adapter))
		return false;
	return lro_e1000_broken(adapter);
}
