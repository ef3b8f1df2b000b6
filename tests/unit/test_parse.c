// SPDX-License-Identifier: GPL-2.0-only
/*
 * The results of lro_parse() for single frames:
 *  1. a bulk segment is a candidate, its fields are found, padding is not payload
 *  2. each kind of packet that must not merge gets its verdict and its reason
 *  3. a frame cut at any length is never read beyond that and never a candidate
 *  4. frames that plainly cannot merge are recognised; no frame that can merge is
 *  5. any byte of the headers flipped: never read beyond, lengths stay consistent
 */
#include <stdlib.h>
#include <string.h>

#include "match.h"
#include "packet.h"
#include "tests.h"

static enum lro_reason reason;
static struct lro_packet pkt;

static enum lro_verdict parse(const struct frame *f)
{
	enum lro_verdict verdict = lro_parse(f->data, f->len, f->len, 0, &pkt, &reason);

	/* Each packet that is tried here puts the cheap looks to the test as well. */
	if (verdict == LRO_CANDIDATE) {
		assert_false(lro_never_merges(f->data, f->len));
		assert_int_equal(lro_headers_wanted(f->data, f->len), pkt.hdr_len);
	}
	return verdict;
}

static void expect(const struct spec *s, enum lro_verdict verdict, enum lro_reason why)
{
	struct frame f = frame_build(s);

	assert_int_equal(parse(&f), verdict);
	assert_int_equal(reason, why);
	frame_free(&f);
}

static void bulk_segment(void **ctx)
{
	struct frame f = frame_build(&spec_bulk);

	(void)ctx;
	assert_int_equal(parse(&f), LRO_CANDIDATE);
	assert_int_equal(reason, LRO_CONTINUE);
	assert_ptr_equal(pkt.frame, f.data);
	assert_int_equal(pkt.seq, 100000);
	assert_int_equal(pkt.ip_id, 1000);
	assert_int_equal(pkt.ip_len, 1500);
	assert_int_equal(pkt.payload, 1448);
	assert_int_equal(pkt.hdr_len, 66);
	assert_int_equal(pkt.flags, 0x10);
	assert_int_equal(lro_get_be32((u8 *)&pkt.key.addr[0]), spec_bulk.saddr);
	assert_int_equal(lro_get_be32((u8 *)&pkt.key.addr[1]), spec_bulk.daddr);
	assert_int_equal(lro_get_be32((u8 *)&pkt.key.ports), 40000u << 16 | 5001);
	frame_free(&f);
}

static void without_timestamps(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.tcp_options = 0;
	s.payload = 1460;
	expect(&s, LRO_CANDIDATE, LRO_CONTINUE);
	assert_int_equal(pkt.hdr_len, 54);
	assert_int_equal(pkt.payload, 1460);
}

static void padding_is_not_payload(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.payload = 1;
	s.tcp_options = 0;
	s.padding = 5;
	expect(&s, LRO_CANDIDATE, LRO_CONTINUE);
	assert_int_equal(pkt.payload, 1);
	assert_int_equal(pkt.ip_len, 41);
}

/* Ethernet pads to 60 bytes; what stands behind a longer frame's packet stays with it. */
static void trailer_is_not_padding(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.tcp_options = 0;
	for (s.payload = 1; s.payload < 1460; s.payload += s.payload < 8 ? 1 : 363)
		for (s.padding = 0; s.padding < 9; s.padding++) {
			bool padded = !s.padding || 54 + s.payload + s.padding <= 60;

			expect(&s, padded ? LRO_CANDIDATE : LRO_PASS,
			       padded ? LRO_CONTINUE : LRO_PASS_TRAILER);
		}
}

