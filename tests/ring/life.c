// SPDX-License-Identifier: GPL-2.0-only
/*
 * One input of the fuzzer is the life of a network interface: it is probed, connects, receives and sends, goes down and
 * up, is suspended and resumed, and goes. When it is gone nothing of it may be left.
 */
#include <setjmp.h>

#include "backend.h"
#include "engine.h"
#include "input.h"
#include "unit.h"

/* The longest that a call into the driver may sleep: a back end must not keep its caller. */
#define ENOUGH (60 * HZ)

struct input input;
int module_said;

static jmp_buf another_kind;
static const char *sought;
static unsigned long slept;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Freed memory is not used again soon, and is none of LeakSanitizer's: memory_check() knows all. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0:quarantine_size_mb=4:max_malloc_fill_size=0:malloc_context_size=1";
}

/* Clang calls these in front of each load of the driver. */
void __sanitizer_cov_load1(u8 *address);
void __sanitizer_cov_load2(u16 *address);
void __sanitizer_cov_load4(u32 *address);
void __sanitizer_cov_load8(u64 *address);
void __sanitizer_cov_load16(__int128 *address);

void __sanitizer_cov_load1(u8 *address) { backend_moment(address); }
void __sanitizer_cov_load2(u16 *address) { backend_moment(address); }
void __sanitizer_cov_load4(u32 *address) { backend_moment(address); }
void __sanitizer_cov_load8(u64 *address) { backend_moment(address); }
void __sanitizer_cov_load16(__int128 *address) { backend_moment(address); }

void finding(const char *kind, const char *text)
{
	if (sought && strcmp(sought, kind))
		longjmp(another_kind, 1);
	fprintf(stderr, "finding: %s: %s\n", kind, text);
	abort();
}

void wake_afresh(void)
{
	slept = 0;
}

bool sleep_once(long timeout)
{
	if (backend_acts_meanwhile())
		return true;
	if (timeout > ENOUGH || (slept += (unsigned long)timeout) > ENOUGH)
		finding("endless", "the driver sleeps until the back end does what it never does");
	time_slept += (unsigned long)timeout;
	return false;
}

static struct net_device *netdev(void)
{
	return bus_device ? driver_netdev(bus_device) : NULL;
}

void ring_goes(grant_ref_t ref)
{
	for (unsigned int queue = 0; the_netdev && queue < driver_queues(the_netdev); queue++)
		if (ref == written_rings[queue].tx && last_grace < the_netdev->carrier_went)
			finding("race", "the ring goes while a packet may be on its way into it");
}

static void go_up_or_down(struct net_device *dev)
{
	if (dev->reg_state != NETREG_REGISTERED)
		return;
	rtnl_lock();
	if (dev->running) {
		dev->running = false;
		dev->netdev_ops->ndo_stop(dev);
	} else if (dev->present) {
		dev->running = true;
		if (dev->netdev_ops->ndo_open(dev))
			dev->running = false;
	}
	rtnl_unlock();
}

/* Fragments as a socket's or another driver's. */
static bool add_frags(struct sk_buff *skb, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		unsigned int offset = choice(2) * 2048, size = choice(2) ? 2048 : 1;
		struct page *page = take_pages(1, false);

		if (!page)
			return false;
		skb_add_rx_frag(skb, (int)i, page, (int)offset, (int)size, PAGE_SIZE);
	}
	return true;
}

/* The stack sends a packet: an acknowledgment, or one with payload in its head, in fragments, or to be segmented. */
static void xmit(struct net_device *dev)
{
	static const u16 rooms[] = { 128, 2, 4090, 4000, 66 }, heads[] = { 66, 54, 1514, 300 };
	unsigned int room = rooms[choice(5)], len = heads[choice(4)], frags = choice(8);
	struct sk_buff *skb;

	if (dev->reg_state != NETREG_REGISTERED || !dev->running || !dev->present)
		return;
	skb = alloc_skb(room + len, GFP_ATOMIC);
	if (!skb)
		return;
	skb_reserve(skb, (int)room);
	skb_put(skb, len);
	skb->dev = dev;
	skb->ip_summed = (u8)choice(4);
	if (frags == 7)
		frags = MAX_SKB_FRAGS;
	if (!add_frags(skb, frags)) {
		kfree_skb(skb);
		return;
	}
	if (frags > 2 && dev->features & NETIF_F_TSO)
		skb_shinfo(skb)->gso_size = 1448;
	skb->queue_mapping = dev->netdev_ops->ndo_select_queue(dev, skb, NULL);
	if (dev->tx[skb->queue_mapping].stopped) {
		kfree_skb(skb);
	} else {
		call_begins();
		dev->netdev_ops->ndo_start_xmit(skb, dev);
	}
}

static void poll(struct net_device *dev)
{
	struct napi_struct *napi = dev->napis[choice(QUEUES)];

	if (napi && napi->enabled)
		run_napi(napi, choice(2) ? 64 : 1 + (int)choice(8));
}

/* In a search for one kind the kernel's driver is spared what it does not survive. */
static bool spared(const struct net_device *dev)
{
	return sought && !driver_queues(dev);
}

/* Another interface redirects frames to this one. */
static void redirect(struct net_device *dev)
{
	static const u16 lens[] = { 60, 1514, 3840, 13 };
	unsigned int count = 1 + choice(RING_SLOTS), len = lens[choice(4)];

	if (dev->reg_state != NETREG_REGISTERED || !dev->running || spared(dev))
		return;
	while (count--) {
		struct xdp_frame *frame = xdp_frame_from_elsewhere(len);

		if (!frame)
			return;
		call_begins();
		if (dev->netdev_ops->ndo_xdp_xmit(dev, 1, &frame, 0) <= 0)
			xdp_return_frame(frame);
	}
}

