// SPDX-License-Identifier: GPL-2.0-only
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/mm.h>
#include <net/checksum.h>

#include <compat.h>

#include "feed.h"
#include "wire.h"

#define FRAGS_MAX	4

/* How an skb keeps its bytes. */
enum layout {
	LAYOUT_LINEAR,
	LAYOUT_PAGE,		/* linear, in a page */
	LAYOUT_SPLIT,		/* headers linear, payload in a page */
	LAYOUT_FRAGS,		/* only the Ethernet header linear */
	LAYOUT_CHAIN,		/* payload in an skb on the frag_list */
	LAYOUT_COUNT,
};

static u32 below(struct feed *feed, u32 n)
{
	return stream_below(feed->random, n);
}

int feed_setup(struct feed *feed)
{
	struct page_pool_params params = {
		.pool_size = 256,
		.nid = NUMA_NO_NODE,
	};

	feed->pool = page_pool_create(&params);
	if (IS_ERR(feed->pool)) {
		int err = PTR_ERR(feed->pool);

		feed->pool = NULL;
		return err;
	}
	return 0;
}

/* The frame as it arrives; returns its length. */
static unsigned int write_frame(struct feed *feed, const struct stream_packet *pkt, bool local)
{
	unsigned int tag = pkt->in_band ? VLAN_HLEN : 0;
	u8 *frame = feed->frame;

	memcpy(frame, pkt->data, 12);
	if (tag)
		wire_put32(frame + 12, pkt->vlan);
	memcpy(frame + 12 + tag, pkt->data + 12, pkt->len - 12);
	if (local)
		wire_put16(frame + tag + pkt->tcp + 16,
			   ~wire_fold(wire_pseudo(pkt->data, pkt->trim - pkt->tcp)));
	return pkt->len + tag;
}

static struct page *new_page(struct page_pool *pool)
{
	return pool ? page_pool_dev_alloc_pages(pool) : alloc_page(GFP_ATOMIC);
}

static void drop_page(struct page_pool *pool, struct page *page)
{
	if (pool)
		page_pool_put_full_page(pool, page, true);
	else
		put_page(page);
}

static int add_frag(struct sk_buff *skb, const u8 *data, unsigned int len)
{
	struct page *page = len ? alloc_page(GFP_ATOMIC) : NULL;

	if (!len)
		return 0;
	if (!page)
		return -ENOMEM;
	memcpy(page_address(page), data, len);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, len, PAGE_SIZE);
	return 0;
}

static struct sk_buff *linear_skb(struct feed *feed, unsigned int len, bool in_page)
{
	struct page *page;
	struct sk_buff *skb;

	if (!in_page) {
		skb = napi_alloc_skb(feed->napi, len);
	} else {
		page = alloc_page(GFP_ATOMIC);
		if (!page)
			return NULL;
		skb = build_skb(page_address(page), PAGE_SIZE);
		if (skb) {
			skb->dev = feed->napi->dev;
			skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
		} else {
			put_page(page);
		}
	}
	if (skb)
		skb_put_data(skb, feed->frame, len);
	return skb;
}

static int add_chain(struct feed *feed, struct sk_buff *skb, const u8 *data, unsigned int len)
{
	struct sk_buff *more = napi_alloc_skb(feed->napi, len);

	if (!more)
		return -ENOMEM;
	skb_put_data(more, data, len);
	skb_shinfo(skb)->frag_list = more;
	skb->len += len;
	skb->data_len += len;
	skb->truesize += more->truesize;
	return 0;
}

