// SPDX-License-Identifier: GPL-2.0-only
/*
 * How netback_lro brings packets to a guest: as the kernel's xen-netback, but the copies are
 * made in the poll that also takes the guest's own packets.
 *
 * The kernel's driver wakes a thread for that. A poll runs in the softirq that is under way, behind
 * the one of the NIC, and costs no switch to a thread and back. The thread stays: it makes copies
 * that have to wait for the hypervisor, drops packets for which a guest gives no slots in time, and
 * switches the carrier of a queue that has stalled. It also takes over while the interface is down,
 * and all of it while the parameter says so.
 *
 * Only the owner of LRO_XENVIF_BUSY takes packets from the queue, so that they reach the guest in
 * the order in which they came. A poll that finds the bit taken leaves its work to the thread,
 * which looks at the queue again when it has given up the bit.
 *
 * The kernel keeps its functions in its rx.c, so this file is compiled together with that.
 */
#include "rx.c"

#include <linux/bitops.h>
#include <linux/ethtool.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/wait_bit.h>

#include "postponed.h"

/* Four of the largest packets: others on this CPU have their turn before the next ones. */
#define LRO_XENVIF_BYTES	(256u << 10)
/* Small ones cost as much each. */
#define LRO_XENVIF_PACKETS	256

static bool lro_xenvif_napi = true;
module_param_named(napi, lro_xenvif_napi, bool, 0644);
MODULE_PARM_DESC(napi, "Packets are copied to guests 0: by the kernel's thread, 1: in softirq (default); may change while packets flow");

/* A queue that has stalled is the thread's: it switches the carrier. So is one of a rogue guest. */
static bool lro_xenvif_polls(const struct xenvif_queue *queue)
{
	return READ_ONCE(lro_xenvif_napi) && !READ_ONCE(queue->stalled) &&
	       !READ_ONCE(queue->vif->disabled);
}

/* There is a packet for the guest, or there are slots for one. Any context. */
void lro_xenvif_wake(struct xenvif_queue *queue)
{
	if (!lro_xenvif_polls(queue)) {
		xenvif_kick_thread(queue);
		return;
	}
	/* Always written, behind the packet: a poll that is under way has to see that, or this. */
	smp_mb__before_atomic();
	set_bit(LRO_XENVIF_WANTED, &queue->lro.state);
	napi_schedule(&queue->napi);
}

/* No poll will come, or none came until now: the thread looks after what was meant for it. */
void lro_xenvif_unpolled(struct xenvif_queue *queue)
{
	if (test_bit(LRO_XENVIF_WANTED, &queue->lro.state))
		xenvif_kick_thread(queue);
}

bool lro_xenvif_have_work(struct xenvif_queue *queue)
{
	return xenvif_have_rx_work(queue, true) ||
	       test_bit(LRO_XENVIF_POSTPONED, &queue->lro.state);
}

/* How long the thread sleeps. Packets in the queue are not freed while its lock is held. */
long lro_xenvif_timeout(struct xenvif_queue *queue)
{
	long timeout;

	spin_lock_irq(&queue->rx_queue.lock);
	timeout = xenvif_rx_queue_timeout(queue);
	assign_bit(LRO_XENVIF_ARMED, &queue->lro.state, timeout != MAX_SCHEDULE_TIMEOUT);
	spin_unlock_irq(&queue->rx_queue.lock);
	return timeout;
}

/* The thread's work begins. It keeps the queue when it ends for good: no poll comes then. */
void lro_xenvif_own(struct xenvif_queue *queue)
{
	wait_on_bit_lock(&queue->lro.state, LRO_XENVIF_BUSY, TASK_UNINTERRUPTIBLE);
	if (likely(!lro_xenvif_postponed(queue)))
		return;
	lro_postponed_copy(queue);
	clear_bit(LRO_XENVIF_POSTPONED, &queue->lro.state);
	/* There is nothing left to copy: responses go out, and packets are freed. */
	xenvif_rx_copy_flush(queue);
}

void lro_xenvif_disown(struct xenvif_queue *queue)
{
	clear_and_wake_up_bit(LRO_XENVIF_BUSY, &queue->lro.state);
}

void lro_xenvif_copy(struct xenvif_queue *queue)
{
	if (!queue->lro.polling) {
		gnttab_batch_copy(queue->rx_copy.op, queue->rx_copy.num);
		return;
	}
	lro_grant_copy(queue->rx_copy.op, queue->rx_copy.num);
	if (unlikely(lro_postpone(queue)))
		set_bit(LRO_XENVIF_POSTPONED, &queue->lro.state);
}

