/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Large Receive Offload engine: the interface between lro_core and drivers.
 *
 * A driver owns one context per NAPI instance and uses it only from that
 * NAPI instance's poll function, so the receive path takes no locks.
 */
#ifndef _XENLRO_LRO_H
#define _XENLRO_LRO_H

#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/version.h>

/* For a driver's source: allows it the symbols of the engine. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define MODULE_IMPORT_XENLRO()	MODULE_IMPORT_NS("XENLRO")
#else
#define MODULE_IMPORT_XENLRO()	MODULE_IMPORT_NS(XENLRO)
#endif

struct lro;
struct page_pool;

/**
 * enum lro_mode - what the engine promises about the packets it merges
 * @LRO_OFF: the engine is not in the path
 * @LRO_STRICT: segmenting an aggregate gives back the received packets bit for
 *	bit; safe for bridging and forwarding
 * @LRO_RELAXED: newer acknowledgments, windows and timestamps replace older
 *	ones; only for traffic that ends on this machine
 */
enum lro_mode {
	LRO_OFF = 0,
	LRO_STRICT = 1,
	LRO_RELAXED = 2,
};

/**
 * lro_create() - create the aggregation context of one NAPI instance
 * @dev: device the packets arrive on
 * @napi: NAPI instance that will call the receive functions; the engine schedules
 *	it, too, see lro_complete_done()
 *
 * Context: process; @napi is known to netif_napi_add(), but not yet enabled.
 * Return: the context, which lro_destroy() frees, or NULL without memory.
 */
struct lro *lro_create(struct net_device *dev, struct napi_struct *napi);

/**
 * lro_stop() - deliver all that a context holds, because polling stops
 * @lro: context, or NULL
 *
 * To be called after each napi_disable(), as when the device goes down: held packets
 * would otherwise wait for the poll that the engine asks for once NAPI is enabled, or be lost
 * with lro_destroy(). Also frees the pages kept for reuse. Until the next lro_begin() the
 * engine does not schedule the NAPI instance by itself; then the context works on.
 *
 * Context: process; the NAPI instance is disabled, the device is registered.
 */
void lro_stop(struct lro *lro);

/**
 * lro_destroy() - free a context
 * @lro: context, or NULL
 *
 * Packets it still holds are dropped, and counted as rx_dropped of the device; a
 * driver that has called lro_stop() loses none.
 *
 * Context: process; the NAPI instance is disabled, but not deleted yet. The device may
 * be unregistered, but not freed.
 */
void lro_destroy(struct lro *lro);

/**
 * lro_begin() - start one poll
 * @lro: context, or NULL
 * @mode: promise wanted from now on
 * @budget: of the poll
 *
 * %LRO_RELAXED is in force only while the device has NETIF_F_LRO, which the kernel
 * takes away when the device joins a bridge or forwards, and while neither hooks at its
 * ingress nor IPVS may send packets on; else %LRO_STRICT is. A device that is the conduit
 * of a DSA switch is left to GRO.
 * Delivers what the context holds when @mode differs from the poll before, so
 * that the mode may change at any time while packets flow.
 *
 * netpoll polls with a budget of 0 and interrupts off. Then the engine does nothing: the
 * driver receives nothing, and what the context holds stays.
 *
 * Context: NAPI poll.
 * Return: whether the engine wants the packets of this poll; if not, the driver
 * uses its own path.
 */
bool lro_begin(struct lro *lro, enum lro_mode mode, int budget);

/**
 * lro_set_ring() - tell how many frames the receive ring takes
 * @lro: context, or NULL
 * @frames: buffers that the ring has; 0: not known
 *
 * While the engine holds something the device sends no interrupt. With the size of the ring
 * known, a poll comes before half of it is full at the rate at which packets came of late,
 * however long hold_us is.
 *
 * Context: any; takes effect with the next poll.
 */
void lro_set_ring(struct lro *lro, unsigned int frames);

/**
 * lro_receive_skb() - hand one packet to the engine
 * @lro: context
 * @skb: packet as a driver gives it to napi_gro_receive(): eth_type_trans()
 *	done, ip_summed and VLAN tag set; it may have page fragments, a frag_list, and
 *	one VLAN tag left in the data
 *
 * The packet is merged, held, or passed on to GRO; it is never reordered within
 * its flow. The skb is always consumed. As the stack would, the engine moves a tag
 * from the data to the fields beside the packet; if there is no memory for that, the
 * packet is dropped and counted.
 *
 * Context: NAPI poll, after lro_begin() returned true.
 */
