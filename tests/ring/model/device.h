/* SPDX-License-Identifier: GPL-2.0-only */
/* Network devices, NAPI, ethtool and XDP, as far as a driver sees them. */
#ifndef _RING_DEVICE_H
#define _RING_DEVICE_H

#include "packet.h"

#define IFNAMSIZ 16
#define ETH_GSTRING_LEN 32
#define ETH_SS_STATS 1
#define QUEUES 2

typedef u64 netdev_features_t;

#define NETIF_F_SG 1ull
#define NETIF_F_IP_CSUM 2ull
#define NETIF_F_IPV6_CSUM 4ull
#define NETIF_F_RXCSUM 8ull
#define NETIF_F_TSO 16ull
#define NETIF_F_TSO6 32ull
#define NETIF_F_GSO_ROBUST 64ull
#define NETIF_F_LRO 128ull
#define NETIF_F_GRO_HW 256ull
#define NETDEV_XDP_ACT_BASIC 1
#define NETDEV_XDP_ACT_REDIRECT 2
#define NETDEV_XDP_ACT_NDO_XMIT 4

typedef enum { NETDEV_TX_OK } netdev_tx_t;
enum { NETREG_UNINITIALIZED, NETREG_REGISTERED, NETREG_UNREGISTERED };

#define NL_SET_ERR_MSG_MOD(extack, text) ((void)(extack))

struct net_device;
struct bpf_prog;
struct netlink_ext_ack;
struct attribute { int none; };
struct attribute_group { struct attribute **attrs; };

struct device {
	void *data;
};

struct device_attribute {
	struct attribute attr;
};

#define DEVICE_ATTR(name, mode, shows, stores)					\
	struct device_attribute dev_attr_##name;				\
	const void *const attr_functions_##name[] = { shows, stores }
#define dev_get_drvdata(dev) ((dev)->data)
#define dev_set_drvdata(dev, value) ((void)((dev)->data = (value)))
#define dev_dbg(dev, ...) ((void)(dev), no_print(__VA_ARGS__))
#define dev_info(dev, ...) ((void)(dev), no_print(__VA_ARGS__))
#define dev_warn(dev, ...) ((void)(dev), no_print(__VA_ARGS__))
#define dev_err(dev, ...) ((void)(dev), no_print(__VA_ARGS__))
#define dev_alert(dev, ...) ((void)(dev), no_print(__VA_ARGS__), netconsole_write())
#define netdev_info(dev, ...) ((void)(dev), no_print(__VA_ARGS__))
#define netdev_warn(dev, ...) ((void)(dev), no_print(__VA_ARGS__))
#define netdev_err(dev, ...) ((void)(dev), no_print(__VA_ARGS__))

struct napi_struct {
	int (*poll)(struct napi_struct *napi, int budget);
	struct net_device *dev;
	bool enabled, scheduled, polling, disabling;
};

struct netdev_queue {
	bool stopped;
};

struct rtnl_link_stats64 {
	u64 rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_dropped;
};

struct netdev_bpf {
	int command;
	struct bpf_prog *prog;
	struct netlink_ext_ack *extack;
};

enum { XDP_SETUP_PROG };

struct ethtool_stats { int none; };
struct ethtool_drvinfo { char driver[32], version[32]; };

struct ethtool_ops {
	u32 (*get_link)(struct net_device *dev);
	int (*get_sset_count)(struct net_device *dev, int set);
	void (*get_ethtool_stats)(struct net_device *dev, struct ethtool_stats *stats, u64 *data);
	void (*get_strings)(struct net_device *dev, u32 set, u8 *data);
	void (*get_drvinfo)(struct net_device *dev, struct ethtool_drvinfo *info);
	int (*get_ts_info)(struct net_device *dev);
};

struct xdp_frame;

struct net_device_ops {
	void (*ndo_uninit)(struct net_device *dev);
	int (*ndo_open)(struct net_device *dev);
	int (*ndo_stop)(struct net_device *dev);
	netdev_tx_t (*ndo_start_xmit)(struct sk_buff *skb, struct net_device *dev);
	int (*ndo_change_mtu)(struct net_device *dev, int mtu);
	void (*ndo_get_stats64)(struct net_device *dev, struct rtnl_link_stats64 *total);
	int (*ndo_set_mac_address)(struct net_device *dev, void *address);
	int (*ndo_validate_addr)(struct net_device *dev);
	netdev_features_t (*ndo_fix_features)(struct net_device *dev, netdev_features_t features);
	int (*ndo_set_features)(struct net_device *dev, netdev_features_t features);
	u16 (*ndo_select_queue)(struct net_device *dev, struct sk_buff *skb, struct net_device *sb);
	int (*ndo_bpf)(struct net_device *dev, struct netdev_bpf *bpf);
	int (*ndo_xdp_xmit)(struct net_device *dev, int count, struct xdp_frame **frames, u32 flags);
	void (*ndo_poll_controller)(struct net_device *dev);
};

struct net_device {
	char name[IFNAMSIZ];
	const struct net_device_ops *netdev_ops;
	const struct ethtool_ops *ethtool_ops;
	netdev_features_t features, hw_features, xdp_features;
	struct device dev;
	struct { unsigned long rx_errors, tx_dropped; } stats;
	const struct attribute_group *sysfs_groups[4];
	struct netdev_queue tx[QUEUES];
	struct napi_struct *napis[QUEUES];
	unsigned int real_num_tx_queues, num_tx_queues, mtu, min_mtu, max_mtu;
	/* When the carrier went while packets could be on their way, by grace_time; 0: there can be none. */
	unsigned long carrier_went;
	int irq, reg_state;
	/* That the stack has attached. */
	struct bpf_prog *prog;
	bool running, present, carrier;
	void *private;
};

