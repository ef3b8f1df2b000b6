/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames of XDP that are being sent, as packets: so they are freed, or kept, where these are. */
#ifndef _NETFRONT_LRO_FRAME_H
#define _NETFRONT_LRO_FRAME_H

#include <linux/skbuff.h>
#include <net/xdp.h>

/**
 * lro_frame_wrap() - make a frame a packet
 * @frame: frame, which is returned to where it came from when the packet is freed
 *
 * Return: the packet, which has no data of its own, or NULL without memory.
 */
struct sk_buff *lro_frame_wrap(struct xdp_frame *frame);

/* Whether a packet is such a one: it must not be orphaned. */
bool lro_frame_is(const struct sk_buff *skb);

#endif /* _NETFRONT_LRO_FRAME_H */
