// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures the cost of receiving a packet: from the driver's buffer until a sink at the entrance of
 * the network stack has freed the aggregate of the packet.
 *
 * The paths run in a real NAPI poll with its full budget, so that GRO flushes as usual. Time is
 * taken from the moment the frames of a poll are ready until the next poll begins; it does not
 * include making the frames. A poll during which the machine ran another task does not count.
 * Rounds of the paths alternate, so that disturbances hit all alike. One line of JSON per path goes
 * to the console; the arithmetic is the runner's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/slab.h>

#include "clock.h"
#include "compat.h"
#include "netdev.h"
#include "paths.h"
#include "sink.h"
#include "worst.h"

#define ROUNDS_MAX	21	/* a line of the console holds no more */
#define LIST_MAX	(ROUNDS_MAX * 12)
#define SIZES_MAX	16
#define FLOWS_MAX	16
#define PATHS_MAX	32

static unsigned int rounds = 9;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "rounds of each path, 1 to 21");

static unsigned int packets = 65536;
module_param(packets, uint, 0444);
MODULE_PARM_DESC(packets, "packets in one round");

static unsigned int mode = LRO_STRICT;
module_param(mode, uint, 0444);
MODULE_PARM_DESC(mode, "promise of the engine: 1 strict, 2 relaxed");

static unsigned int sizes[SIZES_MAX] = { 64, 128, 256, 512, 1024, 1514 };
static unsigned int size_count = 6;
module_param_array(sizes, uint, &size_count, 0444);
MODULE_PARM_DESC(sizes, "frame sizes without FCS, 64 to 1514");

static unsigned int flows[FLOWS_MAX] = { 1, 4, 64, 1024 };
static unsigned int flow_count = 4;
module_param_array(flows, uint, &flow_count, 0444);
MODULE_PARM_DESC(flows, "flows that take turns, 1 to 1024");

static unsigned int worst;
module_param(worst, uint, 0444);
MODULE_PARM_DESC(worst, "instead: costly streams, of lro_core with this max_flows; 0: no");

static bool quick;
module_param(quick, bool, 0444);
MODULE_PARM_DESC(quick, "of these only the quick ones");

/* A costly attack shows before all of its packets have been sent. */
#define ROUND_SECONDS	3

/**
 * struct result - rounds of one path
 * @tsc: time stamp counter, per round, as if all polls had counted
 * @pmu: processor cycles, likewise, 0 without a PMU
 * @counted: packets of the polls that counted, per round, as if none was cut short; 0 if the last
 *	one, which delivers all that is held, does not
 * @deliveries: skbs that reached the sink, all rounds
 * @segments: packets that reached the sink, all rounds
 * @failure: fault of the first bad round, or NULL
 */
struct result {
	u64 tsc[ROUNDS_MAX];
	u64 pmu[ROUNDS_MAX];
	u64 counted[ROUNDS_MAX];
	u64 deliveries;
	u64 segments;
	const char *failure;
};

/**
 * struct bench - the state of one run
 * @napi: the NAPI instance
 * @rx: arguments of the paths
 * @sink: counts deliveries
 * @stream: makes the frames
 * @path: path being measured
 * @total: packets of a whole round
 * @sent: packets of this round, less if it is cut short
 * @deadline: time at which a round is cut short, jiffies
 * @left: packets still to receive in this round
 * @running: packets of the poll whose end is not yet known
 * @counted: packets of the polls that counted
 * @no_memory: there was no memory for frames
 * @disturbed: a poll without packets does not count; if such a poll takes long by itself, only it
 * @switches: clock_switches() when the frames of the last poll were ready
 * @begun: clock at that moment
 * @spent: clock ticks of the polls that counted
 * @ended: clock ticks of the polls without packets
 * @done: the last packet was received
 * @result: of each path, for one size and number of flows
 */
struct bench {
	struct napi_struct napi;
	struct rx rx;
	struct sink sink;
	struct stream stream;
	const struct rx_path *path;
	unsigned int total;
	unsigned int sent;
	unsigned long deadline;
	unsigned int left;
	unsigned int running;
	unsigned int counted;
	bool no_memory;
	bool disturbed;
	u64 switches;
	struct clock begun;
	struct clock spent;
	struct clock ended;
	struct completion done;
	struct result result[PATHS_MAX];
};

static void end_poll(struct bench *b)
{
	if (b->path->engine) {
		lro_complete_done(b->rx.lro, &b->napi, 0);
		return;
	}
	bounds_release(b->rx.bounds);
	napi_complete_done(&b->napi, 0);
}

