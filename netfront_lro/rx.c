// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receive path of netfront_lro: the kernel's xen-netfront with the pages of the
 * ring slots going to the engine.
 *
 * The kernel's driver keeps its private types and functions in its one source
 * file, so this file is compiled together with it.
 */
#include "xen-netfront.c"

static struct lro_mode_param lro_mode = { .mode = LRO_STRICT, .ops = &xennet_netdev_ops };
module_param_cb(lro, &lro_devices_param_ops, &lro_mode, 0644);
MODULE_PARM_DESC(lro, "Large receive offload: 0 off, 1 strict (default), 2 relaxed; may change while packets flow");

static void lro_xennet_create(struct netfront_queue *queue)
{
	queue->lro_skbs = NULL;
	lro_xennet_xdp_put_back(queue);
	queue->lro = lro_create(queue->info->netdev, &queue->napi);
	if (!queue->lro)
		netdev_warn(queue->info->netdev, "no memory for LRO: queue %u receives without it\n",
			    queue->id);
	lro_set_ring(queue->lro, NET_RX_RING_SIZE);
}

static void lro_xennet_destroy(struct netfront_queue *queue)
{
	/* Where the device stays, as after a migration, no packet needs to be lost. */
	if (netif_running(queue->info->netdev))
		lro_stop(queue->lro);
	lro_destroy(queue->lro);
	queue->lro = NULL;
	kfree_skb_list(queue->lro_skbs);
	queue->lro_skbs = NULL;
	lro_xennet_xdp_keep(queue);
}

/*
 * The backend is gone, with its interrupts. The carrier went first: code that looks for it from now
 * on leaves the rings alone, and this waits for code that looked before. NAPI begins no poll while
 * it is disabled, however much the backend still answers. The engine asks for none after that.
 */
static void lro_xennet_synchronize(struct netfront_queue *queue)
{
	/* A packet or frame that is being sent, and netpoll: all are in sections of RCU. */
	synchronize_net();

	/* An interface whose driver refuses to open it seems to be running for a moment. */
	rtnl_lock();
	if (netif_running(queue->info->netdev)) {
		napi_disable(&queue->napi);
		lro_stop(queue->lro);
		napi_enable(&queue->napi);
	}
	rtnl_unlock();

	/* The last poll may have started it. */
	timer_delete_sync(&queue->rx_refill_timer);
}

/*
 * The pool has two users since its registration with XDP, and goes when none is left.
 * Called again when the device is removed before it had another backend.
 */
static void lro_xennet_free_pages(struct netfront_queue *queue)
{
	if (xdp_rxq_info_is_reg(&queue->xdp_rxq))
		xdp_rxq_info_unreg(&queue->xdp_rxq);
	page_pool_destroy(queue->page_pool);
	queue->page_pool = NULL;
}

/* There is no page pool for this queue; those before it are complete, and will not be used. */
static void lro_xennet_undo_queues(struct netfront_queue *last)
{
	struct netfront_queue *queue = last->info->queues;

	gnttab_free_grant_references(last->gref_tx_head);
	gnttab_free_grant_references(last->gref_rx_head);
	for (; queue < last; queue++) {
		gnttab_free_grant_references(queue->gref_tx_head);
		gnttab_free_grant_references(queue->gref_rx_head);
		if (netif_running(queue->info->netdev))
			napi_disable(&queue->napi);
		lro_xennet_destroy(queue);
		netif_napi_del(&queue->napi);
		lro_xennet_free_pages(queue);
	}
}

/*
 * The driver has an skb for each ring slot before it knows whether one will be
 * needed. Those that were not wait here for the next slot; the ring's lock covers the
 * list. There are never more than slots: a new one is made only while none waits.
 * They are as xennet_alloc_one_rx_buffer() makes them, but for the page.
 */
static void lro_xennet_keep_skb(struct netfront_queue *queue, struct sk_buff *skb)
{
	skb->next = queue->lro_skbs;
	queue->lro_skbs = skb;
}

static struct sk_buff *lro_xennet_rx_buffer(struct netfront_queue *queue)
{
	struct sk_buff *skb = queue->lro_skbs;
	struct page *page;

	if (!skb)
		return xennet_alloc_one_rx_buffer(queue);
	page = page_pool_alloc_pages(queue->page_pool, GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO);
	if (unlikely(!page))
		return NULL;
	queue->lro_skbs = skb->next;
	skb_mark_not_on_list(skb);
	skb_fill_page_desc(skb, 0, page, 0, 0);
	return skb;
}

