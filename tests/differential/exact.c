// SPDX-License-Identifier: GPL-2.0-only
#include <linux/etherdevice.h>
#include <linux/string.h>

#include <compat.h>

#include "exact.h"
#include "wire.h"

/* Only one poll runs at a time. */
static u8 frame[STREAM_FRAME_MAX];

static bool is_packet(const struct stream_packet *pkt, struct sk_buff *seg)
{
	/* Padding may go. */
	if (seg->len != pkt->len && seg->len != pkt->trim)
		return false;
	return !skb_copy_bits(seg, 0, frame, seg->len) && !memcmp(frame, pkt->data, seg->len);
}

/* Segments are the packets of one flow, in their order; -1: this one is none of them. */
static int find(const struct stream_packet *pkt, unsigned int first, int after,
		struct sk_buff *seg)
{
	unsigned int i;

	for (i = after + 1; i < BATCH; i++)
		if (pkt[i].lane == pkt[first].lane && is_packet(&pkt[i], seg))
			return i;
	return -1;
}

static void cut(struct result *result, const struct stream_packet *pkt, struct sk_buff *skb,
		unsigned int first)
{
	struct sk_buff *segs, *seg, *next;
	int at = (int)first - 1;

	skb_push(skb, ETH_HLEN);
	segs = skb_gso_segment(skb, 0);
	skb_pull(skb, ETH_HLEN);
	if (IS_ERR_OR_NULL(segs)) {
		result->changed[first] = true;
		return;
	}
	skb_list_walk_safe(segs, seg, next) {
		skb_mark_not_on_list(seg);
		at = result->changed[first] ? -1 : find(pkt, first, at, seg);
		if (at < 0)
			result->changed[first] = true;
		else
			result->first[at] = first;
		consume_skb(seg);
	}
}

void exact_deliver(struct result *result, const struct stream_packet *pkt, struct sk_buff *skb)
{
	unsigned int first = skb->mark - 1;

	result->count[first] += skb_shinfo(skb)->gso_segs ?: 1;
	if (skb_is_gso(skb))
		cut(result, pkt, skb, first);
	else
		result->first[first] = first;
}

bool exact_is_changed(const struct result *result, const struct stream_packet *pkt, unsigned int i)
{
	unsigned int n;

	if (result->first[i] >= 0)
		return result->changed[result->first[i]];
	for (n = 0; n < i; n++)
		if (result->changed[n] && pkt[n].lane == pkt[i].lane)
			return true;
	return false;
}

static bool tells_ports_v6(const struct stream_packet *pkt)
{
	const u8 *ip = pkt->data + WIRE_ETH;
	unsigned int next = ip[6], at = WIRE_ETH + WIRE_V6;

	while (at + 4 <= pkt->len && (next == 0 || next == 60 || next == 43)) {
		if (next == 43 && pkt->data[at + 3])
			return false;
		next = pkt->data[at];
		at += 8 + pkt->data[at + 1] * 8;
	}
	return ip[0] >> 4 == 6 && next == 6 && pkt->len >= at + 4;
}

static bool tells_ports(const struct stream_packet *pkt)
{
	const u8 *ip = pkt->data + WIRE_ETH;

	if (wire_is_v6(pkt->data))
		return tells_ports_v6(pkt);
	return ip[0] >> 4 == 4 && (ip[0] & 15) >= 5 && !(wire_get16(ip + 6) & 0x3fff) &&
	       pkt->len >= WIRE_ETH + (ip[0] & 15) * 4 + 4u;
}

/* Is it TCP, or may it lead to it, between the same addresses, and tells no ports? */
static bool is_stray(const struct stream_packet *pkt, const struct stream_packet *of)
{
	static const u8 extensions[] = { 0, 6, 43, 44, 51, 60 };
	const u8 *ip = pkt->data + WIRE_ETH;
	bool v6 = wire_is_v6(pkt->data);
	unsigned int addr = WIRE_ETH + (v6 ? 8 : 12), len = v6 ? 32 : 8;

	if (wire_get16(pkt->data + 12) != wire_get16(of->data + 12) || tells_ports(pkt))
		return false;
	if (v6 ? !memchr(extensions, ip[6], sizeof(extensions)) : ip[9] != 6)
		return false;
	/* One that ends before its addresses is of no flow. */
	return pkt->len >= addr + len && !memcmp(pkt->data + addr, of->data + addr, len);
}

bool exact_is_overtaken(const struct result *result, const struct stream_packet *pkt,
			unsigned int i)
{
	int first = result->first[i], n;

	if (first < 0)
		return false;
	for (n = first + 1; n < (int)i; n++) {
		if (result->first[n] == first)
			continue;
		if (pkt[n].lane == pkt[i].lane || is_stray(&pkt[n], &pkt[i]))
			return true;
	}
	return false;
}
