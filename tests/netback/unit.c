// SPDX-License-Identifier: GPL-2.0-only
/*
 * unit KIND PACKETS SEED: netback_lro's way to a guest under races that are real.
 *
 * Two processors send packets to a queue and run its polls, the queue's thread runs, a guest takes
 * packets and gives slots as it likes, and, by kind:
 *   plain      nothing else
 *   switched   the parameter changes all the time
 *   down       the interface goes down and up
 *   again      the hypervisor wants copies made again
 *   xdp        the guest wants room for XDP before the data in each slot
 *   all        all of that
 *   hostile    all of that, and the guest writes any number to the ring's producer index, and wants any room
 *
 * Each packet has to arrive once, whole and in order within 20 seconds of the last one; no packet
 * expires here, so that a packet is missed which waits for a thread that sleeps. Of a hostile guest it is
 * only wanted that all packets are taken from the queue, and that all ends.
 *
 * Exit status: 0 so it was, 1 it was not, 2 wrong usage.
 */
#include "poll.c"
#include "postponed.c"

#include <sched.h>
#include <unistd.h>

enum { SLOTS = 256, PROCESSORS = 2, PATIENCE = 20000, LONGEST = 20000 };
/* Bits of the NAPI instance. */
enum { SCHEDULED, MISSED, DISABLED, RUNNING };

static struct xenvif vif;
static struct net_device device;
static struct xenvif_queue queue;
static struct xen_netif_rx_sring *shared;
static unsigned char pages[SLOTS][XEN_PAGE_SIZE] __attribute__((aligned(4096)));

static bool switched, down, again, xdp, hostile;
static unsigned int packets, sent, arrived;
static bool stop, stop_thread;
static unsigned long napi_state;
static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t napi_lock = PTHREAD_MUTEX_INITIALIZER;
/* The guest's event channel, and netback's. */
static pthread_mutex_t event_lock = PTHREAD_MUTEX_INITIALIZER;
static bool event_pending, event_masked;
static unsigned int called;

static void fail(const char *what, unsigned int number)
{
	fprintf(stderr, "%s: %u (of %u sent, %u arrived)\n", what, number, sent, arrived);
	exit(1);
}

static unsigned int dice(unsigned int *seed, unsigned int sides)
{
	return (unsigned int)rand_r(seed) % sides;
}

static unsigned char byte_of(unsigned int number, unsigned int place)
{
	return (unsigned char)(number * 31 + place * 7 + (place >> 8));
}

bool kthread_should_stop(void)
{
	return READ_ONCE(stop_thread);
}

int xenvif_tx_action(struct xenvif_queue *of, int budget)
{
	(void)of;
	return (int)(now_ms() % 3) < budget ? 0 : budget;
}

void xenvif_kick_thread(struct xenvif_queue *of)
{
	wake_up(&of->wq);
}

void xenvif_carrier_off(struct xenvif *of)
{
	(void)of;
	abort();
}

/* NAPI: a poll runs on one processor at a time, and is run again if it was asked for meanwhile. */
void napi_schedule(struct napi_struct *napi)
{
	(void)napi;
	pthread_mutex_lock(&napi_lock);
	if (napi_state & BIT(SCHEDULED))
		napi_state |= BIT(MISSED);
	else if (!(napi_state & BIT(DISABLED)))
		napi_state |= BIT(SCHEDULED);
	pthread_mutex_unlock(&napi_lock);
}

static bool napi_poll(void)
{
	bool run;
	int done;

	pthread_mutex_lock(&napi_lock);
	run = (napi_state & BIT(SCHEDULED)) && !(napi_state & BIT(RUNNING));
	if (run)
		napi_state |= BIT(RUNNING);
	pthread_mutex_unlock(&napi_lock);
	if (!run)
		return false;
	done = lro_xenvif_poll(&queue, 64);
	if (done < 0 || done > 64)
		fail("a poll has done", (unsigned int)done);
	pthread_mutex_lock(&napi_lock);
	napi_state &= ~BIT(RUNNING);
	/* One that goes on is ended where it is being disabled. */
	if (done < 64 || (napi_state & BIT(DISABLED))) {
		if (napi_state & BIT(MISSED) && !(napi_state & BIT(DISABLED)))
			napi_state &= ~BIT(MISSED);
		else
			napi_state &= ~(BIT(SCHEDULED) | BIT(MISSED));
	}
	pthread_mutex_unlock(&napi_lock);
	return true;
}