static void ipv6_segment(void **ctx)
{
	struct spec s = spec_v6(spec_bulk);

	(void)ctx;
	s.payload = 1428;
	expect(&s, LRO_CANDIDATE, LRO_CONTINUE);
	assert_int_equal(pkt.tcp, 54);
	assert_int_equal(pkt.hdr_len, 86);
	assert_int_equal(pkt.ip_len, 1500);
	assert_int_equal(pkt.payload, 1428);
	assert_int_equal(pkt.ip_id, 0);
	assert_int_equal(pkt.key.link, LRO_KEY_IPV6);
	assert_int_equal(pkt.key.addr[0], 0xfdfdfdfd);
	assert_int_equal(lro_get_be32((u8 *)&pkt.key.addr[3]), spec_bulk.saddr);
	assert_int_equal(lro_get_be32((u8 *)&pkt.key.addr[7]), spec_bulk.daddr);
	assert_int_equal(lro_get_be32((u8 *)&pkt.key.ports), 40000u << 16 | 5001);
	s.tcp_options = 0;
	expect(&s, LRO_CANDIDATE, LRO_CONTINUE);
	assert_int_equal(pkt.hdr_len, 74);
	assert_int_equal(pkt.payload, 1428);
	s.padding = 4;
	expect(&s, LRO_PASS, LRO_PASS_TRAILER);
	s.payload = 0;
	expect(&s, LRO_PASS, LRO_PASS_PURE_ACK);
	s.proto = 17;
	expect(&s, LRO_FOREIGN, LRO_GRO_NOT_TCP);
}

/*
 * A bulk segment in which one 16-bit word of the headers is another. The IPv4 header
 * checksum is made right again where the length changes.
 */
static void changed_headers(void **ctx)
{
	static const struct {
		bool ipv6;
		unsigned int at;
		u16 value;
		enum lro_verdict verdict;
		enum lro_reason reason;
	} cases[] = {
		{ false, 12, 0x0806, LRO_FOREIGN, LRO_GRO_NOT_IP },
		{ false, 14, 0x4400, LRO_STRAY, LRO_PASS_IP_HEADER },
		{ false, 14, 0x6500, LRO_STRAY, LRO_PASS_IP_HEADER },
		{ false, 16, 1501, LRO_PASS, LRO_PASS_LENGTH },	/* more than the frame has */
		{ false, 16, 51, LRO_PASS, LRO_PASS_LENGTH },	/* less than the headers */
		{ false, 16, 0, LRO_PASS, LRO_PASS_LENGTH },
		{ false, 16, 53, LRO_PASS, LRO_PASS_TRAILER },	/* too much for padding */
		{ false, 24, 0x1234, LRO_PASS, LRO_PASS_IP_CHECKSUM },
		{ false, 46, 0x0010, LRO_PASS, LRO_PASS_TCP_HEADER },
		{ false, 46, 0x4010, LRO_PASS, LRO_PASS_TCP_HEADER },
		{ false, 50, 0xffff, LRO_PASS, LRO_PASS_TCP_CHECKSUM },
		{ false, 50, 0, LRO_CANDIDATE, LRO_CONTINUE },
		/* As long as timestamps, but something else. */
		{ false, 54, 0x080a, LRO_CANDIDATE, LRO_CONTINUE },
		{ false, 56, 0x050a, LRO_CANDIDATE, LRO_CONTINUE },
		{ true, 14, 0x4500, LRO_STRAY, LRO_PASS_IP_HEADER },
		{ true, 18, 0xffff, LRO_PASS, LRO_PASS_LENGTH },
		{ true, 18, 0, LRO_PASS, LRO_PASS_LENGTH },
		{ true, 70, 0xffff, LRO_PASS, LRO_PASS_TCP_CHECKSUM },
	};

	(void)ctx;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spec s = cases[i].ipv6 ? spec_v6(spec_bulk) : spec_bulk;
		struct frame f = frame_build(&s);
		enum lro_verdict verdict;

		put_be16(f.data + cases[i].at, cases[i].value);
		if (cases[i].at == 16)
			frame_fix_ip_checksum(&f);
		verdict = parse(&f);
		assert_int_equal(verdict, cases[i].verdict);
		assert_int_equal(reason, cases[i].reason);
		/* In order behind all between its addresses, also where the header is nonsense. */
		if (verdict == LRO_STRAY)
			assert_int_equal(lro_get_be32((u8 *)&pkt.key.addr[cases[i].ipv6 ? 3 : 0]),
					 spec_bulk.saddr);
		if (reason == LRO_CONTINUE && cases[i].at == 16)
			assert_int_equal(pkt.payload, 1);
		frame_free(&f);
	}
}

