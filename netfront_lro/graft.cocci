// SPDX-License-Identifier: GPL-2.0-only
// What netfront_lro changes in the kernel's xen-netfront.c. Each rule stands
// alone and has to match; graft/graft.py proves that it did.

// The functions below are defined behind the driver's own code, in rx.c.
@declare@
@@
 #include <xen/interface/grant_table.h>
+#include "rx.h"

// One engine context per queue.
@context@
@@
 struct netfront_queue {
 ...
 struct napi_struct napi;
+struct lro *lro;
+bool lro_active;
+struct sk_buff *lro_skbs;
+unsigned int lro_extras;
 ...
 };

// A program of XDP that has no queue to be in.
@program@
@@
 struct netfront_info {
 ...
 bool netfront_xdp_enabled;
+struct bpf_prog *lro_xdp_prog;
 ...
 };

// Created with the NAPI instance, before it can be enabled.
@create@
expression dev, queue;
@@
 netif_napi_add(dev, &queue->napi, xennet_poll);
+lro_xennet_create(queue);

// What is held is delivered when the polls stop.
@stop@
expression queue;
@@
 xennet_close(...)
 {
 <...
 napi_disable(&queue->napi);
+lro_stop(queue->lro);
 ...>
 }

// A poll that the engine asks for must not find the rings gone.
// An interface that does not run may have packets on their way that it began to send before.
@disconnect@
expression queue;
@@
 xennet_disconnect_backend(...)
 {
 <...
-if (netif_running(...))
-	napi_synchronize(&queue->napi);
+lro_xennet_synchronize(queue);
 ...>
 }

// The driver forgets that XDP holds the pages, too, so they were never freed.
@pool@
expression queue;
@@
 xennet_disconnect_backend(...)
 {
 <...
-page_pool_destroy(queue->page_pool);
+lro_xennet_free_pages(queue);
 ...>
 }

// Freed with it, once it is disabled.
@destroy@
expression queue;
@@
+lro_xennet_destroy(queue);
 netif_napi_del(&queue->napi);

// Each poll asks the engine how things stand.
@begin@
identifier napi, budget;
expression queue, i;
@@
 xennet_poll(struct napi_struct *napi, int budget)
 {
 <...
 i = queue->rx.rsp_cons;
+lro_xennet_begin(queue, budget);
 work_done = 0;
 ...>
 }

// And tells it when the budget is used up.
@end@
identifier napi, budget, queue, work_done;
@@
 xennet_poll(struct napi_struct *napi, int budget)
 {
 ...
 struct netfront_queue *queue = ...;
 <...
+lro_xennet_end(queue, work_done, budget);
 spin_unlock(&queue->rx_lock);
 return work_done;
 ...>
 }

// The engine's timer, busy polling and netpoll cause polls without an event of the backend. Such a poll finds no
// rings when the backend is gone, and slots that are half taken when it is no longer trusted.
@no_ring@
identifier napi, budget, dev;
expression queue;
@@
 xennet_poll(struct napi_struct *napi, int budget)
 {
 ...
 struct net_device *dev = ...;
 ...
+if (unlikely(!netif_carrier_ok(dev) || queue->info->broken))
+	return lro_xennet_finish(queue, budget);
 spin_lock(&queue->rx_lock);
 ...
 }

// Packets of one slot take a shorter way.
@singles@
identifier queue, i, rp, work_done, budget, rx;
@@
 xennet_poll(...)
 {
 <...
 while ((i != rp) && (work_done < budget)) {
+if (lro_xennet_take_singles(queue, &i, rp, &work_done, budget, &rxq))
+	continue;
 RING_COPY_RESPONSE(&queue->rx, i, rx);
 ...
 }
 ...>
 }

// The engine gets the others as well; the kernel's handle_incoming_queue() takes
// what it leaves.
@poll@
expression queue, rxq;
@@
 xennet_poll(...)
 {
 <...
-handle_incoming_queue(queue, rxq)
+lro_xennet_incoming(queue, rxq)
 ...>
 }

// An skb whose pages went to the engine serves the next ring slot.
@reuse@
expression queue;
@@
 xennet_alloc_rx_buffers(...)
 {
 <...
-xennet_alloc_one_rx_buffer(queue)
+lro_xennet_rx_buffer(queue)
 ...>
 }

