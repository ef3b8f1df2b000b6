// SPDX-License-Identifier: GPL-2.0-only
#include <linux/if_vlan.h>
#include <linux/mm.h>

#include <compat.h>

#include "gso.h"
#include "verify.h"
#include "wire.h"

#define FRAME_SPACE	(70 * 1024)
#define FIN_PSH		0x09
#define CWR		0x80

/* Only the first fault counts: later ones follow from it. */
static __printf(2, 3) void fault(struct verify *v, const char *format, ...)
{
	va_list arguments;

	if (*v->fault)
		return;
	va_start(arguments, format);
	vsnprintf(v->fault, sizeof(v->fault), format, arguments);
	va_end(arguments);
}

int verify_setup(struct verify *v)
{
	unsigned int i;

	v->slot = kvcalloc(VERIFY_SLOTS, sizeof(*v->slot), GFP_KERNEL);
	v->frame = kvmalloc(FRAME_SPACE, GFP_KERNEL);
	if (!v->slot || !v->frame)
		return -ENOMEM;
	INIT_LIST_HEAD(&v->free);
	for (i = 0; i < STREAM_LANES; i++)
		INIT_LIST_HEAD(&v->lane[i]);
	for (i = 0; i < VERIFY_SLOTS; i++)
		list_add_tail(&v->slot[i].list, &v->free);
	return 0;
}

void verify_free(struct verify *v)
{
	kvfree(v->slot);
	kvfree(v->frame);
}

struct slot *verify_expect(struct verify *v)
{
	struct slot *slot = list_first_entry_or_null(&v->free, struct slot, list);

	if (!slot)
		fault(v, "%u packets have not come back", VERIFY_SLOTS);
	return slot;
}

void verify_received(struct verify *v, struct slot *slot)
{
	slot->number = v->received++;
	list_move_tail(&slot->list, &v->lane[slot->pkt.lane]);
}

static void came_back(struct verify *v, struct slot *slot)
{
	v->delivered++;
	list_move(&slot->list, &v->free);
}

static bool is_packet(const struct slot *slot, u32 vlan, const struct segment *seg)
{
	const struct stream_packet *pkt = &slot->pkt;
	unsigned int len = seg->hdr_len + seg->payload_len;

	return pkt->vlan == vlan && (pkt->len == len || (pkt->len <= ETH_ZLEN && pkt->trim == len)) &&
	       !memcmp(pkt->data, seg->hdr, seg->hdr_len) &&
	       !memcmp(pkt->data + seg->hdr_len, seg->payload, seg->payload_len);
}

/* Which of the packets that may come now is it? */
static struct slot *find(struct verify *v, u32 vlan, const struct segment *seg)
{
	unsigned int i, lane;
	struct slot *slot;

	for (i = 0; i < STREAM_FLOWS; i++) {
		lane = (v->last + i) % STREAM_FLOWS;
		slot = list_first_entry_or_null(&v->lane[lane], struct slot, list);
		if (slot && is_packet(slot, vlan, seg)) {
			v->last = lane;
			return slot;
		}
	}
	list_for_each_entry(slot, &v->lane[STREAM_LANE_OTHER], list)
		if (is_packet(slot, vlan, seg))
			return slot;
	return NULL;
}

/* Report the place and kind of a packet's difference from the next one of its flow. */
static void explain(struct verify *v, const char *what, const struct segment *seg)
{
	unsigned int tcp = wire_tcp(seg->hdr), lane, at;
	bool v6 = wire_is_v6(seg->hdr);
	struct slot *slot;

	for (lane = 0; lane < STREAM_FLOWS && seg->hdr_len >= tcp + 4; lane++) {
		slot = list_first_entry_or_null(&v->lane[lane], struct slot, list);
		if (!slot || memcmp(slot->pkt.data + WIRE_ETH + (v6 ? 8 : 12),
				    seg->hdr + WIRE_ETH + (v6 ? 8 : 12), 4) ||
		    memcmp(slot->pkt.data + tcp, seg->hdr + tcp, 4))
			continue;
		for (at = 0; at < seg->hdr_len && seg->hdr[at] == slot->pkt.data[at]; at++)
			;
		fault(v, "%s is not packet %lu of flow %u: %u bytes for %u, header byte %u differs",
		      what, slot->number, lane, seg->hdr_len + seg->payload_len, slot->pkt.trim,
		      at);
		return;
	}
	fault(v, "%s of %u bytes was never received, or came back before", what,
	      seg->hdr_len + seg->payload_len);
}

static u32 skb_tag(const struct sk_buff *skb)
{
	return skb_vlan_tag_present(skb) ?
	       (u32)ntohs(skb->vlan_proto) << 16 | skb_vlan_tag_get(skb) : 0;
}

