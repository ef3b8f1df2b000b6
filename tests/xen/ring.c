// SPDX-License-Identifier: GPL-2.0-only
/* The other end of a guest's receive ring. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdint.h>
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

#include "ring.h"

volatile struct ring *ring;
uint32_t place;

static uint32_t domain, port;
static int grants, events;

void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

void *map(uint32_t ref, uint64_t *index)
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

void unmap(void *page, uint64_t index)
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

void push(void)
{
	__sync_synchronize();
	ring->rsp_prod = place;
	__sync_synchronize();
	notify();
}

bool taken(void)
{
	return (int32_t)(ring->rsp_event - place) > 0;
}

void await(uint32_t count)
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
	fprintf(stderr, "the front end gives no more slots\n");
	exit(1);
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

void write_frame(uint8_t *to, unsigned int len)
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

void add_extra(unsigned int type, unsigned int flags, unsigned int size, unsigned int gso_type)
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

void open_grants(const char *domain_text)
{
	domain = (uint32_t)atoi(domain_text);
	grants = open("/dev/xen/gntdev", O_RDWR);
	if (grants < 0)
		fail("/dev/xen/gntdev");
}

void take(const char *domain_text, const char *ref_text, const char *port_text)
{
	struct ioctl_evtchn_bind_interdomain bind = { .remote_port = (uint32_t)atoi(port_text) };
	uint64_t index;

	open_grants(domain_text);
	bind.remote_domain = domain;
	events = open("/dev/xen/evtchn", O_RDWR);
	if (events < 0)
		fail("/dev/xen/evtchn");
	port = (uint32_t)ioctl(events, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);
	if ((int)port < 0)
		fail("event channel");
	ring = map((uint32_t)atoi(ref_text), &index);
	place = ring->rsp_prod;
}