static void ipv6_extension_headers(void **ctx)
{
	static const struct {
		u8 chain[40];		/* from the next header field on, 8 bytes each */
		u8 first;
		enum lro_verdict verdict;
		enum lro_reason reason;
	} cases[] = {
		{ { 6, [8 + 12] = 5 << 4, 16 }, 0, LRO_CANDIDATE, LRO_CONTINUE },
		{ { 17 }, 0, LRO_FOREIGN, LRO_GRO_NOT_TCP },
		{ { 6, [8 + 12] = 5 << 4, 16 }, 43, LRO_CANDIDATE, LRO_CONTINUE },
		{ { 6, [3] = 1 }, 43, LRO_STRAY, LRO_PASS_IP_OPTIONS },	/* a hop is left */
		{ { 6, [8 + 12] = 5 << 4, 16 }, 60, LRO_CANDIDATE, LRO_CONTINUE },
		{ { 6, [8 + 12] = 4 << 4, 16 }, 60, LRO_PASS, LRO_PASS_TCP_HEADER },
		{ { 6, 99 }, 44, LRO_STRAY, LRO_PASS_IP_OPTIONS },
		{ { 17, 99 }, 44, LRO_FOREIGN, LRO_GRO_NOT_TCP },
		{ { 6, 2 }, 51, LRO_STRAY, LRO_PASS_IP_OPTIONS },
		{ { 60, 1, [16] = 6, [36] = 5 << 4, 16 }, 0, LRO_CANDIDATE, LRO_CONTINUE },
		{ { 60, 0, [8] = 43, [16] = 6, [36] = 5 << 4, 2 }, 0, LRO_PASS, LRO_PASS_SYN },
		{ { 44, 0, [8] = 6 }, 60, LRO_STRAY, LRO_PASS_IP_OPTIONS },
		{ { 60, 1, [16] = 17 }, 0, LRO_FOREIGN, LRO_GRO_NOT_TCP },
		{ { 44, 2, [16] = 58 }, 51, LRO_FOREIGN, LRO_GRO_NOT_TCP },
		{ { 60, 255 }, 0, LRO_STRAY, LRO_PASS_IP_OPTIONS },
		{ { 6 }, 50, LRO_FOREIGN, LRO_GRO_NOT_TCP },
	};
	struct spec s = spec_v6(spec_bulk);

	(void)ctx;
	s.payload = 200;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame f;

		f = frame_build(&s);
		f.data[20] = cases[i].first;
		memcpy(f.data + 54, cases[i].chain, sizeof(cases[i].chain));
		assert_int_equal(parse(&f), cases[i].verdict);
		assert_int_equal(reason, cases[i].reason);
		if (cases[i].verdict != LRO_FOREIGN)
			assert_int_equal(pkt.key.addr[0], 0xfdfdfdfd);
		frame_free(&f);
	}
}

/* The longest headers there is memory for, and longer ones, whose flow is known all the same. */
static void long_headers(void **ctx)
{
	struct spec s = spec_v6(spec_bulk);

	(void)ctx;
	for (s.extensions = 8; s.extensions < 160; s.extensions += 8)
		for (s.tcp_options = 0; s.tcp_options <= 40; s.tcp_options += 4) {
			bool fits = 74 + s.extensions + s.tcp_options <= LRO_HDR_MAX;

			expect(&s, fits ? LRO_CANDIDATE : LRO_PASS,
			       fits ? LRO_CONTINUE : LRO_PASS_IP_OPTIONS);
			assert_int_equal(lro_get_be32((u8 *)&pkt.key.ports), 40000u << 16 | 5001);
		}
}

