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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring.h"

/* What has no end must not go on with the next lie. */
static void settle(void)
{
	push();
	for (int i = 0; i < 1000 && !taken(); i++)
		usleep(100);
}

static unsigned int dice(unsigned int sides)
{
	return (unsigned int)random() % sides;
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
	void (*tell)(void) = NULL;

	for (size_t i = 0; argc == 6 && i < sizeof(lies) / sizeof(lies[0]); i++)
		if (!strcmp(argv[4], lies[i].name))
			tell = lies[i].tell;
	if (!tell) {
		fprintf(stderr, "usage: liar DOMAIN REF PORT KIND COUNT\n");
		return 2;
	}
	take(argv[1], argv[2], argv[3]);

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
