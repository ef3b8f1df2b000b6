// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to an aggregate.
 *
 * A driver that merges packets leaves an aggregate of many small pieces. A port
 * that copies piece by piece, as Xen's netback does with grant copies, pays for
 * each of them. On any failure the packet is forwarded unchanged: slower to
 * transmit, not lost.
 */
#include <linux/if_vlan.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <compat.h>
#include <page_ring.h>

#include "br_linearize.h"
#include "slots.h"

/* An aggregate of 64 KiB has 256 pieces when its packets have 256 bytes. */
#define PIECES_MAX	256

/*
 * As many as netback queues for some guests: 512 KiB for each. They go back after a second
 * without packets to copy.
 */
#define RING_SIZE	512

/**
 * struct brl_cpu - what one CPU needs while it rewrites a packet
 * @lock: held meanwhile; with PREEMPT_RT another task of the CPU may rewrite a packet, too
 * @ring: pages to copy to
 * @keeps: @ring has pages
 * @used: pages were taken from @ring since look() was here last
 * @piece: the packet's pieces, its linear part first
 */
struct brl_cpu {
	spinlock_t lock;	/* of all else */
	struct page_ring ring;
	bool keeps;
	bool used;
	struct brl_piece piece[PIECES_MAX];
};

static struct brl_cpu __percpu *brl_cpus;

/* Free the pages of a CPU that has not needed any lately. Return: whether it keeps some. */
static bool look(struct brl_cpu *cpu)
{
	bool keeps;

	spin_lock_bh(&cpu->lock);
	if (cpu->keeps && !cpu->used) {
		page_ring_empty(&cpu->ring);
		cpu->keeps = false;
	}
	cpu->used = false;
	keeps = cpu->keeps;
	spin_unlock_bh(&cpu->lock);
	return keeps;
}

static void work_runs(struct work_struct *work);
static DECLARE_DELAYED_WORK(idle_work, work_runs);

static void work_runs(struct work_struct *unused)
{
	bool again = false;
	int cpu;

	for_each_possible_cpu(cpu)
		again |= look(per_cpu_ptr(brl_cpus, cpu));
	if (again)
		schedule_delayed_work(&idle_work, HZ);
}

static bool add_piece(struct brl_cpu *cpu, unsigned int *count, const void *data,
		      unsigned int len)
{
	if (!len)
		return true;
	if (*count == PIECES_MAX)
		return false;
	cpu->piece[*count].data = data;
	cpu->piece[*count].len = len;
	++*count;
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

/* Room for the tag, which is written back into the headers before netback copies them. */
static unsigned int tag_len(const struct sk_buff *skb)
{
	return skb_vlan_tag_present(skb) ? VLAN_HLEN : 0;
}

/* Find the pieces of a packet. Return: how many, or 0 if there is no list of them. */
static unsigned int find_pieces(struct brl_cpu *cpu, const struct sk_buff *skb)
{
	unsigned int tag = tag_len(skb), count = 0;
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

static void put_pages(struct page **page, unsigned int count)
{
	while (count)
		put_page(page[--count]);
}

static bool get_pages(struct net *net, struct brl_cpu *cpu, struct page **page,
		      unsigned int count)
{
	unsigned int i, old = 0;
	bool recycled;

	cpu->used = true;
	if (!cpu->keeps) {
		cpu->keeps = true;
		schedule_delayed_work(&idle_work, HZ);
	}
	for (i = 0; i < count; i++) {
		page[i] = page_ring_get(&cpu->ring, &recycled);
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

/* Copy pieces to pages: first @head, then those of @page. */
static void copy_pieces(const struct brl_piece *piece, const struct brl_piece *end, u8 *head,
			struct page **page)
{
	unsigned int offset = 0, done, part;
	u8 *to = head;

	for (; piece < end; piece++)
		for (done = 0; done < piece->len; done += part) {
			if (offset == PAGE_SIZE) {
				offset = 0;
				to = page_address(*page++);
			}
			part = min_t(unsigned int, piece->len - done, PAGE_SIZE - offset);
			memcpy(to + offset, piece->data + done, part);
			offset += part;
		}
}

/* What tells of a packet, for another skb with the same data; both at the Ethernet header. */
static void copy_meta(struct sk_buff *to, const struct sk_buff *skb)
{
	skb_copy_header(to, skb);
	skb_headers_offset_update(to, (int)skb_headroom(to) - (int)skb_headroom(skb));
	skb_reset_mac_header(to);
	/* One that is not known stays so. */
	if (!skb_transport_header_was_set(skb))
		to->transport_header = skb->transport_header;
}

/*
 * Copy the packet, @len bytes with its tag, to whole pages. The first page is the linear part:
 * the slab gives two pages for one page and the structure that an skb has behind its data, and
 * that memory begins at a page. Return: the counter of the result.
 */
static enum brl_counter copy_in_phase(struct net *net, struct brl_cpu *cpu, unsigned int pieces,
				      unsigned int len, struct sk_buff *skb)
{
	unsigned int linear = min_t(unsigned int, len, PAGE_SIZE), rest = len - linear, i, size;
	unsigned int pages = DIV_ROUND_UP(rest, PAGE_SIZE), tag = tag_len(skb);
	struct page *page[MAX_SKB_FRAGS];
	struct sk_buff *to;

	if (pages > MAX_SKB_FRAGS || skb_headroom(skb) < tag)
		return BRL_COUNT_UNSUITED;
	to = alloc_skb(PAGE_SIZE, GFP_ATOMIC | __GFP_NOWARN);
	if (!to)
		return BRL_COUNT_FAILED;
	if (!get_pages(net, cpu, page, pages)) {
		kfree_skb(to);
		return BRL_COUNT_FAILED;
	}
	copy_pieces(cpu->piece, cpu->piece + pieces, to->data, page);
	skb_reserve(to, tag);
	__skb_put(to, linear - tag);
	for (i = 0; i < pages; i++, rest -= size) {
		size = min_t(unsigned int, rest, PAGE_SIZE);
		skb_add_rx_frag(to, i, page[i], 0, size, PAGE_SIZE);
	}
	copy_meta(to, skb);
	/* The caller goes on with its skb. */
	skb_morph(skb, to);
	consume_skb(to);
	return BRL_COUNT_INPHASE;
}

static void rewrite_in_phase(struct net *net, struct sk_buff *skb, bool must_pay)
{
	unsigned int len = skb->len + tag_len(skb), pieces, before, after;
	enum brl_counter done = BRL_COUNT_UNSUITED;
	struct brl_cpu *cpu;

	/* Should the task go to another CPU meanwhile, this one's will do. */
	cpu = raw_cpu_ptr(brl_cpus);
	spin_lock_bh(&cpu->lock);
	pieces = find_pieces(cpu, skb);
	if (pieces) {
		before = brl_copies(cpu->piece, pieces);
		after = brl_copies_in_phase(len);
		if (must_pay ? brl_pays(before, after, pieces, len) : before > after)
			done = copy_in_phase(net, cpu, pieces, len, skb);
		else
			done = BRL_COUNT_LEFT;
		brl_count(net, BRL_COUNT_COPIES_BEFORE, before);
		brl_count(net, BRL_COUNT_COPIES_AFTER, done == BRL_COUNT_INPHASE ? after : before);
	}
	spin_unlock_bh(&cpu->lock);
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
		spin_lock_init(&per_cpu_ptr(brl_cpus, cpu)->lock);
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

	cancel_delayed_work_sync(&idle_work);
	for_each_possible_cpu(cpu)
		page_ring_free(&per_cpu_ptr(brl_cpus, cpu)->ring);
	free_percpu(brl_cpus);
}