/* A caller that provides as many bytes as the rules ask for reaches the end of the headers. */
static void headers_piece_by_piece(void **ctx)
{
	(void)ctx;
	for (unsigned int n = 0; n < 2 + 8; n++) {
		struct spec s = n ? spec_v6(spec_bulk) : spec_bulk;
		unsigned int avail = 14, want, rounds = 0;
		struct frame f;

		s.extensions = n > 1 ? (n - 1) * 8 : 0;
		s.tcp_options = 8;
		f = frame_build(&s);
		for (;; avail = want) {
			/* Exactly as much memory as may be read. */
			u8 *cut = malloc(avail);

			memcpy(cut, f.data, avail);
			want = lro_headers_wanted(cut, avail);
			free(cut);
			if (want <= avail)
				break;
			assert_true(++rounds < 6);
		}
		assert_int_equal(want, n ? 82 + s.extensions : 62);
		assert_int_equal(avail, want);
		/* Not TCP, or no chain that merges: no more than that is to be seen. */
		s.proto = 17;
		frame_free(&f);
		f = frame_build(&s);
		assert_int_equal(lro_headers_wanted(f.data, f.len), 0);
		put_be16(f.data + 12, 0x0806);
		assert_int_equal(lro_headers_wanted(f.data, f.len), 0);
		if (n) {
			put_be16(f.data + 12, 0x86dd);
			f.data[20] = 44;
			f.data[54] = 6;
			assert_int_equal(lro_headers_wanted(f.data, f.len), 0);
		} else {
			put_be16(f.data + 12, 0x0800);
			f.data[23] = 6;
			f.data[14] = 0x46;
			assert_int_equal(lro_headers_wanted(f.data, f.len), 0);
		}
		frame_free(&f);
	}
}

/* Of a chain that is longer than any headers that merge no more is asked for: each look begins at the front. */
static void endless_chain(void **ctx)
{
	struct spec s = spec_v6(spec_bulk);
	unsigned int avail = 14, want, rounds = 0;
	struct frame f;

	(void)ctx;
	s.extensions = 1200;
	f = frame_build(&s);
	while ((want = lro_headers_wanted(f.data, avail)) > avail) {
		avail = want;
		assert_true(++rounds < LRO_HDR_MAX / 8);
	}
	assert_true(avail < LRO_HDR_MAX);
	frame_free(&f);
}

/* A chain of extension headers, cut everywhere, is never read beyond the cut. */
static void truncated_extension_headers(void **ctx)
{
	struct spec s = spec_v6(spec_bulk);
	struct frame whole, cut;

	(void)ctx;
	s.proto = 0;
	whole = frame_build(&s);
	memset(whole.data + 54, 0, 200);	/* each leads to one more */
	for (cut.len = 54; cut.len < 200; cut.len++) {
		cut.data = malloc(cut.len);
		memcpy(cut.data, whole.data, cut.len);
		assert_int_equal(parse(&cut), LRO_STRAY);
		assert_int_equal(reason, LRO_PASS_IP_OPTIONS);
		frame_free(&cut);
	}
	frame_free(&whole);
}

static void vlan_identifier_is_in_key(void **ctx)
{
	struct frame f = frame_build(&spec_bulk);

	(void)ctx;
	assert_int_equal(lro_parse(f.data, f.len, f.len, 0x8100b064, &pkt, &reason), LRO_CANDIDATE);
	assert_int_equal(pkt.key.link, 0x81000064);
	assert_int_equal(pkt.vlan, 0x8100b064);
	frame_free(&f);
}

static void flags(void **ctx)
{
	static const struct {
		u8 flags;
		enum lro_verdict verdict;
		enum lro_reason reason;
	} cases[] = {
		{ 0x10, LRO_CANDIDATE, LRO_CONTINUE },
		{ 0x18, LRO_CANDIDATE, LRO_CONTINUE },
		{ 0x11, LRO_CANDIDATE, LRO_CONTINUE },
		{ 0x50, LRO_CANDIDATE, LRO_CONTINUE },
		{ 0x90, LRO_CANDIDATE, LRO_CONTINUE },
		{ 0x12, LRO_PASS, LRO_PASS_SYN },
		{ 0x02, LRO_PASS, LRO_PASS_SYN },
		{ 0x14, LRO_PASS, LRO_PASS_RST },
		{ 0x04, LRO_PASS, LRO_PASS_RST },
		{ 0x30, LRO_PASS, LRO_PASS_URG },
		{ 0x00, LRO_CANDIDATE, LRO_CONTINUE },
		{ 0x08, LRO_CANDIDATE, LRO_CONTINUE },
	};
	struct spec s = spec_bulk;

	(void)ctx;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.flags = cases[i].flags;
		expect(&s, cases[i].verdict, cases[i].reason);
	}
}