static void verify_single(struct verify *v, const struct sk_buff *skb)
{
	struct segment *seg = &v->segment;
	struct slot *slot;

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		unsigned int tcp = skb_checksum_start_offset(skb);
		const u8 *ip = v->frame + WIRE_ETH;

		/*
		 * Compute the checksum that the sender on this machine left open; padding is not
		 * TCP's.
		 */
		wire_check_tcp(v->frame, tcp, WIRE_ETH - tcp +
			       (wire_is_v6(v->frame) ? wire_get16(ip + 4) + WIRE_V6 :
						       wire_get16(ip + 2)));
	}
	seg->hdr_len = min_t(unsigned int, skb->len, 60);
	memcpy(seg->hdr, v->frame, seg->hdr_len);
	seg->payload = v->frame + seg->hdr_len;
	seg->payload_len = skb->len - seg->hdr_len;
	slot = find(v, skb_tag(skb), seg);
	if (!slot) {
		explain(v, "a packet", seg);
		return;
	}
	if (skb->ip_summed == CHECKSUM_UNNECESSARY && !slot->pkt.verified)
		fault(v, "packet %lu has a wrong checksum, and the engine says otherwise",
		      slot->number);
	came_back(v, slot);
}

/* Does the skb have the metadata that segmentation needs? */
static bool is_gso_packet(struct verify *v, const struct sk_buff *skb, unsigned int tcp)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	bool v6 = wire_is_v6(v->frame);
	unsigned int ip_len = skb->len - WIRE_ETH;
	u8 *ip = v->frame + WIRE_ETH;
	u16 check;

	if (skb->ip_summed != CHECKSUM_PARTIAL || skb_checksum_start_offset(skb) != tcp ||
	    skb->csum_offset != 16)
		return false;
	if (!(info->gso_type & (v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4)))
		return false;
	if (!!(v->frame[tcp + 13] & CWR) != !!(info->gso_type & XENLRO_GSO_CWR))
		return false;
	check = ~wire_fold(wire_pseudo(v->frame, skb->len - tcp));
	if (wire_get16(v->frame + tcp + 16) != check)
		return false;
	if (v6)
		return wire_get16(ip + 4) == ip_len - WIRE_V6;
	return wire_get16(ip + 2) == ip_len && !wire_fold(wire_sum(ip, WIRE_V4, 0));
}

static void verify_strict(struct verify *v, const struct sk_buff *skb)
{
	unsigned int n, want = skb_shinfo(skb)->gso_segs;
	unsigned int kind = segment_kind(skb);
	struct segment *seg = &v->segment;
	struct slot *slot;

	for (n = 0; segment_cut(v->frame, skb->len, skb_shinfo(skb)->gso_size, kind, n, seg);
	     n++) {
		slot = find(v, skb_tag(skb), seg);
		if (!slot) {
			explain(v, "a segment", seg);
			return;
		}
		came_back(v, slot);
	}
	if (n != want)
		fault(v, "an aggregate has %u segments and says %u", n, want);
}

/* Only the usual form of the option, with two NOPs before it. */
static bool has_timestamps(const u8 *hdr, unsigned int tcp, unsigned int len)
{
	return len == tcp + 32 && wire_get32(hdr + tcp + WIRE_TCP) == 0x0101080a;
}

/* Header fields of a packet that relaxed merging may not touch, the others zero. */
static void keep_exact(u8 *hdr, unsigned int tcp, unsigned int len, bool first)
{
	u8 *ip = hdr + WIRE_ETH, *th = hdr + tcp;

	if (wire_is_v6(hdr)) {
		wire_put16(ip + 4, 0);
	} else {
		wire_put32(ip + 2, 0);	/* length, identification */
		wire_put16(ip + 10, 0);
	}
	memset(th + 4, 0, 8);
	th[13] &= ~(FIN_PSH | (first && !XENLRO_KEEPS_CWR ? CWR : 0));
	wire_put32(th + 14, 0);		/* window, checksum */
	if (has_timestamps(hdr, tcp, len))
		memset(th + 24, 0, 8);
}

static bool not_older(const u8 *a, const u8 *b)
{
	return (s32)(wire_get32(b) - wire_get32(a)) >= 0;
}

/*
 * What lies between one packet of an aggregate and the next; @exact is what the first
 * one keeps of its headers.
 */
static bool follows(const struct stream_packet *a, const struct stream_packet *b, unsigned int tcp,
		    unsigned int len, const u8 *exact)
{
	const u8 *from = a->data + tcp, *to = b->data + tcp;
	u8 hdr[SEGMENT_HDR_MAX];

	if (a->vlan != b->vlan || b->trim <= len || to[12] != from[12])
		return false;
	memcpy(hdr, b->data, len);
	keep_exact(hdr, tcp, len, false);
	if (memcmp(hdr, exact, len) || from[13] & FIN_PSH ||
	    wire_get32(from + 4) + a->trim - len != wire_get32(to + 4))
		return false;
	return not_older(from + 8, to + 8) &&
	       (!has_timestamps(hdr, tcp, len) || (not_older(from + 24, to + 24) &&
						   not_older(from + 28, to + 28)));
}

