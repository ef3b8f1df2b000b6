// SPDX-License-Identifier: GPL-2.0-only
/* The fuzzer as a back end. */
#include "backend.h"
#include "input.h"

/**
 * struct side - the back end's side of a queue
 * @rx_place: next slot of the receive ring that it answers
 * @tx_place: the same of the ring for sending
 * @extra: the next slot of that ring is none of a request, but belongs to the one before
 * @lost: it has told of indices that are not its own
 * @rx_storm: whenever the driver looks for packets there is one more
 * @tx_storm: whenever it looks for answers there is one more
 */
static struct side {
	RING_IDX rx_place, tx_place;
	bool extra, lost, rx_storm, tx_storm;
} sides[QUEUES];

bool other_side_storms;

/*
 * A slot that the driver has read is made to say something else: the one that it reads after @armed others, 0: none.
 * What it says then is in @instead.
 */
static unsigned int armed;
static struct xen_netif_rx_response *read_last, instead;

/* Reads of the driver until the next thing happens amid them, 0: none does. */
static unsigned int until;
static bool acting;

/* Reads of what is shared, within one call into the driver; more than any that ends by itself has. */
static unsigned int loads;
#define ENOUGH 20000

bool backend_keeps_nothing;

static const u16 odd_offsets[] = { 0, 0, 0, 1, 256, 2583, 4000, 4082, 4083, 4095, 4096, 65535 };
static const s16 odd_sizes[] = {
	1514, 60, 200, 4096, 0, 1, 13, 14, 15, 53, 54, 256, 257, 3840, 3841, 4095, 4097, 32767, -1, -32768,
};

static const u16 odd_segments[] = { 0, 1448, 2896, 65535 };

static struct xen_netif_rx_sring *rx_ring(unsigned int queue)
{
	struct page *page = grant_page(written_rings[queue].rx);

	return page ? page_address(page) : NULL;
}

static struct xen_netif_tx_sring *tx_ring(unsigned int queue)
{
	struct page *page = grant_page(written_rings[queue].tx);

	return page ? page_address(page) : NULL;
}

void backend_begin(void)
{
	memset(sides, 0, sizeof(sides));
	other_side_storms = false;
	armed = 0;
	read_last = NULL;
	until = input_ends() ? 0 : 1;
}

static void answer(struct xen_netif_rx_sring *ring, struct side *side, u16 offset, u16 flags, s16 status)
{
	RING_IDX place = side->rx_place++ % RING_SLOTS;

	ring->ring[place].rsp = (struct xen_netif_rx_response){
		.id = (u16)place, .offset = offset, .flags = flags, .status = status };
}

/* A packet of one or more slots, as netback sends it. */
static void send_packet(struct xen_netif_rx_sring *ring, struct side *side)
{
	unsigned int slots = choice(20), flags = choice(4);

	if (!slots) {
		answer(ring, side, 0, XEN_NETRXF_data_validated, 1514);
		return;
	}
	answer(ring, side, 0, (u16)(flags | (slots > 1 ? XEN_NETRXF_more_data : 0)), odd_sizes[choice(13)]);
	while (--slots)
		answer(ring, side, 0, slots > 1 ? XEN_NETRXF_more_data : 0, 4096);
}

static void send_odd(struct xen_netif_rx_sring *ring, struct side *side)
{
	u8 flags = input_u8() & 15;

	answer(ring, side, odd_offsets[choice(ARRAY_SIZE(odd_offsets))], flags,
	       odd_sizes[choice(ARRAY_SIZE(odd_sizes))]);
}

static void send_raw(struct xen_netif_rx_sring *ring, struct side *side)
{
	u16 offset = input_u16(), flags = input_u8();

	answer(ring, side, offset, flags, (s16)input_u16());
}

static void send_extra(struct xen_netif_rx_sring *ring, struct side *side)
{
	struct xen_netif_extra_info extra = { .type = input_u8() % 8, .flags = input_u8() % 2 };

	if (extra.type == XEN_NETIF_EXTRA_TYPE_XDP)
		extra.u.xdp.headroom = odd_offsets[choice(ARRAY_SIZE(odd_offsets))];
	else
		extra.u.gso.size = odd_segments[choice(ARRAY_SIZE(odd_segments))];
	extra.u.gso.type = extra.type == XEN_NETIF_EXTRA_TYPE_GSO ? (u8)choice(4) : extra.u.gso.type;
	memcpy(&ring->ring[side->rx_place++ % RING_SLOTS], &extra, sizeof(extra));
}

