// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receive path of igc_lro: the kernel's igc with frames going from the receive rings to the
 * engine, which copies the payload straight to its place.
 *
 * The kernel's driver keeps its receive functions in one source file, so this file is
 * compiled together with it.
 */
#include "igc_main.c"

/*
 * Flags of a ring that igc does not know: a buffer needs syncs; the frame at hand is broken; polls
 * keep off the ring.
 */
#define LRO_IGC_SYNCED	(BITS_PER_LONG - 1)
#define LRO_IGC_BROKEN	(BITS_PER_LONG - 2)
#define LRO_IGC_OFF	(BITS_PER_LONG - 3)

static struct lro_graft *lro_graft_of(const struct net_device *dev)
{
	return &((struct lro_igc *)netdev_priv(dev))->graft;
}

static const struct net_device_ops *lro_graft_netdev_ops(void)
{
	return &igc_netdev_ops;
}

/* A vector has one receive ring, or none. */
static struct lro_queue *lro_igc_queue(const struct igc_q_vector *q_vector)
{
	const struct igc_ring *ring = q_vector->rx.ring;

	BUILD_BUG_ON(IGC_MAX_RX_QUEUES > LRO_QUEUES);
	return &lro_graft_of(ring->netdev)->queue[ring->queue_index];
}

static void lro_igc_create(struct igc_q_vector *q_vector)
{
	if (q_vector->rx.ring)
		lro_queue_create(lro_igc_queue(q_vector), q_vector->adapter->netdev,
				 &q_vector->napi, q_vector->rx.ring->queue_index + 1);
}

static void lro_igc_destroy(struct igc_q_vector *q_vector)
{
	if (q_vector->rx.ring)
		lro_queue_destroy(lro_igc_queue(q_vector));
}

static void lro_igc_stop(struct igc_q_vector *q_vector)
{
	if (q_vector->rx.ring)
		lro_stop(lro_igc_queue(q_vector)->lro);
}

/*
 * The driver is about to clean the ring, and fills it again later, with NAPI enabled. The engine's
 * timer may ask for a poll meanwhile: either that is the one waited for, or it sees the flag.
 */
static void lro_igc_off(struct igc_ring *ring)
{
	set_bit(LRO_IGC_OFF, &ring->flags);
	/* Either the poll sees the flag, or napi_synchronize() sees the poll. */
	smp_mb__after_atomic();
	napi_synchronize(&ring->q_vector->napi);
	lro_igc_stop(ring->q_vector);
}

static void lro_igc_on(struct igc_ring *ring)
{
	clear_bit_unlock(LRO_IGC_OFF, &ring->flags);
}

/* Buffers of AF_XDP are not for the engine: nor is, while they are there, anything else. */
static enum lro_mode lro_igc_mode(const struct igc_ring *ring)
{
	return READ_ONCE(ring->xsk_pool) ? LRO_OFF : lro_device_mode(ring->netdev);
}

static int lro_igc_poll(struct napi_struct *napi, int budget)
{
	struct igc_q_vector *q_vector = container_of(napi, struct igc_q_vector, napi);
	struct igc_ring *ring = q_vector->rx.ring;
	struct lro_queue *queue;

	if (!ring)
		return igc_poll(napi, budget);
	if (unlikely(test_bit(LRO_IGC_OFF, &ring->flags))) {
		napi_complete_done(napi, 0);
		return 0;
	}
	queue = lro_igc_queue(q_vector);
	lro_set_ring(queue->lro, ring->count);
	lro_queue_begin(queue, ring->netdev, lro_igc_mode(ring), budget);
	/* What a program is to see goes through the kernel's function. */
	queue->offer = queue->offer && !READ_ONCE(q_vector->adapter->xdp_prog);
	return lro_queue_end(queue, igc_poll(napi, budget), budget);
}

static void lro_igc_receive(struct igc_q_vector *q_vector, struct sk_buff *skb)
{
	lro_queue_receive(lro_igc_queue(q_vector), &q_vector->napi, skb);
}

static bool lro_igc_complete(struct napi_struct *napi, int done)
{
	struct igc_q_vector *q_vector = container_of(napi, struct igc_q_vector, napi);

	if (!q_vector->rx.ring)
		return napi_complete_done(napi, done);
	return lro_queue_complete(lro_igc_queue(q_vector), napi, done);
}

static void lro_igc_mapped(struct igc_ring *ring, struct page *page, dma_addr_t dma)
{
	if (!lro_dma_is_direct(dma, page_address(page)))
		set_bit(LRO_IGC_SYNCED, &ring->flags);
}

