// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hands frames to the engine as drivers do.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/mm.h>

#include <compat.h>

#include "consumers.h"

#define HEADROOM	(NET_SKB_PAD + NET_IP_ALIGN)
/* As much as a slab of 1 KiB has behind a short frame. */
#define TAILROOM	384
#define HASH		0x12345678
#define QUEUE		3

static struct page_pool *pool;
static u8 wire[FRAME_MAX + VLAN_HLEN], buffer[FRAME_MAX + VLAN_HLEN];

int feed_setup(void)
{
	struct page_pool_params params = { .pool_size = 256, .nid = NUMA_NO_NODE };

	pool = page_pool_create(&params);
	if (!IS_ERR(pool))
		return 0;
	pool = NULL;
	return -ENOMEM;
}

void feed_remove(void)
{
	if (pool)
		page_pool_destroy(pool);
}

/* Ethernet, IP and TCP headers with time stamps, as far as the frame has them. */
static unsigned int header_len(const u8 *frame, unsigned int len)
{
	unsigned int at = ETH_HLEN;

	if (frame[12] == 0x81 && frame[13] == 0)
		at += VLAN_HLEN;
	at += frame[at] >> 4 == 6 ? 40 : 20;
	if (len <= at + 12)
		return min_t(unsigned int, len, ETH_HLEN);
	return min_t(unsigned int, len, at + (frame[at + 12] >> 4) * 4);
}

static struct sk_buff *head_of(struct napi_struct *napi, enum way way, unsigned int len)
{
	struct sk_buff *skb;
	struct page *page;

	if (way != WAY_PAGE_HEAD) {
		skb = alloc_skb(HEADROOM + len + TAILROOM, GFP_ATOMIC);
	} else {
		page = alloc_page(GFP_ATOMIC);
		if (!page)
			return NULL;
		skb = build_skb(page_address(page), PAGE_SIZE);
		if (!skb)
			put_page(page);
	}
	if (!skb)
		return NULL;
	skb->dev = napi->dev;
	skb_reserve(skb, HEADROOM);
	skb_put_data(skb, wire, len);
	return skb;
}

static bool add_payload(struct sk_buff *skb, enum way way, unsigned int from, unsigned int len)
{
	struct sk_buff *more;
	struct page *page;

	if (from == len)
		return true;
	if (way == WAY_CHAIN) {
		more = alloc_skb(len - from + TAILROOM, GFP_ATOMIC);
		if (!more)
			return false;
		skb_put_data(more, wire + from, len - from);
		skb_shinfo(skb)->frag_list = more;
		skb->len += more->len;
		skb->data_len += more->len;
		skb->truesize += more->truesize;
		return true;
	}
	page = alloc_page(GFP_ATOMIC);
	if (!page)
		return false;
	memcpy(page_address(page), wire + from, len - from);
	skb_add_rx_frag(skb, 0, page, 0, len - from, PAGE_SIZE);
	return true;
}

static int feed_skb(struct lro *lro, struct napi_struct *napi, enum way way, unsigned int len,
		    u16 tag, bool engine)
{
	unsigned int linear = len;
	struct sk_buff *skb;

	if (way == WAY_SPLIT || way == WAY_CHAIN)
		linear = header_len(wire, len);
	skb = head_of(napi, way, linear);
	if (!skb)
		return -ENOMEM;
	if (!add_payload(skb, way, linear, len)) {
		kfree_skb(skb);
		return -ENOMEM;
	}
	skb->protocol = eth_type_trans(skb, napi->dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb_set_hash(skb, HASH, PKT_HASH_TYPE_L4);
	skb_record_rx_queue(skb, QUEUE);
	if (tag)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), tag);
	if (engine)
		lro_receive_skb(lro, skb);
	else
		napi_gro_receive(napi, skb);
	return 0;
}

