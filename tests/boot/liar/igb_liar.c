// SPDX-License-Identifier: GPL-2.0-only
/* A NIC of igb_lro that lies: see liar.h. */
#include "igb.h"

#define LIAR_POLL "igb_lro:lro_igb_poll"
#include "liar.h"

enum { LONG, STAMP, PIECE, FRAGMENT, STATUS, OWNER };

static const char * const liar_kinds[] = { "long", "stamp", "piece", "fragment", "status", "owner", NULL };

static bool liar_lies(struct napi_struct *napi, unsigned int kind)
{
	struct igb_q_vector *q_vector = container_of(napi, struct igb_q_vector, napi);
	struct igb_ring *ring = q_vector->rx.ring;
	union e1000_adv_rx_desc *desc;

	if (!ring)
		return false;
	if (kind == OWNER) {
		/* The slot behind the last one of the NIC. */
		desc = IGB_RX_DESC(ring, ring->next_to_use);
		desc->wb.upper.status_error = cpu_to_le32(E1000_RXD_STAT_DD | E1000_RXD_STAT_EOP);
		desc->wb.upper.length = cpu_to_le16(1500);
		return true;
	}
	desc = IGB_RX_DESC(ring, ring->next_to_clean);
	if (!desc->wb.upper.length)
		return false;
	switch (kind) {
	case LONG:
		desc->wb.upper.length = cpu_to_le16(0xffff);
		break;
	case STAMP:
		/* A time stamp takes 16 bytes before the frame. */
		desc->wb.upper.length = cpu_to_le16(10);
		desc->wb.upper.status_error |= cpu_to_le32(E1000_RXDADV_STAT_TSIP);
		break;
	case PIECE:
		/* Less than an Ethernet header in the first of several buffers. */
		desc->wb.upper.length = cpu_to_le16(5);
		desc->wb.upper.status_error &= ~cpu_to_le32(E1000_RXD_STAT_EOP);
		break;
	case FRAGMENT:
		desc->wb.upper.status_error &= ~cpu_to_le32(E1000_RXD_STAT_EOP);
		break;
	case STATUS:
		desc->wb.upper.status_error ^= cpu_to_le32(0xff00ff00);
		break;
	}
	return true;
}