/* The header that an aggregate of these packets has to have, but for its checksums. */
static void relaxed_header(u8 *hdr, const struct stream_packet *first,
			   const struct stream_packet *last, unsigned int tcp, unsigned int len)
{
	u8 *th = hdr + tcp;
	const u8 *end = last->data + tcp;

	memcpy(hdr, first->data, len);
	memcpy(th + 8, end + 8, 4);
	memcpy(th + 14, end + 14, 2);
	th[13] = (th[13] & ~FIN_PSH) | (end[13] & FIN_PSH);
	if (has_timestamps(hdr, tcp, len))
		memcpy(th + 24, end + 24, 8);
}

static struct list_head *find_relaxed(struct verify *v, u32 vlan, unsigned int tcp)
{
	unsigned int addr = WIRE_ETH + (wire_is_v6(v->frame) ? 8 : 12);
	unsigned int addr_len = wire_is_v6(v->frame) ? 32 : 8;
	struct slot *slot;
	unsigned int lane;

	for (lane = 0; lane < STREAM_FLOWS; lane++) {
		slot = list_first_entry_or_null(&v->lane[lane], struct slot, list);
		if (slot && slot->pkt.vlan == vlan && slot->pkt.trim > tcp &&
		    !memcmp(slot->pkt.data + tcp, v->frame + tcp, 8) &&
		    !memcmp(slot->pkt.data + addr, v->frame + addr, addr_len))
			return &v->lane[lane];
	}
	return NULL;
}

static void verify_relaxed(struct verify *v, const struct sk_buff *skb, unsigned int tcp)
{
	unsigned int hdr_len = tcp + (v->frame[tcp + 12] >> 4) * 4, at = hdr_len, n;
	unsigned int size = skb_shinfo(skb)->gso_size, segs = skb_shinfo(skb)->gso_segs;
	struct list_head *lane = find_relaxed(v, skb_tag(skb), tcp);
	u8 exact[SEGMENT_HDR_MAX], want[SEGMENT_HDR_MAX];
	const struct stream_packet *first = NULL, *before = NULL, *pkt;
	struct slot *slot;

	if (!lane || hdr_len > SEGMENT_HDR_MAX) {
		fault(v, "an aggregate that begins with no packet that was received next");
		return;
	}
	for (n = 0; n < segs; n++) {
		slot = list_first_entry_or_null(lane, struct slot, list);
		if (!slot) {
			fault(v, "an aggregate of %u packets, %u were received", segs, n);
			return;
		}
		pkt = &slot->pkt;
		if (!n) {
			first = pkt;
			memcpy(exact, pkt->data, hdr_len);
			keep_exact(exact, tcp, hdr_len, true);
		} else if (!follows(before, pkt, tcp, hdr_len, exact)) {
			fault(v, "packet %lu was merged and does not go on", slot->number);
			return;
		}
		if (!pkt->verified || pkt->trim <= hdr_len || pkt->trim - hdr_len > size ||
		    (n < segs - 1 && pkt->trim - hdr_len != size) ||
		    at + pkt->trim - hdr_len > skb->len ||
		    memcmp(pkt->data + hdr_len, v->frame + at, pkt->trim - hdr_len)) {
			fault(v, "packet %lu is not what is in the aggregate", slot->number);
			return;
		}
		at += pkt->trim - hdr_len;
		before = pkt;
		came_back(v, slot);
	}
	/* A slot that is free keeps its packet until the next one is received. */
	relaxed_header(want, first, before, tcp, hdr_len);
	memcpy(want + tcp + 16, v->frame + tcp + 16, 2);
	if (!wire_is_v6(v->frame)) {
		wire_put16(want + WIRE_ETH + 2, skb->len - WIRE_ETH);
		wire_check_ip(want + WIRE_ETH);
	} else {
		wire_put16(want + WIRE_ETH + 4, skb->len - WIRE_ETH - WIRE_V6);
	}
	if (at != skb->len || memcmp(want, v->frame, hdr_len))
		fault(v, "the headers of an aggregate are not those of its first and last packet");
}

void verify_delivery(struct verify *v, const struct sk_buff *skb)
{
	unsigned int segs = skb_shinfo(skb)->gso_segs, tcp;

	if (*v->fault)
		return;
	if (skb->len > FRAME_SPACE || skb->len < WIRE_ETH ||
	    skb_copy_bits(skb, 0, v->frame, skb->len)) {
		fault(v, "a packet of %u bytes cannot be read", skb->len);
		return;
	}
	if (!skb_is_gso(skb)) {
		verify_single(v, skb);
		return;
	}
	v->merged += segs;
	v->aggregates++;
	tcp = wire_tcp(v->frame);
	if (!is_gso_packet(v, skb, tcp))
		fault(v, "an aggregate of %u packets is no correct GSO packet", segs);
	else if (v->relaxed)
		verify_relaxed(v, skb, tcp);
	else
		verify_strict(v, skb);
}

void verify_end(struct verify *v)
{
	if (v->delivered != v->received)
		fault(v, "%lu packets were received, %lu delivered", v->received, v->delivered);
}
