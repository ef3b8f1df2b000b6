/* SPDX-License-Identifier: GPL-2.0-only */
/* Socket buffers. What a driver does to one has to leave it such that the stack can read each byte of it. */
#ifndef _RING_PACKET_H
#define _RING_PACKET_H

#include "memory.h"

struct net_device;

#define ETH_ALEN 6
#define ETH_HLEN 14
#define ETH_DATA_LEN 1500
#define ETH_MIN_MTU 68
#define NET_IP_ALIGN 0
#define NET_SKB_PAD 64
#define MAX_SKB_FRAGS 17
#define GSO_BY_FRAGS 0xffff

enum { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };
enum { SKB_GSO_TCPV4 = 1, SKB_GSO_DODGY = 2, SKB_GSO_TCPV6 = 16 };

typedef struct {
	struct page *page;
	unsigned int size, offset;
} skb_frag_t;

struct skb_shared_info {
	u8 nr_frags;
	unsigned short gso_size, gso_segs;
	unsigned int gso_type;
	void *destructor_arg;
	skb_frag_t frags[MAX_SKB_FRAGS];
};

struct sk_buff {
	struct sk_buff *next, *prev;
	struct net_device *dev;
	void (*destructor)(struct sk_buff *skb);
	char cb[48] __attribute__((aligned(8)));
	unsigned int len, data_len, truesize;
	int users;
	u16 queue_mapping;
	__be16 protocol;
	u8 ip_summed;
	bool pfmemalloc, pp_recycle;
	/* Where the head's memory is: pages of kmalloc() if this is not 0, or behind this struct. */
	unsigned int head_pages;
	unsigned char *head, *data, *tail, *end;
	struct skb_shared_info info;
};

struct sk_buff_head {
	struct sk_buff *next, *prev;
	unsigned int qlen;
	spinlock_t lock;
};

#define skb_shinfo(skb) (&(skb)->info)
#define skb_is_gso(skb) (!!skb_shinfo(skb)->gso_size)
#define skb_headlen(skb) ((skb)->len - (skb)->data_len)
#define skb_headroom(skb) ((unsigned int)((skb)->data - (skb)->head))
#define skb_end_offset(skb) ((unsigned int)((skb)->end - (skb)->head))
#define skb_end_pointer(skb) ((skb)->end)
#define skb_tail_pointer(skb) ((skb)->tail)
#define skb_pfmemalloc(skb) ((skb)->pfmemalloc)
#define skb_mark_for_recycle(skb) ((void)((skb)->pp_recycle = true))
#define skb_get_queue_mapping(skb) ((skb)->queue_mapping)
#define skb_get_hash(skb) ((u32)(skb)->queue_mapping)
#define skb_tx_timestamp(skb) ((void)(skb))
#define skb_reset_network_header(skb) ((void)(skb))
#define skb_mark_not_on_list(skb) ((void)((skb)->next = NULL))
#define skb_reset_tail_pointer(skb) ((void)((skb)->tail = (skb)->data))
#define skb_dst_drop(skb) ((void)(skb))
#define nf_reset_ct(skb) ((void)(skb))
#define SKB_TRUESIZE(size) ((unsigned int)((size) + sizeof(struct sk_buff)))

#define skb_frag_page(frag) ((frag)->page)
#define skb_frag_off(frag) ((frag)->offset)
#define skb_frag_size(frag) ((frag)->size)
#define skb_frag_off_set(frag, value) ((void)((frag)->offset = (value)))
#define skb_frag_size_set(frag, value) ((void)((frag)->size = (value)))

struct sk_buff *alloc_skb(unsigned int size, gfp_t flags);
/* As drivers get one for receiving: its head is never granted. */
struct sk_buff *__netdev_alloc_skb(struct net_device *dev, unsigned int size, gfp_t flags);
void kfree_skb(struct sk_buff *skb);
void skb_orphan(struct sk_buff *skb);
void kfree_skb_list(struct sk_buff *skb);

#define dev_kfree_skb_irq(skb) kfree_skb(skb)
#define dev_kfree_skb_any(skb) kfree_skb(skb)
#define dev_consume_skb_any(skb) kfree_skb(skb)

static inline struct sk_buff *skb_get(struct sk_buff *skb)
{
	skb->users++;
	return skb;
}

void skb_copy_header(struct sk_buff *to, const struct sk_buff *from);
void skb_reserve(struct sk_buff *skb, int len);
void *skb_put(struct sk_buff *skb, unsigned int len);
void skb_fill_page_desc(struct sk_buff *skb, int i, struct page *page, int offset, int size);
void skb_add_rx_frag(struct sk_buff *skb, int i, struct page *page, int offset, int size,
		     unsigned int truesize);
int skb_copy_bits(const struct sk_buff *skb, int offset, void *to, int len);
void *__pskb_pull_tail(struct sk_buff *skb, int delta);
int skb_linearize(struct sk_buff *skb);
__be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev);

static inline bool pskb_may_pull(struct sk_buff *skb, unsigned int len)
{
	if (len <= skb_headlen(skb))
		return true;
	if (len > skb->len)
		return false;
	return __pskb_pull_tail(skb, (int)(len - skb_headlen(skb)));
}

int skb_checksum_setup(struct sk_buff *skb, bool recalculate);

/* The stack reads every byte of a packet. */
void read_packet(const struct sk_buff *skb);

static inline void __skb_queue_head_init(struct sk_buff_head *list)
{
	list->next = (struct sk_buff *)list;
	list->prev = (struct sk_buff *)list;
	list->qlen = 0;
}

#define skb_queue_head_init(list) __skb_queue_head_init(list)
#define skb_queue_len(list) ((list)->qlen)
#define skb_queue_empty(list) ((list)->next == (const struct sk_buff *)(list))

void __skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb);
void __skb_queue_head(struct sk_buff_head *list, struct sk_buff *skb);
struct sk_buff *__skb_dequeue(struct sk_buff_head *list);
void __skb_queue_purge(struct sk_buff_head *list);

#endif /* _RING_PACKET_H */
