/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of a kernel as netback_lro's way to a guest needs, in user space: every header of the
 * kernel's that the driver includes is this one. Threads are real, and so are their races.
 */
#ifndef _NETBACK_MODEL_H
#define _NETBACK_MODEL_H

#define _GNU_SOURCE
#include <linux/types.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef u16 domid_t;
typedef u32 grant_ref_t, grant_handle_t;
typedef int irqreturn_t;

#define __must_check
#define __rcu
#define __init
#define __exit
#define noinline __attribute__((noinline))
#define ____cacheline_aligned_in_smp
#define likely(x) (x)
#define unlikely(x) (x)
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define BUG() abort()
#define BUG_ON(x) do { if (x) abort(); } while (0)
#define WARN_ON_ONCE(x) ({ bool bad = (x); if (bad) abort(); bad; })
#define mb() __sync_synchronize()
#define rmb() __sync_synchronize()
#define wmb() __sync_synchronize()
#define smp_mb__before_atomic() __sync_synchronize()
#define virt_mb() __sync_synchronize()
#define virt_rmb() __sync_synchronize()
#define virt_wmb() __sync_synchronize()
#define htons(x) __builtin_bswap16(x)
#define XDP_PACKET_HEADROOM 256
#define ETH_P_IP 0x0800
#define IFNAMSIZ 16
#define ETH_GSTRING_LEN 32
#define MODULE_PARM_DESC(name, text)
#define MODULE_VERSION(text)
#define MODULE_INFO(tag, text)
#define module_param_named(name, value, type, mode)
#define GFP_ATOMIC 0
#define __GFP_NOWARN 0
#define kmalloc(size, flags) malloc(size)
#define kfree(p) free(p)

/* Memory */
#define XEN_PAGE_SHIFT 12
#define XEN_PAGE_SIZE 4096UL
#define PAGE_SIZE XEN_PAGE_SIZE
#define xen_offset_in_page(p) ((uintptr_t)(p) & (XEN_PAGE_SIZE - 1))
struct page;
struct xen_page_foreign { domid_t domid; grant_ref_t gref; };
#define virt_to_page(p) ((struct page *)(p))
#define virt_to_gfn(p) ((uintptr_t)(p) >> XEN_PAGE_SHIFT)
#define xen_page_foreign(page) ((struct xen_page_foreign *)NULL)

/* Locks and bits */
typedef struct { pthread_mutex_t mutex; } spinlock_t;
#define spin_lock(l) pthread_mutex_lock(&(l)->mutex)
#define spin_unlock(l) pthread_mutex_unlock(&(l)->mutex)
#define spin_lock_irq(l) spin_lock(l)
#define spin_unlock_irq(l) spin_unlock(l)
#define spin_lock_irqsave(l, flags) do { (flags) = 0; spin_lock(l); } while (0)
#define spin_unlock_irqrestore(l, flags) do { (void)(flags); spin_unlock(l); } while (0)

typedef struct { int counter; } atomic_t;
#define atomic_read(a) __atomic_load_n(&(a)->counter, __ATOMIC_RELAXED)
#define atomic_fetch_or(bits, a) __atomic_fetch_or(&(a)->counter, bits, __ATOMIC_SEQ_CST)
#define atomic_fetch_andnot(bits, a) __atomic_fetch_and(&(a)->counter, ~(bits), __ATOMIC_SEQ_CST)

#define BIT(nr) (1UL << (nr))
#define test_bit(nr, p) (!!(__atomic_load_n(p, __ATOMIC_RELAXED) & BIT(nr)))
#define set_bit(nr, p) ((void)__atomic_fetch_or(p, BIT(nr), __ATOMIC_SEQ_CST))
#define clear_bit(nr, p) ((void)__atomic_fetch_and(p, ~BIT(nr), __ATOMIC_SEQ_CST))
#define assign_bit(nr, p, value) do { if (value) set_bit(nr, p); else clear_bit(nr, p); } while (0)
#define test_and_clear_bit(nr, p) (!!(__atomic_fetch_and(p, ~BIT(nr), __ATOMIC_SEQ_CST) & BIT(nr)))
#define test_and_set_bit_lock(nr, p) (!!(__atomic_fetch_or(p, BIT(nr), __ATOMIC_ACQUIRE) & BIT(nr)))
#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
int wait_on_bit_lock(unsigned long *word, int bit, unsigned int mode);
void clear_and_wake_up_bit(int bit, unsigned long *word);

/* Time and threads */
unsigned long now_ms(void);
#define jiffies now_ms()
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
#define MAX_SCHEDULE_TIMEOUT ((long)(~0UL >> 1))