static void napi_disable_and_enable(unsigned int *seed)
{
	pthread_mutex_lock(&napi_lock);
	napi_state |= BIT(DISABLED);
	while (napi_state & BIT(SCHEDULED)) {
		pthread_mutex_unlock(&napi_lock);
		sched_yield();
		pthread_mutex_lock(&napi_lock);
	}
	/* What asks for it now asks in vain. */
	napi_state = BIT(SCHEDULED) | BIT(RUNNING);
	pthread_mutex_unlock(&napi_lock);
	lro_xenvif_unpolled(&queue);
	usleep(dice(seed, 3000));
	pthread_mutex_lock(&napi_lock);
	napi_state = 0;
	pthread_mutex_unlock(&napi_lock);
	lro_xenvif_unpolled(&queue);
}

/* Events: one is handled at a time, and none until the driver has told the end of it. */
static void deliver(void)
{
	bool now;

	pthread_mutex_lock(&event_lock);
	now = event_pending && !event_masked;
	if (now) {
		event_pending = false;
		event_masked = true;
	}
	pthread_mutex_unlock(&event_lock);
	if (!now)
		return;
	if (atomic_fetch_or(NETBK_RX_EOI, &queue.eoi_pending) & NETBK_RX_EOI)
		fail("an interrupt before the end of the last", 0);
	if (xenvif_have_rx_work(&queue, false)) {
		lro_xenvif_wake(&queue);
	} else if (atomic_fetch_andnot(NETBK_RX_EOI, &queue.eoi_pending) & NETBK_RX_EOI) {
		xen_irq_lateeoi(1, 1);
	}
}

void xen_irq_lateeoi(unsigned int irq, unsigned int flags)
{
	(void)irq;
	(void)flags;
	pthread_mutex_lock(&event_lock);
	if (!event_masked)
		fail("the end of no interrupt", 0);
	event_masked = false;
	pthread_mutex_unlock(&event_lock);
}

void notify_remote_via_irq(int irq)
{
	(void)irq;
	__atomic_fetch_add(&called, 1, __ATOMIC_SEQ_CST);
}

/* The hypervisor */
static void copy_one(struct gnttab_copy *op)
{
	grant_ref_t ref = op->dest.u.ref;

	op->status = GNTST_bad_gntref;
	if (ref >= SLOTS || op->dest.offset + op->len > XEN_PAGE_SIZE)
		return;
	memcpy(pages[ref] + op->dest.offset,
	       (void *)((op->source.u.gmfn << XEN_PAGE_SHIFT) + op->source.offset), op->len);
	op->status = GNTST_okay;
}

int HYPERVISOR_grant_table_op(int cmd, struct gnttab_copy *op, unsigned int count)
{
	static __thread unsigned int seed = 1;
	unsigned int i;

	(void)cmd;
	for (i = 0; i < count; i++) {
		if (again && !dice(&seed, 40))
			op[i].status = GNTST_eagain;
		else
			copy_one(&op[i]);
	}
	return 0;
}

void gnttab_batch_copy(struct gnttab_copy *op, unsigned int count)
{
	unsigned int i;

	if (READ_ONCE(queue.lro.polling))
		fail("a poll sleeps", 0);
	for (i = 0; i < count; i++) {
		if (again && i % 16 == 5)
			usleep(200);
		copy_one(&op[i]);
	}
}

/* What the stack does */
static void send_one(unsigned int *seed)
{
	struct sk_buff *skb = calloc(1, sizeof(*skb));
	unsigned int len = dice(seed, 4) ? 60 + dice(seed, 1400) : 60 + dice(seed, LONGEST), i;
	bool queued;

	skb->data = malloc(len);
	skb->len = len;
	if (dice(seed, 2)) {
		skb->shared.gso_size = 1448;
		skb->shared.gso_type = SKB_GSO_TCPV4;
	}
	if (!dice(seed, 8))
		skb->sw_hash = 7;
	XENVIF_RX_CB(skb)->expires = jiffies + vif.drain_timeout;
	pthread_mutex_lock(&sending);
	if (READ_ONCE(queue.rx_queue_len) >= queue.rx_queue_max || sent == packets) {
		pthread_mutex_unlock(&sending);
		kfree_skb(skb);
		return;
	}
	memcpy(skb->data, &sent, sizeof(sent));
	for (i = sizeof(sent); i < len; i++)
		skb->data[i] = byte_of(sent, i);
	queued = xenvif_rx_queue_tail(&queue, skb);
	if (!queued)
		fail("refused", sent);
	sent++;
	lro_xenvif_wake(&queue);
	pthread_mutex_unlock(&sending);
}

