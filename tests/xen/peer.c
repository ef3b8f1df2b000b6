// SPDX-License-Identifier: GPL-2.0-only
/*
 * peer DOMAIN REF PORT KIND COUNT: sends a front end COUNT packets as back ends other than netback send them, each of
 * them right. REF and PORT are as for liar.c, and as there the ring is left for netback.
 *
 * Kinds: validated (the checksum was verified), blank (it is not there yet), both, neither; unsized (more than an MTU,
 * without an extra info that says into which segments it goes), offset (it begins anywhere in its page), header (its
 * headers have a slot of their own), gso4 and gso6 (64 KiB, to be cut into segments), headroom (room for XDP before
 * it), multicast (to a group, with what a back end may say of groups and of the hash), unnotified (it never asks to be
 * told of slots, and polls for them).
 *
 * Prints how many bytes of payload, all MARK, were sent.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring.h"

#define HEADERS6 (HEADERS + 20) /* IPv6 instead of IPv4 */
#define SLOTS_64K 16
#define GSO_TCPV4 1
#define GSO_TCPV6 2
#define HEADROOM 256 /* XDP_PACKET_HEADROOM */

static unsigned long payload;

static void checksum_tcp(uint8_t *frame, unsigned int len)
{
	unsigned int tcp = 14 + 20;
	/* Addresses, protocol and length stand before it as far as the sum goes. */
	uint32_t sum = 6 + len - tcp;

	for (unsigned int i = 26; i < tcp; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	frame[tcp + 16] = 0;
	frame[tcp + 17] = 0;
	for (unsigned int i = tcp; i < len; i += 2)
		sum += (uint32_t)frame[i] << 8 | (i + 1 < len ? frame[i + 1] : 0);
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	frame[tcp + 16] = (uint8_t)(~sum >> 8);
	frame[tcp + 17] = (uint8_t)~sum;
}

static void answer(unsigned int offset, unsigned int flags, unsigned int size)
{
	volatile struct response *to = &ring->slot[place % SLOTS].response;

	to->id = (uint16_t)(place % SLOTS);
	to->offset = (uint16_t)offset;
	to->flags = (uint16_t)flags;
	to->status = (int16_t)size;
	place++;
}

/* Make IPv6's headers of IPv4's. */
static void write_frame6(uint8_t *to, unsigned int len)
{
	static const uint8_t headers[] = { 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, 6, 64 };
	uint16_t left = htons((uint16_t)(len - 54));
	uint8_t four[HEADERS];

	write_frame(four, len - 20);
	memset(to, 0, HEADERS6);
	memcpy(to, four, 12);
	memcpy(to + 12, headers, sizeof(headers));
	memcpy(to + 18, &left, 2);
	to[22] = 0xfe;
	to[23] = 0x80;
	to[37] = 1;
	to[38] = 0xfe;
	to[39] = 0x80;
	to[53] = 3;
	memcpy(to + 54, four + 34, 20);
}

/* Fill the page of the next slot: a frame's beginning at `offset`, `total` bytes long in all, or what follows. */
static void fill(unsigned int offset, unsigned int total, bool six)
{
	uint64_t index;
	uint8_t *page = map(ring->slot[place % SLOTS].request.ref, &index);

	memset(page, MARK, PAGE);
	if (total && six)
		write_frame6(page + offset, total);
	else if (total)
		write_frame(page + offset, total);
	if (total && !six && offset + total <= PAGE)
		checksum_tcp(page + offset, total);
	unmap(page, index);
}

static void send_one(unsigned int offset, unsigned int flags)
{
	fill(offset, FRAME, false);
	answer(offset, flags, FRAME);
	payload += FRAME - HEADERS;
}

static void validated(void) { send_one(0, VALIDATED); }
static void blank(void) { send_one(0, BLANK); }
static void both(void) { send_one(0, VALIDATED | BLANK); }
static void neither(void) { send_one(0, 0); }
static void offset(void) { send_one((unsigned int)random() % (PAGE - FRAME), VALIDATED); }

static void unsized(void)
{
	fill(0, 2 * PAGE, false);
	answer(0, MORE | VALIDATED | BLANK, PAGE);
	fill(0, 0, false);
	answer(0, 0, PAGE);
	payload += 2 * PAGE - HEADERS;
}

static void header(void)
{
	fill(0, FRAME, false);
	answer(0, MORE | VALIDATED, HEADERS);
	fill(0, 0, false);
	answer(0, 0, FRAME - HEADERS);
	payload += FRAME - HEADERS;
}

static void gso(unsigned int type, bool six)
{
	unsigned int headers = six ? HEADERS6 : HEADERS, left = SLOTS_64K - 1, last = PAGE / 2;

	fill(0, left * PAGE + last, six);
	answer(0, EXTRA | MORE | VALIDATED | BLANK, PAGE);
	add_extra(EXTRA_GSO, 0, 1500 + 14 - headers, type);
	while (left--) {
		fill(0, 0, false);
		answer(0, left ? MORE : 0, left ? PAGE : last);
	}
	payload += (SLOTS_64K - 1) * PAGE + last - headers;
}

static void gso4(void) { gso(GSO_TCPV4, false); }
static void gso6(void) { gso(GSO_TCPV6, true); }

static void headroom(void)
{
	fill(HEADROOM, FRAME, false);
	answer(0, EXTRA | VALIDATED, FRAME);
	add_extra(EXTRA_XDP, 0, HEADROOM, 0);
	payload += FRAME - HEADERS;
}

static void multicast(void)
{
	static const uint8_t group[] = { 1, 0, 0x5e, 0, 0, 1 };
	uint64_t index;
	uint8_t *page;

	fill(0, FRAME, false);
	page = map(ring->slot[place % SLOTS].request.ref, &index);
	memcpy(page, group, sizeof(group));
	unmap(page, index);
	answer(0, EXTRA | VALIDATED, FRAME);
	add_extra(EXTRA_MCAST_ADD, EXTRA_MORE, 0, 0);
	add_extra(EXTRA_HASH, 0, 0, 0);
	payload += FRAME - HEADERS;
}

static void unnotified(void)
{
	ring->req_event = ring->req_prod + 0x40000000;
	send_one(0, VALIDATED);
}

static const struct {
	const char *name;
	void (*send)(void);
} kinds[] = {
	{ "validated", validated }, { "blank", blank }, { "both", both }, { "neither", neither },
	{ "unsized", unsized }, { "offset", offset }, { "header", header },
	{ "gso4", gso4 }, { "gso6", gso6 }, { "headroom", headroom }, { "multicast", multicast },
	{ "unnotified", unnotified },
};

int main(int argc, char **argv)
{
	void (*send)(void) = NULL;

	for (size_t i = 0; argc == 6 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[4], kinds[i].name))
			send = kinds[i].send;
	if (!send) {
		fprintf(stderr, "usage: peer DOMAIN REF PORT KIND COUNT\n");
		return 2;
	}
	take(argv[1], argv[2], argv[3]);
	for (long left = atol(argv[5]); left > 0; left--) {
		await(SLOTS_64K + 2);
		send();
		push();
	}
	/* Until the front end has taken them: netback goes on from here. */
	for (int i = 0; i < 2000 && !taken(); i++)
		usleep(1000);
	/* As netback leaves it. */
	ring->req_event = ring->req_prod + 1;
	printf("%lu\n", payload);
	return 0;
}
