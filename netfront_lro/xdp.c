// SPDX-License-Identifier: GPL-2.0-only
/*
 * XDP of netfront_lro, beside what the kernel's xen-netfront does: its programs outlive the queues,
 * see packets and no more, and go with the device although the backend is silent. Part of rx.c.
 *
 * Each queue has a reference to the program. While there are no queues, or new ones are being made,
 * the device has it.
 */

/* The driver lets a program see from the headroom on as many bytes as the backend has told of. */
static bool lro_xennet_beyond_room(const struct xen_netif_rx_response *rx)
{
	return rx->offset != XDP_PACKET_HEADROOM || lro_xennet_beyond_page(rx);
}

/*
 * Send a frame of XDP, with the lock of the ring held. A backend that is not trusted sees no page
 * with other things in it. Return: 0, or an error, and the frame is the caller's.
 */
static int lro_xennet_xdp_send(struct net_device *dev, struct netfront_queue *queue,
			       struct xdp_frame *frame)
{
	unsigned int id = queue->tx_skb_freelist;
	struct sk_buff *skb;

	if (unlikely(!netif_carrier_ok(dev) || !netfront_tx_slot_available(queue)))
		return -ENOBUFS;
	if (unlikely(queue->info->bounce || frame->len < ETH_HLEN ||
		     offset_in_page(frame->data) + frame->len > XEN_PAGE_SIZE))
		return -EINVAL;
	skb = lro_frame_wrap(frame);
	if (unlikely(!skb))
		return -ENOMEM;
	/* It has one slot, and takes the first id. */
	xennet_xdp_xmit_one(dev, queue, frame);
	queue->tx_skbs[id] = skb;
	if (!netfront_tx_slot_available(queue))
		netif_tx_stop_queue(netdev_get_tx_queue(dev, queue->id));
	return 0;
}

/* A page that a program has sent or redirected has left the packet. */
static void lro_xennet_xdp_gone(struct sk_buff *skb, u32 verdict)
{
	if (verdict == XDP_TX || verdict == XDP_REDIRECT)
		skb_shinfo(skb)->nr_frags = 0;
}

/* The backend does not answer: all stays as it was. */
static int lro_xennet_xdp_refused(struct netfront_info *info, struct netlink_ext_ack *extack)
{
	talk_to_netback_xdp(info, rtnl_dereference(info->queues[0].xdp_prog) ?
				  NETBACK_XDP_HEADROOM_ENABLE : NETBACK_XDP_HEADROOM_DISABLE);
	/* A backend that is gone has closed the device. */
	if (info->xbdev->state == XenbusStateReconfiguring)
		xenbus_switch_state(info->xbdev, XenbusStateConnected);
	NL_SET_ERR_MSG_MOD(extack, "the backend does not make room for XDP");
	return -ETIMEDOUT;
}

/* Take the program off a queue. Return: it, with the queue's reference, or NULL. */
static struct bpf_prog *lro_xennet_xdp_take(struct netfront_queue *queue)
{
	struct bpf_prog *prog = rcu_access_pointer(queue->xdp_prog);

	RCU_INIT_POINTER(queue->xdp_prog, NULL);
	return prog;
}

static void lro_xennet_xdp_set_kept(struct netfront_info *info, struct bpf_prog *prog)
{
	if (info->lro_xdp_prog)
		bpf_prog_put(info->lro_xdp_prog);
	info->lro_xdp_prog = prog;
}

/* The queue goes, and the program stays: the next queue has it. */
static void lro_xennet_xdp_keep(struct netfront_queue *queue)
{
	lro_xennet_xdp_set_kept(queue->info, lro_xennet_xdp_take(queue));
}

static void lro_xennet_xdp_put_back(struct netfront_queue *queue)
{
	struct bpf_prog *prog = queue->info->lro_xdp_prog;

	if (!prog)
		return;
	bpf_prog_inc(prog);
	rcu_assign_pointer(queue->xdp_prog, prog);
}

/* Whether a backend is asked: not without a carrier, nor when the device goes. */
static bool lro_xennet_xdp_asks(const struct net_device *dev)
{
	const struct netfront_info *info = netdev_priv(dev);

	return dev->reg_state == NETREG_REGISTERED && netif_carrier_ok(dev) && !info->broken &&
	       info->queues && info->netback_has_xdp_headroom;
}

/* As the kernel's function, which never frees a program, and takes one that will not run. */
static int lro_xennet_xdp_set(struct net_device *dev, struct bpf_prog *prog,
			      struct netlink_ext_ack *extack)
{
	struct netfront_info *info = netdev_priv(dev);
	struct bpf_prog *old;
	unsigned int i;
	int err;

	if (lro_xennet_xdp_asks(dev)) {
		err = xennet_xdp_set(dev, prog, extack);
		if (err)
			return err;
		info->netfront_xdp_enabled = prog;
		/* The caller gave one reference, and each queue has taken its own. */
		if (prog)
			bpf_prog_put(prog);
		return 0;
	}
	if (prog) {
		NL_SET_ERR_MSG_MOD(extack, "no backend makes room for XDP");
		return -EOPNOTSUPP;
	}
	info->netfront_xdp_enabled = false;
	lro_xennet_xdp_set_kept(info, NULL);
	for (i = 0; info->queues && i < dev->real_num_tx_queues; i++) {
		old = lro_xennet_xdp_take(&info->queues[i]);
		if (old)
			bpf_prog_put(old);
	}
	return 0;
}