static int bench_poll(struct napi_struct *napi, int budget)
{
	struct bench *b = container_of(napi, struct bench, napi);
	unsigned int count = min_t(unsigned int, budget, b->left);
	struct clock now = clock_read();

	if (b->running && clock_switches() == b->switches) {
		clock_add(&b->spent, &b->begun, &now);
		b->counted += b->running;
	}
	if (worst && time_after(jiffies, b->deadline)) {
		b->sent -= b->left;
		b->left = 0;
		count = 0;
	}
	if (count && stream_fill(&b->stream, count)) {
		b->no_memory = true;
		b->left = 0;
		count = 0;
	}
	b->running = count;
	b->switches = clock_switches();
	b->begun = clock_read();
	if (b->path->engine)
		lro_begin(b->rx.lro, mode, budget);
	if (count) {
		b->path->poll(&b->rx, &b->stream, count);
		b->left -= count;
		if (b->path->engine)
			lro_end(b->rx.lro);
		return budget;
	}

	/* Also reached when a timer of the engine asks for one more poll. */
	end_poll(b);
	now = clock_read();
	if (clock_switches() == b->switches)
		clock_add(&b->ended, &b->begun, &now);
	else if (!worst)
		b->disturbed = true;
	complete(&b->done);
	return 0;
}

/* The engine may hold packets for a while after the last poll. */
static void await_sink(const struct bench *b, u64 want)
{
	unsigned int tries;

	for (tries = 0; tries < 100 && READ_ONCE(b->sink.segments) < want; tries++)
		usleep_range(100, 200);
}

static const char *check_round(const struct bench *b)
{
	if (b->no_memory)
		return "out of memory";
	if (!b->path->delivers)
		return b->sink.deliveries ? "packets from nowhere" : NULL;
	if (b->sink.segments != b->sent)
		return "packets lost or doubled";
	if (b->sink.payload != (u64)b->sent * b->stream.payload)
		return "bytes lost or doubled";
	if (b->sink.wrong)
		return "packets out of order or with wrong metadata";
	return NULL;
}

static u64 whole_round(const struct bench *b, u64 ticks)
{
	return b->counted ? mul_u64_u32_div(ticks, b->total, b->counted) : 0;
}

static void run_round(struct bench *b, unsigned int round, struct result *result)
{
	const char *failure;

	b->left = b->total;
	b->sent = b->total;
	b->deadline = jiffies + ROUND_SECONDS * HZ;
	b->no_memory = false;
	b->disturbed = false;
	b->running = 0;
	b->counted = 0;
	b->spent = (struct clock){};
	b->ended = (struct clock){};
	sink_start(&b->sink, &b->stream);
	reinit_completion(&b->done);

	local_bh_disable();
	napi_schedule(&b->napi);
	local_bh_enable();
	if (!wait_for_completion_timeout(&b->done, 30 * HZ)) {
		result->failure = "the poll did not end";
		return;
	}
	if (b->path->delivers && !worst)
		await_sink(b, b->total);
	/* No poll may run any more while the figures are read. */
	napi_disable(&b->napi);
	if (worst)
		lro_stop(b->rx.lro);
	result->counted[round] = b->disturbed ? 0 : div_u64((u64)b->counted * b->total, b->sent);
	result->tsc[round] = whole_round(b, b->spent.tsc) + b->ended.tsc;
	result->pmu[round] = whole_round(b, b->spent.pmu) + b->ended.pmu;
	result->deliveries += b->sink.deliveries;
	result->segments += b->sink.segments;
	failure = check_round(b);
	if (failure && !result->failure)
		result->failure = failure;
	napi_enable(&b->napi);
}

static void print_list(char *text, size_t size, const u64 *value)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < rounds; i++)
		len += scnprintf(text + len, size - len, "%s%llu", i ? "," : "", value[i]);
}

/* @stream: distinguishes this row from others of the same path. */
static void print_result(const struct rx_path *path, const struct result *result,
			 unsigned int total, const char *stream)
{
	char tsc[LIST_MAX], pmu[LIST_MAX], counted[LIST_MAX];

	print_list(tsc, sizeof(tsc), result->tsc);
	print_list(pmu, sizeof(pmu), result->pmu);
	print_list(counted, sizeof(counted), result->counted);
	pr_info("%s {\"path\":\"%s\",%s,\"packets\":%u,\"segments\":%llu,\"deliveries\":%llu,\"failure\":\"%s\",\"tsc\":[%s],\"pmu\":[%s],\"counted\":[%s]}\n",
		worst ? "worst" : "row", path->name, stream, total, result->segments,
		result->deliveries,
		result->failure ?: "", tsc, pmu, counted);
}