#define netdev_priv(netdev) ((netdev)->private)
#define SET_NETDEV_DEV(netdev, parent) ((void)(netdev))
#define netif_running(netdev) ((netdev)->running)
#define netif_carrier_ok(netdev) ((netdev)->carrier)
#define netif_carrier_on(netdev) ((void)((netdev)->carrier = true))
#define netdev_get_tx_queue(netdev, number) (&(netdev)->tx[number])
#define netif_tx_queue_stopped(queue) ((queue)->stopped)
#define netif_tx_stop_queue(queue) ((void)((queue)->stopped = true))
#define netif_tx_wake_queue(queue) ((void)((queue)->stopped = false))
#define netif_tx_lock_bh(netdev) ((void)(netdev))
#define netif_tx_unlock_bh(netdev) ((void)(netdev))
#define netif_skb_features(skb) ((skb)->dev->features)
#define netif_needs_gso(skb, has) (skb_is_gso(skb) && !((has) & NETIF_F_TSO))
#define netdev_notify_peers(netdev) ((void)(netdev))
#define eth_hw_addr_set(netdev, address) ((void)(netdev), (void)(address))
#define eth_mac_addr NULL
#define eth_validate_addr NULL
#define ethtool_op_get_link NULL
#define ethtool_op_get_ts_info NULL

struct net_device *alloc_etherdev_mq(int size, unsigned int queues);
void free_netdev(struct net_device *netdev);
int register_netdev(struct net_device *netdev);
void unregister_netdev(struct net_device *netdev);
void netdev_update_features(struct net_device *netdev);
void netif_tx_start_all_queues(struct net_device *netdev);
void netif_tx_stop_all_queues(struct net_device *netdev);
void netif_carrier_off(struct net_device *netdev);
void netif_device_attach(struct net_device *netdev);
void netif_device_detach(struct net_device *netdev);
int netif_set_real_num_tx_queues(struct net_device *netdev, unsigned int count);

void netif_napi_add(struct net_device *netdev, struct napi_struct *napi,
		    int (*poll)(struct napi_struct *napi, int budget));
void netif_napi_del(struct napi_struct *napi);
void napi_enable(struct napi_struct *napi);
void napi_disable(struct napi_struct *napi);
void napi_synchronize(struct napi_struct *napi);
void napi_schedule(struct napi_struct *napi);
bool napi_complete_done(struct napi_struct *napi, int work_done);
void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb);
/* Poll as often as may be needed, if it is scheduled. */
void run_napi(struct napi_struct *napi, int budget);

/* A message of the kernel goes out through the device at once. */
void netconsole_write(void);

/* The device that there is, or NULL; and whether others poll it whenever RTNL is taken. */
extern struct net_device *the_netdev;
void devices_reset(void);
extern bool others_are_polling;

/* XDP. The program says nothing twice alike. */
#define XDP_PACKET_HEADROOM 256
#define XDP_XMIT_FLAGS_MASK 1u
enum { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };
enum { MEM_TYPE_PAGE_POOL = 2 };

struct xdp_rxq_info {
	struct page_pool *pool;
	bool registered;
};

struct xdp_buff {
	u8 *data, *data_end;
};

struct xdp_frame {
	void *data;
	u16 len;
	/* Its page goes back to a pool. */
	bool pooled;
};

/* Whether programs send and redirect. */
extern bool xdp_sends;

#define xdp_rxq_info_is_reg(info) ((info)->registered)
/* References, but for that of its owner, who is none of the driver's concern. */
struct bpf_prog {
	int refs;
};

#define bpf_prog_add(prog, count) ((void)((prog)->refs += (int)(count)))
#define bpf_prog_inc(prog) bpf_prog_add(prog, 1)
void bpf_prog_put(struct bpf_prog *prog);
/* The stack attaches a program to a device, or detaches it; what the device says. */
int set_program(struct net_device *netdev, bool attach);
extern struct bpf_prog the_program;
#define bpf_warn_invalid_xdp_action(netdev, prog, act) finding("bug", "an XDP program's answer is lost")
#define trace_xdp_exception(netdev, prog, act) ((void)(netdev))

int xdp_rxq_info_reg(struct xdp_rxq_info *info, struct net_device *netdev, u32 queue, unsigned int napi);
int xdp_rxq_info_reg_mem_model(struct xdp_rxq_info *info, int type, struct page_pool *pool);
void xdp_rxq_info_unreg(struct xdp_rxq_info *info);
void xdp_init_buff(struct xdp_buff *xdp, u32 size, struct xdp_rxq_info *info);
void xdp_prepare_buff(struct xdp_buff *xdp, void *start, int headroom, unsigned int len, bool meta);
u32 bpf_prog_run_xdp(const struct bpf_prog *prog, struct xdp_buff *xdp);
struct xdp_frame *xdp_convert_buff_to_frame(struct xdp_buff *xdp);
int xdp_do_redirect(struct net_device *netdev, struct xdp_buff *xdp, struct bpf_prog *prog);
void xdp_do_flush(void);
void xdp_return_frame(struct xdp_frame *frame);
#define xdp_return_frame_rx_napi(frame) xdp_return_frame(frame)
/* One from elsewhere: its page has @len bytes from the headroom on. NULL without memory. */
struct xdp_frame *xdp_frame_from_elsewhere(unsigned int len);
void xdp_return_buff(struct xdp_buff *xdp);

#endif /* _RING_DEVICE_H */