static void pure_ack(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.payload = 0;
	expect(&s, LRO_PASS, LRO_PASS_PURE_ACK);
	s.tcp_options = 0;
	s.padding = 6;	/* padding must not look like payload */
	expect(&s, LRO_PASS, LRO_PASS_PURE_ACK);
}

static void other_protocols(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.proto = 17;
	expect(&s, LRO_FOREIGN, LRO_GRO_NOT_TCP);
	s.frag = 0x2000;
	expect(&s, LRO_FOREIGN, LRO_GRO_NOT_TCP);
}

static void fragments_name_only_addresses(void **ctx)
{
	static const u16 frags[] = { 0x2000, 0x0001, 0x1fff, 0xa000, 0xc001, 0x6000 };
	struct spec s = spec_bulk;

	(void)ctx;
	for (unsigned int i = 0; i < sizeof(frags) / sizeof(frags[0]); i++) {
		s.frag = frags[i];
		expect(&s, LRO_STRAY, LRO_PASS_FRAGMENT);
		assert_int_equal(lro_get_be32((u8 *)&pkt.key.addr[0]), spec_bulk.saddr);
		assert_int_equal(lro_get_be32((u8 *)&pkt.key.addr[1]), spec_bulk.daddr);
	}
	/* The reserved bit says nothing of fragments. */
	s.frag = 0x8000;
	expect(&s, LRO_CANDIDATE, LRO_CONTINUE);
	s.frag = 0xc000;
	expect(&s, LRO_CANDIDATE, LRO_CONTINUE);
}

static void ip_options_keep_the_flow(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	for (s.ip_options = 4; s.ip_options <= 40; s.ip_options += 4) {
		expect(&s, LRO_PASS, LRO_PASS_IP_OPTIONS);
		assert_int_equal(lro_get_be32((u8 *)&pkt.key.ports), 40000u << 16 | 5001);
	}
}

static void other_zero_of_the_checksum(void **ctx)
{
	struct frame f = frame_build(&spec_bulk);
	u16 check, id;

	(void)ctx;
	/* Choose the identification that makes the header checksum 0. */
	check = lro_get_be16(f.data + 24);
	id = lro_get_be16(f.data + 18);
	put_be16(f.data + 18, (id + check) % 0xffff);
	frame_fix_ip_checksum(&f);
	assert_int_equal(lro_get_be16(f.data + 24), 0);
	assert_int_equal(parse(&f), LRO_CANDIDATE);
	put_be16(f.data + 24, 0xffff);
	assert_int_equal(parse(&f), LRO_PASS);
	assert_int_equal(reason, LRO_PASS_IP_CHECKSUM);
	frame_free(&f);
}

static void longest_packet(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.payload = LRO_IP_MAX - 52;
	expect(&s, LRO_CANDIDATE, LRO_CONTINUE);
	s.payload++;
	expect(&s, LRO_PASS, LRO_PASS_LENGTH);
	s.payload = 65535 - 52;
	expect(&s, LRO_PASS, LRO_PASS_LENGTH);
	/* Longer than any IPv4 packet. */
	s = spec_v6(s);
	s.payload = 65535 - 32;
	expect(&s, LRO_PASS, LRO_PASS_LENGTH);
}

static void other_options(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	for (s.tcp_options = 4; s.tcp_options <= 40; s.tcp_options += 4) {
		expect(&s, LRO_CANDIDATE, LRO_CONTINUE);
		assert_int_equal(pkt.hdr_len, 54 + s.tcp_options);
		assert_int_equal(pkt.payload, 1448);
	}
}

