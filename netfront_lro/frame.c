// SPDX-License-Identifier: GPL-2.0-only
/* Frames of XDP that are being sent. */
#include "frame.h"

static void frame_sent(struct sk_buff *skb)
{
	xdp_return_frame(skb_shinfo(skb)->destructor_arg);
}

struct sk_buff *lro_frame_wrap(struct xdp_frame *frame)
{
	struct sk_buff *skb = alloc_skb(0, GFP_ATOMIC | __GFP_NOWARN);

	if (!skb)
		return NULL;
	skb_shinfo(skb)->destructor_arg = frame;
	skb->destructor = frame_sent;
	return skb;
}

bool lro_frame_is(const struct sk_buff *skb)
{
	return skb->destructor == frame_sent;
}