bool lro_xenvif_postponed(const struct xenvif_queue *queue)
{
	return test_bit(LRO_XENVIF_POSTPONED, &queue->lro.state);
}

void lro_xenvif_consume(struct xenvif_queue *queue)
{
	struct sk_buff *skb;

	if (!queue->lro.polling) {
		__skb_queue_purge(queue->rx_copy.completed);
		return;
	}
	/* Any number but 0 says that this is a poll. */
	while ((skb = __skb_dequeue(queue->rx_copy.completed)))
		napi_consume_skb(skb, 1);
}

/* Copy packets while there are slots. Return: how many. */
static unsigned int lro_xenvif_take(struct xenvif_queue *queue)
{
	unsigned int bytes = 0, packets = 0;

	__skb_queue_head_init(&queue->lro.copied);
	queue->rx_copy.completed = &queue->lro.copied;
	queue->lro.polling = true;
	while (bytes < LRO_XENVIF_BYTES && packets < LRO_XENVIF_PACKETS &&
	       !lro_xenvif_postponed(queue) &&
	       xenvif_rx_ring_slots_available(queue) && !skb_queue_empty(&queue->rx_queue)) {
		bytes += skb_peek(&queue->rx_queue)->len;
		xenvif_rx_skb(queue);
		packets++;
	}
	if (packets)
		xenvif_rx_copy_flush(queue);
	queue->lro.polling = false;
	queue->stats.rx_polled += packets;
	return packets;
}

/*
 * Packets are left that the guest has no slots for. Their time ends even if it never gives any, and
 * so does that of the carrier: the thread sees to both, and sleeps until then.
 */
static void lro_xenvif_wait_for_slots(struct xenvif_queue *queue)
{
	queue->stats.rx_waits++;
	if (!test_bit(LRO_XENVIF_ARMED, &queue->lro.state) ||
	    (queue->vif->stall_timeout && xenvif_rx_queue_stalled(queue)))
		xenvif_kick_thread(queue);
}

/* What the thread does before it sleeps: the guest may send the next event. */
static void lro_xenvif_end_of_interrupt(struct xenvif_queue *queue)
{
	const int ours = NETBK_RX_EOI | NETBK_COMMON_EOI;

	if ((atomic_read(&queue->eoi_pending) & ours) &&
	    (atomic_fetch_andnot(ours, &queue->eoi_pending) & ours))
		xen_irq_lateeoi(queue->rx_irq, 0);
}

/* Bring packets to the guest, and say how many. Return: whether there are more. */
static bool lro_xenvif_bring(struct xenvif_queue *queue, unsigned int *packets)
{
	bool more = false;

	if (!READ_ONCE(lro_xenvif_napi) ||
	    test_and_set_bit_lock(LRO_XENVIF_BUSY, &queue->lro.state)) {
		xenvif_kick_thread(queue);
		return false;
	}
	if (!lro_xenvif_postponed(queue))
		*packets = lro_xenvif_take(queue);
	if (unlikely(lro_xenvif_postponed(queue))) {
		xenvif_kick_thread(queue);
	} else if (!skb_queue_empty(&queue->rx_queue)) {
		more = xenvif_rx_ring_slots_available(queue);
		if (!more)
			lro_xenvif_wait_for_slots(queue);
	}
	lro_xenvif_disown(queue);
	if (more)
		set_bit(LRO_XENVIF_WANTED, &queue->lro.state);
	else
		lro_xenvif_end_of_interrupt(queue);
	return more;
}

/* Called by NAPI. netpoll comes with interrupts off, and a budget of 0. Return: as a poll does. */
int lro_xenvif_poll(struct xenvif_queue *queue, int budget)
{
	unsigned int packets = 0;
	bool more = false;
	int done;

	if (budget && test_bit(LRO_XENVIF_WANTED, &queue->lro.state)) {
		/* Before the queue is looked at, and a barrier between the two. */
		if (test_and_clear_bit(LRO_XENVIF_WANTED, &queue->lro.state))
			more = lro_xenvif_bring(queue, &packets);
	}
	done = xenvif_tx_action(queue, budget);
	if (more)
		return budget;
	/* The poll is at its end unless the guest has sent as much as it may. */
	return min_t(int, done + packets, max(done, budget - 1));
}

/* The kernel adds what else there is to tell. */
void lro_xenvif_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->version, XENLRO_VERSION, sizeof(info->version));
}

MODULE_VERSION(XENLRO_VERSION);