/* Keep an skb that has lost its pages after the kernel's functions had filled it in. */
static void lro_xennet_reuse(struct netfront_queue *queue, struct sk_buff *skb)
{
	/* Memory for emergencies; only the allocation of an skb checks whether it still is. */
	if (skb_pfmemalloc(skb)) {
		kfree_skb(skb);
		return;
	}
	skb->data = skb->head + NET_SKB_PAD + NET_IP_ALIGN;
	skb_reset_tail_pointer(skb);
	skb->len = 0;
	skb->data_len = 0;
	skb->truesize = SKB_TRUESIZE(skb_end_offset(skb)) + PAGE_SIZE;
	skb->ip_summed = CHECKSUM_NONE;
	lro_xennet_keep_skb(queue, skb);
}

/* As handle_incoming_queue() counts: without the Ethernet headers. */
static void lro_xennet_count(struct netfront_queue *queue, unsigned int packets,
			     unsigned int bytes)
{
	struct netfront_stats *stats = this_cpu_ptr(queue->info->rx_stats);

	u64_stats_update_begin(&stats->syncp);
	xenlro_stats_add(&stats->packets, packets);
	xenlro_stats_add(&stats->bytes, bytes);
	u64_stats_update_end(&stats->syncp);
}

/* Each slot has a page. */
static const u32 lro_xennet_truesize[] = { [0 ... MAX_SKB_FRAGS - 1] = PAGE_SIZE };

/* Offer a packet's pages to the engine; on false it is untouched. */
static bool lro_xennet_offer(struct netfront_queue *queue, struct sk_buff *skb)
{
	struct skb_shared_info *info = skb_shinfo(skb);
	const struct lro_frame frame = {
		.frags = info->frags,
		.truesize = lro_xennet_truesize,
		.pool = queue->page_pool,
		.count = info->nr_frags,
		.ip_summed = skb->ip_summed,
	};

	/* Data in the head: more slots than an skb has fragments. */
	if (skb_is_gso(skb) || skb_headlen(skb) || !lro_receive_page(queue->lro, &frame))
		return false;
	lro_xennet_count(queue, 1, skb->len - ETH_HLEN);
	info->nr_frags = 0;
	lro_xennet_reuse(queue, skb);
	return true;
}

static void lro_xennet_begin(struct netfront_queue *queue, int budget)
{
	queue->lro_active = lro_begin(queue->lro, lro_device_mode(queue->info->netdev), budget);
}

/* A poll that has used up its budget: only bulk flows wait for the next one. */
static void lro_xennet_end(struct netfront_queue *queue, int work_done, int budget)
{
	if (work_done == budget)
		lro_end(queue->lro);
}

/* A packet that the engine did not take. Return: packets dropped. */
static int lro_xennet_refused(struct netfront_queue *queue, struct sk_buff *skb)
{
	struct sk_buff_head alone;

	/* The backend says how much is in the first slot, and the head needs an Ethernet header. */
	if (unlikely(NETFRONT_SKB_CB(skb)->pull_to < ETH_HLEN) && !pskb_may_pull(skb, ETH_HLEN)) {
		kfree_skb(skb);
		queue->info->netdev->stats.rx_errors++;
		return 1;
	}
	/* One by one: the engine gets a flow's packets in order. */
	__skb_queue_head_init(&alone);
	__skb_queue_tail(&alone, skb);
	return handle_incoming_queue(queue, &alone);
}

static int lro_xennet_incoming(struct netfront_queue *queue, struct sk_buff_head *rxq)
{
	struct sk_buff *skb;
	int dropped = 0;

	while ((skb = __skb_dequeue(rxq)))
		if (!queue->lro_active || !lro_xennet_offer(queue, skb))
			dropped += lro_xennet_refused(queue, skb);
	return dropped;
}

/*
 * Take the packet of a response off the ring if it is of the usual kind: in one slot,
 * verified, without anything beside it. Only its fragment is filled in. On NULL the ring is
 * untouched, and the kernel's functions take the response, with all that they say of it.
 */