static struct sk_buff *make_skb(struct feed *feed, const struct stream_packet *pkt,
				unsigned int len)
{
	enum layout layout = below(feed, 64) ? below(feed, LAYOUT_CHAIN) : LAYOUT_CHAIN;
	unsigned int linear = len, half;
	struct sk_buff *skb;
	int err = 0;

	if (layout == LAYOUT_FRAGS)
		linear = ETH_HLEN;
	else if (layout >= LAYOUT_SPLIT)
		linear = min(len, ETH_HLEN + below(feed, 120));
	skb = linear_skb(feed, linear, layout == LAYOUT_PAGE);
	if (!skb)
		return NULL;
	half = layout == LAYOUT_CHAIN ? 0 : (len - linear) / (1 + below(feed, 2));
	if (linear < len && layout == LAYOUT_CHAIN)
		err = add_chain(feed, skb, feed->frame + linear, len - linear);
	else if (linear < len)
		err = add_frag(skb, feed->frame + linear, half) ?:
		      add_frag(skb, feed->frame + linear + half, len - linear - half);
	if (err) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/* A device's verdict on the checksum: it may have verified it, summed, or done nothing. */
static void set_checksum(struct feed *feed, const struct stream_packet *pkt, struct sk_buff *skb,
			 bool local)
{
	switch (below(feed, 3)) {
	case 0:
		skb->ip_summed = CHECKSUM_NONE;
		break;
	case 1:
		skb->ip_summed = CHECKSUM_COMPLETE;
		skb->csum = skb_checksum(skb, 0, skb->len, 0);
		break;
	case 2:
		skb->ip_summed = pkt->verified ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
		break;
	}
	if (!local)
		return;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + pkt->tcp - ETH_HLEN +
			  (pkt->in_band ? VLAN_HLEN : 0);
	skb->csum_offset = 16;
}

static void hand_in_skb(struct feed *feed, const struct stream_packet *pkt, struct sk_buff *skb,
			bool local, bool engine)
{
	skb->protocol = eth_type_trans(skb, feed->napi->dev);
	set_checksum(feed, pkt, skb, local);
	if (pkt->vlan && !pkt->in_band)
		__vlan_hwaccel_put_tag(skb, htons(pkt->vlan >> 16), pkt->vlan & 0xffff);
	if (engine)
		lro_receive_skb(feed->lro, skb);
	else
		napi_gro_receive(feed->napi, skb);
}

/* Fragments with the headers in the first, sometimes in it alone; returns their number. */
static unsigned int make_frags(struct feed *feed, const struct stream_packet *pkt,
			       skb_frag_t *frags, struct page_pool *pool, unsigned int len)
{
	unsigned int at = 0, count = 1 + below(feed, FRAGS_MAX), headers, size, i;
	struct page *page;

	headers = pkt->tcp ? pkt->tcp + (pkt->data[pkt->tcp + 12] >> 4) * 4 : 0;
	for (i = 0; i < count && at < len; i++) {
		size = i == count - 1 ? len - at : min(len - at, 54 + below(feed, len));
		if (!i && count > 1 && headers && below(feed, 2))
			size = min(len, headers);
		page = new_page(pool);
		if (!page || !size) {
			if (page)
				drop_page(pool, page);
			break;
		}
		memcpy(page_address(page), feed->frame + at, size);
		skb_frag_fill_page_desc(&frags[i], page, 0, size);
		at += size;
	}
	if (at == len)
		return i;
	while (i--)
		drop_page(pool, skb_frag_page(&frags[i]));
	return 0;
}

/* The skb that a driver builds from fragments: the first bytes are copied, the rest attached. */
static struct sk_buff *skb_of_frags(struct feed *feed, const skb_frag_t *frags,
				    unsigned int count, struct page_pool *pool)
{
	unsigned int pull = min_t(unsigned int, skb_frag_size(&frags[0]), 60 + below(feed, 196)), i;
	struct sk_buff *skb = napi_alloc_skb(feed->napi, pull);

	if (skb)
		skb_put_data(skb, feed->frame, pull);
	for (i = 0; i < count; i++) {
		struct page *page = skb_frag_page(&frags[i]);
		unsigned int skip = i ? 0 : pull;

		if (!skb || skb_frag_size(&frags[i]) == skip)
			drop_page(pool, page);
		else
			skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, skip,
					skb_frag_size(&frags[i]) - skip, PAGE_SIZE);
	}
	if (skb && pool)
		skb_mark_for_recycle(skb);
	return skb;
}

/* What a device says of a frame in feed->frame, but for where it is. */
static struct lro_frame told(struct feed *feed, const struct stream_packet *pkt, unsigned int len)
{
	struct lro_frame frame = { .vlan = pkt->in_band ? 0 : pkt->vlan };

	switch (below(feed, 4)) {
	case 0:
		frame.ip_summed = CHECKSUM_COMPLETE;
		frame.csum = csum_partial(feed->frame + ETH_HLEN, len - ETH_HLEN, 0);
		break;
	case 1:
		frame.ip_summed = CHECKSUM_NONE;
		break;
	default:
		frame.ip_summed = pkt->verified ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
		break;
	}
	return frame;
}

static int feed_page(struct feed *feed, const struct stream_packet *pkt, unsigned int len,
		     bool local, bool engine)
{
	struct page_pool *pool = pkt->lane & 1 ? feed->pool : NULL;
	static const u32 truesize[FRAGS_MAX] = { [0 ... FRAGS_MAX - 1] = PAGE_SIZE };
	struct lro_frame frame = told(feed, pkt, len);
	skb_frag_t frags[FRAGS_MAX];
	unsigned int count = make_frags(feed, pkt, frags, pool, len);
	struct sk_buff *skb;

	if (!count)
		return -ENOMEM;
	frame.frags = frags;
	frame.truesize = truesize;
	frame.count = count;
	frame.pool = pool;
	if (local)
		frame.ip_summed = CHECKSUM_PARTIAL;
	if (engine && lro_receive_page(feed->lro, &frame)) {
		feed->taken++;
		return 0;
	}
	skb = skb_of_frags(feed, frags, count, pool);
	if (!skb)
		return -ENOMEM;
	hand_in_skb(feed, pkt, skb, local, engine);
	return 0;
}

static bool feed_copy(struct feed *feed, const struct stream_packet *pkt, unsigned int len)
{
	struct lro_frame frame = told(feed, pkt, len);
	bool taken;

	memcpy(feed->buffer, feed->frame, len);
	frame.data = feed->buffer;
	frame.len = len;
	taken = lro_receive_copy(feed->lro, &frame);
	/* The buffer is the driver's again: the engine's data must not be in it. */
	memset(feed->buffer, 0x5a, len);
	feed->taken += taken;
	return taken;
}

int feed_packet(struct feed *feed, const struct stream_packet *pkt, bool engine)
{
	enum feed_mode mode = feed->mode == FEED_MIXED ? below(feed, FEED_MIXED) : feed->mode;
	/* A NIC's packets have crossed a wire. */
	bool local = pkt->local && mode != FEED_COPY;
	unsigned int len = write_frame(feed, pkt, local);
	struct sk_buff *skb;

	if (mode == FEED_PAGE)
		return feed_page(feed, pkt, len, local, engine);
	if (mode == FEED_COPY && engine && feed_copy(feed, pkt, len))
		return 0;
	skb = make_skb(feed, pkt, len);
	if (!skb)
		return -ENOMEM;
	hand_in_skb(feed, pkt, skb, local, engine);
	return 0;
}
