// SPDX-License-Identifier: GPL-2.0-only
/* Socket buffers. */
#include "input.h"
#include "packet.h"

static void begin(struct sk_buff *skb, unsigned char *head, unsigned int size)
{
	skb->users = 1;
	skb->head = head;
	skb->data = head;
	skb->tail = head;
	skb->end = head + size;
	skb->truesize = SKB_TRUESIZE(size);
}

struct sk_buff *alloc_skb(unsigned int size, gfp_t flags)
{
	unsigned int count = ALIGN(max(size, 1u), PAGE_SIZE) / PAGE_SIZE;
	struct page *pages = take_pages(count, true);
	struct sk_buff *skb;

	(void)flags;
	if (!pages)
		return NULL;
	skb = kzalloc(sizeof(*skb), __GFP_NOFAIL);
	skb->head_pages = count;
	begin(skb, page_address(pages), size);
	return skb;
}

struct sk_buff *__netdev_alloc_skb(struct net_device *dev, unsigned int size, gfp_t flags)
{
	struct sk_buff *skb;

	(void)flags;
	size += NET_SKB_PAD;
	skb = kzalloc(sizeof(*skb) + size, GFP_ATOMIC);
	if (!skb)
		return NULL;
	begin(skb, (unsigned char *)(skb + 1), size);
	skb_reserve(skb, NET_SKB_PAD);
	skb->dev = dev;
	return skb;
}

static void free_frag(const struct sk_buff *skb, const skb_frag_t *frag)
{
	if (skb->pp_recycle)
		page_pool_put(frag->page);
	else
		put_page(frag->page);
}

static void free_head(struct sk_buff *skb, unsigned char *head)
{
	if (skb->head_pages)
		free_slab(head, skb->head_pages);
	else if (head != (unsigned char *)(skb + 1))
		kfree(head);
}

void kfree_skb(struct sk_buff *skb)
{
	if (!skb)
		return;
	if (skb->users <= 0)
		finding("freed", "an skb is freed twice");
	if (--skb->users)
		return;
	skb_orphan(skb);
	for (unsigned int i = 0; i < skb->info.nr_frags; i++)
		free_frag(skb, &skb->info.frags[i]);
	free_head(skb, skb->head);
	kfree(skb);
}

void skb_orphan(struct sk_buff *skb)
{
	if (skb->destructor)
		skb->destructor(skb);
	skb->destructor = NULL;
}

void kfree_skb_list(struct sk_buff *skb)
{
	while (skb) {
		struct sk_buff *next = skb->next;

		kfree_skb(skb);
		skb = next;
	}
}

void skb_copy_header(struct sk_buff *to, const struct sk_buff *from)
{
	to->dev = from->dev;
	to->queue_mapping = from->queue_mapping;
	to->ip_summed = from->ip_summed;
	to->info.gso_size = from->info.gso_size;
	to->info.gso_type = from->info.gso_type;
}

void skb_reserve(struct sk_buff *skb, int len)
{
	skb->data += len;
	skb->tail += len;
}

void *skb_put(struct sk_buff *skb, unsigned int len)
{
	unsigned char *tail = skb->tail;

	if (skb->data_len || len > (unsigned int)(skb->end - tail))
		finding("bug", "skb_put() beyond the end");
	skb->tail += len;
	skb->len += len;
	return tail;
}

void skb_fill_page_desc(struct sk_buff *skb, int i, struct page *page, int offset, int size)
{
	if (i < 0 || i >= MAX_SKB_FRAGS)
		finding("outside", "an skb gets more fragments than it has room for");
	skb->info.frags[i] = (skb_frag_t){ page, (unsigned int)size, (unsigned int)offset };
	skb->info.nr_frags = (u8)(i + 1);
}

void skb_add_rx_frag(struct sk_buff *skb, int i, struct page *page, int offset, int size,
		     unsigned int truesize)
{
	skb_fill_page_desc(skb, i, page, offset, size);
	skb->len += (unsigned int)size;
	skb->data_len += (unsigned int)size;
	skb->truesize += truesize;
}

/* Copy from the fragments, from @offset behind the head on. */
static int copy_frags(const struct sk_buff *skb, unsigned int offset, unsigned char *to, unsigned int len)
{
	for (unsigned int i = 0; i < skb->info.nr_frags && len; i++) {
		const skb_frag_t *frag = &skb->info.frags[i];
		unsigned int size = frag->size;

		if (offset >= size) {
			offset -= size;
			continue;
		}
		size = min(size - offset, len);
		check_read(frag->page, frag->offset + offset, size);
		memcpy(to, (u8 *)page_address(frag->page) + frag->offset + offset, size);
		to += size;
		len -= size;
		offset = 0;
	}
	return len ? -EFAULT : 0;
}

