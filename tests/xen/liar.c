// SPDX-License-Identifier: GPL-2.0-only
/*
 * liar DOMAIN REF PORT KIND COUNT: a back end that lies to the front end of a network interface.
 * REF and PORT are the receive ring's grant reference and event channel, as the front end has put
 * them into xenstore. netback has to have let go of them; as it does, this leaves the ring so
 * that netback can take it up again, but for the last two kinds.
 *
 * The lies are one per packet, COUNT packets: sizes, offsets, extras, gso, fragments, checksums,
 * headers, changing (a slot says something else when it is read again), anything; storm sends
 * COUNT events without a packet. After kept (a page that is not given back) and overrun (more
 * packets than there are slots) a front end may refuse to go on with this device.
 *
 * Each page that a lie is about is filled with MARK but for headers: a front end that delivers
 * anything else behind a packet's headers has read outside of what it was given. The same lies
 * are told in each run.
 *
 * Exit status: 0 all lies were told, 1 the front end gives no more slots, 2 wrong usage, or the
 * ring cannot be had.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the next headers expect from the kernel's own. */
typedef uint16_t domid_t;
typedef uint32_t grant_ref_t;
#include <xen/evtchn.h>
#include <xen/gntdev.h>

#define PAGE 4096
#define SLOTS 256 /* of 8 bytes behind a header of 64 in one page */
#define HEADERS 54 /* Ethernet, IPv4 and TCP without options */
#define FRAME 1514
#define MARK 0x5a /* as in witness.c */

enum { VALIDATED = 1, BLANK = 2, MORE = 4, EXTRA = 8 };
enum { EXTRA_MORE = 1, EXTRA_GSO = 1 };

/* As in Xen's public netif.h: both kinds of entry share the slot. */
struct request { uint16_t id, pad; uint32_t ref; };
struct response { uint16_t id, offset, flags; int16_t status; };
struct extra { uint8_t type, flags; uint16_t size; uint8_t gso_type, pad; uint16_t features; };

struct ring {
	uint32_t req_prod, req_event, rsp_prod, rsp_event;
	uint8_t pad[48];
	union {
		struct request request;
		struct response response;
		struct extra extra;
	} slot[SLOTS];
};

static volatile struct ring *ring;
static uint32_t place, domain, port;
static int grants, events;

