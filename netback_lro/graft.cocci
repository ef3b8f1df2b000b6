// SPDX-License-Identifier: GPL-2.0-only
// What netback_lro changes in the kernel's xen-netback. Each rule stands alone
// and has to match in one of its files; graft/graft.py proves that it did.

// The functions below are defined in poll.c, behind the code of rx.c.
@declare@
@@
 #include <linux/debugfs.h>
+#include "poll.h"

// Each queue knows who is at work on it.
@context@
@@
 struct xenvif_queue {
 ...
 struct sk_buff_head rx_queue;
+struct lro_xenvif lro;
 ...
 };

@counters@
@@
 struct xenvif_stats {
 ...
 unsigned long tx_frag_overflow;
+unsigned long rx_polled;
+unsigned long rx_waits;
+unsigned long rx_postponed;
 };

// And shows them behind the kernel's in ethtool -S.
@shown@
identifier table;
initializer list shown;
@@
 static const struct xenvif_stat {
 ...
 } table[] = {
 shown,
+{ "rx_polled", offsetof(struct xenvif_stats, rx_polled) },
+{ "rx_waits", offsetof(struct xenvif_stats, rx_waits) },
+{ "rx_postponed", offsetof(struct xenvif_stats, rx_postponed) },
 };

// A packet for the guest, and slots for one, schedule a poll rather than wake the thread.
@wake@
expression queue;
@@
 xenvif_start_xmit(...)
 {
 <...
-xenvif_kick_thread(queue)
+lro_xenvif_wake(queue)
 ...>
 }

@wake_by_slots@
expression queue;
@@
 xenvif_handle_rx_interrupt(...)
 {
 <...
-xenvif_kick_thread(queue)
+lro_xenvif_wake(queue)
 ...>
 }

// An interrupt ends once, though poll or thread may have ended it before the handler does.
@eoi_once@
expression flag, queue, irq;
@@
-atomic_andnot(flag, &queue->eoi_pending);
-xen_irq_lateeoi(irq, XEN_EOI_FLAG_SPURIOUS);
+if (atomic_fetch_andnot(flag, &queue->eoi_pending) & flag)
+	xen_irq_lateeoi(irq, XEN_EOI_FLAG_SPURIOUS);

// The poll, which takes packets of the guest, brings it some as well.
@poll@
expression queue, budget;
@@
 xenvif_poll(...)
 {
 <...
-xenvif_tx_action(queue, budget)
+lro_xenvif_poll(queue, budget)
 ...>
 }

// What a poll was asked for while there could be none is the thread's.
@up@
expression queue;
@@
 xenvif_up(...)
 {
 <...
 napi_enable(&queue->napi);
+lro_xenvif_unpolled(queue);
 ...>
 }

@down@
expression queue;
@@
 xenvif_down(...)
 {
 <...
 napi_disable(&queue->napi);
+lro_xenvif_unpolled(queue);
 ...>
 }

// Thread and poll take turns.
@own@
expression queue;
@@
 xenvif_kthread_guest_rx(...)
 {
 <...
 xenvif_wait_for_rx_work(queue);
+lro_xenvif_own(queue);
 ...>
 }

@disown@
expression queue;
@@
 xenvif_kthread_guest_rx(...)
 {
 <...
 xenvif_rx_queue_drop_expired(queue);
+lro_xenvif_disown(queue);
 ...>
 }

// The thread waits for what the poll leaves to it, too.
@wait@
expression queue;
@@
 xenvif_wait_for_rx_work(...)
 {
 <...
-xenvif_have_rx_work(queue, true)
+lro_xenvif_have_work(queue)
 ...>
 }

// The poll may free the packet that the thread looks at.
@timeout@
expression queue;
@@
 xenvif_wait_for_rx_work(...)
 {
 <...
-xenvif_rx_queue_timeout(queue)
+lro_xenvif_timeout(queue)
 ...>
 }

// A poll must not sleep.
@copy@
expression queue;
@@
 xenvif_rx_copy_flush(...)
 {
 <...
-gnttab_batch_copy(queue->rx_copy.op, queue->rx_copy.num);
+lro_xenvif_copy(queue);
 ...>
 }

// What the thread has yet to copy is not shown to the guest, nor freed.
@postpone@
expression queue;
@@
 xenvif_rx_copy_flush(...)
 {
 <...
 queue->rx_copy.num = 0;
+if (lro_xenvif_postponed(queue))
+	return;
 ...>
 }

// A poll keeps the memory of packets for the next ones.
@consume@
expression queue;
@@
 xenvif_rx_copy_flush(...)
 {
 <...
-__skb_queue_purge(queue->rx_copy.completed);
+lro_xenvif_consume(queue);
 ...>
 }

// A guest that goes on writing to the ring keeps no CPU here: while no slot is taken, each look
// but the first is due to a slot at least that a guest has added.
@looks@
identifier needed, prod, cons;
expression queue;
@@
 xenvif_rx_ring_slots_available(...)
 {
 ...
 unsigned int needed;
+struct lro_looks looks = {};
 ...
 do {
 ...
 cons = queue->rx.req_cons;
 ...
 } while (queue->rx.sring->req_prod != prod
+ && lro_looks_again(&looks, cons, needed)
 );
 ...
 }

// What a packet takes of a slot is less where the guest wants room for XDP, which is told in a
// slot of its own.
@slots@
identifier needed;
expression skb;
@@
 xenvif_update_needed_slots(...)
 {
 <...
-needed = DIV_ROUND_UP(skb->len, XEN_PAGE_SIZE);
+needed = lro_xenvif_slots(READ_ONCE(queue->vif->xdp_headroom), skb->len);
 ...>
 }

// A guest that asks for a page of room would have slots that take no byte of a packet.
@headroom@
identifier headroom;
expression vif;
@@
 read_xenbus_frontend_xdp(...)
 {
 <...
-if (headroom > XEN_NETIF_MAX_XDP_HEADROOM)
-	headroom = XEN_NETIF_MAX_XDP_HEADROOM;
-vif->xdp_headroom = headroom;
+WRITE_ONCE(vif->xdp_headroom, lro_xenvif_headroom(headroom));
 ...>
 }

// Only the first queue's thread ends with the interface of a rogue guest. The others have nothing to do.
@rogue@
expression queue;
@@
 xenvif_have_rx_work(...)
 {
 <...
-queue->vif->disabled
+(queue->vif->disabled && !queue->id)
 ...>
 }

// ethtool -i tells the version of the module.
@drvinfo@
identifier ops;
@@
 struct ethtool_ops ops = {
+.get_drvinfo = lro_xenvif_get_drvinfo,
 .get_link = ethtool_op_get_link,
 };

// xenbus takes the name "vif" from the ids otherwise, which the stock driver has.
@name@
identifier driver;
@@
 struct xenbus_driver driver = {
+.name = KBUILD_MODNAME,
 .ids = netback_ids,
 };

@debugfs@
@@
-debugfs_create_dir("xen-netback", NULL)
+debugfs_create_dir(KBUILD_MODNAME, NULL)

// Which driver serves guests is the user's choice: no alias, no autoload.
@no_autoload@
declarer name MODULE_ALIAS;
@@
-MODULE_ALIAS("xen-backend:vif");