static void change(struct xen_netif_rx_response *slot, unsigned int what, const struct xen_netif_rx_response *to)
{
	switch (what) {
	case 0:
		slot->status = to->status;
		break;
	case 1:
		slot->offset = to->offset;
		break;
	default:
		*slot = *to;
	}
}

/* A slot says something else: now, or as soon as the driver has read it. */
static void rewrite(struct xen_netif_rx_sring *ring, const struct side *side, bool later)
{
	struct xen_netif_rx_response *slot = &ring->ring[(side->rx_place - 1 - choice(24)) % RING_SLOTS].rsp;

	instead = (struct xen_netif_rx_response){
		.id = (u16)choice(3), .flags = input_u8() & 15,
		.status = odd_sizes[choice(ARRAY_SIZE(odd_sizes))],
		.offset = odd_offsets[choice(ARRAY_SIZE(odd_offsets))] };
	if (later)
		armed = 1 + choice(24);
	else
		change(slot, choice(3), &instead);
}

/* The driver reads a slot, and has the one before in its registers. */
static void read_slot(struct xen_netif_rx_response *slot)
{
	if (armed && read_last && read_last != slot && !--armed)
		change(read_last, instead.id % 3, &instead);
	read_last = slot;
}

static void complete(struct xen_netif_tx_sring *ring, struct side *side, unsigned int count)
{
	while (count-- && (s32)(ring->req_prod - side->tx_place) > 0) {
		union xen_netif_tx_sring_entry *slot = &ring->ring[side->tx_place++ % RING_SLOTS];
		bool extra = side->extra;
		u16 id = slot->req.id;

		side->extra = !extra && slot->req.flags & XEN_NETTXF_extra_info;
		slot->rsp = (struct xen_netif_tx_response){
			.id = id, .status = extra ? XEN_NETIF_RSP_NULL : XEN_NETIF_RSP_OKAY };
	}
}

static void complete_odd(struct xen_netif_tx_sring *ring, struct side *side)
{
	unsigned int count = choice(4) ? 1 : 1 + choice(RING_SLOTS);
	u16 id = choice(4) ? (u16)choice(RING_SLOTS + 2) : input_u16();
	s16 status = (s16)(choice(5) - 2);

	while (count--)
		ring->ring[side->tx_place++ % RING_SLOTS].rsp = (struct xen_netif_tx_response){
			.id = id++, .status = status };
	side->lost = true;
}

/* From now on there is always more: packets that are none, or answers to nothing. */
static void storm(struct side *side)
{
	other_side_storms = true;
	if (choice(2))
		side->rx_storm = true;
	else
		side->tx_storm = true;
	side->lost = true;
}

static void one_more(const void *address)
{
	for (unsigned int queue = 0; queue < QUEUES; queue++) {
		struct xen_netif_rx_sring *rx = rx_ring(queue);
		struct xen_netif_tx_sring *tx = tx_ring(queue);
		struct side *side = &sides[queue];

		if (rx && side->rx_storm && address == &rx->rsp_prod) {
			rx->ring[rx->rsp_prod % RING_SLOTS].rsp.status = -1;
			rx->rsp_prod++;
		}
		if (tx && side->tx_storm && address == &tx->rsp_prod) {
			tx->ring[tx->rsp_prod % RING_SLOTS].rsp.status = XEN_NETIF_RSP_NULL;
			tx->rsp_prod++;
		}
	}
}

static void map_some(struct xen_netif_rx_sring *rx, struct xen_netif_tx_sring *tx, const struct side *side)
{
	unsigned int number = input_u8();

	if (backend_keeps_nothing)
		return;
	if (number & 1)
		grant_map(rx->ring[(side->rx_place + number / 2) % RING_SLOTS].req.gref);
	else
		grant_map(tx->ring[(side->tx_place + number / 2 % 8) % RING_SLOTS].req.gref);
}

