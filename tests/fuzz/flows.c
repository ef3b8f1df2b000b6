// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow table under a stream of packets: the engine's path of a packet, with numbered packets in
 * place of skbs. A model beside it knows the open flows, their age, and the delivered part of each.
 *
 * Input: limit and seed of the table, then operations: a packet of a flow that
 * differs from the plain next one in what the bits of a byte say, a flow that is
 * flushed, a poll that ends, a packet without ports, all flows flushed for another mode.
 */
#include "cost.h"
#include "flows.h"
#include "input.h"
#include "oracle.h"
#include "packet.h"

#define FLOWS		64
#define LIMIT_MAX	24
#define MAX_SEGS	20
#define MSS		32
#define BULK		8	/* segments in sequence that the table may call bulk */

/* How a packet differs from the plain next segment. */
enum change {
	SEQ = 0x01,
	PSH = 0x02,
	SHORT = 0x04,
	ACK = 0x08,
	TSVAL = 0x10,
	ID = 0x20,
	FLAGS = 0x40,
	TOS = 0x80,
};

/**
 * struct sender - a flow in the model
 * @next: the next plain segment
 * @arrived: packets handed in
 * @delivered: of those, packets that left
 * @flow: place of its open aggregate, or NULL
 * @opened: number of the operation that opened it, tells age
 * @held: number of the operation that held it, or 0
 * @streak: segments in sequence and of one size
 * @expected: sequence number that continues the streak
 * @size: payload of the last segment
 * @set: set of the table it was seen in, -1 before the first time
 */
struct sender {
	struct spec next;
	u32 arrived;
	u32 delivered;
	struct lro_flow *flow;
	u32 opened;
	u32 held;
	u32 streak;
	u32 expected;
	u16 size;
	int set;
};

static const struct lro_limits limits = { MAX_SEGS, LRO_IP_MAX, LRO_IP_MAX };
static struct sender sender[FLOWS];
static struct lro_flow_set memory[2 * 2 * LIMIT_MAX / LRO_WAYS + 1];
static struct lro_flows table;
static unsigned int rules;
static u32 now;

static struct sender *owner(const struct lro_flow *flow)
{
	return (struct sender *)flow->skb;
}

/* Was an aggregate held before another, or has it been open for longer? */
static bool is_older(const struct sender *s, const struct sender *than)
{
	if (s->held || than->held)
		return s->held && (!than->held || s->held < than->held);
	return s->opened < than->opened;
}

/* The oldest of the open aggregates that are bulk, or are not. */
static struct sender *model_oldest(bool bulk)
{
	struct sender *oldest = NULL;

	for (struct sender *s = sender; s < sender + FLOWS; s++)
		if (s->flow && lro_flow_is_bulk(s->flow) == bulk &&
		    (!oldest || is_older(s, oldest)))
			oldest = s;
	return oldest;
}

static void check_table(void)
{
	struct sender *oldest = model_oldest(true);
	unsigned int count = 0;

	cost_pause(true);
	for (struct sender *s = sender; s < sender + FLOWS; s++) {
		if (!s->flow) {
			MUST(s->delivered == s->arrived);
			continue;
		}
		count++;
		MUST(owner(s->flow) == s);
		MUST(s->delivered + s->flow->state.segs == s->arrived);
		MUST(!lro_flow_is_bulk(s->flow) || s->streak >= BULK);
	}
	MUST(table.count == count && count <= table.limit);
	MUST(!lro_flows_oldest(&table) == !count);
	/* Only bulk flows are held. */
	if (oldest && oldest->held)
		MUST(lro_flows_oldest(&table) == oldest->flow);
	cost_pause(false);
}

static void flush(struct lro_flow *flow)
{
	struct sender *s = owner(flow);

	s->delivered += flow->state.segs;
	s->flow = NULL;
	s->held = 0;
	MUST((struct sender *)lro_flows_close(&table, flow) == s);
	MUST(!flow->skb);
}

static void flush_all(void)
{
	struct lro_flow *flow;

	while ((flow = lro_flows_oldest(&table)))
		flush(flow);
}

static u32 since(const struct sender *s)
{
	return s->held ? s->held : s->opened;
}

static int set_of(const struct lro_flow *flow)
{
	return ((const char *)flow - (const char *)memory) / sizeof(memory[0]);
}

/*
 * The oldest is evicted, of all at the limit, otherwise of a full set, and bulk flows last. Bulk
 * flows that are not held are in no order.
 */
