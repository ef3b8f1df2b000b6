// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of layouts of one aggregate for netback, and the layouts that are worth a copy.
 *
 * 45 packets of 1448 bytes of payload, with 66 bytes of headers 65,226 bytes: about as many as one
 * GSO packet holds. The numbers of copies were counted on real transfers.
 */
#include "slots.h"
#include "tests.h"

#define PACKETS		45
#define HEADERS		66
#define PAYLOAD		1448
#define FRAME		(HEADERS + PAYLOAD)
#define PACKET		(HEADERS + PACKETS * PAYLOAD)

/* napi_alloc_skb() for one frame: headroom, frame and skb_shared_info. */
#define BUFFER		1920
#define BUFFER_HEADROOM	64
/* They are cut from blocks of this size, from the end on. */
#define BLOCK		32768

static const void *at(unsigned int address)
{
	return (const void *)(unsigned long)address;
}

/* The kernel's r8169 with GRO: a buffer for each packet, the first one whole. */
static unsigned int r8169_with_gro(struct brl_piece *piece)
{
	unsigned int place = BLOCK;

	for (unsigned int i = 0; i < PACKETS; i++) {
		place = place < BUFFER ? BLOCK - BUFFER : place - BUFFER;
		piece[i].data = at(place + BUFFER_HEADROOM + (i ? HEADERS : 0));
		piece[i].len = i ? PAYLOAD : FRAME;
	}
	return PACKETS;
}

static unsigned int half_pages(struct brl_piece *piece)
{
	for (unsigned int i = 0; i < PACKETS; i++) {
		piece[i].data = at(i % 2 * BRL_PAGE / 2 + BUFFER_HEADROOM + (i ? HEADERS : 0));
		piece[i].len = i ? PAYLOAD : FRAME;
	}
	return PACKETS;
}

/* Headers, then the payload of all packets in contiguous memory from @phase on. */
static unsigned int headers_then_pages(struct brl_piece *piece, unsigned int phase)
{
	piece[0].data = at(BUFFER_HEADROOM);
	piece[0].len = HEADERS;
	piece[1].data = at(phase);
	piece[1].len = PACKETS * PAYLOAD;
	return 2;
}

static void test_layouts(void **state)
{
	struct brl_piece piece[PACKETS];

	(void)state;
	assert_int_equal(brl_copies(piece, r8169_with_gro(piece)), 74);
	assert_int_equal(brl_copies(piece, half_pages(piece)), 60);
	assert_int_equal(brl_copies(piece, headers_then_pages(piece, 0)), 32);
	assert_int_equal(brl_copies(piece, headers_then_pages(piece, HEADERS)), 17);
	piece[0].data = at(0);
	piece[0].len = HEADERS + PACKETS * PAYLOAD;
	assert_int_equal(brl_copies(piece, 1), 16);
}

static void test_pages_split_pieces(void **state)
{
	struct brl_piece piece[] = { { at(0), BRL_PAGE }, { at(0), BRL_PAGE }, { at(1), 1 } };

	(void)state;
	assert_int_equal(brl_copies(piece, 0), 0);
	assert_int_equal(brl_copies(piece, 1), 1);
	assert_int_equal(brl_copies(piece, 2), 2);
	assert_int_equal(brl_copies(piece, 3), 3);
	piece[0].data = at(BRL_PAGE - 1);
	assert_int_equal(brl_copies(piece, 1), 2);
	piece[0].len = 1;
	assert_int_equal(brl_copies(piece, 1), 1);
	/* The last byte of the second piece is in the guest's second page. */
	assert_int_equal(brl_copies(piece, 2), 3);
}

/* Whole pages: no layout takes less, as the guest's pages have to be filled. */
static void test_in_phase(void **state)
{
	struct brl_piece piece = { at(0), 0 };

	(void)state;
	assert_int_equal(brl_copies_in_phase(PACKET), 16);
	for (piece.len = 1; piece.len < 4 * BRL_PAGE; piece.len++)
		assert_int_equal(brl_copies_in_phase(piece.len), brl_copies(&piece, 1));
}

static bool pays(const struct brl_piece *piece, unsigned int count)
{
	return brl_pays(brl_copies(piece, count), brl_copies_in_phase(PACKET), count, PACKET);
}

static void test_what_pays(void **state)
{
	struct brl_piece piece[PACKETS];

	(void)state;
	assert_true(pays(piece, r8169_with_gro(piece)));
	assert_true(pays(piece, half_pages(piece)));
	/* Saves 15 copies of 32, but all of the payload would have to be copied for it. */
	assert_false(pays(piece, headers_then_pages(piece, 0)));
	assert_false(pays(piece, headers_then_pages(piece, HEADERS)));
	assert_true(brl_pays(10, 1, 1, 0));
	assert_false(brl_pays(1, 1, 1, 0));
	assert_false(brl_pays(1, 2, 1, 0));
	assert_false(brl_pays(10, 1, 50, 0));
	assert_false(brl_pays(10, 1, 1, 1U << 16));
}

struct result run_slots_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_pages_split_pieces),
		cmocka_unit_test(test_in_phase),
		cmocka_unit_test(test_what_pays),
	};

	return RUN_GROUP("slots", tests);
}