// And so does one whose page became a fragment of another skb.
@reuse_slot@
identifier queue, nskb;
@@
 xennet_fill_frags(struct netfront_queue *queue, ...)
 {
 <...
 skb_shinfo(nskb)->nr_frags = 0;
-kfree_skb(nskb);
+lro_xennet_reuse(queue, nskb);
 ...>
 }

// A slot may have other values when it is read for the second time. Such a packet is treated
// as the kernel's function treats one of more slots than an skb can have.
@in_page@
expression skb;
@@
 xennet_fill_frags(...)
 {
 <...
 unlikely(skb_shinfo(skb)->nr_frags >= MAX_SKB_FRAGS
+ || lro_xennet_beyond_page(&rx)
 )
 ...>
 }

// A packet that ends amid its slots is freed with them.
@requeue@
expression queue, skb, list;
@@
 xennet_poll(...)
 {
 <...
(
-if (unlikely(xennet_fill_frags(queue, skb, list)))
+if (unlikely(lro_xennet_fill_frags(queue, skb, list)))
	goto err;
|
 if (unlikely(
-xennet_fill_frags(queue, skb, list)
+lro_xennet_fill_frags(queue, skb, list)
 )) {
-	__skb_queue_head(list, skb);
	goto err;
 }
)
 ...>
 }

// A message goes out by netconsole, and so into a ring whose lock is held, unless the device is broken.
@alert@
identifier f, queue;
@@
 f(struct netfront_queue *queue, ...)
 {
 <...
+queue->info->broken = true;
 dev_alert(...);
 ...>
 }

// A poll after which none follows is completed, and the packets that it had taken are freed. Frames that a program
// has redirected wait on a list of this CPU, which is gone after the poll.
@broken@
identifier napi, budget;
expression queue;
@@
 xennet_poll(struct napi_struct *napi, int budget)
 {
 <...
 spin_unlock(&queue->rx_lock);
+if (need_xdp_flush)
+	xdp_do_flush();
-return 0;
+return lro_xennet_broken(queue, &rxq, &errq, &tmpq, budget);
 ...>
 }

// One value of the segment size tells the kernel to take the sizes from a list of packets, and there is no list.
@gso_size@
identifier skb, gso;
@@
 xennet_set_skb_gso(struct sk_buff *skb, struct xen_netif_extra_info *gso)
 {
 <...
 if (!gso->u.gso.size
+ || gso->u.gso.size == GSO_BY_FRAGS
 ) {
	...
 }
 ...>
 }

// An XDP program is shown what lies behind the headroom, wherever the backend says that the packet is.
@xdp_room@
expression xdp, size, rxq;
@@
 xennet_run_xdp(...)
 {
 <...
+if (lro_xennet_beyond_room(rx))
+	return XDP_DROP;
 xdp_init_buff(xdp, size, rxq);
 ...>
 }

// Events come before the carrier is there, and when it has just gone.
@carrier@
expression device;
@@
 xennet_tx_buf_gc(...)
 {
 <...
-BUG_ON(!netif_carrier_ok(device));
+if (!netif_carrier_ok(device))
+	return false;
 ...>
 }

// netpoll comes even when there are no queues, or no rings.
@netpoll@
expression info;
@@
 xennet_poll_controller(...)
 {
 <...
 if (info->broken
+ || !info->queues || !netif_carrier_ok(dev)
 )
	return;
 ...>
 }

// A program needs queues, which may be away with the backend; to take it away has to succeed when the device goes.
@xdp_set@
identifier dev, info;
expression prog, extack;
@@
 xennet_xdp(struct net_device *dev, ...)
 {
-struct netfront_info *info = netdev_priv(dev);
-if (info->broken)
-	return -ENODEV;
 <...
-xennet_xdp_set(dev, prog, extack)
+lro_xennet_xdp_set(dev, prog, extack)
 ...>
 }

// No wait for a backend is without an end.
@xdp_wait@
expression queue, condition;
@@
 xennet_xdp_set(...)
 {
 <...
-wait_event(queue, condition);
+if (!lro_xennet_wait(condition))
+	return lro_xennet_xdp_refused(np, extack);
 ...>
 }

// Their conditions read xenstore, which sleeps, and a wait_event() with a condition that sleeps does not.
@probe_look@
expression queue, condition, timeout;
@@
 xennet_create_dev(...)
 {
 <...
-wait_event_timeout(queue, condition, timeout)
+lro_xennet_wait(condition)
 ...>
 }

@close_look@
expression queue, condition, timeout;
@@
 xennet_bus_close(...)
 {
 <...
-wait_event_timeout(queue, condition, timeout)
+lro_xennet_wait(condition)
 ...>
 }