static struct sk_buff *lro_xennet_get_single(struct netfront_queue *queue, RING_IDX cons,
					     u8 *ip_summed)
{
	struct xen_netif_rx_response rx;
	struct sk_buff *skb;
	skb_frag_t *frag;
	grant_ref_t ref;

	/* The backend may write to the ring meanwhile. */
	RING_COPY_RESPONSE(&queue->rx, cons, &rx);
	if (rx.flags & XEN_NETRXF_csum_blank)
		*ip_summed = CHECKSUM_PARTIAL;
	else if (rx.flags & XEN_NETRXF_data_validated)
		*ip_summed = CHECKSUM_UNNECESSARY;
	else
		return NULL;
	if (rx.flags & (XEN_NETRXF_more_data | XEN_NETRXF_extra_info) || rx.status < ETH_HLEN ||
	    rx.offset + rx.status > XEN_PAGE_SIZE)
		return NULL;

	ref = queue->grant_rx_ref[xennet_rxidx(cons)];
	if (ref == INVALID_GRANT_REF || !gnttab_end_foreign_access_ref(ref))
		return NULL;
	gnttab_release_grant_reference(&queue->gref_rx_head, ref);
	queue->grant_rx_ref[xennet_rxidx(cons)] = INVALID_GRANT_REF;
	skb = xennet_get_rx_skb(queue, cons);
	frag = &skb_shinfo(skb)->frags[0];
	skb_frag_off_set(frag, rx.offset);
	skb_frag_size_set(frag, rx.status);
	return skb;
}

/* Fill in the rest for the kernel's functions. */
static void lro_xennet_fill(struct sk_buff *skb, unsigned int size, u8 ip_summed)
{
	NETFRONT_SKB_CB(skb)->pull_to = min_t(unsigned int, size, RX_COPY_THRESHOLD);
	skb->data_len = size;
	skb->len = size;
	skb->ip_summed = ip_summed;
}

/*
 * Packets of one slot need none of what the kernel's functions do for each: lists for
 * slots and packets, extra infos, and the ring's counter moved twice under a lock. Nor,
 * while the engine takes them, an skb that tells more than where the page is.
 */
static bool lro_xennet_take_singles(struct netfront_queue *queue, RING_IDX *next, RING_IDX end,
				    int *work_done, int budget, struct sk_buff_head *before)
{
	struct lro_frame frame = {
		.truesize = lro_xennet_truesize,
		.pool = queue->page_pool,
		.count = 1,
	};
	unsigned int packets = 0, bytes = 0;
	RING_IDX cons;

	if (!queue->lro_active || rcu_access_pointer(queue->xdp_prog))
		return false;
	if (!skb_queue_empty(before))
		*work_done -= lro_xennet_incoming(queue, before);
	for (cons = *next; cons != end && *work_done < budget; cons++) {
		struct sk_buff *skb;

		skb = lro_xennet_get_single(queue, cons, &frame.ip_summed);
		if (!skb)
			break;
		++*work_done;
		frame.frags = skb_shinfo(skb)->frags;
		if (!skb_pfmemalloc(skb) && lro_receive_page(queue->lro, &frame)) {
			packets++;
			bytes += skb_frag_size(frame.frags) - ETH_HLEN;
			skb_shinfo(skb)->nr_frags = 0;
			lro_xennet_keep_skb(queue, skb);
		} else {
			lro_xennet_fill(skb, skb_frag_size(frame.frags), frame.ip_summed);
			*work_done -= lro_xennet_refused(queue, skb);
		}
	}
	if (packets)
		lro_xennet_count(queue, packets, bytes);
	if (cons == *next)
		return false;
	*next = cons;
	xennet_set_rx_rsp_cons(queue, cons);
	return true;
}

/*
 * The driver checks each slot, then reads it again to make a fragment of it. In between
 * the backend can have written to the ring.
 */
static bool lro_xennet_beyond_page(const struct xen_netif_rx_response *rx)
{
	return rx->status < 0 || rx->offset + rx->status > XEN_PAGE_SIZE;
}

/* The poll function's error path frees what is in @slots; that of some kernels forgets @skb. */
static int lro_xennet_fill_frags(struct netfront_queue *queue, struct sk_buff *skb,
				 struct sk_buff_head *slots)
{
	int err = xennet_fill_frags(queue, skb, slots);

	if (unlikely(err))
		__skb_queue_head(slots, skb);
	return err;
}

/*
 * End a poll that takes nothing off the ring. A poll that returns without being completed makes the
 * removal of the device wait for ever.
 */