static void change_state(void)
{
	other_state = (enum xenbus_state)choice(XenbusStateReconfigured + 1);
}

void backend_act(void)
{
	unsigned int what = choice(32), queue = what & 16 && other_features & FEATURE_QUEUES << 8;
	struct xen_netif_rx_sring *rx = rx_ring(queue);
	struct xen_netif_tx_sring *tx = tx_ring(queue);
	struct side *side = &sides[queue];

	what %= 16;
	if (what == 14) {
		events_send(choice(2 * QUEUES));
		return;
	}
	if (what == 15) {
		change_state();
		return;
	}
	if (!rx || !tx)
		return;
	switch (what) {
	case 0:
		send_packet(rx, side);
		break;
	case 1:
		send_raw(rx, side);
		break;
	case 2:
	case 3:
		send_odd(rx, side);
		break;
	case 4:
		send_extra(rx, side);
		break;
	case 5:
	case 6:
		rx->rsp_prod = side->rx_place;
		break;
	case 7:
		rx->rsp_prod = side->rx_place + (u32)(s32)(s16)input_u16();
		side->lost = true;
		break;
	case 8:
	case 9:
		rewrite(rx, side, what == 9);
		break;
	case 10:
		complete(tx, side, 1 + choice(RING_SLOTS));
		tx->rsp_prod = side->tx_place;
		break;
	case 11:
		complete_odd(tx, side);
		tx->rsp_prod = side->tx_place;
		break;
	case 12:
		if (!choice(4)) {
			storm(side);
			break;
		}
		tx->rsp_prod = side->tx_place + (u32)(s32)(s16)input_u16();
		side->lost = true;
		break;
	default:
		map_some(rx, tx, side);
	}
}

/* Something happens while the driver is at work: bytes are taken from the back of the input. */
static void act_amid(void)
{
	acting = true;
	input.amid = true;
	backend_act();
	/* A lie that is told in one breath with others needs no moment of its own. */
	until = input_ends() ? 0 : 1 + input_u8() % 64;
	input.amid = false;
	acting = false;
}

void other_side_acts(void)
{
	if (acting)
		return;
	if (until && !--until)
		act_amid();
	acting = true;
	events_deliver();
	acting = false;
}

void call_begins(void)
{
	loads = 0;
}

void backend_moment(const void *address)
{
	size_t at = (size_t)((const u8 *)address - (const u8 *)memory);

	if ((size_t)address < PAGE_SIZE)
		finding("null", "what is not there is read");
	if (at >= sizeof(memory))
		return;
	if (other_side_storms) {
		if (++loads > ENOUGH)
			finding("storm", "a call does not end while the back end goes on");
		one_more(address);
	}
	if (armed && at % PAGE_SIZE >= offsetof(struct xen_netif_rx_sring, ring) &&
	    (rx_ring(0) == (void *)(at / PAGE_SIZE * PAGE_SIZE + (size_t)memory) ||
	     rx_ring(1) == (void *)(at / PAGE_SIZE * PAGE_SIZE + (size_t)memory)))
		read_slot((struct xen_netif_rx_response *)((size_t)address & ~7ul));
	if (until)
		other_side_acts();
}

bool backend_acts_meanwhile(void)
{
	if (!until)
		return false;
	act_amid();
	return true;
}

void backend_ends(void)
{
	until = 0;
	armed = 0;
	other_side_storms = false;
	for (unsigned int queue = 0; queue < QUEUES; queue++)
		sides[queue].rx_storm = sides[queue].tx_storm = false;
	grants_unmap();
}

bool backend_settle(void)
{
	for (unsigned int queue = 0; queue < QUEUES; queue++) {
		struct xen_netif_rx_sring *rx = rx_ring(queue);
		struct xen_netif_tx_sring *tx = tx_ring(queue);
		struct side *side = &sides[queue];

		if (!rx || !tx)
			continue;
		if (side->lost || rx->req_prod - side->rx_place > RING_SLOTS)
			return false;
		rx->rsp_prod = side->rx_place;
		complete(tx, side, RING_SLOTS);
		tx->rsp_prod = side->tx_place;
	}
	return true;
}