static void cut_everywhere(struct spec s, unsigned int ports)
{
	struct frame whole = frame_build(&s), cut;

	for (cut.len = 0; cut.len < whole.len; cut.len++) {
		enum lro_verdict verdict;

		cut.data = malloc(cut.len ? cut.len : 1);
		memcpy(cut.data, whole.data, cut.len);
		verdict = parse(&cut);
		if (cut.len < 14)
			assert_int_equal(verdict, LRO_FOREIGN);
		else if (cut.len < ports + 4)
			assert_int_equal(verdict, LRO_STRAY);
		else
			assert_int_equal(verdict, LRO_PASS);
		if (cut.len >= ports + 20)
			assert_int_equal(reason, LRO_PASS_LENGTH);
		else if (cut.len >= 14)
			assert_int_equal(reason, LRO_PASS_TRUNCATED);
		frame_free(&cut);
	}
	assert_int_equal(parse(&whole), LRO_CANDIDATE);
	frame_free(&whole);
}

static void truncated_at_every_length(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.payload = 40;
	cut_everywhere(s, 34);
	cut_everywhere(spec_v6(s), 54);
}

static void truncated_ip_options(void **ctx)
{
	struct spec s = spec_bulk;
	struct frame whole, cut;

	(void)ctx;
	/* Options that the frame has no room for leave the flow unknown. */
	s.ip_options = 40;
	whole = frame_build(&s);
	for (cut.len = 54; cut.len < 78; cut.len++) {
		cut.data = malloc(cut.len);
		memcpy(cut.data, whole.data, cut.len);
		assert_int_equal(parse(&cut), LRO_STRAY);
		assert_int_equal(reason, LRO_PASS_IP_OPTIONS);
		frame_free(&cut);
	}
	frame_free(&whole);
}

/* More memory than frame: bytes behind the frame are not part of it. */
static void readable_beyond_the_frame(void **ctx)
{
	struct frame f = frame_build(&spec_bulk);

	(void)ctx;
	assert_int_equal(lro_parse(f.data, f.len, 53, 0, &pkt, &reason), LRO_PASS);
	assert_int_equal(reason, LRO_PASS_TRUNCATED);
	assert_int_equal(lro_parse(f.data, f.len, 13, 0, &pkt, &reason), LRO_FOREIGN);
	frame_free(&f);
}

/* Headers in a fragment of their own are enough; part of them is not. */
static void headers_alone_are_readable(void **ctx)
{
	struct frame f = frame_build(&spec_bulk);
	u8 *headers;

	(void)ctx;
	for (unsigned int avail = 54; avail <= 66; avail++) {
		headers = malloc(avail);
		memcpy(headers, f.data, avail);
		assert_int_equal(lro_parse(headers, avail, f.len, 0, &pkt, &reason),
				 avail < 66 ? LRO_PASS : LRO_CANDIDATE);
		assert_int_equal(reason, avail < 66 ? LRO_PASS_TRUNCATED : LRO_CONTINUE);
		free(headers);
	}
	frame_free(&f);
}

static void change_header_bytes(struct spec s)
{
	struct frame f = frame_build(&s);

	for (unsigned int at = 0; at < f.len - s.payload; at++) {
		u8 good = f.data[at];

		for (unsigned int v = 0; v < 256; v++) {
			f.data[at] = v;
			if (parse(&f) != LRO_CANDIDATE)
				continue;
			assert_in_range(pkt.hdr_len, 54, LRO_HDR_MAX);
			assert_true(pkt.payload > 0);
			assert_true(pkt.hdr_len + pkt.payload == pkt.ip_len + 14);
			assert_true(pkt.hdr_len + pkt.payload <= f.len);
		}
		f.data[at] = good;
	}
	frame_free(&f);
}

static void any_header_byte(void **ctx)
{
	struct spec s = spec_bulk;

	(void)ctx;
	s.payload = 3;
	change_header_bytes(s);
	change_header_bytes(spec_v6(s));
}

static bool never(const struct spec *s, unsigned int avail)
{
	struct frame f = frame_build(s), cut = { .data = malloc(avail), .len = avail };
	bool result;

	/* Exactly as much memory as may be read. */
	assert_true(avail <= f.len);
	memcpy(cut.data, f.data, avail);
	result = lro_never_merges(cut.data, avail);
	frame_free(&cut);
	frame_free(&f);
	return result;
}

