// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slow path of frames that are not skbs.
 */
#include "look.h"

bool lro_look_up(struct lro *lro, struct lro_frame *frame, struct lro_packet *pkt,
		 struct lro_flow **flow, enum lro_reason *why)
{
	if (lro_is_tagged(frame))
		lro_untag(lro, frame);
	if (lro_parse(frame->hdr, frame->avail, frame->len, frame->vlan, pkt, why) != LRO_CANDIDATE)
		return false;
	*flow = lro_flows_find(&lro->flows, &pkt->key);
	if (*flow)
		*why = lro_match(&(*flow)->state, pkt, lro_rules(lro));
	return true;
}
