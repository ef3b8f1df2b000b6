// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes page fragments of packets, as drivers have them in page mode.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>

#include "compat.h"
#include "packet.h"

#define BEGIN_LEN	100	/* payload beside the headers */

/* The end of each fragment but the last; returns the number of fragments. */
static unsigned int cut(const struct fed *fed, unsigned int *end)
{
	unsigned int tag = fed->pkt->in_band ? VLAN_HLEN : 0;
	unsigned int headers = min(packet_header_len(fed->pkt) + tag, fed->wire_len);
	unsigned int payload = fed->wire_len - headers, count = 0;

	switch (fed->pkt->layout) {
	case LAYOUT_PAGE:
		break;
	case LAYOUT_KMALLOC:
		end[count++] = headers;
		if (payload < 3)
			break;
		end[count++] = headers + payload / 3;
		end[count++] = headers + payload / 3 * 2;
		break;
	case LAYOUT_FRAG:
	case LAYOUT_HEADERS:
		end[count++] = headers;
		break;
	case LAYOUT_ALL_FRAG:
		end[count++] = headers + min_t(unsigned int, payload, BEGIN_LEN);
		break;
	case LAYOUT_MANY:
		for (; count < PACKET_FRAGS - 1; count++)
			end[count] = headers + payload * count / (PACKET_FRAGS - 1);
		break;
	}
	end[count++] = fed->wire_len;
	return count;
}

static struct page *make_page(struct page_pool *pool)
{
	return pool ? page_pool_dev_alloc_pages(pool) : alloc_page(GFP_ATOMIC);
}

unsigned int packet_frags(struct fed *fed, struct page_pool *pool, skb_frag_t *frags)
{
	unsigned int end[PACKET_FRAGS], count, begin = 0, used = 0, i;

	count = cut(fed, end);
	for (i = 0; i < count; i++) {
		/* Each at another place in its page. */
		unsigned int offset = 64 * i, len = end[i] - begin;
		struct page *page;

		if (!len)
			continue;
		page = make_page(pool);
		if (!page)
			return 0;
		memcpy(page_address(page) + offset, fed->wire + begin, len);
		if (!i && fed->skb->ip_summed == CHECKSUM_PARTIAL)
			packet_unfinish(fed, page_address(page));
		if (i || fed->pkt->layout != LAYOUT_HEADERS) {
			fed->frag_page[i] = page;
			get_page(page);
		}
		skb_frag_fill_page_desc(&frags[used++], page, offset, len);
		begin = end[i];
	}
	return used;
}