static void *processor(void *data)
{
	unsigned int seed = (unsigned int)(uintptr_t)data;

	while (!READ_ONCE(stop)) {
		if (dice(&seed, 3))
			send_one(&seed);
		deliver();
		while (napi_poll() && dice(&seed, 8))
			;
		if (!dice(&seed, 50))
			usleep(dice(&seed, 300));
	}
	return NULL;
}

static void *backend(void *data)
{
	xenvif_kthread_guest_rx(data);
	return NULL;
}

static void *troubles(void *data)
{
	unsigned int seed = (unsigned int)(uintptr_t)data;

	while (!READ_ONCE(stop)) {
		if (switched)
			WRITE_ONCE(lro_xenvif_napi, !dice(&seed, 2));
		if (down && !dice(&seed, 4))
			napi_disable_and_enable(&seed);
		for (unsigned int i = 0; hostile && i < 2000; i++)
			WRITE_ONCE(shared->req_prod, i & 1 ? queue.rx.req_cons + i % 20 : (unsigned int)rand_r(&seed));
		if (hostile) {
			vif.xdp_headroom = lro_xenvif_headroom((u16)rand_r(&seed));
			pthread_mutex_lock(&event_lock);
			event_pending = true;
			pthread_mutex_unlock(&event_lock);
		}
		usleep(dice(&seed, 1000));
	}
	return NULL;
}

/* The guest: takes what was pushed, and gives slots back, at times late. */
static unsigned char packet[LONGEST + XEN_PAGE_SIZE];

static void check_packet(unsigned int len)
{
	unsigned int number, i;

	memcpy(&number, packet, sizeof(number));
	if (number != arrived)
		fail("not in order", number);
	for (i = sizeof(number); i < len; i++) {
		if (packet[i] != byte_of(number, i))
			fail("not whole", number);
	}
	WRITE_ONCE(arrived, arrived + 1);
}

static void *guest(void *data)
{
	struct xen_netif_rx_front_ring front;
	unsigned int seed = (unsigned int)(uintptr_t)data, len = 0, lacking = 0;
	bool extras = false;

	FRONT_RING_INIT(&front, shared, XEN_PAGE_SIZE);
	for (unsigned int i = 0; i < SLOTS; i++)
		*RING_GET_REQUEST(&front, i) = (struct xen_netif_rx_request){ .id = (u16)i, .gref = i };
	front.req_prod_pvt = SLOTS;
	while (!READ_ONCE(stop)) {
		int more;

		RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&front, more);
		if (more) {
			pthread_mutex_lock(&event_lock);
			event_pending = true;
			pthread_mutex_unlock(&event_lock);
		}
		RING_FINAL_CHECK_FOR_RESPONSES(&front, more);
		if (!more) {
			if (!dice(&seed, 20))
				usleep(dice(&seed, 100));
			else
				sched_yield();
		}
		while (front.rsp_cons != READ_ONCE(shared->rsp_prod)) {
			RING_IDX at = front.rsp_cons++;
			struct xen_netif_rx_response response = *RING_GET_RESPONSE(&front, at);

			mb();
			if (++lacking > SLOTS)
				fail("an answer without a slot", lacking);
			if (extras) {
				extras = ((struct xen_netif_extra_info *)&response)->flags & XEN_NETIF_EXTRA_FLAG_MORE;
				if (extras)
					continue;
				response.flags = len & 1u << 31 ? XEN_NETRXF_more_data : 0;
				len &= ~(1u << 31);
			} else {
				if (response.status < 0)
					fail("a copy failed", (unsigned int)-response.status);
				response.status -= (s16)vif.xdp_headroom;
				memcpy(packet + len, pages[at % SLOTS] + vif.xdp_headroom, (size_t)response.status);
				len += (unsigned int)response.status;
				if (response.flags & XEN_NETRXF_extra_info) {
					extras = true;
					if (response.flags & XEN_NETRXF_more_data)
						len |= 1u << 31;
					continue;
				}
			}
			if (response.flags & XEN_NETRXF_more_data)
				continue;
			check_packet(len);
			len = 0;
		}
		/* At times it has better things to do. */
		if (!dice(&seed, 200))
			usleep(dice(&seed, 5000));
		for (unsigned int give = dice(&seed, 2) ? lacking : dice(&seed, lacking + 1); give; give--, lacking--) {
			unsigned int i = front.req_prod_pvt++;

			*RING_GET_REQUEST(&front, i) = (struct xen_netif_rx_request){ .id = (u16)(i % SLOTS), .gref = i % SLOTS };
		}
	}
	return NULL;
}

