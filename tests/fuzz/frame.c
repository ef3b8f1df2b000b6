// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as frames: what lro_parse(), lro_match() and lro_predicted() say of
 * them is what the oracle says, and none reads beyond what it may.
 *
 * Input: the rules, a control byte for each frame, then the frame: bytes of the input, or a
 * good frame in which the input changes some bytes; checksums are made right on
 * demand, because no fuzzer guesses them.
 */
#include "cost.h"
#include "input.h"
#include "match.h"
#include "predict.h"
#include "oracle.h"
#include "packet.h"

static const struct lro_limits limits = { 4, LRO_IP_MAX, LRO_IP_MAX };

enum control {
	RAW = 0x01,		/* the frame is the input's, else a good one */
	REPAIR = 0x02,		/* make the IP checksum right */
	IPV6 = 0x04,
	PLAIN = 0x08,		/* without timestamps */
	TAGGED = 0x10,
	CUT = 0x20,		/* part of the frame is out of reach */
	CHANGE = 0x40,		/* some bytes change */
	LONGER = 0x80,		/* other options than timestamps, or extension headers */
};

static struct frame raw_frame(struct input *in)
{
	struct frame f = { .len = input_u16(in) % 256 };

	if (f.len > in->left)
		f.len = in->left;
	f.data = malloc(f.len + 1);
	memcpy(f.data, in->at, f.len);
	in->at += f.len;
	in->left -= f.len;
	return f;
}

/* The next segment of the aggregate if it has one. */
static struct frame good_frame(struct input *in, u8 control, const struct lro_state *state)
{
	struct spec s = control & IPV6 ? spec_v6(spec_bulk) : spec_bulk;

	if (control & PLAIN)
		s.tcp_options = 0;
	if (control & LONGER) {
		u8 lengths = input_u8(in);

		s.tcp_options = lengths % 11 * 4;
		s.extensions = s.ipv6 ? lengths / 11 % 12 * 8 : 0;
	}
	s.payload = 1 + input_u8(in) % 32;
	if (state) {
		s.seq = lro_next_seq(state);
		s.id = state->ip_id + (state->fixed_id ? 0 : state->segs);
	}
	return frame_build(&s);
}

/* Whether both lengths in the frame's headers lie in it, as repairing needs. */
static bool repairable(const struct frame *f)
{
	return f->len >= 34 && (f->data[14] & 0xf) >= 5 && 14u + (f->data[14] & 0xf) * 4 <= f->len;
}

/* Change some bytes, or set some words to ffff, which is a checksum's other zero. */
static void change(struct input *in, struct frame *f)
{
	u8 how = input_u8(in);

	for (unsigned int count = 1 + how % 4; count; count--) {
		unsigned int at = input_u8(in);

		if (how & 0x80 && at + 1 < f->len)
			put_be16(f->data + at, 0xffff);
		else if (f->len)
			f->data[at % f->len] ^= input_u8(in);
	}
}

static struct frame next_frame(struct input *in, u8 control, const struct lro_state *state)
{
	struct frame f = control & RAW ? raw_frame(in) : good_frame(in, control, state);

	if (control & CHANGE)
		change(in, &f);
	if (control & REPAIR && repairable(&f))
		frame_fix_ip_checksum(&f);
	return f;
}

static void check_parsed(enum lro_verdict verdict, enum lro_reason reason,
			 const struct lro_packet *pkt, const u8 *bytes, unsigned int avail,
			 unsigned int len)
{
	bool candidate = verdict == LRO_CANDIDATE;

	MUST(candidate == oracle_mergeable(bytes, avail, len));
	MUST(candidate == (reason == LRO_CONTINUE));
	MUST(reason < LRO_REASON_COUNT);
	if (!candidate)
		return;
	MUST(pkt->frame == bytes);
	MUST(pkt->payload && pkt->hdr_len <= avail);
	MUST(pkt->hdr_len + pkt->payload == pkt->ip_len + LRO_MAC_LEN);
	MUST(pkt->ip_len + LRO_MAC_LEN <= len);
}

/* Providing what is asked for leads to the end of the headers. */
static void check_wanted(const u8 *bytes, unsigned int avail, bool candidate)
{
	unsigned int want = avail < 14 ? 0 : lro_headers_wanted(bytes, avail);

	MUST(!candidate || (want && want <= avail));
}

/* One frame; false if the aggregate ends with it or before it. */
static bool step(struct input *in, struct lro_state *state, struct lro_key *key, bool first,
		 unsigned int rules)
{
	u8 control = input_u8(in);
	u32 vlan = control & TAGGED ? 0x81000000 | input_u16(in) : 0;
	struct frame f = next_frame(in, control, first ? NULL : state);
	unsigned int avail = control & CUT ? input_u8(in) : f.len;
	struct lro_packet pkt = {};
	enum lro_reason reason;
	enum lro_verdict verdict;
	bool goes_on = false, repeats = false;
	u8 *bytes;

	if (avail > f.len)
		avail = f.len;
	/* Exactly as much memory as may be read. */
	bytes = malloc(avail);
	memcpy(bytes, f.data, avail);
	cost_event();
	verdict = lro_parse(bytes, avail, f.len, vlan, &pkt, &reason);
	check_parsed(verdict, reason, &pkt, bytes, avail, f.len);
	check_wanted(bytes, avail, verdict == LRO_CANDIDATE);
	MUST(verdict != LRO_CANDIDATE || !lro_never_merges(bytes, avail));
	MUST(verdict != LRO_FOREIGN || !lro_is_request(bytes, avail, f.len));

	if (first) {
		*key = pkt.key;
		goes_on = verdict == LRO_CANDIDATE;
		if (goes_on) {
			lro_state_start(state, &pkt, rules);
			lro_state_limit(state, &limits);
		}
	} else {
		if (verdict == LRO_CANDIDATE && lro_key_equal(key, &pkt.key)) {
			goes_on = lro_match(state, &pkt, rules) == LRO_CONTINUE;
			MUST(goes_on == (vlan == state->vlan &&
					 oracle_continues(state, &pkt, rules)));
			/* A frame with padding is parsed. */
			repeats = goes_on && oracle_repeats(state, &pkt, rules) &&
				  f.len == state->full_len;
		}
		MUST(lro_predicted(state, bytes, avail, f.len, vlan) == repeats);
		if (goes_on) {
			struct lro_state quick = *state;

			lro_state_add(state, &pkt, rules);
			if (repeats) {
				MUST(lro_state_advance_predicted(&quick, quick.tcp) ==
				     lro_state_ends(state, &limits));
				MUST(!memcmp(&quick, state, sizeof(quick)));
			}
		}
	}
	free(bytes);
	frame_free(&f);
	return goes_on && !lro_state_ends(state, &limits);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct lro_state state = {};
	struct lro_key key = {};
	unsigned int rules = input_u8(&in) % 8;
	bool first = true;

	cost_begin();
	while (step(&in, &state, &key, first, rules))
		first = false;
	cost_end();
	return 0;
}
