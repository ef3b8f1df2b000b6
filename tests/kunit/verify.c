// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments the delivered packets and compares them.
 */
#include <linux/if_vlan.h>
#include <linux/slab.h>
#include <net/gso.h>

#include "verify.h"

void verify_segments(struct kunit *test, const struct bed *bed, const u8 *segs)
{
	const struct sk_buff *skb;
	unsigned int i = 0;

	skb_queue_walk(&bed->delivered, skb) {
		unsigned int have = skb_shinfo(skb)->gso_segs ?: 1;

		KUNIT_EXPECT_EQ_MSG(test, have, segs[i], "packets in delivery %u", i);
		if (segs[i])
			i++;
	}
	KUNIT_EXPECT_EQ_MSG(test, segs[i], 0, "delivery %u is missing", i);
}

struct fed *verify_next(struct bed *bed, unsigned int flow)
{
	struct fed *fed;

	list_for_each_entry(fed, &bed->fed, list)
		if (!fed->seen && fed->pkt->flow == flow)
			return fed;
	return NULL;
}

/*
 * The flow of a frame: it can only be the oldest packet of a flow, so the flow is found by
 * comparing with these.
 */
static struct fed *find_fed(struct bed *bed, const u8 *data, unsigned int len)
{
	struct fed *fed, *first = NULL;
	unsigned int flow;

	for (flow = 0; flow < PACKET_FLOWS; flow++) {
		fed = verify_next(bed, flow);
		if (!fed)
			continue;
		if (len <= fed->len && !memcmp(fed->data, data, len))
			return fed;
		if (!first)
			first = fed;
	}
	return first;
}

static unsigned int first_difference(const u8 *a, const u8 *b, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len && a[i] == b[i]; i++)
		;
	return i;
}

/* A checksum that was not verified must not be marked as verified. */
static void verify_state(struct kunit *test, const struct sk_buff *skb, const struct fed *fed)
{
	unsigned int summed = skb->ip_summed;
	u16 vlan = skb_vlan_tag_present(skb) ? skb_vlan_tag_get(skb) : 0;

	KUNIT_EXPECT_EQ(test, vlan, fed->pkt->vlan);
	if (vlan)
		KUNIT_EXPECT_EQ(test, ntohs(skb->vlan_proto), ETH_P_8021Q);
	if (fed->pkt->quirk == QUIRK_TCP_CHECKSUM) {
		KUNIT_EXPECT_TRUE_MSG(test, summed == CHECKSUM_NONE || summed == CHECKSUM_COMPLETE,
				      "ip_summed is %u", summed);
	}
}

void verify_frame(struct kunit *test, struct bed *bed, struct sk_buff *skb, u8 *data)
{
	struct fed *fed;

	/* The checksum that a local sender left to a device. */
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		KUNIT_EXPECT_EQ(test, skb_checksum_help(skb), 0);
	if (skb->len > PACKET_MAX || skb_copy_bits(skb, 0, data, skb->len)) {
		KUNIT_FAIL(test, "a frame of %u bytes cannot be read", skb->len);
		return;
	}
	fed = find_fed(bed, data, skb->len);
	if (!fed) {
		KUNIT_FAIL(test, "a frame too many");
		return;
	}
	fed->seen = true;
	/* Padding may be cut off, other bytes behind the packet may not. */
	KUNIT_EXPECT_TRUE_MSG(test, skb->len == fed->len ||
			      (fed->len <= ETH_ZLEN && skb->len == fed->trim),
			      "%u bytes, was %u", skb->len, fed->len);
	if (skb->len <= fed->len)
		KUNIT_EXPECT_EQ_MSG(test, first_difference(data, fed->data, skb->len), skb->len,
				    "first byte that differs");
	verify_state(test, skb, fed);
}

/* Consumes the skb; an aggregate is segmented for a device without offloads. */
static void verify_delivery(struct kunit *test, struct bed *bed, struct sk_buff *skb, u8 *data)
{
	unsigned int want = skb_shinfo(skb)->gso_segs, have = 0;
	struct sk_buff *segs, *seg, *next;

	if (want < 2) {
		verify_frame(test, bed, skb, data);
		kfree_skb(skb);
		return;
	}
	KUNIT_EXPECT_EQ(test, (unsigned int)skb->ip_summed, (unsigned int)CHECKSUM_PARTIAL);
	segs = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(segs)) {
		KUNIT_FAIL(test, "an aggregate of %u packets cannot be segmented: %d", want,
			   PTR_ERR_OR_ZERO(segs));
		kfree_skb(skb);
		return;
	}
	consume_skb(skb);
	skb_list_walk_safe(segs, seg, next) {
		skb_mark_not_on_list(seg);
		verify_frame(test, bed, seg, data);
		consume_skb(seg);
		have++;
	}
	KUNIT_EXPECT_EQ_MSG(test, have, want, "packets after segmenting");
}

void verify_bytes(struct kunit *test, struct bed *bed)
{
	u8 *data = kunit_kmalloc(test, PACKET_MAX, GFP_KERNEL);
	const struct fed *fed;
	struct sk_buff *skb;

	KUNIT_ASSERT_NOT_NULL(test, data);
	while ((skb = skb_dequeue(&bed->delivered)))
		verify_delivery(test, bed, skb, data);
	list_for_each_entry(fed, &bed->fed, list)
		KUNIT_EXPECT_TRUE_MSG(test, fed->seen, "a packet was lost");
}
