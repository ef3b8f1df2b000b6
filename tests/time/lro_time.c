// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long packets wait in the engine, on a clock that only the test moves.
 *
 * User-mode Linux runs with time-travel=inf-cpu: code takes no time, so each delay is one that
 * the test asks for, or one that the engine causes. A device with a ring gets packets of bulk
 * flows, of flows that are not bulk, and requests, at random times. Its NAPI instance is polled
 * as NICs, busy polling and netpoll do: by an interrupt that may come late, with the whole
 * budget and less of it, again and again, with a budget of 0, or left alone for a while.
 *
 * Each packet carries its number. Expected of each:
 *  1. it is delivered once, and in the order of its flow
 *  2. one whose flow is not bulk is delivered before its poll ends; where the kernel has GRO
 *     keep packets for gro_flush_timeout, within that time or hold_us
 *  3. any is delivered within eight times hold_us
 *  4. a flow that sends a flight each millisecond beside a bulk flow is not held: once the
 *     engine knows it, less than one packet of a hundred outlives its poll
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/hrtimer.h>
#include <linux/ip.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>
#include <net/ip.h>
#include <net/tcp.h>

#include <compat.h>
#include <lro.h>

#include "netdev.h"

static unsigned long packets = 100000;
module_param(packets, ulong, 0);
MODULE_PARM_DESC(packets, "packets to send");

static unsigned long seed = 1;
module_param(seed, ulong, 0);
MODULE_PARM_DESC(seed, "what arrivals and polls depend on");

static unsigned int hold_us = 100;
module_param(hold_us, uint, 0);
MODULE_PARM_DESC(hold_us, "the engine's parameter");

static unsigned int flush_us;
module_param(flush_us, uint, 0);
MODULE_PARM_DESC(flush_us, "gro_flush_timeout of the device");

static bool paced;
module_param(paced, bool, 0);
MODULE_PARM_DESC(paced, "only a bulk flow, and one that sends a flight each millisecond");

#define FLOWS		64
#define PACED		1	/* the flow that sends flights */
#define FLIGHT		10	/* segments, which come together */
#define LEARNING	256	/* flights until the engine knows the flow */
#define BULK		8	/* full-sized segments in sequence that make a flow bulk */
#define FULL		1448
#define HEADERS		(ETH_HLEN + sizeof(struct iphdr) + sizeof(struct tcphdr))
#define RING		4096

/**
 * struct sender - one flow
 * @seq: next sequence number
 * @id: next identification
 * @streak: full-sized segments in sequence without PSH, as the engine may have counted them
 * @delivered: number of the packet delivered last
 */
struct sender {
	u32 seq;
	u16 id;
	u32 streak;
	u64 delivered;
};

/**
 * struct sent - a packet
 * @handed: when the driver gave it to the engine, ns
 * @poll: number of the poll that did
 * @flow: its flow
 * @bulk: the engine may know the flow as bulk when the poll ends
 * @delivered: it came out
 */
struct sent {
	u64 handed;
	u64 poll;
	u16 flow;
	bool bulk;
	bool delivered;
};

/**
 * struct queued - a packet in the ring
 * @flow: of whom
 * @payload: bytes
 * @psh: ends a message
 * @gap: the next one of its flow is not in sequence
 */
struct queued {
	u16 flow;
	u16 payload;
	bool psh;
	bool gap;
};

static struct {
	struct napi_struct napi;
	struct net_device *dev;
	struct lro *lro;
	struct sender sender[FLOWS];
	struct queued ring[RING];
	unsigned int head, tail;
	struct sent *sent;
	u64 count, poll, random, next_arrival, longest, bad;
	u64 flights, late;
	bool interrupt, trickle;
	struct completion done;
} bed;

/* splitmix64 */
static u32 below(u32 n)
{
	u64 z = bed.random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (u32)((z ^ z >> 31) >> 32) % n;
}