static bool lro_igc_is_synced(const struct igc_ring *ring)
{
	return test_bit(LRO_IGC_SYNCED, &ring->flags);
}

/*
 * Count a descriptor that is broken. The contents of its buffer count as a piece of a frame that
 * is dropped at its end.
 */
static unsigned int lro_igc_broken(struct igc_ring *ring, union igc_adv_rx_desc *desc)
{
	dev_core_stats_rx_dropped_inc(ring->netdev);
	desc->wb.upper.status_error &= ~cpu_to_le32(IGC_RXDADV_STAT_TSIP);
	set_bit(LRO_IGC_BROKEN, &ring->flags);
	return ETH_ZLEN;
}

/* Is there less in the first of several buffers than the stack takes from there? */
static bool lro_igc_is_piece(union igc_adv_rx_desc *desc, const struct sk_buff *chain,
			     unsigned int size)
{
	return !chain && !igc_test_staterr(desc, IGC_RXD_STAT_EOP) &&
	       size < ETH_HLEN + IGC_TS_HDR_LEN;
}

/*
 * Bytes that the NIC has put into the buffer that is next; 0: none. @chain is what has come
 * of a frame that takes several buffers. It may hold a code for XDP's verdict in place of a
 * packet.
 */
static unsigned int lro_igc_size(struct igc_ring *ring, union igc_adv_rx_desc *desc,
				 struct sk_buff **chain)
{
	unsigned int size = le16_to_cpu(desc->wb.upper.length);

	if (!size || unlikely(!ring->rx_buffer_info[ring->next_to_clean].page))
		return 0;
	dma_rmb();
	if (unlikely(size > igc_rx_bufsz(ring) || lro_igc_is_piece(desc, *chain, size) ||
		     (size <= IGC_TS_HDR_LEN && igc_test_staterr(desc, IGC_RXDADV_STAT_TSIP))))
		size = lro_igc_broken(ring, desc);
	if (!IS_ERR_OR_NULL(*chain) && skb_shinfo(*chain)->nr_frags >= MAX_SKB_FRAGS) {
		dev_kfree_skb_any(*chain);
		*chain = NULL;
		size = lro_igc_broken(ring, desc);
	}
	/* igc_cleanup_headers() looks at the last descriptor only. */
	if (unlikely(test_bit(LRO_IGC_BROKEN, &ring->flags)) &&
	    igc_test_staterr(desc, IGC_RXD_STAT_EOP)) {
		clear_bit(LRO_IGC_BROKEN, &ring->flags);
		desc->wb.upper.status_error |= cpu_to_le32(IGC_RXDEXT_STATERR_RXE);
	}
	return size;
}

/* As igc_rx_checksum() has it, for frames that are TCP and without errors. */
static bool lro_igc_is_verified(const struct igc_ring *ring, u32 staterr)
{
	return (staterr & (IGC_RXD_STAT_IXSM | IGC_RXD_STAT_TCPCS)) == IGC_RXD_STAT_TCPCS &&
	       ring->netdev->features & NETIF_F_RXCSUM;
}

/*
 * Offer a frame to the engine; on false it is untouched. The kernel's function takes those
 * that have a time stamp, a wrong checksum or a tag in the order of a loopback, with all
 * that is to be counted and told of them.
 */
static __always_inline bool lro_igc_offer(struct igc_q_vector *q_vector,
					  const union igc_adv_rx_desc *desc, const void *frame,
					  unsigned int size)
{
	const u32 never = IGC_RXDEXT_STATERR_RXE | IGC_RXDEXT_STATERR_L4E |
			  IGC_RXDEXT_STATERR_IPE | IGC_RXDEXT_STATERR_LB | IGC_RXDADV_STAT_TSIP;
	u32 staterr = le32_to_cpu(desc->wb.upper.status_error);
	struct lro_queue *queue = lro_igc_queue(q_vector);
	const struct igc_ring *ring = q_vector->rx.ring;
	const struct net_device *dev = ring->netdev;

	if (!queue->offer || staterr & never || !(staterr & IGC_RXD_STAT_EOP) || size < ETH_ZLEN)
		return false;
	queue->frame.vlan = 0;
	if (staterr & IGC_RXD_STAT_VP && dev->features & NETIF_F_HW_VLAN_CTAG_RX)
		queue->frame.vlan = lro_vlan(ETH_P_8021Q, le16_to_cpu(desc->wb.upper.vlan));
	return lro_receive_copy(queue->lro,
				lro_queue_frame(queue, dev, frame, size,
						lro_igc_is_verified(ring, staterr),
						desc->wb.lower.hi_dword.rss,
						igc_rss_type_table[igc_rss_type(desc)]));
}