static void set_up(void)
{
	shared = calloc(1, XEN_PAGE_SIZE);
	SHARED_RING_INIT(shared);
	vif.dev = &device;
	vif.gso_mask = GSO_BIT(TCPV4);
	vif.drain_timeout = 3600000;
	vif.stall_timeout = 3600000;
	vif.num_queues = 1;
	vif.stalled_queues = 1;
	vif.queues = &queue;
	pthread_mutex_init(&vif.lock.mutex, NULL);
	queue.vif = &vif;
	queue.rx_irq = 1;
	queue.stalled = true;
	queue.rx_queue_max = 1 << 20;
	__skb_queue_head_init(&queue.rx_queue);
	pthread_mutex_init(&queue.rx_queue.lock.mutex, NULL);
	pthread_mutex_init(&queue.wq.mutex, NULL);
	pthread_cond_init(&queue.wq.cond, NULL);
	BACK_RING_ATTACH(&queue.rx, shared, 0, XEN_PAGE_SIZE);
}

/*
 * The thread of the first queue takes a rogue guest's interface down, and ends. The others sleep
 * until they are told to end.
 */
static void check_rogue(void)
{
	unsigned int id;

	vif.disabled = true;
	queue.stalled = false;
	for (id = 0; id < 2; id++) {
		queue.id = (u16)id;
		if (lro_xenvif_have_work(&queue) != !id)
			fail("a thread runs on for a rogue guest, or none does, for queue", id);
	}
	queue.id = 0;
	queue.stalled = true;
	vif.disabled = false;
}

/* What a guest writes to its ring, and what it asks for, has bounds. */
static void check_bounds(void)
{
	struct lro_looks looks = {};

	if (!lro_looks_again(&looks, 100, 1) || lro_looks_again(&looks, 100, 1))
		fail("looks while no slot is taken", looks.count);
	if (!lro_looks_again(&looks, 101, 1))
		fail("no look though a slot was taken", looks.cons);
	for (unsigned int wanted = 0; wanted < 65536; wanted++) {
		u16 headroom = lro_xenvif_headroom((u16)wanted);

		if (headroom > wanted || headroom > XEN_PAGE_SIZE / 2)
			fail("room in a slot", wanted);
	}
}

static bool finished(void)
{
	return hostile ? READ_ONCE(sent) == packets && skb_queue_empty(&queue.rx_queue)
		       : READ_ONCE(arrived) == packets;
}

int main(int argc, char **argv)
{
	pthread_t threads[PROCESSORS + 2], thread;
	unsigned long last = now_ms();
	unsigned int before = 0, seed, count = 0;

	if (argc != 4)
		return 2;
	packets = (unsigned int)atoi(argv[2]);
	seed = (unsigned int)atoi(argv[3]);
	hostile = !strcmp(argv[1], "hostile");
	switched = hostile || !strcmp(argv[1], "all") || !strcmp(argv[1], "switched");
	down = hostile || !strcmp(argv[1], "all") || !strcmp(argv[1], "down");
	again = hostile || !strcmp(argv[1], "all") || !strcmp(argv[1], "again");
	xdp = !strcmp(argv[1], "all") || !strcmp(argv[1], "xdp");
	set_up();
	check_rogue();
	check_bounds();
	if (xdp)
		vif.xdp_headroom = lro_xenvif_headroom(XDP_PACKET_HEADROOM);
	pthread_create(&thread, NULL, backend, &queue);
	for (uintptr_t i = 0; i < PROCESSORS; i++)
		pthread_create(&threads[count++], NULL, processor, (void *)(seed + i + 1));
	if (!hostile)
		pthread_create(&threads[count++], NULL, guest, (void *)(uintptr_t)(seed + 10));
	pthread_create(&threads[count++], NULL, troubles, (void *)(uintptr_t)(seed + 20));
	while (!finished()) {
		unsigned int now = hostile ? queue.rx_queue_len + sent : READ_ONCE(arrived);

		usleep(10000);
		if (now != before)
			last = now_ms();
		before = now;
		if (now_ms() - last > PATIENCE)
			fail("stands still", now);
	}
	WRITE_ONCE(stop, true);
	while (count--)
		pthread_join(threads[count], NULL);
	/* The end of an interface: polls are over, and the thread is told to stop. */
	WRITE_ONCE(stop_thread, true);
	wake_up(&queue.wq);
	pthread_join(thread, NULL);
	if (!skb_queue_empty(&queue.rx_queue) || queue.lro.postponed)
		fail("something is left", 0);
	printf("%s: %u packets, %lu by polls, %lu waits, %lu postponed\n", argv[1], packets, queue.stats.rx_polled,
	       queue.stats.rx_waits, queue.stats.rx_postponed);
	free(shared);
	return 0;
}
