/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compares the delivered packets with the received ones.
 *
 * Strict: segmenting gives back the packets, byte for byte, each flow in order.
 * Relaxed: the same payload in order; of the headers all but acknowledgment, window,
 * timestamps and IP identification is exact, and of these four the last packet's
 * are in force.
 */
#ifndef _PROPERTY_VERIFY_H
#define _PROPERTY_VERIFY_H

#include <linux/list.h>
#include <linux/skbuff.h>

#include "segment.h"
#include "stream.h"

#define VERIFY_SLOTS	16384

/**
 * struct slot - a packet that was received and not yet delivered
 * @list: place in its lane, or among the free
 * @number: running number
 * @pkt: packet
 */
struct slot {
	struct list_head list;
	unsigned long number;
	struct stream_packet pkt;
};

/**
 * struct verify - the comparison
 * @relaxed: which promise
 * @lane: packets of each flow, oldest first
 * @free: slots
 * @slot: memory of all slots
 * @segment: space for one packet
 * @frame: space for a delivered packet in one piece
 * @last: lane of the packet before
 * @received: packets
 * @delivered: packets
 * @merged: of these, in aggregates
 * @aggregates: number of these
 * @fault: the first fault, or an empty string
 */
struct verify {
	bool relaxed;
	struct list_head lane[STREAM_LANES];
	struct list_head free;
	struct slot *slot;
	struct segment segment;
	u8 *frame;
	unsigned int last;
	unsigned long received;
	unsigned long delivered;
	unsigned long merged;
	unsigned long aggregates;
	char fault[160];
};

/* Allocates; returns 0 or -ENOMEM. verify_free() frees, also after an error. */
int verify_setup(struct verify *v);
void verify_free(struct verify *v);

/**
 * verify_expect() - take a slot for the packet that comes next
 * @v: comparison
 * Return: slot to be filled and given to verify_received(), or NULL: too many
 * packets have not come back.
 */
struct slot *verify_expect(struct verify *v);
void verify_received(struct verify *v, struct slot *slot);

/**
 * verify_delivery() - compare a delivered packet
 * @v: comparison
 * @skb: packet, from its Ethernet header on; stays the caller's
 */
void verify_delivery(struct verify *v, const struct sk_buff *skb);

/* All that was received must be delivered now. */
void verify_end(struct verify *v);

#endif /* _PROPERTY_VERIFY_H */