@probe_wait@
identifier dev, err;
statement S;
@@
 xennet_create_dev(struct xenbus_device *dev)
 {
 <...
 do
 S
-while (!err);
+while (!err && lro_xennet_waits(dev));
 ...>
 }

@close_wait@
identifier dev, ret;
statement S;
@@
 xennet_bus_close(struct xenbus_device *dev)
 {
 <...
 do
 S
-while (!ret);
+while (!ret && lro_xennet_waits(dev));
 ...>
 }

// A backend that is still closed when the device is made comes later. The device stays as it is until then.
@not_closed@
expression dev;
@@
 netback_changed(...)
 {
 <...
-if (dev->state == XenbusStateClosed)
+if (dev->state == XenbusStateClosed || dev->state == XenbusStateInitialising)
	break;
 ...>
 }

// So does one that is still closing, which the next one follows: a closed device would take none.
@not_closing@
expression dev;
@@
 netback_changed(...)
 {
 <...
-xenbus_frontend_closed(dev);
+if (dev->state != XenbusStateInitialising)
+	xenbus_frontend_closed(dev);
 ...>
 }

// Each slot for sending is answered once. The driver lets a backend answer extra infos that were never
// sent: then the ring has room when the ids of packets have run out, and an interrupt may go on for ever.
@extra_sent@
expression first_tx;
identifier gso, queue;
@@
 xennet_start_xmit(...)
 {
 <...
 gso = (struct xen_netif_extra_info *)RING_GET_REQUEST(&queue->tx, queue->tx.req_prod_pvt++);
 first_tx->flags |= XEN_NETTXF_extra_info;
+queue->lro_extras++;
 ...>
 }

@extra_answered@
identifier queue, txrsp;
@@
 xennet_tx_buf_gc(struct netfront_queue *queue)
 {
 <...
-if (txrsp.status == XEN_NETIF_RSP_NULL)
-	continue;
+if (txrsp.status == XEN_NETIF_RSP_NULL) {
+	if (unlikely(!lro_xennet_extra_answered(queue)))
+		goto err;
+	continue;
+}
 ...>
 }

// An interface that goes down and up again takes packets although the backend has answered none.
@tx_room@
expression dev, wide, segmented;
identifier queue;
@@
 xennet_start_xmit(...)
 {
 <...
 spin_lock_irqsave(&queue->tx_lock, ...);
 if (unlikely(!netif_carrier_ok(dev) ||
+ !netfront_tx_slot_available(queue) ||
 wide || segmented))
 {
	...
 }
 ...>
 }

// Frames of XDP are sent when there are rings, and room in them, and are freed when they are answered. Queues go
// after the carrier, and there may be fewer of them next time.
@xdp_send_queues@
expression info;
@@
 xennet_xdp_xmit(...)
 {
 <...
 if (unlikely(info->broken
+ || !netif_carrier_ok(info->netdev) || !info->queues
 ))
	return -ENODEV;
 ...>
 }

@xdp_send@
expression dev, queue, frame;
@@
 xennet_xdp_xmit(...)
 {
 <...
-xennet_xdp_xmit_one(dev, queue, frame)
+lro_xennet_xdp_send(dev, queue, frame)
 ...>
 }

// A frame that a program sends or redirects owns its page from then on, and the packet does not: a page goes back
// to its pool from one place only.
@xdp_owner@
expression page;
@@
 xennet_run_xdp(...)
 {
 <...
-get_page(page);
 ...>
 }

@xdp_no_frame@
expression frame, xdp;
@@
 xennet_run_xdp(...)
 {
 <...
 frame = xdp_convert_buff_to_frame(xdp);
 if (unlikely(!frame)) {
	trace_xdp_exception(...);
+	xdp_return_buff(xdp);
	break;
 }
 ...>
 }

@xdp_gone@
expression verdict;
identifier skb;
@@
 xennet_get_responses(...)
 {
 <...
 verdict = xennet_run_xdp(..., skb_frag_page(&skb_shinfo(skb)->frags[0]), ...);
+lro_xennet_xdp_gone(skb, verdict);
 ...>
 }

// A device that was made for fewer queues than the module's parameter says today has no more.
@queues@
expression info;
identifier num_queues, max_queues;
@@
 talk_to_netback(...)
 {
 <...
 max_queues = xenbus_read_unsigned(info->xbdev->otherend, ...);
-num_queues = min(max_queues, xennet_max_queues);
+num_queues = min(min(max_queues, xennet_max_queues), info->netdev->num_tx_queues);
 ...>
 }