static void fault(const char *what, u64 number, u64 value)
{
	if (bed.bad++ < 5)
		pr_info("time: fault: packet %llu of flow %u: %s (%llu)\n", number,
			bed.sent[number].flow, what, value);
}

/*
 * How long one that is not bulk may stay beyond its poll. The rest of that poll, the timer and
 * the poll that it asks for come on top.
 */
static u64 kept_ns(void)
{
	return flush_us ? (min(flush_us, hold_us) + hold_us) * (u64)NSEC_PER_USEC : 0;
}

static void came_out(u64 number)
{
	struct sent *sent = &bed.sent[number];
	struct sender *s = &bed.sender[sent->flow];
	u64 waited = ktime_get_ns() - sent->handed;

	if (sent->delivered)
		fault("delivered twice", number, 0);
	if (s->delivered > number)
		fault("delivered after a later one", number, s->delivered);
	if (!sent->bulk && sent->poll != bed.poll && waited > kept_ns())
		fault("not bulk, and outlived its poll, ns", number, waited);
	if (paced && sent->flow == PACED && bed.flights++ >= LEARNING * FLIGHT)
		bed.late += sent->poll != bed.poll;
	if (waited > 8ull * hold_us * NSEC_PER_USEC)
		fault("waited too long, ns", number, waited);
	sent->delivered = true;
	s->delivered = number;
	bed.longest = max(bed.longest, waited);
}

static rx_handler_result_t collect(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	unsigned int at = HEADERS - ETH_HLEN, size = skb_shinfo(skb)->gso_size ?: skb->len;
	__be64 number;

	for (; at < skb->len; at += size)
		if (!skb_copy_bits(skb, at, &number, sizeof(number)))
			came_out(be64_to_cpu(number));
	consume_skb(skb);
	return RX_HANDLER_CONSUMED;
}

static void write_frame(u8 *frame, const struct queued *q, u64 number)
{
	struct sender *s = &bed.sender[q->flow];
	struct iphdr *ip = (struct iphdr *)(frame + ETH_HLEN);
	struct tcphdr *th = (struct tcphdr *)(ip + 1);
	unsigned int len = HEADERS - ETH_HLEN + q->payload;

	memset(frame, 0, HEADERS);
	ether_addr_copy(frame, bed.dev->dev_addr);
	frame[ETH_ALEN] = 2;
	frame[12] = ETH_P_IP >> 8;
	ip->version = 4;
	ip->ihl = 5;
	ip->ttl = 64;
	ip->protocol = IPPROTO_TCP;
	ip->tot_len = htons(len);
	ip->id = htons(s->id++);
	ip->frag_off = htons(IP_DF);
	ip->saddr = htonl(0x0a000001);
	ip->daddr = htonl(0x0a000002);
	ip_send_check(ip);
	th->source = htons(1000 + q->flow);
	th->dest = htons(5001);
	th->seq = htonl(s->seq);
	th->ack = 1;
	th->psh = q->psh;
	th->doff = sizeof(*th) / 4;
	th->window = htons(1000);
	put_unaligned_be64(number, frame + HEADERS);
	s->seq += q->payload + q->gap;
}

/* The engine's own rule, told by the packets alone; it may forget flows, and then knows fewer. */
static void count_streak(struct sender *s, const struct queued *q, struct sent *sent)
{
	bool known = s->streak >= BULK;
	unsigned int number = 0;

	if (q->payload == FULL && !q->psh)
		s->streak++;
	else if (!q->psh || !known)
		s->streak = 0;
	sent->bulk = known || s->streak >= BULK;
	/* Those before it in this poll, or kept from polls before, are in one aggregate with it. */
	if (sent->bulk && !known)
		for (; sent->poll == bed.poll || (flush_us && number < RING && sent->poll); sent--) {
			sent->bulk |= &bed.sender[sent->flow] == s && !sent->delivered;
			number++;
		}
}