static void check_evicted(const struct lro_flow *victim)
{
	const struct lro_flow *set = memory[set_of(victim)].flow;
	bool bulk = lro_flow_is_bulk(victim);
	struct sender *oldest = model_oldest(bulk);

	if (table.count == table.limit) {
		MUST(!bulk || !model_oldest(false));
		MUST(owner(victim) == oldest || (bulk && !oldest->held));
		return;
	}
	for (unsigned int way = 0; way < LRO_WAYS; way++) {
		MUST(set[way].skb);
		if (lro_flow_is_bulk(&set[way]) == bulk)
			MUST(since(owner(victim)) <= since(owner(&set[way])));
		else
			MUST(!bulk);
	}
}

static void open_flow(struct sender *s, const struct lro_packet *pkt)
{
	struct lro_flow *flow;
	int set;

	for (;;) {
		flow = lro_flows_place(&table, &pkt->key);
		if (!flow->skb)
			break;
		check_evicted(flow);
		/* At the limit it may be a place in any set. */
		if (table.count < table.limit) {
			MUST(s->set < 0 || s->set == set_of(flow));
			s->set = set_of(flow);
		}
		flush(flow);
	}
	set = set_of(flow);
	MUST(s->set < 0 || s->set == set);
	s->set = set;
	lro_flows_open(&table, flow, pkt, (struct sk_buff *)s, rules);
	s->flow = flow;
	s->opened = ++now;
}

static void grown(struct sender *s)
{
	if (lro_flows_grown(&table, s->flow, &limits))
		flush(s->flow);
}

/* The model's own count of segments in sequence, which is never forgotten. */
static void count_streak(struct sender *s, const struct lro_packet *pkt)
{
	bool last = pkt->flags & 0x09, shorter = last && pkt->payload < s->size;

	if (pkt->seq != s->expected || (pkt->payload != s->size && !shorter))
		s->streak = 0;
	if (s->streak < BULK)
		s->streak = last ? 0 : s->streak + 1;
	s->expected = pkt->seq + pkt->payload;
	if (!shorter)
		s->size = pkt->payload;
}

static void receive(struct sender *s, const struct frame *f)
{
	struct lro_flow *flow, *repeated, *v4;
	struct lro_flows same = table;
	struct lro_packet pkt;
	enum lro_reason why;
	enum lro_verdict verdict;

	cost_event();
	verdict = lro_parse(f->data, f->len, f->len, 0, &pkt, &why);
	MUST(verdict == LRO_CANDIDATE || verdict == LRO_PASS);
	flow = lro_flows_find(&table, &pkt.key);
	MUST(flow == s->flow);
	repeated = lro_flows_predicted(&table, f->data, f->len, f->len, 0);
	v4 = lro_flows_predicted_v4(&same, f->data, f->len, 0);
	MUST(v4 == (repeated && lro_is_v4_bulk(&repeated->state) ? repeated : NULL));
	s->arrived++;
	if (verdict == LRO_PASS) {
		MUST(!repeated);
		if (flow)
			flush(flow);
		s->delivered++;
		return;
	}
	count_streak(s, &pkt);
	if (flow) {
		why = lro_match(&flow->state, &pkt, rules);
		MUST((why == LRO_CONTINUE) == oracle_continues(&flow->state, &pkt, rules));
		MUST(repeated == (oracle_repeats(&flow->state, &pkt, rules) ? flow : NULL));
		if (repeated) {
			if (lro_state_advance_predicted(&flow->state, flow->state.tcp))
				flush(flow);
			return;
		}
		if (why == LRO_CONTINUE) {
			lro_state_add(&flow->state, &pkt, rules);
			grown(s);
			return;
		}
		/* The packet itself is not in the aggregate that ends. */
		flush(flow);
	} else {
		MUST(!repeated);
	}
	open_flow(s, &pkt);
	grown(s);
}

static void packet(struct input *in, struct sender *s)
{
	u8 change = input_u8(in);
	struct spec spec;
	struct frame f;

	if (change & SEQ)
		s->next.seq += (s8)input_u8(in) * MSS / 4;
	if (change & ACK)
		s->next.ack += (s8)input_u8(in);
	if (change & TSVAL)
		s->next.tsval += (s8)input_u8(in);
	if (change & ID)
		s->next.id += (s8)input_u8(in);
	if (change & TOS)
		s->next.tos ^= input_u8(in);
	spec = s->next;
	spec.payload = change & SHORT ? input_u8(in) % (2 * MSS) : MSS;
	if (change & PSH)
		spec.flags |= 0x08;
	if (change & FLAGS)
		spec.flags ^= input_u8(in);
	f = frame_build(&spec);
	s->next.seq = spec.seq + spec.payload;
	s->next.id++;
	receive(s, &f);
	frame_free(&f);
}

