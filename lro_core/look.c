// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slow path of frames that are not skbs.
 */
#include <linux/tcp.h>
#include <net/checksum.h>

#include "join.h"
#include "look.h"

bool lro_look_up(struct lro *lro, struct lro_view *view, struct lro_packet *pkt,
		 struct lro_flow **flow, enum lro_reason *why)
{
	if (lro_is_tagged(view))
		lro_untag(lro, view);
	if (lro_parse(view->hdr, view->avail, view->len, view->vlan, pkt, why) != LRO_CANDIDATE)
		return false;
	*flow = lro_flows_find(&lro->flows, &pkt->key);
	if (*flow)
		*why = lro_match(&(*flow)->state, pkt, lro_rules(lro));
	return true;
}

/* The device has summed all behind the Ethernet header: take off what is before TCP. */
static bool sums_up(const struct lro_frame *frame, const struct lro_view *view,
		    const struct lro_packet *pkt, const u8 *data)
{
	unsigned int before = pkt->tcp + view->skip - LRO_MAC_LEN;
	__wsum sum;

	/* Padding is in the sum, too, and its value is not known. */
	if (view->len != pkt->ip_len + LRO_MAC_LEN)
		return false;
	sum = csum_sub(frame->csum, csum_partial(data + LRO_MAC_LEN, before, 0));
	return !lro_tcp_check(&pkt->key, lro_tcp_len(pkt), sum);
}

bool lro_knows_checksum(const struct lro_frame *frame, const struct lro_view *view,
			const struct lro_packet *pkt, const u8 *data)
{
	const struct tcphdr *th = (const struct tcphdr *)(pkt->frame + pkt->tcp);

	switch (frame->ip_summed) {
	case CHECKSUM_UNNECESSARY:
		return true;
	case CHECKSUM_COMPLETE:
		return sums_up(frame, view, pkt, data);
	case CHECKSUM_PARTIAL:
		return frame->frags &&
		       th->check == (__force __sum16)~lro_tcp_check(&pkt->key, lro_tcp_len(pkt), 0);
	}
	return false;
}
