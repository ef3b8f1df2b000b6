// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <linux/string.h>

#include "reasons.h"
#include "wire.h"

#define CHECK_OTHER_ZERO	0xffff
#define TCP_ACK			0x10

static const u8 *tcp(const struct stream_packet *pkt)
{
	return pkt->data + pkt->tcp;
}

static bool unknown_options(const struct batch *batch, unsigned int before, unsigned int i)
{
	const u8 *th = tcp(&batch->pkt[i]);
	unsigned int len = (th[12] >> 4) * 4;

	return len != WIRE_TCP && (len != WIRE_TCP + 12 || memcmp(th + WIRE_TCP, "\1\1\10\12", 4));
}

static bool no_ack(const struct batch *batch, unsigned int before, unsigned int i)
{
	return !(tcp(&batch->pkt[i])[13] & TCP_ACK);
}

static bool urgent_pointer(const struct batch *batch, unsigned int before, unsigned int i)
{
	return wire_get16(tcp(&batch->pkt[before]) + 18) != wire_get16(tcp(&batch->pkt[i]) + 18);
}

static bool has_other_zero(const struct stream_packet *pkt)
{
	if (wire_get16(tcp(pkt) + 16) == CHECK_OTHER_ZERO)
		return true;
	return !wire_is_v6(pkt->data) && wire_get16(pkt->data + WIRE_ETH + 10) == CHECK_OTHER_ZERO;
}

static bool other_zero(const struct batch *batch, unsigned int before, unsigned int i)
{
	return has_other_zero(&batch->pkt[before]) || has_other_zero(&batch->pkt[i]);
}

static bool has_extension(const struct stream_packet *pkt)
{
	return wire_is_v6(pkt->data) && pkt->data[WIRE_ETH + 6] != 6;
}

static bool extension(const struct batch *batch, unsigned int before, unsigned int i)
{
	return has_extension(&batch->pkt[before]) && has_extension(&batch->pkt[i]);
}

/* What looks like TCP, or may lead to it, and belongs to no flow. */
static bool may_be_tcp(const struct stream_packet *pkt)
{
	static const u8 extensions[] = { 0, 6, 43, 44, 51, 60 };
	const u8 *ip = pkt->data + WIRE_ETH;

	if (wire_is_v6(pkt->data))
		return memchr(extensions, ip[6], sizeof(extensions));
	return wire_get16(pkt->data + 12) == 0x0800 && ip[9] == 6;
}

/* Fragments, broken or incomplete headers, extension headers: the ports are not known. */
static bool is_stray(const struct stream_packet *pkt)
{
	const u8 *ip = pkt->data + WIRE_ETH;

	if (pkt->lane == STREAM_LANE_OTHER)
		return may_be_tcp(pkt);
	if (pkt->len < pkt->tcp + 4u)
		return true;
	if (wire_is_v6(pkt->data))
		return ip[0] >> 4 != 6 || ip[6] != 6;
	return ip[0] >> 4 != 4 || (ip[0] & 15) < 5 || (wire_get16(ip + 6) & 0x3fff);
}

static bool stray_between(const struct batch *batch, unsigned int before, unsigned int i)
{
	unsigned int n;

	for (n = before; n < i; n++)
		if (is_stray(&batch->pkt[n]))
			return true;
	return false;
}

/* What GRO tells flows apart by and the engine does not. */
static bool other_flow(const struct batch *batch, unsigned int before, unsigned int i)
{
	const struct stream_packet *a = &batch->pkt[before], *b = &batch->pkt[i];

	if (a->vlan != b->vlan || memcmp(a->data, b->data, WIRE_ETH))
		return true;
	return wire_is_v6(a->data) &&
	       ((wire_get32(a->data + WIRE_ETH) ^ wire_get32(b->data + WIRE_ETH)) & 0xfffff);
}

static bool bad_before(const struct batch *batch, unsigned int before, unsigned int i)
{
	const struct stream_packet *pkt = &batch->pkt[before];
	const u8 *ip = pkt->data + WIRE_ETH;

	if (!pkt->verified)
		return true;
	return !wire_is_v6(pkt->data) && (ip[0] != 0x45 ||
					  wire_fold(wire_sum(ip, WIRE_V4, 0)));
}

static bool padding(const struct batch *batch, unsigned int before, unsigned int i)
{
	return batch->pkt[before].len > batch->pkt[before].trim ||
	       batch->pkt[i].len > batch->pkt[i].trim;
}

/* The first that applies is the one counted. */
const struct reason reasons[] = {
	{ "options other than timestamps",
	  "GRO merges equal options whatever they mean; the engine knows timestamps only", true,
	  unknown_options },
	{ "no ACK flag", "no segment of a connection is without; the engine passes it on", true,
	  no_ack },
	{ "urgent pointer without URG",
	  "GRO does not compare it, and segmentation would write that of the first packet", true,
	  urgent_pointer },
	{ "checksum ffff",
	  "segmentation writes 0 for it: the packet would not come back as it was", true,
	  other_zero },
	{ "extension headers", "GRO merges over equal ones; the engine passes them on", true,
	  extension },
	{ "a packet without known ports between",
	  "the engine ends all flows between its addresses, GRO lets it overtake", true,
	  stray_between },
	{ "another flow label, tag priority or MAC address before",
	  "for GRO that was another flow, and a late packet may go on with the older aggregate; the engine keeps the order of the flow",
	  true, other_flow },
	{ "a bad packet or one with IP options before",
	  "GRO lets it overtake what its flow has in the making; the engine keeps the order", true,
	  bad_before },
	{ "bytes after the IP packet",
	  "the engine cuts padding off, GRO does not merge such packets", false, padding },
};

const unsigned int reason_count = ARRAY_SIZE(reasons);