static void fail(const char *what)
{
	fprintf(stderr, "liar: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *map(uint32_t ref, uint64_t *index)
{
	struct ioctl_gntdev_map_grant_ref grant = {
		.count = 1, .refs = { { .domid = domain, .ref = ref } }
	};
	void *page;

	if (ioctl(grants, IOCTL_GNTDEV_MAP_GRANT_REF, &grant))
		fail("grant");
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, grants, (off_t)grant.index);
	if (page == MAP_FAILED)
		fail("mapping a granted page");
	*index = grant.index;
	return page;
}

static void unmap(void *page, uint64_t index)
{
	struct ioctl_gntdev_unmap_grant_ref grant = { .index = index, .count = 1 };

	munmap(page, PAGE);
	if (ioctl(grants, IOCTL_GNTDEV_UNMAP_GRANT_REF, &grant))
		fail("unmapping a granted page");
}

static void notify(void)
{
	struct ioctl_evtchn_notify event = { .port = port };

	if (ioctl(events, IOCTL_EVTCHN_NOTIFY, &event))
		fail("event");
}

static void push(void)
{
	__sync_synchronize();
	ring->rsp_prod = place;
	__sync_synchronize();
	notify();
}

/* Whether the front end has taken all there is: then it asks for the next event. */
static bool taken(void)
{
	return (int32_t)(ring->rsp_event - place) > 0;
}

/* What has no end must not go on with the next lie. */
static void settle(void)
{
	push();
	for (int i = 0; i < 1000 && !taken(); i++)
		usleep(100);
}

/* Wait for `count` slots that the front end has filled. */
static void await(uint32_t count)
{
	for (int i = 0; i < 2000; i++) {
		uint32_t there = ring->req_prod - place;

		if (there >= count && there <= SLOTS)
			return;
		/* What was not pushed yet may be all there is. */
		if (i % 100 == 0)
			push();
		usleep(1000);
	}
	fprintf(stderr, "liar: the front end gives no more slots\n");
	exit(1);
}

static unsigned int dice(unsigned int sides)
{
	return (unsigned int)random() % sides;
}

static void checksum_ip(uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	sum = ~(sum + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

/* A TCP segment from the sender's discard port, each one following on the last. */
static void write_frame(uint8_t *to, unsigned int len)
{
	static const uint8_t headers[HEADERS] = {
		0x00, 0x16, 0x3e, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 1, 8, 0,
		0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 3,
		0, 9, 0x13, 0xba, 0, 0, 0, 0, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0 };
	static uint32_t seq;
	uint16_t ip_len = htons((uint16_t)(len - 14));
	uint32_t net_seq = htonl(seq);

	seq += len - HEADERS;
	memcpy(to, headers, sizeof(headers));
	memcpy(to + 16, &ip_len, 2);
	memcpy(to + 38, &net_seq, 4);
	checksum_ip(to + 14);
}

/* Put a frame into the page of the next slot, with some bytes of its headers spoiled. */
static void fill(unsigned int offset, unsigned int len, unsigned int spoiled)
{
	uint64_t index;
	uint8_t *page = map(ring->slot[place % SLOTS].request.ref, &index);

	memset(page, MARK, PAGE);
	write_frame(page + offset, len);
	while (spoiled--)
		page[offset + 12 + dice(HEADERS - 12)] = (uint8_t)random();
	unmap(page, index);
}

/* Fill the page of the next slot with what follows on a frame's beginning. */
static void fill_on(void)
{
	uint64_t index;
	uint8_t *page = map(ring->slot[place % SLOTS].request.ref, &index);

	memset(page, MARK, PAGE);
	unmap(page, index);
}

static void answer(unsigned int offset, unsigned int flags, int status)
{
	volatile struct response *to = &ring->slot[place % SLOTS].response;

	to->id = (uint16_t)(dice(4) ? place % SLOTS : random());
	to->offset = (uint16_t)offset;
	to->flags = (uint16_t)flags;
	to->status = (int16_t)status;
	place++;
}

static void add_extra(unsigned int type, unsigned int flags, unsigned int size, unsigned int gso_type)
{
	volatile struct extra *to = &ring->slot[place % SLOTS].extra;

	to->type = (uint8_t)type;
	to->flags = (uint8_t)flags;
	to->size = (uint16_t)size;
	to->gso_type = (uint8_t)gso_type;
	to->pad = 0;
	to->features = 0;
	place++;
}

static int odd_size(void)
{
	static const int sizes[] = { -32768, -1, 0, 1, 13, 14, 15, 33, 34, 53, 54, 55, 4097, 32767 };

	return sizes[dice(sizeof(sizes) / sizeof(sizes[0]))];
}

static void sizes(void)
{
	fill(0, FRAME, 0);
	answer(0, dice(4), odd_size());
}

static void offsets(void)
{
	static const uint16_t odd[] = { 1, 2583, 4000, 4082, 4095, 4096, 8192, 65535 };

	fill(0, FRAME, 0);
	answer(odd[dice(8)], dice(4), dice(2) ? FRAME : (int)dice(100));
}

static void extras(void)
{
	static const uint8_t types[] = { 0, 2, 3, 4, 5, 6, 255 };
	unsigned int count = 1 + dice(5);

	fill(0, FRAME, 0);
	answer(0, EXTRA | dice(4), FRAME);
	while (count--)
		add_extra(types[dice(7)], count || !dice(4) ? EXTRA_MORE : 0, dice(65536), dice(256));
	settle();
}

/* Segment sizes that no segment has, for one frame, a part of one, or 64 KiB. */
static void gso(void)
{
	static const uint16_t odd[] = { 0, 1, 8, 1448, 1500, 65535 };
	unsigned int more = dice(4) ? 0 : 16;

	fill(0, FRAME, dice(2));
	answer(0, EXTRA | (more ? MORE : 0) | dice(4), dice(2) ? (int)dice(60) : FRAME);
	add_extra(EXTRA_GSO, 0, odd[dice(6)], dice(4));
	while (more--) {
		fill_on();
		answer(0, more ? MORE : 0, PAGE);
	}
}

/* Too many of them, some without an end, headers in pieces. */
static void fragments(void)
{
	unsigned int count = 1 + dice(30);

	fill(0, FRAME, 0);
	answer(0, MORE | dice(4), dice(2) ? FRAME : odd_size());
	while (count--) {
		fill_on();
		answer(dice(100), count || !dice(3) ? MORE : 0, dice(4) ? 1000 : odd_size());
	}
	settle();
}

static void checksums(void)
{
	fill(0, FRAME, dice(3));
	answer(0, dice(4), dice(2) ? FRAME : (int)(14 + dice(60)));
}

static void headers(void)
{
	fill(0, FRAME, 1 + dice(8));
	answer(0, VALIDATED, FRAME);
}

/*
 * A fragment is right when it is checked and leads beyond its page, or has a negative size, when
 * it is read again: of two slots the second, and of as many as a packet can have one that is not
 * the last, which is where a front end begins to copy.
 */
static void changing(void)
{
	unsigned int count = dice(2) ? 18 : 2, left;
	int size = 1000, other = count == 2 ? PAGE : -32768;
	volatile struct response *slot;

	fill(0, 200, 0);
	answer(0, MORE | VALIDATED, 200);
	for (left = count - 1; left--;) {
		fill_on();
		answer(3000, left ? MORE : 0, size);
	}
	slot = &ring->slot[(place - (count == 2 ? 1 : 2)) % SLOTS].response;
	push();
	for (int i = 0; i < 1000000 && !taken(); i++)
		slot->status = (int16_t)(i & 16 ? other : size);
	/* By now it can be a request again, with the upper half of a reference in this place. */
	slot->status = 0;
}

static void anything(void)
{
	unsigned int count = 1 + dice(4);

	fill(0, FRAME, dice(4));
	for (unsigned int i = 0; i < count; i++) {
		if (i)
			fill_on();
		if (dice(2))
			answer(dice(4) ? 0 : (unsigned int)random(), (unsigned int)random(),
			       dice(2) ? FRAME : (int)random());
		else
			add_extra(dice(7), dice(2), (unsigned int)random(), dice(4));
	}
	settle();
}

static void kept(void)
{
	uint64_t index;

	map(ring->slot[place % SLOTS].request.ref, &index);
	answer(0, VALIDATED, FRAME);
	push();
	usleep(500000);
}

static void overrun(void)
{
	place += 1000;
	push();
	usleep(500000);
	exit(0);
}

static const struct {
	const char *name;
	void (*tell)(void);
} lies[] = {
	{ "sizes", sizes }, { "offsets", offsets }, { "extras", extras }, { "gso", gso }, { "fragments", fragments },
	{ "checksums", checksums }, { "headers", headers }, { "changing", changing },
	{ "anything", anything }, { "storm", push },
	{ "kept", kept }, { "overrun", overrun },
};

int main(int argc, char **argv)
{
	struct ioctl_evtchn_bind_interdomain bind = {};
	void (*tell)(void) = NULL;
	uint64_t index;

	for (size_t i = 0; argc == 6 && i < sizeof(lies) / sizeof(lies[0]); i++)
		if (!strcmp(argv[4], lies[i].name))
			tell = lies[i].tell;
	if (!tell) {
		fprintf(stderr, "usage: liar DOMAIN REF PORT KIND COUNT\n");
		return 2;
	}
	domain = (uint32_t)atoi(argv[1]);
	grants = open("/dev/xen/gntdev", O_RDWR);
	events = open("/dev/xen/evtchn", O_RDWR);
	if (grants < 0 || events < 0)
		fail("/dev/xen");
	bind.remote_domain = domain;
	bind.remote_port = (uint32_t)atoi(argv[3]);
	port = (uint32_t)ioctl(events, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);
	if ((int)port < 0)
		fail("event channel");
	ring = map((uint32_t)atoi(argv[2]), &index);
	place = ring->rsp_prod;

	for (long left = atol(argv[5]); left > 0; left--) {
		/* Enough for the longest lie, so that no slot is answered that was not offered. */
		if (tell != push)
			await(40);
		tell();
		if (left == 1 || tell == push || !dice(8))
			push();
	}
	return 0;
}