static void hold(struct lro_flow *flow)
{
	owner(flow)->held = ++now;
	lro_flows_hold(&table, flow, now);
	MUST(!lro_flow_has_grown(flow));
}

/* Ends held aggregates, except those that have grown. */
static void end_held(void)
{
	struct lro_flow *flow;
	u32 time = now;

	while (!list_empty(&table.held)) {
		flow = list_first_entry(&table.held, struct lro_flow, age);
		if (flow->deadline > time)
			break;
		if (lro_flow_has_grown(flow))
			hold(flow);
		else
			flush(flow);
	}
}

/* Aggregates of bulk flows that may grow stay open. */
static void end_begun(struct list_head *list)
{
	struct lro_flow *flow;

	while (!list_empty(list)) {
		flow = list_first_entry(list, struct lro_flow, age);
		if (!lro_flow_is_bulk(flow)) {
			MUST(list != &table.bulk);
			flush(flow);
			continue;
		}
		hold(flow);
	}
}

static void end_poll(bool due)
{
	cost_event();
	if (due)
		end_held();
	end_begun(&table.open);
	end_begun(&table.bulk);
}

/* A poll finds another mode wanted. */
static void change_mode(void)
{
	cost_event();
	flush_all();
}

/* A packet without ports: all open aggregates between its addresses end, and few others. */
static void stray(const struct sender *from)
{
	unsigned int others = 0;
	struct lro_flow *flow;
	struct frame f = frame_build(&from->next);
	struct lro_packet pkt;
	enum lro_reason why;

	/* More fragments, or a fragment header. */
	f.data[20] = from->next.ipv6 ? 44 : 0x20;
	cost_event();
	lro_parse(f.data, f.len, f.len, 0, &pkt, &why);
	while ((flow = lro_flows_stray(&table, &pkt.key))) {
		others += !!memcmp(flow->key.addr, pkt.key.addr, sizeof(pkt.key.addr));
		flush(flow);
	}
	for (struct sender *s = sender; s < sender + FLOWS; s++)
		MUST(!s->flow || memcmp(s->flow->key.addr, pkt.key.addr, sizeof(pkt.key.addr)));
	MUST(!others || others + LRO_STRAY_OTHERS <= LIMIT_MAX);
	frame_free(&f);
}

static void setup(struct input *in)
{
	unsigned int limit = 1 + input_u8(in) % LIMIT_MAX;
	u64 seed = input_u32(in);
	struct lro_hash_key key;

	now = 0;
	rules = 0;
	memset(memory, 0, sizeof(memory));
	MUST(lro_flows_sets(limit) <= sizeof(memory) / sizeof(memory[0]));
	for (unsigned int i = 0; i < 4; i++)
		key.word[i] = (seed + i) * 0x9e3779b97f4a7c15ull;
	lro_flows_setup(&table, memory, limit, &key);
	for (unsigned int n = 0; n < FLOWS; n++) {
		struct spec first = n % 8 == 7 ? spec_v6(spec_bulk) : spec_bulk;

		first.saddr += n / 16;
		first.sport += n;
		first.seq = n % 4 ? first.seq : 0u - 5 * MSS;
		first.tcp_options = n % 2 ? 12 : 0;
		sender[n] = (struct sender) { .next = first, .set = -1 };
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };

	setup(&in);
	cost_begin();
	while (in.left) {
		u8 op = input_u8(&in);
		struct sender *s = &sender[op % FLOWS];

		switch (op / FLOWS) {
		case 0:
		case 1:
			packet(&in, s);
			break;
		case 2:		/* many of one flow, or one that is flushed */
			for (unsigned int n = input_u8(&in) % 16; n; n--)
				packet(&(struct input) {}, s);
			break;
		default:
			if (op % 4 == 0 && s->flow)
				flush(s->flow);
			else if (op % 4 == 1)
				end_poll(op & 4);
			else if (op % 4 == 2 && op & 4)
				stray(s);
			else if (op % 4 == 2)
				change_mode();
			else
				rules ^= table.count ? 0 : 1 + (op & 4) / 2;
		}
		check_table();
	}
	flush_all();
	cost_end();
	check_table();
	MUST(!lro_flows_oldest(&table) && !table.count);
	return 0;
}
