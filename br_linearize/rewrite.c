// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to an aggregate.
 *
 * A driver that merges packets leaves an aggregate of many small pieces. A port
 * that copies piece by piece, as Xen's netback does with grant copies, pays for
 * each of them. Whatever goes wrong here, the packet goes on as it was: slower to
 * transmit, not lost.
 */
#include <linux/bottom_half.h>
#include <linux/if_vlan.h>
#include <linux/percpu.h>
#include <linux/tcp.h>

#include <compat.h>
#include <page_ring.h>

#include "br_linearize.h"
#include "slots.h"

/* An aggregate of 64 KiB has so many when its packets have 256 bytes. */
#define PIECES_MAX	256

/* As many as netback queues for some guests: 512 KiB for each. */
#define RING_SIZE	512

/**
 * struct brl_cpu - what one CPU needs while it rewrites a packet
 * @ring: pages to copy to
 * @piece: from the second on, the packet's pieces, its linear part first; before them, the
 *	headers, if the linear part is taken for two pieces
 */
struct brl_cpu {
	struct page_ring ring;
	struct brl_piece piece[1 + PIECES_MAX];
};

static struct brl_cpu __percpu *brl_cpus;

static bool add_piece(struct brl_cpu *cpu, unsigned int *count, const void *data,
		      unsigned int len)
{
	if (!len)
		return true;
	if (*count == PIECES_MAX)
		return false;
	++*count;
	cpu->piece[*count].data = data;
	cpu->piece[*count].len = len;
	return true;
}

static bool add_frags(struct brl_cpu *cpu, unsigned int *count, const struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int i;

	if (!skb_frags_readable(skb))
		return false;
	for (i = 0; i < info->nr_frags; i++)
		if (!add_piece(cpu, count, skb_frag_address(&info->frags[i]),
			       skb_frag_size(&info->frags[i])))
			return false;
	return true;
}

/* Find the pieces of a packet. Return: how many, or 0 if there is no list of them. */
static unsigned int find_pieces(struct brl_cpu *cpu, const struct sk_buff *skb)
{
	/* A tag is written back into the headers before netback copies them. */
	unsigned int tag = skb_vlan_tag_present(skb) ? VLAN_HLEN : 0, count = 0;
	const struct sk_buff *part;

	add_piece(cpu, &count, skb->data - tag, skb_headlen(skb) + tag);
	if (!add_frags(cpu, &count, skb))
		return 0;
	skb_walk_frags(skb, part)
		if (skb_has_frag_list(part) ||
		    !add_piece(cpu, &count, part->data, skb_headlen(part)) ||
		    !add_frags(cpu, &count, part))
			return 0;
	return count;
}

/* Bytes before the payload, or of the linear part if that is less or it cannot be told. */
static unsigned int headers_of(const struct sk_buff *skb)
{
	unsigned int len = skb_headlen(skb), tcp;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return len;
	tcp = skb_checksum_start_offset(skb);
	if (tcp > len || len - tcp < sizeof(struct tcphdr))
		return len;
	return min(len, tcp + ((const struct tcphdr *)(skb->data + tcp))->doff * 4);
}

/* Return: the first piece, from which on they are without gap. */
static struct brl_piece *split_head(struct brl_cpu *cpu, const struct sk_buff *skb)
{
	struct brl_piece *head = cpu->piece, *whole = head + 1;
	unsigned int payload = skb_headlen(skb) - headers_of(skb);

	head->data = whole->data;
	head->len = whole->len - payload;
	if (!brl_splits(whole, head->len))
		return whole;
	whole->data += head->len;
	whole->len = payload;
	return head;
}

static void put_pages(struct page **page, unsigned int count)
{
	while (count)
		put_page(page[--count]);
}

static bool get_pages(struct net *net, struct page_ring *ring, struct page **page,
		      unsigned int count)
{
	unsigned int i, old = 0;
	bool recycled;

	for (i = 0; i < count; i++) {
		page[i] = page_ring_get(ring, &recycled);
		if (!page[i])
			break;
		old += recycled;
	}
	brl_count(net, BRL_COUNT_PAGES_RECYCLED, old);
	brl_count(net, BRL_COUNT_PAGES_NEW, i - old);
	if (i == count)
		return true;
	put_pages(page, i);
	return false;
}

/* Copy pieces, to as many pages as that takes. */
static void copy_pieces(const struct brl_piece *piece, const struct brl_piece *end,
			struct page **page, unsigned int offset)
{
	unsigned int done, part;

	for (; piece < end; piece++)
		for (done = 0; done < piece->len; done += part) {
			if (offset == PAGE_SIZE) {
				offset = 0;
				page++;
			}
			part = min_t(unsigned int, piece->len - done, PAGE_SIZE - offset);
			memcpy(page_address(*page) + offset, piece->data + done, part);
			offset += part;
		}
}