static void plainly_no_candidates(void **ctx)
{
	static const u8 arp[60] = { [12] = 0x08, 0x06 };
	static const u8 tagged[60] = { [12] = 0x81, 0x00 };

	(void)ctx;
	for (int i = 0; i < 2; i++) {
		const struct spec data = i ? spec_v6(spec_bulk) : spec_bulk;
		unsigned int enough = i ? 74 : 54;
		struct spec s = data;

		s.payload = 1;
		assert_false(never(&s, enough));
		for (unsigned int avail = 0; avail < enough; avail++)
			assert_true(never(&s, avail));
		s.payload = 0;
		assert_true(never(&s, enough));
		s = data;
		s.proto = 17;
		assert_true(never(&s, enough));
	}
	/* Other frames are left to lro_parse(). */
	assert_false(lro_never_merges(arp, sizeof(arp)));
	assert_false(lro_never_merges(tagged, sizeof(tagged)));
}

static bool request(const struct spec *s, unsigned int avail)
{
	struct frame f = frame_build(s), cut = { .data = malloc(avail), .len = avail };
	bool result;

	assert_true(avail <= f.len);
	memcpy(cut.data, f.data, avail);
	result = lro_is_request(cut.data, avail, f.len);
	frame_free(&cut);
	frame_free(&f);
	return result;
}

static void plainly_requests(void **ctx)
{
	static const u8 arp[60] = { [12] = 0x08, 0x06 };

	(void)ctx;
	for (int i = 0; i < 2; i++) {
		const struct spec bulk = i ? spec_v6(spec_bulk) : spec_bulk;
		unsigned int enough = i ? 74 : 54, full = LRO_REQUEST_MAX - enough;
		struct spec s = bulk, plain;

		s.tcp_options = 0;
		s.payload = full;
		assert_false(request(&s, enough));
		s.flags |= LRO_TCP_PSH;
		plain = s;
		for (unsigned int avail = 0; avail < enough; avail++)
			assert_false(request(&s, avail));
		assert_true(request(&s, enough));
		s.payload = full + 1;
		assert_false(request(&s, enough));
		for (unsigned int flag = 1; flag < 0x100; flag <<= 1) {
			s = plain;
			s.flags ^= flag;
			assert_false(request(&s, enough));
		}
		s = plain;
		s.proto = 17;
		assert_false(request(&s, enough));
		if (i)
			continue;
		s = plain;
		s.frag = 0x2000;
		assert_false(request(&s, enough));
		s.frag = 0xc000;
		assert_true(request(&s, enough));
		s = plain;
		s.payload -= s.ip_options = 4;
		assert_false(request(&s, enough));
	}
	assert_false(lro_is_request(arp, sizeof(arp), sizeof(arp)));
}

struct result run_parse_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bulk_segment),
		cmocka_unit_test(without_timestamps),
		cmocka_unit_test(padding_is_not_payload),
		cmocka_unit_test(trailer_is_not_padding),
		cmocka_unit_test(ipv6_segment),
		cmocka_unit_test(changed_headers),
		cmocka_unit_test(ipv6_extension_headers),
		cmocka_unit_test(long_headers),
		cmocka_unit_test(headers_piece_by_piece),
		cmocka_unit_test(endless_chain),
		cmocka_unit_test(truncated_extension_headers),
		cmocka_unit_test(vlan_identifier_is_in_key),
		cmocka_unit_test(flags),
		cmocka_unit_test(pure_ack),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(fragments_name_only_addresses),
		cmocka_unit_test(ip_options_keep_the_flow),
		cmocka_unit_test(other_zero_of_the_checksum),
		cmocka_unit_test(longest_packet),
		cmocka_unit_test(other_options),
		cmocka_unit_test(truncated_at_every_length),
		cmocka_unit_test(truncated_ip_options),
		cmocka_unit_test(readable_beyond_the_frame),
		cmocka_unit_test(headers_alone_are_readable),
		cmocka_unit_test(any_header_byte),
		cmocka_unit_test(plainly_no_candidates),
		cmocka_unit_test(plainly_requests),
	};

	return RUN_GROUP("parse", tests);
}