static struct page *page_of(struct page_pool *from, const u8 *data, unsigned int len)
{
	struct page *page = from ? page_pool_dev_alloc_pages(from) : alloc_page(GFP_ATOMIC);

	if (page)
		memcpy(page_address(page), data, len);
	return page;
}

static bool feed_pages(struct lro *lro, enum way way, unsigned int len, u16 tag)
{
	unsigned int first = way == WAY_PAGES ? header_len(wire, len) : len, count = 0, i;
	struct page_pool *from = way == WAY_POOL ? pool : NULL;
	static const u32 truesize[] = { PAGE_SIZE, PAGE_SIZE };
	skb_frag_t frags[2];
	struct lro_frame frame = {
		.frags = frags,
		.truesize = truesize,
		.vlan = tag ? lro_vlan(ETH_P_8021Q, tag) : 0,
		.ip_summed = CHECKSUM_UNNECESSARY,
		.pool = from,
	};
	struct page *page;

	page = page_of(from, wire, first);
	if (!page)
		return false;
	skb_frag_fill_page_desc(&frags[count++], page, 0, first);
	if (first < len) {
		page = page_of(from, wire + first, len - first);
		if (page)
			skb_frag_fill_page_desc(&frags[count++], page, 0, len - first);
	}
	frame.count = count;
	if (page && lro_receive_page(lro, &frame))
		return true;
	for (i = 0; i < count; i++) {
		page = skb_frag_page(&frags[i]);
		if (from)
			page_pool_put_full_page(from, page, true);
		else
			put_page(page);
	}
	return false;
}

static int feed(struct lro *lro, struct napi_struct *napi, enum way way, unsigned int len,
		u16 tag, bool engine)
{
	bool taken = false;

	if (engine && way == WAY_COPY) {
		memcpy(buffer, wire, len);
		taken = lro_receive_copy(lro, &(struct lro_frame){
			.data = buffer,
			.len = len,
			.vlan = tag ? lro_vlan(ETH_P_8021Q, tag) : 0,
			.ip_summed = CHECKSUM_UNNECESSARY,
		});
		/* The buffer is the driver's again: what the engine keeps must not be in it. */
		memset(buffer, 0x5a, len);
	} else if (engine && (way == WAY_PAGE || way == WAY_PAGES || way == WAY_POOL)) {
		taken = feed_pages(lro, way, len, tag);
	}
	return taken ? 0 : feed_skb(lro, napi, way, len, tag, engine);
}

static enum way in_turns(unsigned int n)
{
	static const enum way turns[] = { WAY_PAGE, WAY_KMALLOC, WAY_PAGE_HEAD, WAY_SPLIT };

	return turns[n % ARRAY_SIZE(turns)];
}

int feed_frame(struct lro *lro, struct napi_struct *napi, const struct flight *flight,
	       unsigned int n, bool engine)
{
	const struct frame *frame = &flight->frame[n];
	enum way way = flight->way == WAY_TURNS ? in_turns(n) : flight->way;
	unsigned int tag = flight->in_band ? VLAN_HLEN : 0;

	memcpy(wire, frame->data, 2 * ETH_ALEN);
	if (tag) {
		wire[12] = ETH_P_8021Q >> 8;
		wire[13] = ETH_P_8021Q & 0xff;
		wire[14] = flight->tag >> 8;
		wire[15] = flight->tag & 0xff;
	}
	memcpy(wire + 2 * ETH_ALEN + tag, frame->data + 2 * ETH_ALEN, frame->len - 2 * ETH_ALEN);
	return feed(lro, napi, way, frame->len + tag, tag ? 0 : flight->tag, engine);
}

int feed_wire(struct lro *lro, struct napi_struct *napi, const u8 *data, unsigned int len,
	      enum way way, bool engine)
{
	static unsigned int n;

	memcpy(wire, data, len);
	return feed(lro, napi, way == WAY_TURNS ? in_turns(n++) : way, len, 0, engine);
}