/*
 * Give the packet all behind its first piece in pages, @rest bytes. Return: what to count it
 * as.
 */
static enum brl_counter copy_in_phase(struct net *net, struct brl_cpu *cpu,
				      const struct brl_piece *head, const struct brl_piece *end,
				      unsigned int rest, struct sk_buff *skb)
{
	unsigned int phase = head->len % PAGE_SIZE, i, size;
	unsigned int pages = DIV_ROUND_UP(phase + rest, PAGE_SIZE);
	struct page *page[MAX_SKB_FRAGS];

	if (pages > MAX_SKB_FRAGS)
		return BRL_COUNT_UNSUITED;
	if (!get_pages(net, &cpu->ring, page, pages))
		return BRL_COUNT_FAILED;
	copy_pieces(head + 1, end, page, phase);
	/* Drops what was copied; of a clone it copies the headers first. */
	if (pskb_trim(skb, skb->len - rest)) {
		put_pages(page, pages);
		return BRL_COUNT_FAILED;
	}
	skb_zcopy_clear(skb, false);
	for (i = 0; i < pages; i++, rest -= size, phase = 0) {
		size = min_t(unsigned int, rest, PAGE_SIZE - phase);
		skb_add_rx_frag(skb, i, page[i], phase, size, PAGE_SIZE);
	}
	return BRL_COUNT_INPHASE;
}

static void rewrite_in_phase(struct net *net, struct sk_buff *skb, bool must_pay)
{
	enum brl_counter done = BRL_COUNT_UNSUITED;
	unsigned int rest, pieces, before, after;
	const struct brl_piece *head, *end;
	struct brl_cpu *cpu;

	local_bh_disable();
	cpu = this_cpu_ptr(brl_cpus);
	pieces = find_pieces(cpu, skb);
	if (pieces) {
		before = brl_copies(cpu->piece + 1, pieces);
		end = cpu->piece + 1 + pieces;
		head = split_head(cpu, skb);
		rest = skb->data_len + (head == cpu->piece ? head[1].len : 0);
		after = brl_copies_in_phase(head, rest);
		if (must_pay ? brl_pays(before, after, end - head - 1, rest) : before > after)
			done = copy_in_phase(net, cpu, head, end, rest, skb);
		else
			done = BRL_COUNT_LEFT;
		brl_count(net, BRL_COUNT_COPIES_BEFORE, before);
		brl_count(net, BRL_COUNT_COPIES_AFTER, done == BRL_COUNT_INPHASE ? after : before);
	}
	local_bh_enable();
	brl_count(net, done, 1);
}

static struct sk_buff *segment(struct net *net, struct sk_buff *skb)
{
	netdev_features_t features = netif_skb_features(skb) & ~NETIF_F_GSO_MASK;
	struct sk_buff *segments = skb_gso_segment(skb, features), *one;
	unsigned int count = 0;

	if (IS_ERR_OR_NULL(segments)) {
		brl_count(net, BRL_COUNT_FAILED, 1);
		return NULL;
	}
	for (one = segments; one; one = one->next)
		count++;
	brl_count(net, BRL_COUNT_SEGMENTED, 1);
	brl_count(net, BRL_COUNT_SEGMENTS, count);
	consume_skb(skb);
	return segments;
}

struct sk_buff *brl_rewrite(struct net *net, struct sk_buff *skb)
{
	enum brl_mode mode = brl_mode();

	if (mode == BRL_SEGMENT)
		return segment(net, skb);
	if (!skb_is_nonlinear(skb))
		return NULL;
	if (mode == BRL_LINEARIZE)
		brl_count(net, skb_linearize(skb) ? BRL_COUNT_FAILED : BRL_COUNT_LINEARIZED, 1);
	else if (mode == BRL_INPHASE || mode == BRL_AUTO)
		rewrite_in_phase(net, skb, mode == BRL_AUTO);
	return NULL;
}

int brl_rewrite_start(void)
{
	int cpu;

	BUILD_BUG_ON(PAGE_SIZE != BRL_PAGE);
	brl_cpus = alloc_percpu(struct brl_cpu);
	if (!brl_cpus)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		if (!page_ring_setup(&per_cpu_ptr(brl_cpus, cpu)->ring, RING_SIZE, 0)) {
			brl_rewrite_stop();
			return -ENOMEM;
		}
	return 0;
}

void brl_rewrite_stop(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		page_ring_free(&per_cpu_ptr(brl_cpus, cpu)->ring);
	free_percpu(brl_cpus);
}
