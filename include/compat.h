/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between the kernels the modules are built for. Guarded by the
 * presence of a name where the preprocessor can see it, else by version.
 */
#ifndef _XENLRO_COMPAT_H
#define _XENLRO_COMPAT_H

#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/version.h>
#include <net/addrconf.h>

/* A namespace is a bare token up to 6.12 and a string from 6.13 on. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define EXPORT_SYMBOL_XENLRO(symbol)	EXPORT_SYMBOL_NS_GPL(symbol, "XENLRO")
#else
#define EXPORT_SYMBOL_XENLRO(symbol)	EXPORT_SYMBOL_NS_GPL(symbol, XENLRO)
#endif

/* Came with 6.14, and to some older series within their stable releases. */
#ifndef __uninitialized
#define __uninitialized
#endif

/* What GRO keeps per NAPI instance moved into a structure of its own in 6.15. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define xenlro_gro(napi)	(&(napi)->gro)
#else
#define xenlro_gro(napi)	(napi)
#endif

/* Came with 6.13; the two steps it replaces went with 6.15. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* Came with 6.2, and to 6.1 within its stable releases. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete_sync(timer)	del_timer_sync(timer)
#endif

/* Came with 6.5. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
static inline void skb_frag_fill_page_desc(skb_frag_t *frag, struct page *page, int off, int size)
{
	__skb_frag_set_page(frag, page);
	skb_frag_off_set(frag, off);
	skb_frag_size_set(frag, size);
}
#endif

/* The page_pool has a folder of its own since 6.6. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#include <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

/* IPv4 has a limit of its own since 6.3. */
static inline unsigned int xenlro_gro_ipv4_max_size(const struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return READ_ONCE(dev->gro_ipv4_max_size);
#else
	return READ_ONCE(dev->gro_max_size);
#endif
}

/* For how long GRO keeps packets beyond a poll, ns. Each instance has its own time since 6.13. */
static inline unsigned long xenlro_gro_flush_timeout(const struct napi_struct *napi)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	return READ_ONCE(napi->gro_flush_timeout);
#else
	return READ_ONCE(napi->dev->gro_flush_timeout);
#endif
}

/* Does tc or netfilter look at packets before the protocols do? tc changed its place in 6.6. */
static inline bool xenlro_has_ingress_hooks(const struct net_device *dev)
{
	bool any = false;

#ifdef CONFIG_NET_XGRESS
	any |= !!rcu_access_pointer(dev->tcx_ingress);
#elif defined(CONFIG_NET_CLS_ACT) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	any |= !!rcu_access_pointer(dev->miniq_ingress);
#endif
#ifdef CONFIG_NETFILTER_INGRESS
	any |= !!rcu_access_pointer(dev->nf_hooks_ingress);
#endif
	return any;
}

static inline bool xenlro_has_ipvs(const struct net_device *dev)
{
#if IS_ENABLED(CONFIG_IP_VS)
	return READ_ONCE(dev_net(dev)->ipvs);
#else
	return false;
#endif
}

/*
 * Whether IPv6 packets go on from a device. The setting for all devices decides, not its own, which
 * says how it behaves as a host; since 6.17 it may be forced for one device.
 */
static inline bool xenlro_forwards_ipv6(const struct net_device *dev)
{
	bool on = false;

#if IS_ENABLED(CONFIG_IPV6)
	const struct ipv6_devconf *all = READ_ONCE(dev_net(dev)->ipv6.devconf_all);

	on = all && READ_ONCE(all->forwarding);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	if (!on) {
		const struct inet6_dev *idev;

		rcu_read_lock();
		idev = __in6_dev_get(dev);
		on = idev && READ_ONCE(idev->cnf.force_forwarding);
		rcu_read_unlock();
	}
#endif
#endif
	return on;
}

/* Segmentation has a header of its own since 6.5. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <net/gso.h>
#endif

/* Memory that the CPU cannot read came with 6.12. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static inline bool skb_frags_readable(const struct sk_buff *skb)
{
	return true;
}
#endif

/*
 * Segmentation leaves CWR in all segments, and GRO merges only packets that all have it or
 * none, since 6.15: AccECN has made it part of a counter.
 */
#ifdef NETIF_F_GSO_ACCECN
#define XENLRO_KEEPS_CWR	true
#define XENLRO_GSO_CWR		SKB_GSO_TCP_ACCECN
#else
#define XENLRO_KEEPS_CWR	false
#define XENLRO_GSO_CWR		SKB_GSO_TCP_ECN
#endif

/* Segmentation repeats an identification, and GRO merges such packets, without DF since 6.18. */
#define XENLRO_KEEPS_ID		(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0))

/* Whether the NIC has decrypted it. The field comes with TLS offload, or from 6.11 on by itself. */
static inline bool xenlro_decrypted(const struct sk_buff *skb)
{
#if defined(CONFIG_TLS_DEVICE) || defined(CONFIG_SKB_DECRYPTED)
	return skb->decrypted;
#else
	return false;
#endif
}

/* Whether a switch has forwarded it already. The field comes with such devices. */
static inline bool xenlro_fwd_mark(const struct sk_buff *skb)
{
#ifdef CONFIG_NET_SWITCHDEV
	return skb->offload_fwd_mark;
#else
	return false;
#endif
}

static inline void xenlro_set_fwd_mark(struct sk_buff *skb)
{
#ifdef CONFIG_NET_SWITCHDEV
	skb->offload_fwd_mark = 1;
#endif
}

/*
 * Since 6.15 features of some devices change under a lock of the device's own, besides the RTNL.
 * Without such a lock the functions do nothing.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#include <net/netdev_lock.h>
#else
static inline void netdev_lock_ops(struct net_device *dev)
{
}

static inline void netdev_unlock_ops(struct net_device *dev)
{
}
#endif

/* xen-netfront's counters became u64_stats_t after 6.12. */
#define xenlro_stats_add(counter, n)				\
do {								\
	if (__same_type(*(counter), u64))			\
		*(u64 *)(counter) += (n);			\
	else							\
		u64_stats_add((u64_stats_t *)(counter), (n));	\
} while (0)

#endif /* _XENLRO_COMPAT_H */
