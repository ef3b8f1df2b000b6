/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does a delivery keep what it is made of: the bytes of each packet, and the order of the flow?
 */
#ifndef _DIFFERENTIAL_EXACT_H
#define _DIFFERENTIAL_EXACT_H

#include <linux/skbuff.h>

#include "stream.h"

#define BATCH	32	/* packets of one poll; no aggregate gets full */

/**
 * struct result - what became of the packets of one poll, by GRO or by the engine
 * @count: packets in the delivery that this one begins, 0 if it joined another
 * @first: packet that begins the delivery which this one is in; -1 if that is not known, as
 *	no segment of any delivery is this packet
 * @changed: segmentation does not give back the packets of the delivery that this one begins
 */
struct result {
	unsigned int count[BATCH];
	int first[BATCH];
	bool changed[BATCH];
};

/**
 * exact_deliver() - look at a delivery
 * @result: all zeroes and @first -1 before the first delivery of the poll; filled in
 * @pkt: packets of the poll
 * @skb: delivery with the number of its first packet, counted from one, as mark; from the
 *	network header on; not consumed, but may be written to
 *
 * The kernel's own segmentation cuts it up, for a device that can do nothing.
 */
void exact_deliver(struct result *result, const struct stream_packet *pkt, struct sk_buff *skb);

/**
 * exact_is_changed() - is packet @i in a delivery that is changed
 * @result: of the whole poll
 * @pkt: packets of the poll
 * @i: packet that joined a delivery
 */
bool exact_is_changed(const struct result *result, const struct stream_packet *pkt,
		      unsigned int i);

/**
 * exact_is_overtaken() - is the order of a flow lost
 * @result: of the whole poll
 * @pkt: packets of the poll
 * @i: packet that joined a delivery
 *
 * Return: whether a packet that came between the first of the delivery and @i, and which is or
 * may be of the same flow, is delivered apart.
 */
bool exact_is_overtaken(const struct result *result, const struct stream_packet *pkt,
			unsigned int i);

#endif /* _DIFFERENTIAL_EXACT_H */
