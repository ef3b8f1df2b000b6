// SPDX-License-Identifier: GPL-2.0-only
/* A NIC of e1000e_lro that lies: see liar.h. */
#include "e1000.h"

#define LIAR_POLL "e1000e_lro:lro_e1000_poll"
#include "liar.h"

enum { LONG, SHORT, TINY, HEADER, FRAGMENT, STATUS, OWNER };

static const char * const liar_kinds[] = {
	"long", "short", "tiny", "header", "fragment", "status", "owner", NULL
};

/* With large frames a descriptor names a buffer for headers and up to three pages. */
static void lie_of_parts(union e1000_rx_desc_packet_split *desc, unsigned int kind)
{
	switch (kind) {
	case LONG:
		desc->wb.middle.length0 = cpu_to_le16(0xffff);
		break;
	case SHORT:
		desc->wb.upper.length[0] = cpu_to_le16(0xffff);
		break;
	case TINY:
		desc->wb.middle.length0 = cpu_to_le16(1);
		desc->wb.upper.length[0] = cpu_to_le16(1);
		desc->wb.upper.length[1] = 0;
		break;
	case HEADER:
		/* Less than an Ethernet header before the first page. */
		desc->wb.middle.length0 = cpu_to_le16(5);
		desc->wb.upper.length[0] = cpu_to_le16(1500);
		desc->wb.upper.length[1] = 0;
		break;
	case FRAGMENT:
		desc->wb.upper.length[0] = cpu_to_le16(1);
		desc->wb.upper.length[1] = cpu_to_le16(1);
		desc->wb.upper.length[2] = cpu_to_le16(0xfff0);
		break;
	case STATUS:
		desc->wb.middle.status_error ^= cpu_to_le32(0xff00ff00);
		break;
	}
}

static void lie_of_frame(union e1000_rx_desc_extended *desc, unsigned int kind)
{
	switch (kind) {
	case LONG:
		desc->wb.upper.length = cpu_to_le16(0xffff);
		break;
	case SHORT:
		desc->wb.upper.length = cpu_to_le16(3);
		break;
	case TINY:
		desc->wb.upper.length = 0;
		break;
	case HEADER:
		desc->wb.upper.length = cpu_to_le16(5);
		break;
	case FRAGMENT:
		desc->wb.upper.status_error &= ~cpu_to_le32(E1000_RXD_STAT_EOP);
		break;
	case STATUS:
		desc->wb.upper.status_error ^= cpu_to_le32(0xff00ff00);
		break;
	}
}

static bool liar_lies(struct napi_struct *napi, unsigned int kind)
{
	struct e1000_adapter *adapter = container_of(napi, struct e1000_adapter, napi);
	struct e1000_ring *ring = adapter->rx_ring;
	union e1000_rx_desc_extended *desc;

	if (kind == OWNER) {
		/* The slot behind the last one of the NIC. */
		if (adapter->rx_ps_pages)
			return true;
		desc = E1000_RX_DESC_EXT(*ring, ring->next_to_use);
		desc->wb.upper.length = cpu_to_le16(1500);
		desc->wb.upper.status_error = cpu_to_le32(E1000_RXD_STAT_DD | E1000_RXD_STAT_EOP);
		return true;
	}
	if (adapter->rx_ps_pages) {
		union e1000_rx_desc_packet_split *parts;

		parts = E1000_RX_DESC_PS(*ring, ring->next_to_clean);
		if (!(parts->wb.middle.status_error & cpu_to_le32(E1000_RXD_STAT_DD)))
			return false;
		lie_of_parts(parts, kind);
		return true;
	}
	desc = E1000_RX_DESC_EXT(*ring, ring->next_to_clean);
	if (!(desc->wb.upper.status_error & cpu_to_le32(E1000_RXD_STAT_DD)))
		return false;
	lie_of_frame(desc, kind);
	return true;
}
