// SPDX-License-Identifier: GPL-2.0-only
/* Network devices, NAPI and XDP. */
#include "device.h"
#include "input.h"

/* More polls than any number of packets of one input can ask for. */
#define POLLS 1000
#define WEIGHT 64

struct net_device *alloc_etherdev_mq(int size, unsigned int queues)
{
	struct net_device *netdev = kzalloc(sizeof(*netdev), GFP_KERNEL);

	(void)queues;
	if (!netdev)
		return NULL;
	netdev->private = kzalloc((size_t)size, GFP_KERNEL | __GFP_NOFAIL);
	netdev->real_num_tx_queues = 1;
	netdev->mtu = ETH_DATA_LEN;
	netdev->present = true;
	netdev->carrier = true;
	return netdev;
}

void free_netdev(struct net_device *netdev)
{
	for (unsigned int i = 0; i < QUEUES; i++)
		if (netdev->napis[i])
			finding("napi", "a device goes before its NAPI instance");
	kfree(netdev->private);
	kfree(netdev);
}

int register_netdev(struct net_device *netdev)
{
	rtnl_lock();
	netdev->reg_state = NETREG_REGISTERED;
	netdev_update_features(netdev);
	rtnl_unlock();
	return 0;
}

void unregister_netdev(struct net_device *netdev)
{
	rtnl_lock();
	if (netdev->running) {
		netdev->running = false;
		netdev->netdev_ops->ndo_stop(netdev);
	}
	netdev->reg_state = NETREG_UNREGISTERED;
	netdev->netdev_ops->ndo_uninit(netdev);
	rtnl_unlock();
}

void netdev_update_features(struct net_device *netdev)
{
	netdev_features_t all = netdev->features | netdev->hw_features;

	netdev->features = netdev->netdev_ops->ndo_fix_features(netdev, all);
	netdev->netdev_ops->ndo_set_features(netdev, netdev->features);
}

static void set_stopped(struct net_device *netdev, bool stopped)
{
	for (unsigned int i = 0; i < QUEUES; i++)
		netdev->tx[i].stopped = stopped;
}

void netif_tx_start_all_queues(struct net_device *netdev)
{
	set_stopped(netdev, false);
}

void netif_tx_stop_all_queues(struct net_device *netdev)
{
	set_stopped(netdev, true);
}

void netif_device_attach(struct net_device *netdev)
{
	if (!netdev->present && netdev->running)
		set_stopped(netdev, false);
	netdev->present = true;
}

void netif_device_detach(struct net_device *netdev)
{
	if (netdev->present && netdev->running)
		set_stopped(netdev, true);
	netdev->present = false;
}

int netif_set_real_num_tx_queues(struct net_device *netdev, unsigned int count)
{
	netdev->real_num_tx_queues = count;
	return 0;
}

void netif_napi_add(struct net_device *netdev, struct napi_struct *napi,
		    int (*poll)(struct napi_struct *napi, int budget))
{
	*napi = (struct napi_struct){ .poll = poll, .dev = netdev };
	for (unsigned int i = 0; i < QUEUES; i++) {
		if (!netdev->napis[i]) {
			netdev->napis[i] = napi;
			return;
		}
	}
	finding("napi", "a device has more NAPI instances than queues");
}

void netif_napi_del(struct napi_struct *napi)
{
	if (napi->enabled)
		finding("napi", "a NAPI instance goes that is enabled");
	for (unsigned int i = 0; i < QUEUES; i++)
		if (napi->dev->napis[i] == napi)
			napi->dev->napis[i] = NULL;
}

void napi_enable(struct napi_struct *napi)
{
	if (napi->enabled)
		finding("bug", "napi_enable() of one that is enabled");
	napi->enabled = true;
}

void napi_schedule(struct napi_struct *napi)
{
	if (napi->enabled)
		napi->scheduled = true;
}

bool napi_complete_done(struct napi_struct *napi, int work_done)
{
	(void)work_done;
	if (!napi->polling)
		finding("napi", "a poll is completed that is none");
	napi->polling = false;
	return true;
}

void run_napi(struct napi_struct *napi, int budget)
{
	for (int polls = 0; napi->scheduled; polls++) {
		int work;

		if (polls > POLLS)
			finding("endless", "polls do not end");
		napi->scheduled = false;
		napi->polling = true;
		work = napi->poll(napi, budget);
		if (work > budget || work < 0)
			finding("napi", "a poll has done more than its budget");
		if (work == budget)
			napi->scheduled = true;
		else if (napi->polling)
			finding("poll", "a poll ends that was not completed, and the device cannot go down");
		napi->polling = false;
	}
}

void napi_synchronize(struct napi_struct *napi)
{
	run_napi(napi, WEIGHT);
}

void napi_disable(struct napi_struct *napi)
{
	if (!napi->enabled)
		finding("endless", "napi_disable() of one that is disabled waits for ever");
	run_napi(napi, WEIGHT);
	napi->enabled = false;
}

void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	(void)napi;
	read_packet(skb);
	kfree_skb(skb);
}

int xdp_rxq_info_reg(struct xdp_rxq_info *info, struct net_device *netdev, u32 queue, unsigned int napi)
{
	(void)netdev;
	(void)queue;
	(void)napi;
	*info = (struct xdp_rxq_info){ .registered = true };
	return 0;
}

int xdp_rxq_info_reg_mem_model(struct xdp_rxq_info *info, int type, struct page_pool *pool)
{
	(void)type;
	info->pool = pool;
	pool->users++;
	return 0;
}

void xdp_rxq_info_unreg(struct xdp_rxq_info *info)
{
	if (!info->registered)
		finding("warning", "what was not registered with XDP is unregistered");
	page_pool_destroy(info->pool);
	*info = (struct xdp_rxq_info){};
}

void xdp_init_buff(struct xdp_buff *xdp, u32 size, struct xdp_rxq_info *info)
{
	(void)size;
	(void)info;
	*xdp = (struct xdp_buff){};
}

void xdp_prepare_buff(struct xdp_buff *xdp, void *start, int headroom, unsigned int len, bool meta)
{
	(void)meta;
	xdp->data = (u8 *)start + headroom;
	xdp->data_end = xdp->data + len;
}

u32 bpf_prog_run_xdp(const struct bpf_prog *prog, struct xdp_buff *xdp)
{
	static const u32 answers[] = { XDP_PASS, XDP_DROP, XDP_ABORTED };

	(void)prog;
	/* It may read, and write to, all that it is given. */
	if (offset_in_page(xdp->data) + (size_t)(xdp->data_end - xdp->data) > PAGE_SIZE)
		finding("xdp", "an XDP program is given more than its page");
	check_read(virt_to_page(xdp->data), 0, 0);
	return answers[choice(3)];
}

/* No program of the model sends: see bpf_prog_run_xdp(). */
struct xdp_frame *xdp_convert_buff_to_frame(struct xdp_buff *xdp)
{
	(void)xdp;
	return NULL;
}

int xdp_do_redirect(struct net_device *netdev, struct xdp_buff *xdp, struct bpf_prog *prog)
{
	(void)netdev;
	(void)xdp;
	(void)prog;
	return -EINVAL;
}

void xdp_return_frame_rx_napi(struct xdp_frame *frame)
{
	put_page(virt_to_page(frame->data));
}

void xdp_return_buff(struct xdp_buff *xdp)
{
	put_page(virt_to_page(xdp->data));
}