// What has not been set up yet is not taken for a grant when another queue cannot be.
@no_refs@
identifier queue;
@@
 xennet_init_queue(struct netfront_queue *queue)
 {
 ...
 spin_lock_init(&queue->tx_lock);
+queue->tx_ring_ref = INVALID_GRANT_REF;
+queue->rx_ring_ref = INVALID_GRANT_REF;
 ...
 }

// Queues that are not complete leave nothing behind.
@queues_fail@
identifier queue, ret, num_queues, i;
@@
 xennet_create_queues(...)
 {
 <...
 ret = xennet_create_page_pool(queue);
 if (ret < 0) {
	...
	*num_queues = i;
+	lro_xennet_undo_queues(queue);
	return ret;
 }
 ...>
 }

// What is to be sent may lie in memory of which no page can be kept: the packet is.
@release_tx@
expression ref, page;
@@
 xennet_release_tx_bufs(...)
 {
 <...
-get_page(page);
-gnttab_end_foreign_access(ref, page);
+skb = lro_xennet_end_tx(skb, ref);
 ...>
 }

// A grant that the backend uses goes back to its place: the functions that release the ring
// find it there.
@tx_in_use@
expression queue, id, ref;
@@
 xennet_tx_buf_gc(...)
 {
 <...
 queue->tx_skbs[id] = NULL;
 if (unlikely(!gnttab_end_foreign_access_ref(ref))) {
+	queue->tx_skbs[id] = skb;
	...
 }
 ...>
 }

@rx_in_use@
expression ref;
@@
 xennet_get_responses(...)
 {
 <...
 if (!gnttab_end_foreign_access_ref(ref)) {
+	xennet_move_rx_slot(queue, skb, ref);
	...
 }
 ...>
 }

// The module waits for nothing when it goes.
@kept@
expression driver;
@@
 netif_exit(...)
 {
 <...
 xenbus_unregister_driver(driver);
+lro_kept_exit();
 ...>
 }

// Packets go to the engine instead of GRO.
@receive@
expression queue, skb;
@@
-napi_gro_receive(&queue->napi, skb)
+lro_xennet_receive(queue, skb)

// What must not outlive the poll is delivered before it ends. While the engine will poll, no event is asked for.
@complete@
expression napi, work_done, ring, more;
@@
-napi_complete_done(napi, work_done);
-RING_FINAL_CHECK_FOR_RESPONSES(ring, more);
+if (lro_xennet_complete_done(napi, work_done))
+	RING_FINAL_CHECK_FOR_RESPONSES(ring, more);

// ethtool -K switches the engine of one device.
@features@
expression dev;
@@
 dev->ethtool_ops = &xennet_ethtool_ops;
+lro_xennet_init_features(dev);

@fix_features@
identifier ops;
@@
 struct net_device_ops ops = {
 .ndo_fix_features =
-xennet_fix_features
+lro_xennet_fix_features
 ,
 };

// ethtool -i tells the version of the module.
@drvinfo@
identifier ops;
@@
 struct ethtool_ops ops = {
+.get_drvinfo = lro_xennet_get_drvinfo,
 .get_sset_count = xennet_get_sset_count,
 };

// The engine's counters stand behind the driver's in ethtool -S.
@ethtool_strings@
identifier ops;
@@
 struct ethtool_ops ops = {
 .get_strings =
-xennet_get_strings
+lro_xennet_get_strings
 ,
 };

@ethtool_count@
identifier ops;
@@
 struct ethtool_ops ops = {
 .get_sset_count =
-xennet_get_sset_count
+lro_xennet_get_sset_count
 ,
 };

@ethtool_values@
identifier ops;
@@
 struct ethtool_ops ops = {
 .get_ethtool_stats =
-xennet_get_ethtool_stats
+lro_xennet_get_ethtool_stats
 ,
 };

// xenbus takes the name "vif" from the ids otherwise, which the stock driver has.
@name@
identifier driver;
@@
 struct xenbus_driver driver = {
+.name = KBUILD_MODNAME,
 .ids = netfront_ids,
 };

// Which driver serves a vif is the user's choice: no alias, no autoload.
@no_autoload@
declarer name MODULE_ALIAS;
@@
-MODULE_ALIAS("xen:vif");

@no_autoload_by_name@
declarer name MODULE_ALIAS;
@@
-MODULE_ALIAS("xennet");