typedef struct { pthread_mutex_t mutex; pthread_cond_t cond; unsigned long turn; } wait_queue_head_t;
struct waiter { wait_queue_head_t *queue; unsigned long turn; };
#define DEFINE_WAIT(name) struct waiter name = { 0 }
void prepare_to_wait(wait_queue_head_t *queue, struct waiter *waiter, int state);
#define finish_wait(queue, waiter) ((void)(waiter))
void wake_up(wait_queue_head_t *queue);
long schedule_timeout(long timeout);
bool kthread_should_stop(void);
void cond_resched(void);

/* Packets */
struct list_head { struct list_head *next, *prev; };
struct rcu_head { void *next; };
typedef struct { void *page; unsigned int size; } skb_frag_t;
struct skb_shared_info { unsigned int nr_frags, gso_size, gso_type; struct sk_buff *frag_list; skb_frag_t frags[17]; };
struct sk_buff {
	struct sk_buff *next, *prev;
	unsigned char *data;
	unsigned int len, ip_summed, sw_hash, l4_hash;
	__be16 protocol;
	char cb[48] __attribute__((aligned(8)));
	struct skb_shared_info shared;
};
struct sk_buff_head { struct sk_buff *next, *prev; unsigned int qlen; spinlock_t lock; };
enum { CHECKSUM_NONE, CHECKSUM_UNNECESSARY, CHECKSUM_COMPLETE, CHECKSUM_PARTIAL };
#define SKB_GSO_TCPV4 1
#define skb_shinfo(skb) (&(skb)->shared)
#define skb_is_gso(skb) ((skb)->shared.gso_size)
#define skb_headlen(skb) ((skb)->len)
#define skb_frag_address(frag) ((frag)->page)
#define skb_frag_size(frag) ((frag)->size)
#define skb_get_hash_raw(skb) ((skb)->sw_hash)
void __skb_queue_head_init(struct sk_buff_head *list);
void __skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb);
struct sk_buff *__skb_dequeue(struct sk_buff_head *list);
struct sk_buff *skb_peek(const struct sk_buff_head *list);
#define skb_queue_empty(list) (READ_ONCE((list)->next) == (const struct sk_buff *)(list))
void kfree_skb(struct sk_buff *skb);
#define napi_consume_skb(skb, budget) kfree_skb(skb)
static inline void __skb_queue_purge(struct sk_buff_head *list)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list)))
		kfree_skb(skb);
}

/* Devices */
struct device { struct device *parent; };
struct net_device { struct device dev; struct { unsigned long rx_dropped; } stats; };
struct netdev_queue { int unused; };
struct napi_struct { int unused; };
struct ethtool_drvinfo { char driver[32], version[32]; };
#define netdev_get_tx_queue(dev, id) ((struct netdev_queue *)NULL)
#define netif_tx_stop_queue(queue) ((void)(queue))
#define netif_tx_wake_queue(queue) ((void)(queue))
#define netdev_info(dev, text) ((void)(dev))
#define netif_carrier_on(dev) ((void)(dev))
#define netif_carrier_off(dev) ((void)(dev))
#define strscpy(to, from, size) ((void)snprintf(to, size, "%s", from))
void napi_schedule(struct napi_struct *napi);

/* What common.h has beside the way to the guest */
struct ubuf_info_msgzc { int unused; };
struct gnttab_map_grant_ref { int unused; };
struct gnttab_unmap_grant_ref { int unused; };
struct timer_list { int unused; };
struct task_struct;
struct seq_file;
struct dentry;
enum xenbus_state { XenbusStateUnknown };
struct xenbus_device { struct device dev; };
struct xenbus_watch { int unused; };
#define to_xenbus_device(d) container_of(d, struct xenbus_device, dev)

/* Grants and events */
enum { GNTST_okay = 0, GNTST_general_error = -1, GNTST_bad_gntref = -3, GNTST_eagain = -12 };
enum { GNTCOPY_source_gref = 1, GNTCOPY_dest_gref = 2, GNTTABOP_copy = 5 };
#define DOMID_SELF 0x7ff0
struct gnttab_end { union { grant_ref_t ref; uintptr_t gmfn; } u; domid_t domid; u16 offset; };
struct gnttab_copy { struct gnttab_end source, dest; u16 len, flags; s16 status; };
int HYPERVISOR_grant_table_op(int cmd, struct gnttab_copy *op, unsigned int count);
void gnttab_batch_copy(struct gnttab_copy *op, unsigned int count);
void notify_remote_via_irq(int irq);
void xen_irq_lateeoi(unsigned int irq, unsigned int flags);

#endif /* _NETBACK_MODEL_H */