void lro_receive_skb(struct lro *lro, struct sk_buff *skb);

/**
 * lro_receive_frags() - hand in the packet that was built in napi_get_frags()
 * @lro: context
 *
 * Takes the place of napi_gro_frags(): the skb has the whole frame in page fragments, from
 * the first byte of the Ethernet header, ip_summed and the VLAN tag set, and the headers in
 * lowmem. Then as lro_receive_skb(). A packet that ends within the Ethernet header is
 * dropped and counted, and so is one whose header there is no memory for.
 *
 * Context: NAPI poll, after lro_begin() returned true.
 */
void lro_receive_frags(struct lro *lro);

/**
 * lro_vlan() - describe a VLAN tag that the device took out of the frame
 * @protocol: ETH_P_8021Q or ETH_P_8021AD
 * @tci: tag control information
 * Return: the tag as &lro_frame.vlan has it.
 */
static inline u32 lro_vlan(u16 protocol, u16 tci)
{
	return (u32)protocol << 16 | tci;
}

/**
 * struct lro_frame - a received frame that is no skb, as the device tells of it
 * @data: first byte of the Ethernet header, of a frame in one piece; synchronised for the
 *	CPU; for lro_receive_copy()
 * @frags: or fragments of pages in lowmem, from the first byte of the Ethernet header; the
 *	headers lie in the first one, alone or with payload; for lro_receive_page()
 * @truesize: memory that each of @frags keeps from other use, bytes
 * @pool: page_pool that the pages of all @frags come from, or NULL for ordinary pages
 * @hwtstamp: when it came, by the device's clock; 0: not told
 * @len: length of the frame without FCS, bytes; of @data only
 * @vlan: tag the device took out, see lro_vlan(), or 0; then the frame may have one tag in
 *	its data
 * @hash: hash of the flow by the device, if @hash_type tells of what
 * @csum: with CHECKSUM_COMPLETE: sum over all that follows the Ethernet header
 * @rx_queue: receive queue, counted from one; 0: not told
 * @count: number of @frags, 1 to MAX_SKB_FRAGS
 * @ip_summed: CHECKSUM_UNNECESSARY if the TCP checksum was found correct, CHECKSUM_COMPLETE
 *	if @csum is what the device has summed, CHECKSUM_PARTIAL if a local sender has left
 *	the checksum to be computed (@frags only), else CHECKSUM_NONE; the engine then
 *	computes it
 * @hash_type: an enum pkt_hash_types
 * @fwd_mark: the device has forwarded it already, see &sk_buff.offload_fwd_mark
 *
 * A field that is zero tells nothing. The others may keep their values from frame to frame.
 *
 * An aggregate has hash, receive queue and time stamp of its first packet, as GRO has it: a
 * flow's packets have the same hash unless the device's key has just changed, and a socket
 * that asks for time stamps is told when the first of the bytes came. Frames of which only
 * some have @fwd_mark stay apart, as a bridge would forward too few of them or too many;
 * lro_receive_copy() takes none that has.
 */
struct lro_frame {
	const void *data;
	const skb_frag_t *frags;
	const u32 *truesize;
	struct page_pool *pool;
	ktime_t hwtstamp;
	u32 len;
	u32 vlan;
	u32 hash;
	__wsum csum;
	u16 rx_queue;
	u8 count;
	u8 ip_summed;
	u8 hash_type;
	bool fwd_mark;
};

/**
 * lro_receive_copy() - offer one frame in the driver's own buffer to the engine
 * @lro: context
 * @frame: frame, its @data the driver's again as soon as the function returns
 *
 * The payload is copied once, to its place in the aggregate; if the checksum is not known,
 * it is computed while copying.
 *
 * Return: true if the frame was copied and the driver is done with it. False if
 * the engine left the frame alone, because it is not a segment of a bulk
 * transfer, its checksum is wrong, or memory is short: the driver then builds
 * an skb from it and hands that to lro_receive_skb(), before any later frame.
 *
 * Context: NAPI poll, after lro_begin() returned true.
 */
bool lro_receive_copy(struct lro *lro, const struct lro_frame *frame);

/**
 * lro_receive_page() - offer one frame in page fragments to the engine
 * @lro: context
 * @frame: frame; no GSO packet
 *
 * Return: true if the pages belong to the engine now: they become fragments of an
 * aggregate, and one that held headers only is freed. The array of fragments stays the
 * driver's and is not written. False if the engine left the frame alone: the
 * driver then builds an skb from it and hands that to lro_receive_skb(), before
 * any later frame.
 *
 * Context: NAPI poll, after lro_begin() returned true.
 */
