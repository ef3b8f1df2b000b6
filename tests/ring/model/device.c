// SPDX-License-Identifier: GPL-2.0-only
/* Network devices, NAPI and XDP. */
#include "input.h"
#include "xen.h"

/* More polls than any number of packets of one input can ask for. */
#define POLLS 1000
#define WEIGHT 64
/* The budget of a busy poll. */
#define TURN 8
#define REDIRECTED 64
/* What build_skb() needs behind a packet, about. */
#define TAIL 320

struct net_device *the_netdev;
bool others_are_polling, xdp_sends, netconsole_sends;
struct bpf_prog the_program;

static struct xdp_frame *redirected[REDIRECTED];
static unsigned int redirects;

struct net_device *alloc_etherdev_mq(int size, unsigned int queues)
{
	struct net_device *netdev = kzalloc(sizeof(*netdev), GFP_KERNEL);

	if (!netdev)
		return NULL;
	the_netdev = netdev;
	netdev->num_tx_queues = queues;
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
	the_netdev = NULL;
	if (the_program.refs)
		finding("program", "an XDP program is never freed");
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
	if (netdev->prog && set_program(netdev, false))
		finding("uninstall", "the device goes, and keeps its XDP program");
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

/* Who has seen the carrier may put a packet into the ring at any time from now on. */
void netif_carrier_off(struct net_device *netdev)
{
	if (netdev->carrier)
		netdev->carrier_went = netdev->running && netdev->present ? ++grace_time : 0;
	netdev->carrier = false;
}

int netif_set_real_num_tx_queues(struct net_device *netdev, unsigned int count)
{
	if (!count || count > netdev->num_tx_queues)
		return -EINVAL;
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

void napis_check(const void *freed, size_t size)
{
	for (unsigned int i = 0; the_netdev && i < QUEUES; i++)
		if (the_netdev->napis[i] && (size_t)the_netdev->napis[i] - (size_t)freed < size)
			finding("napi", "memory is freed with a NAPI instance in it that the kernel has in its list");
}

void napi_enable(struct napi_struct *napi)
{
	if (napi->enabled)
		finding("bug", "napi_enable() of one that is enabled");
	napi->enabled = true;
}

void napi_schedule(struct napi_struct *napi)
{
	if (napi->enabled && !napi->disabling)
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

static void poll_once(struct napi_struct *napi, int budget)
{
	int work;

	napi->scheduled = false;
	napi->polling = true;
	call_begins();
	work = napi->poll(napi, budget);
	if (redirects)
		finding("flush", "a poll ends with frames that are on a list of it");
	if (work > budget || work < 0)
		finding("napi", "a poll has done more than its budget");
	if (work == budget)
		napi_schedule(napi);
	else if (napi->polling)
		finding("poll", "a poll ends that was not completed, and the device cannot go down");
	napi->polling = false;
}

void run_napi(struct napi_struct *napi, int budget)
{
	/* With a back end that goes on and on the kernel goes on polling, between other things. */
	for (int polls = 0; napi->scheduled && (polls < POLLS || !other_side_storms); polls++) {
		if (polls > POLLS)
			finding("endless", "polls do not end");
		poll_once(napi, budget);
	}
}

void napi_synchronize(struct napi_struct *napi)
{
	run_napi(napi, WEIGHT);
	if (napi->scheduled)
		finding("endless", "napi_synchronize() waits for polls that do not end");
}

void devices_reset(void)
{
	the_netdev = NULL;
	redirects = 0;
	netconsole_sends = false;
	the_program.refs = 0;
}

/* Nothing is in front of the message: netpoll sees what was sent, and sends. The device is polled for both. */
void netconsole_write(void)
{
	if (!the_netdev || netconsole_sends || the_netdev->reg_state != NETREG_REGISTERED || !the_netdev->running)
		return;
	netconsole_sends = true;
	the_netdev->netdev_ops->ndo_poll_controller(the_netdev);
	netconsole_sends = false;
}

void bpf_prog_put(struct bpf_prog *prog)
{
	if (!prog->refs--)
		finding("freed", "an XDP program is let go of once too often");
}

int set_program(struct net_device *netdev, bool attach)
{
	struct netdev_bpf bpf = { .command = XDP_SETUP_PROG, .prog = attach ? &the_program : NULL };
	int err;

	/* With it goes a reference. */
	if (attach)
		bpf_prog_inc(&the_program);
	err = netdev->netdev_ops->ndo_bpf(netdev, &bpf);
	if (!err)
		netdev->prog = bpf.prog;
	else if (attach)
		bpf_prog_put(&the_program);
	return err;
}

/* Busy polling and netpoll come at any time, but for that of another poll. */
void others_poll(void)
{
	for (unsigned int i = 0; the_netdev && others_are_polling && i < QUEUES; i++) {
		struct napi_struct *napi = the_netdev->napis[i];

		if (!napi || !napi->enabled || napi->polling)
			continue;
		poll_once(napi, TURN);
		napi->polling = true;
		call_begins();
		if (napi->poll(napi, 0))
			finding("napi", "netpoll has received something");
		if (!napi->polling)
			finding("napi", "netpoll's poll is completed");
		napi->polling = false;
	}
}

/*
 * A poll that is at work on another CPU has come as far as to fill the ring, having seen the carrier, and finds no
 * memory.
 */
void timer_delete_sync(struct timer_list *timer)
{
	int left = memory_left;

	stop_timer(timer);
	for (unsigned int i = 0; the_netdev && !the_netdev->carrier && i < QUEUES; i++) {
		struct napi_struct *napi = the_netdev->napis[i];

		if (!napi || !napi->enabled || !napi->scheduled)
			continue;
		the_netdev->carrier = true;
		memory_left = 0;
		/* Others do see that it is gone. */
		netconsole_sends = true;
		poll_once(napi, WEIGHT);
		netconsole_sends = false;
		memory_left = left;
		the_netdev->carrier = false;
	}
}

void napi_disable(struct napi_struct *napi)
{
	if (!napi->enabled)
		finding("endless", "napi_disable() of one that is disabled waits for ever");
	napi->disabling = true;
	run_napi(napi, WEIGHT);
	napi->disabling = false;
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
	static const u32 answers[] = { XDP_PASS, XDP_DROP, XDP_ABORTED, XDP_TX, XDP_REDIRECT };

	(void)prog;
	/* It may read, and write to, all that it is given. */
	if (offset_in_page(xdp->data) + (size_t)(xdp->data_end - xdp->data) > PAGE_SIZE)
		finding("xdp", "an XDP program is given more than its page");
	check_read(virt_to_page(xdp->data), 0, 0);
	return answers[choice(xdp_sends ? 5 : 3)];
}

/* It lies in the headroom. */
static struct xdp_frame *frame_of(struct page *page, unsigned int len, bool pooled)
{
	struct xdp_frame *frame = page_address(page);

	*frame = (struct xdp_frame){ (u8 *)frame + XDP_PACKET_HEADROOM, (u16)len, pooled };
	return frame;
}

struct xdp_frame *xdp_convert_buff_to_frame(struct xdp_buff *xdp)
{
	unsigned int len = (unsigned int)(xdp->data_end - xdp->data);

	if (XDP_PACKET_HEADROOM + len > PAGE_SIZE - XDP_PACKET_HEADROOM - TAIL)
		return NULL;
	return frame_of(virt_to_page(xdp->data), len, true);
}

struct xdp_frame *xdp_frame_from_elsewhere(unsigned int len)
{
	struct page *page = take_pages(1, false);

	return page ? frame_of(page, len, false) : NULL;
}

void xdp_return_frame(struct xdp_frame *frame)
{
	struct page *page = virt_to_page(frame);

	if (page->refs <= 0)
		finding("freed", "a frame is returned whose page is free");
	if (frame->pooled)
		page_pool_put(page);
	else
		put_page(page);
}

void xdp_do_flush(void)
{
	while (redirects)
		xdp_return_frame(redirected[--redirects]);
}

int xdp_do_redirect(struct net_device *netdev, struct xdp_buff *xdp, struct bpf_prog *prog)
{
	struct xdp_frame *frame = redirects < REDIRECTED && choice(4) ? xdp_convert_buff_to_frame(xdp) : NULL;

	(void)netdev;
	(void)prog;
	if (!frame)
		return -EINVAL;
	redirected[redirects++] = frame;
	return 0;
}

void xdp_return_buff(struct xdp_buff *xdp)
{
	page_pool_put(virt_to_page(xdp->data));
}