int skb_copy_bits(const struct sk_buff *skb, int offset, void *to, int len)
{
	int head = (int)skb_headlen(skb);
	unsigned char *at = to;

	if (offset > (int)skb->len - len)
		return -EFAULT;
	if (offset < head) {
		int part = min(head - offset, len);

		memcpy(at, skb->data + offset, (size_t)part);
		at += part;
		len -= part;
		offset = head;
	}
	return copy_frags(skb, (unsigned int)(offset - head), at, (unsigned int)len);
}

/* Make room behind the head's data, in memory of the same kind. */
static bool expand(struct sk_buff *skb, unsigned int more)
{
	unsigned int used = (unsigned int)(skb->tail - skb->head), room = (unsigned int)(skb->data - skb->head);
	unsigned int pages = skb->head_pages ? (unsigned int)(ALIGN(used + more, PAGE_SIZE) / PAGE_SIZE) : 0;
	unsigned char *old = skb->head, *head;

	if (pages) {
		struct page *page = take_pages(pages, true);

		head = page ? page_address(page) : NULL;
	} else {
		head = kmalloc(used + more, GFP_ATOMIC);
	}
	if (!head)
		return false;
	memcpy(head, old, used);
	free_head(skb, old);
	skb->head_pages = pages;
	skb->head = head;
	skb->data = head + room;
	skb->tail = head + used;
	skb->end = head + used + more;
	return true;
}

/* The head has taken @eaten bytes of the fragments. */
static void eat_frags(struct sk_buff *skb, unsigned int eaten)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < skb->info.nr_frags; i++) {
		skb_frag_t frag = skb->info.frags[i];
		unsigned int part = min(frag.size, eaten);

		/* As the kernel does it: one of no bytes goes as well. */
		if (frag.size <= eaten) {
			eaten -= frag.size;
			free_frag(skb, &frag);
			continue;
		}
		frag.offset += part;
		frag.size -= part;
		eaten -= part;
		skb->info.frags[kept++] = frag;
	}
	skb->info.nr_frags = (u8)kept;
}

void *__pskb_pull_tail(struct sk_buff *skb, int delta)
{
	unsigned int len = (unsigned int)delta;

	if (len > (unsigned int)(skb->end - skb->tail) && !expand(skb, len + 128))
		return NULL;
	if (copy_frags(skb, 0, skb->tail, len))
		finding("bug", "more is pulled than an skb has");
	if (len)
		eat_frags(skb, len);
	skb->tail += len;
	skb->data_len -= len;
	return skb->tail;
}

int skb_linearize(struct sk_buff *skb)
{
	return skb->data_len && !__pskb_pull_tail(skb, (int)skb->data_len) ? -ENOMEM : 0;
}

__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev)
{
	skb->dev = dev;
	skb->len -= ETH_HLEN;
	if (skb->len < skb->data_len)
		finding("header", "eth_type_trans() takes more than the head has");
	skb->data += ETH_HLEN;
	return 8;
}

int skb_checksum_setup(struct sk_buff *skb, bool recalculate)
{
	static const unsigned char pulls[] = { 20, 40, 60, 80 };

	(void)recalculate;
	return pskb_may_pull(skb, pulls[choice(4)]) ? 0 : -EPROTO;
}

void read_packet(const struct sk_buff *skb)
{
	unsigned int len = 0;

	if (skb->info.gso_size == GSO_BY_FRAGS)
		finding("gso", "a packet refers to a list for its segments, and has none");
	for (unsigned int i = 0; i < skb->info.nr_frags; i++) {
		const skb_frag_t *frag = &skb->info.frags[i];

		check_read(frag->page, frag->offset, frag->size);
		len += frag->size;
	}
	if (len != skb->data_len)
		finding("length", "an skb's fragments are not as long as it says");
	if (skb->tail > skb->end || skb->tail - skb->data != (long)skb_headlen(skb))
		finding("length", "an skb's head is not as long as it says");
}

void __skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb)
{
	skb->next = (struct sk_buff *)list;
	skb->prev = list->prev;
	list->prev->next = skb;
	list->prev = skb;
	list->qlen++;
}

void __skb_queue_head(struct sk_buff_head *list, struct sk_buff *skb)
{
	skb->prev = (struct sk_buff *)list;
	skb->next = list->next;
	list->next->prev = skb;
	list->next = skb;
	list->qlen++;
}

struct sk_buff *__skb_dequeue(struct sk_buff_head *list)
{
	struct sk_buff *skb = list->next;

	if (skb == (struct sk_buff *)list)
		return NULL;
	list->qlen--;
	skb->next->prev = skb->prev;
	skb->prev->next = skb->next;
	skb->next = NULL;
	skb->prev = NULL;
	return skb;
}

void __skb_queue_purge(struct sk_buff_head *list)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list)))
		kfree_skb(skb);
}
