/* SPDX-License-Identifier: GPL-2.0-only */
/* What the grafted xen-netback calls; defined behind the driver's own code in poll.c. */
#ifndef _NETBACK_LRO_POLL_H
#define _NETBACK_LRO_POLL_H

#include <linux/bpf.h>
#include <linux/skbuff.h>
#include <xen/page.h>
#include <xen/interface/io/ring.h>

struct ethtool_drvinfo;
struct lro_postponed;
struct net_device;
struct xenvif_queue;

/**
 * enum lro_xenvif_state - bits of the state of a queue
 * @LRO_XENVIF_BUSY: thread or poll works on queue and ring; the other one keeps off them
 * @LRO_XENVIF_WANTED: the next poll is to bring packets to the guest
 * @LRO_XENVIF_POSTPONED: copies wait for the thread; no poll does anything before them
 * @LRO_XENVIF_ARMED: the thread wakes up by itself when the first packet of the queue expires
 */
enum lro_xenvif_state {
	LRO_XENVIF_BUSY,
	LRO_XENVIF_WANTED,
	LRO_XENVIF_POSTPONED,
	LRO_XENVIF_ARMED,
};

/**
 * struct lro_xenvif - what a queue has beside the kernel's fields
 * @state: bits of enum lro_xenvif_state
 * @polling: a poll is at work; of the owner of the queue
 * @copied: packets that the poll has copied and that are to be freed
 * @postponed: copies that the thread has to make again, or NULL
 */
struct lro_xenvif {
	unsigned long state;
	bool polling;
	struct sk_buff_head copied;
	struct lro_postponed *postponed;
};

/**
 * struct lro_looks - looks at the ring of a guest that may be writing to it
 * @cons: slots that were taken at the last look
 * @count: looks since then
 */
struct lro_looks {
	RING_IDX cons;
	unsigned int count;
};

/*
 * May there be another look, with @cons slots taken at the last one? Others than the owner look,
 * too, while slots are taken: the count of looks then begins at zero again, so that an event which
 * the last one asked for is not lost.
 */
static inline bool lro_looks_again(struct lro_looks *looks, RING_IDX cons, unsigned int needed)
{
	if (looks->cons != cons) {
		looks->cons = cons;
		looks->count = 0;
	}
	return looks->count++ < needed;
}

/* Room that a guest gets before the data in each slot, of what it asks for; bytes. */
static inline u16 lro_xenvif_headroom(u16 wanted)
{
	return min_t(u16, wanted, XDP_PACKET_HEADROOM);
}

/* Slots that @len bytes take, and the one that tells of the room before them. */
static inline unsigned int lro_xenvif_slots(unsigned int headroom, unsigned int len)
{
	return DIV_ROUND_UP(len, XEN_PAGE_SIZE - headroom) + !!headroom;
}

/* Called by the driver's functions of device and interrupts */
void lro_xenvif_wake(struct xenvif_queue *queue);
int lro_xenvif_poll(struct xenvif_queue *queue, int budget);
void lro_xenvif_unpolled(struct xenvif_queue *queue);
void lro_xenvif_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info);

/* Called by the thread */
bool lro_xenvif_have_work(struct xenvif_queue *queue);
long lro_xenvif_timeout(struct xenvif_queue *queue);
void lro_xenvif_own(struct xenvif_queue *queue);
void lro_xenvif_disown(struct xenvif_queue *queue);

/* Called by poll and thread, within the copy */
void lro_xenvif_copy(struct xenvif_queue *queue);
bool lro_xenvif_postponed(const struct xenvif_queue *queue);
void lro_xenvif_consume(struct xenvif_queue *queue);

#endif /* _NETBACK_LRO_POLL_H */