static void hand_in(const struct queued *q, bool engine)
{
	static u8 frame[HEADERS + FULL];
	const struct lro_frame offer = {
		.data = frame,
		.len = HEADERS + q->payload,
		.ip_summed = CHECKSUM_UNNECESSARY,
	};
	u64 number = ++bed.count;
	struct sent *sent = &bed.sent[number];
	struct sk_buff *skb;

	sent->flow = q->flow;
	sent->poll = bed.poll;
	count_streak(&bed.sender[q->flow], q, sent);
	write_frame(frame, q, number);
	sent->handed = ktime_get_ns();
	if (engine && below(2) && lro_receive_copy(bed.lro, &offer))
		return;
	skb = napi_alloc_skb(&bed.napi, HEADERS + q->payload);
	if (!skb)
		return;
	skb_put_data(skb, frame, HEADERS + q->payload);
	skb->protocol = eth_type_trans(skb, bed.dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	if (engine)
		lro_receive_skb(bed.lro, skb);
	else
		napi_gro_receive(&bed.napi, skb);
}

static void queue(u16 flow, u16 payload, bool psh, bool gap)
{
	if (bed.head - bed.tail < RING)
		bed.ring[bed.head++ % RING] = (struct queued){ flow, payload, psh, gap };
}

/* What a sender puts on the wire: three kinds of flows. */
static void arrive(void)
{
	u16 flow = below(FLOWS);
	unsigned int n;

	if (bed.trickle) {
		queue(0, FULL, false, false);
		return;
	}
	switch (flow % 3) {
	case 0:		/* bulk, in bursts, whose last segment may be shorter */
		for (n = 1 + below(40); n; n--)
			queue(flow, FULL, false, false);
		if (!below(3))
			queue(flow, 1 + sizeof(u64) + below(FULL - 8), true, false);
		break;
	case 1:		/* a few segments without PSH */
		for (n = 1 + below(4); n; n--)
			queue(flow, 1000, false, n == 1);
		break;
	default:	/* a request */
		queue(flow, 100, true, false);
	}
}

/* A bulk flow's next two segments, and each millisecond a flight. */
static void arrive_paced(void)
{
	static unsigned int times;
	unsigned int n;

	queue(0, FULL, false, false);
	queue(0, FULL, false, false);
	if (++times % 50 == 0)
		for (n = 0; n < FLIGHT; n++)
			queue(PACED, FULL, false, false);
	bed.next_arrival += 20 * NSEC_PER_USEC;
}

static void arrive_until_now(void)
{
	while (bed.next_arrival <= ktime_get_ns()) {
		if (paced) {
			arrive_paced();
			continue;
		}
		arrive();
		/* Now and then one bulk flow keeps its aggregate growing, but slowly. */
		if (!below(20))
			bed.trickle = !below(3);
		bed.next_arrival += hold_us * (bed.trickle ? 300 + below(650) :
					       1 + below(below(4) ? 600 : 15000));
	}
}

static bool finished(void)
{
	return bed.count >= packets;
}

/* A poll takes a quarter of hold_us at most, and so much is an interrupt late. */
static int poll(struct napi_struct *napi, int budget)
{
	unsigned int cost = hold_us * NSEC_PER_USEC / 4 / NAPI_POLL_WEIGHT, want, done = 0;
	bool engine = lro_begin(bed.lro, LRO_STRICT, budget);

	bed.poll++;
	want = below(3) ? budget : min_t(unsigned int, budget, 1 + below(NAPI_POLL_WEIGHT));
	while (done < want && bed.tail != bed.head && !finished()) {
		hand_in(&bed.ring[bed.tail++ % RING], engine);
		done++;
		ndelay(cost);
		arrive_until_now();
	}
	/* As a driver whose ring is not empty, or that only says so. */
	if (done && (bed.tail != bed.head || !below(4)) && !finished()) {
		lro_end(bed.lro);
		return budget;
	}
	if (done == budget)
		done--;
	bed.interrupt = lro_complete_done(bed.lro, napi, done);
	if (finished())
		complete(&bed.done);
	return done;
}

/* netpoll's way into the driver, while NAPI is not polling. */
static void poll_for_netpoll(void)
{
	unsigned long flags;

	local_irq_save(flags);
	if (!test_and_set_bit(NAPI_STATE_SCHED, &bed.napi.state)) {
		if (lro_begin(bed.lro, LRO_STRICT, 0))
			fault("a budget of 0 begins a poll", bed.count, 0);
		clear_bit(NAPI_STATE_SCHED, &bed.napi.state);
	}
	local_irq_restore(flags);
}

static void sleep_until(u64 when)
{
	ktime_t expires = ns_to_ktime(when);

	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_hrtimeout(&expires, HRTIMER_MODE_ABS);
}

/* The wire and the interrupt. */
static void run(void)
{
	while (!try_wait_for_completion(&bed.done)) {
		sleep_until(bed.next_arrival);
		arrive_until_now();
		if (!below(50))
			poll_for_netpoll();
		if (!bed.interrupt || bed.tail == bed.head)
			continue;
		bed.interrupt = false;
		local_bh_disable();
		/* Others have the processor for a while. */
		udelay(below(hold_us / 4));
		napi_schedule(&bed.napi);
		local_bh_enable();
	}
}

static bool setup(void)
{
	bed.random = seed;
	bed.interrupt = true;
	bed.next_arrival = ktime_get_ns();
	init_completion(&bed.done);
	bed.sent = vzalloc(array_size(packets + 2, sizeof(*bed.sent)));
	bed.dev = test_netdev_create("time%d", collect, &bed);
	if (!bed.sent || !bed.dev)
		return false;
	bed.dev->features &= ~NETIF_F_GRO;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	bed.napi.gro_flush_timeout = flush_us * NSEC_PER_USEC;
#else
	bed.dev->gro_flush_timeout = flush_us * NSEC_PER_USEC;
#endif
	netif_napi_add(bed.dev, &bed.napi, poll);
	bed.lro = lro_create(bed.dev, &bed.napi);
	napi_enable(&bed.napi);
	return bed.lro;
}

static void end(void)
{
	u64 number;

	sleep_until(ktime_get_ns() + 100 * NSEC_PER_MSEC);
	napi_disable(&bed.napi);
	lro_stop(bed.lro);
	for (number = 1; number <= bed.count; number++)
		if (!bed.sent[number].delivered)
			fault("never delivered", number, 0);
	if (paced)
		pr_info("time: of %llu packets in flights %llu outlived their poll\n",
			bed.flights - LEARNING * FLIGHT, bed.late);
	if (paced && bed.late * 100 > bed.flights - LEARNING * FLIGHT)
		fault("too many packets of flights outlived their poll", 1, bed.late);
}

static int __init lro_time_init(void)
{
	u64 began = ktime_get_ns();

	if (!setup()) {
		pr_err("time: no memory\n");
		return -ENOMEM;
	}
	run();
	end();
	pr_info("time: %s: %llu packets in %llu ms, the longest wait %llu us of %u allowed; seed=%lu\n",
		bed.bad ? "not ok" : "ok", bed.count, div_u64(ktime_get_ns() - began, NSEC_PER_MSEC),
		div_u64(bed.longest, NSEC_PER_USEC), 8 * hold_us, seed);
	lro_destroy(bed.lro);
	netif_napi_del(&bed.napi);
	test_netdev_destroy(bed.dev);
	vfree(bed.sent);
	return 0;
}

static void __exit lro_time_exit(void)
{
}

module_init(lro_time_init);
module_exit(lro_time_exit);

MODULE_IMPORT_XENLRO();
MODULE_DESCRIPTION("Waiting times in the Large Receive Offload engine");
MODULE_LICENSE("GPL");