static void run_timer(struct net_device *dev, unsigned int queue)
{
	struct timer_list *timer;

	if (queue >= driver_queues(dev))
		return;
	timer = driver_timer(dev, queue);
	if (!timer->pending)
		return;
	stop_timer(timer);
	timer->function(timer);
}

/* All that comes has to pass the program that the stack has attached. */
static void filters_check(const struct net_device *dev)
{
	for (unsigned int queue = 0; queue < driver_queues(dev); queue++)
		if (driver_program(dev, queue) != dev->prog)
			finding("filter", "an XDP program that is attached does not run, or one that is not does");
}

static void attach_xdp(struct net_device *dev)
{
	bool attach = choice(2);

	if (dev->reg_state != NETREG_REGISTERED || spared(dev))
		return;
	wake_afresh();
	rtnl_lock();
	dev->mtu = 1500;
	set_program(dev, attach);
	rtnl_unlock();
	filters_check(dev);
}

static void look(struct net_device *dev)
{
	static u8 names[4096];
	static u64 values[128];
	struct rtnl_link_stats64 total;

	if (dev->reg_state != NETREG_REGISTERED)
		return;
	dev->ethtool_ops->get_strings(dev, ETH_SS_STATS, names);
	dev->ethtool_ops->get_ethtool_stats(dev, NULL, values);
	dev->netdev_ops->ndo_get_stats64(dev, &total);
	if (choice(2) && dev->running && !spared(dev))
		dev->netdev_ops->ndo_poll_controller(dev);
}

/* Whatever happens to the interface, but for what the back end does. */
static void happen(struct net_device *dev)
{
	switch (choice(16)) {
	case 0:
		go_up_or_down(dev);
		break;
	case 1:
		run_timer(dev, choice(QUEUES));
		break;
	case 2:
		attach_xdp(dev);
		break;
	case 3:
		look(dev);
		break;
	case 4:
		engine_timer(dev);
		break;
	case 5:
		memory_left = (int)choice(70);
		poll(dev);
		memory_left = -1;
		break;
	case 6:
		run_delayed_work();
		grants_retry();
		break;
	case 7:
		bus_resume();
		backend_begin();
		bus_changed();
		if (netdev())
			filters_check(netdev());
		break;
	case 8:
		bus_remove();
		bus_probe();
		backend_begin();
		break;
	case 9:
		other_features ^= 1u << choice(14);
		break;
	case 10:
		redirect(dev);
		break;
	case 11:
		driver_parameters(1 + choice(QUEUES), true, choice(3));
		break;
	case 12:
		memory_left = (int)choice(70);
		bus_changed();
		memory_left = -1;
		break;
	default:
		bus_changed();
	}
}

static void step(void)
{
	struct net_device *dev = netdev();

	if (!dev) {
		bus_probe();
		backend_begin();
		return;
	}
	switch (choice(8)) {
	case 0:
	case 1:
	case 2:
		backend_act();
		events_deliver();
		break;
	case 3:
	case 4:
		poll(dev);
		break;
	case 5:
	case 6:
		xmit(dev);
		break;
	default:
		happen(dev);
	}
}

/* A back end that behaves from now on gets each slot, and gives back each packet. */
static void come_back(struct net_device *dev)
{
	bool settled = backend_settle();

	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int number = 0; number < 2 * QUEUES; number++)
			events_send(number);
		events_deliver();
		for (unsigned int queue = 0; queue < QUEUES; queue++) {
			run_timer(dev, queue);
			if (dev->napis[queue] && dev->napis[queue]->enabled)
				run_napi(dev->napis[queue], 64);
		}
	}
	if (!settled || driver_is_broken(dev) || !dev->running || !dev->carrier)
		return;
	for (unsigned int queue = 0; queue < driver_queues(dev); queue++) {
		if (!driver_ring_is_full(dev, queue))
			finding("slots", "a slot does not come back");
		if (!driver_has_sent(dev, queue))
			finding("slots", "a slot for sending does not come back");
	}
}

static void live(void)
{
	u8 options = input_u8(), more = input_u8();

	/* Most of the time the usual: what is rare is asked for by a bit. */
	other_features = 0xff ^ (more >> 4) << 2;
	if (options & 1)
		other_features |= FEATURE_QUEUES << 8;
	if (options & 2)
		other_features &= ~0x80u;
	driver_parameters(options & 4 ? 1 : QUEUES, !(options & 8), options & 16 ? 0 : 1);
	engine_takes = more % 4;
	others_are_polling = more & 4;
	xdp_sends = more & 8;
	if (options & 32)
		other_state = (enum xenbus_state)choice(XenbusStateReconfigured + 1);
	backend_begin();
	bus_probe();
	backend_begin();
	if (netdev() && !(options & 64)) {
		other_state = XenbusStateConnected;
		bus_changed();
		go_up_or_down(netdev());
	}
	while (!input_ends())
		step();
	backend_ends();
	if (netdev() && !(options & 128))
		come_back(netdev());
	bus_remove();
}

static void reset(void)
{
	/* What looks at memory that is freed forgets it first. */
	locks_reset();
	devices_reset();
	events_reset();
	memory_reset();
	grants_reset();
	engine_reset();
	bus_reset();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sought = getenv("RING_SOUGHT");
	/* The kernel's driver forgets what it finds in use, too. */
	backend_keeps_nothing = sought && !strcmp(sought, "leak");
	get_page_warns = driver_kernel >= KERNEL_VERSION(6, 15, 0);
	reset();
	return driver_begins();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	input = (struct input){ .front = data, .back = data + size };
	if (!setjmp(another_kind)) {
		live();
		backend_ends();
		grants_retry();
		run_delayed_work();
		events_check();
		grants_check();
		memory_check();
	}
	reset();
	return 0;
}
