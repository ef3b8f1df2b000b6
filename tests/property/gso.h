/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An skb's metadata about its segments, in the terms of segment.h.
 */
#ifndef _PROPERTY_GSO_H
#define _PROPERTY_GSO_H

#include <linux/skbuff.h>

#include <compat.h>

#include "segment.h"

/* Fields that this kernel's segmentation leaves in all segments, for segment_cut(). */
static inline unsigned int segment_kind(const struct sk_buff *skb)
{
	unsigned int type = skb_shinfo(skb)->gso_type;

	return (type & SKB_GSO_TCP_FIXEDID ? SEGMENT_FIXED_ID : 0) |
	       (XENLRO_KEEPS_CWR && type & XENLRO_GSO_CWR ? SEGMENT_KEEPS_CWR : 0);
}

#endif /* _PROPERTY_GSO_H */