bool lro_receive_page(struct lro *lro, const struct lro_frame *frame);

/**
 * lro_end() - end a poll that has used up its budget
 * @lro: context, or NULL
 *
 * Delivers all but the aggregates of bulk flows, which stay for the poll that follows at
 * once, and for eight times the module parameter hold_us at most. Without this call the
 * next lro_begin() does it, and packets wait until then.
 *
 * Context: NAPI poll, as its last action.
 */
void lro_end(struct lro *lro);

/**
 * lro_complete_done() - deliver what must not wait, then end the poll
 * @lro: context, or NULL
 * @napi: NAPI instance being polled
 * @work_done: packets processed, less than the budget
 *
 * Takes the place of napi_complete_done() in a poll function. Open
 * aggregates of bulk flows may be held. The engine then schedules @napi when hold_us
 * has elapsed, and the poll function runs without an interrupt.
 *
 * Context: NAPI poll.
 * Return: whether the driver is to enable the interrupt, as of napi_complete_done():
 * false also while the engine holds something, as the engine then schedules
 * @napi. A driver that has disabled @napi enables the interrupt together with @napi;
 * that does not depend on the value that was returned last.
 */
bool lro_complete_done(struct lro *lro, struct napi_struct *napi, int work_done);

/**
 * lro_stats_count() - number of counters of one context
 * Return: how many strings and values the next two functions write.
 */
unsigned int lro_stats_count(void);

/**
 * lro_stats_strings() - names of the counters for ethtool
 * @data: next free place in the table of ETH_GSTRING_LEN entries; moved on
 * @queue: receive queue the names are for, used as a prefix "rxN_lro_"
 */
void lro_stats_strings(u8 **data, unsigned int queue);

/**
 * lro_stats_values() - values of the counters, in the order of their names
 * @lro: context, or NULL for zeroes
 * @data: next free place in the table; moved on
 *
 * Context: any; values may be of different packets while traffic flows.
 */
void lro_stats_values(const struct lro *lro, u64 **data);

/*
 * For module_param_cb(lro, ...) of a driver: an unsigned int that holds an enum
 * lro_mode. Refuses any other value, and then changes nothing.
 */
extern const struct kernel_param_ops lro_mode_param_ops;

/* Features of a device by which ethtool -K switches strict and relaxed mode. */
#define LRO_FEATURES	(NETIF_F_GRO_HW | NETIF_F_LRO)

/**
 * struct lro_mode_param - a parameter lro= that agrees with the features of devices
 * @mode: an enum lro_mode: the mode of devices that come
 * @ops: operations that are those of all devices of the driver and of no others
 */
struct lro_mode_param {
	unsigned int mode;
	const struct net_device_ops *ops;
};

/*
 * The same with a struct lro_mode_param, for drivers whose devices offer the modes
 * as features, see lro_init_features(). The written mode is from then on that of all
 * devices of the driver, those that ethtool had changed included; the kernel log names
 * these, and those that cannot have it now.
 */
extern const struct kernel_param_ops lro_devices_param_ops;

/**
 * lro_init_features() - let a new device offer the modes as features
 * @dev: device, not yet registered; without NETIF_F_RXCSUM the kernel keeps strict
 *	mode off
 * @param: parameter of its driver
 */
void lro_init_features(struct net_device *dev, const struct lro_mode_param *param);

/**
 * lro_fix_features() - sort out the features of the modes
 * @dev: device
 * @features: features that are wanted
 *
 * For ndo_fix_features. Relaxed mode counts while it is wanted, except on a device
 * that is a port of another or forwards; then strict mode does if it is wanted too.
 * Strict mode goes with GRO: a user who switches that off wants to see single packets. A
 * device with a generic XDP program, or with a DSA switch behind it, has no mode.
 *
 * Context: RTNL held.
 * Return: features that are possible.
 */
netdev_features_t lro_fix_features(struct net_device *dev, netdev_features_t features);

/**
 * lro_device_mode() - the mode that a device's features stand for
 * @dev: device
 * Return: what lro_begin() wants.
 */
static inline enum lro_mode lro_device_mode(const struct net_device *dev)
{
	netdev_features_t features = READ_ONCE(dev->features);

	if (features & NETIF_F_LRO)
		return LRO_RELAXED;
	return features & NETIF_F_GRO_HW ? LRO_STRICT : LRO_OFF;
}

#endif /* _XENLRO_LRO_H */