static int lro_xennet_finish(struct netfront_queue *queue, int budget)
{
	/* netpoll's poll is not completed. */
	if (budget <= 0)
		return 0;
	/* Nothing is held, so that the engine asks for no poll. */
	queue->lro_active = lro_begin(queue->lro, LRO_OFF, budget);
	lro_complete_done(queue->lro, &queue->napi, 0);
	return 0;
}

/* The backend broke the protocol, and the driver takes no more from it. */
static int lro_xennet_broken(struct netfront_queue *queue, struct sk_buff_head *received,
			     struct sk_buff_head *refused, struct sk_buff_head *slots,
			     int budget)
{
	/* The refused ones were counted as they came. */
	queue->info->netdev->stats.rx_errors += skb_queue_len(received) + 1;
	__skb_queue_purge(received);
	__skb_queue_purge(refused);
	__skb_queue_purge(slots);
	return lro_xennet_finish(queue, budget);
}

/*
 * The backend has answered a slot that is not a packet's. There is one such slot for each extra
 * info that was sent, and it is answered once.
 */
static bool lro_xennet_extra_answered(struct netfront_queue *queue)
{
	if (unlikely(!queue->lro_extras)) {
		/* netconsole sends the message by this ring, whose lock is held, if not broken. */
		queue->info->broken = true;
		dev_alert(&queue->info->netdev->dev, "Response without request\n");
		return false;
	}
	queue->lro_extras--;
	return true;
}

/*
 * Called when a wait for the backend has timed out. All that it does later reaches the driver by
 * netback_changed(). Return: whether to wait again.
 */
static bool lro_xennet_waits(struct xenbus_device *dev)
{
	dev_warn(&dev->dev, "the backend does not answer: going on without it\n");
	return false;
}

/*
 * A packet that will not be sent any more. The memory that it is in may be of a kind that has no
 * references of its own, so the packet keeps it for as long as the backend has the grant in use.
 * Return: the packet, to be freed, or NULL.
 */
static struct sk_buff *lro_xennet_end_tx(struct sk_buff *skb, grant_ref_t ref)
{
	if (likely(gnttab_try_end_foreign_access(ref)))
		return skb;
	lro_kept_add(skb, ref);
	return NULL;
}

/* The packets that the kernel's function has built. */
static void lro_xennet_receive(struct netfront_queue *queue, struct sk_buff *skb)
{
	if (queue->lro_active)
		lro_receive_skb(queue->lro, skb);
	else
		napi_gro_receive(&queue->napi, skb);
}

static bool lro_xennet_complete_done(struct napi_struct *napi, int work_done)
{
	struct netfront_queue *queue = container_of(napi, struct netfront_queue, napi);

	return lro_complete_done(queue->lro, napi, work_done);
}

#include "xdp.c"

static void lro_xennet_init_features(struct net_device *dev)
{
	lro_init_features(dev, &lro_mode);
}

static netdev_features_t lro_xennet_fix_features(struct net_device *dev,
						 netdev_features_t features)
{
	return lro_fix_features(dev, xennet_fix_features(dev, features));
}

/* The kernel adds what else there is to tell. */
static void lro_xennet_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, XENLRO_VERSION, sizeof(info->version));
}

static void lro_xennet_get_strings(struct net_device *dev, u32 stringset, u8 *data)
{
	unsigned int i;

	xennet_get_strings(dev, stringset, data);
	if (stringset != ETH_SS_STATS)
		return;
	data += xennet_get_sset_count(dev, stringset) * ETH_GSTRING_LEN;
	for (i = 0; i < dev->real_num_tx_queues; i++)
		lro_stats_strings(&data, i);
}

static int lro_xennet_get_sset_count(struct net_device *dev, int sset)
{
	int count = xennet_get_sset_count(dev, sset);

	if (sset == ETH_SS_STATS && count >= 0)
		count += dev->real_num_tx_queues * lro_stats_count();
	return count;
}

static void lro_xennet_get_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats,
					 u64 *data)
{
	struct netfront_info *info = netdev_priv(dev);
	unsigned int i;

	xennet_get_ethtool_stats(dev, stats, data);
	data += xennet_get_sset_count(dev, ETH_SS_STATS);
	/* The queues are gone while the backend is away; the table keeps its size. */
	for (i = 0; i < dev->real_num_tx_queues; i++)
		lro_stats_values(info->queues ? info->queues[i].lro : NULL, &data);
}

MODULE_VERSION(XENLRO_VERSION);
MODULE_IMPORT_XENLRO();