static void measure(struct bench *b, unsigned int flow, unsigned int size)
{
	unsigned int i, round;
	char stream[64];

	snprintf(stream, sizeof(stream), "\"flows\":%u,\"size\":%u", flow, size);
	b->total = packets;
	memset(b->result, 0, sizeof(b->result));
	/* Round 0 warms caches and is overwritten by round 1. */
	for (round = 0; round <= rounds; round++) {
		for (i = 0; i < bench_path_count; i++) {
			const struct rx_path *path = &bench_paths[i];

			if (path->size && path->size != size)
				continue;
			b->path = path;
			stream_start(&b->stream, path->kind, flow, size);
			run_round(b, round ? round - 1 : 0, &b->result[i]);
			cond_resched();
		}
	}
	for (i = 0; i < bench_path_count; i++)
		if (!bench_paths[i].size || bench_paths[i].size == size)
			print_result(&bench_paths[i], &b->result[i], packets, stream);
}

static const struct rx_path *path_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < bench_path_count; i++)
		if (!strcmp(bench_paths[i].name, name))
			return &bench_paths[i];
	return NULL;
}

static void measure_worst(struct bench *b, const struct worst_case *c)
{
	unsigned int total = max(packets, c->flows * c->turns), i, round;
	char stream[128];

	snprintf(stream, sizeof(stream),
		 "\"case\":\"%s\",\"flows\":%u,\"size\":%u,\"max_flows\":%u", c->name, c->flows,
		 c->size, c->max_flows);
	memset(b->result, 0, sizeof(b->result));
	for (round = 0; round <= rounds; round++) {
		for (i = 0; i < worst_path_count; i++) {
			b->path = path_named(worst_paths[i]);
			b->total = total;
			stream_start(&b->stream, c->kind, c->flows, c->size);
			run_round(b, round ? round - 1 : 0, &b->result[i]);
			cond_resched();
		}
	}
	for (i = 0; i < worst_path_count; i++)
		print_result(path_named(worst_paths[i]), &b->result[i], total, stream);
}

static void measure_all_worst(struct bench *b)
{
	unsigned int i;

	for (i = 0; i < worst_case_count; i++)
		if (worst_cases[i].max_flows == worst && (!quick || worst_cases[i].quick))
			measure_worst(b, &worst_cases[i]);
}

static void calibrate(void)
{
	ktime_t start = ktime_get();
	struct clock from = clock_read(), to;
	s64 ns;

	do {
		ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	} while (ns < 100 * NSEC_PER_MSEC);
	to = clock_read();
	pr_info("run {\"tsc_khz\":%llu,\"rounds\":%u,\"mode\":%u,\"pmu\":%s}\n",
		div64_u64((to.tsc - from.tsc) * 1000000, ns), rounds, mode,
		clock_has_pmu() ? "true" : "false");
}

static int check_parameters(void)
{
	unsigned int i;

	if (!rounds || rounds > ROUNDS_MAX || !packets)
		return -EINVAL;
	if (mode != LRO_STRICT && mode != LRO_RELAXED)
		return -EINVAL;
	for (i = 0; i < size_count; i++)
		if (sizes[i] < 64 || sizes[i] > 1514)
			return -EINVAL;
	for (i = 0; i < flow_count; i++)
		if (!flows[i] || flows[i] > BOUND_FLOWS)
			return -EINVAL;
	BUILD_BUG_ON(PATHS_MAX < 16);
	return bench_path_count > PATHS_MAX ? -E2BIG : 0;
}

static int run(struct bench *b)
{
	unsigned int i, j;
	int err;

	err = stream_init(&b->stream);
	if (err)
		goto free_stream;
	err = -ENOMEM;
	b->rx.bounds = bounds_create();
	if (!b->rx.bounds)
		goto free_stream;
	b->rx.dev = sink_create(&b->sink);
	if (!b->rx.dev)
		goto free_stream;
	b->rx.napi = &b->napi;
	init_completion(&b->done);
	netif_napi_add(b->rx.dev, &b->napi, bench_poll);
	b->rx.lro = lro_create(b->rx.dev, &b->napi);
	if (!b->rx.lro)
		goto delete_napi;
	napi_enable(&b->napi);
	calibrate();
	if (worst)
		measure_all_worst(b);
	for (i = 0; i < size_count && !worst; i++)
		for (j = 0; j < flow_count; j++)
			measure(b, flows[j], sizes[i]);
	napi_disable(&b->napi);
	pr_info("end\n");
	err = 0;

	lro_destroy(b->rx.lro);
delete_napi:
	netif_napi_del(&b->napi);
	test_netdev_destroy(b->rx.dev);
free_stream:
	bounds_destroy(b->rx.bounds);
	stream_exit(&b->stream);
	return err;
}

static int __init lro_bench_init(void)
{
	struct bench *b;
	int err;

	err = check_parameters();
	if (err)
		return err;
	b = kvzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	err = run(b);
	kvfree(b);
	return err;
}
module_init(lro_bench_init);

/* All the work is done while the module loads. */
static void __exit lro_bench_exit(void)
{
}
module_exit(lro_bench_exit);

MODULE_DESCRIPTION("Benchmark of receive offload paths");
MODULE_LICENSE("GPL");
MODULE_IMPORT_XENLRO();
